// Datasets: samples that can be read in any order, field by field. A dataset holds data as it came; a field decodes a sample where it is wanted.
import { checkArguments, isRecord, kind, signature, string } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { canonicalBytes, sha256Hex } from "../core/canonical.ts";
import { type DType, holds, type TypedArray } from "../core/dtype.ts";
import { DataError, refuse, showValue } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";

/** One tensor of each sample. */
export interface Field {
  /** A sample's shape. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** Writes samples, by their numbers, one after another into `out`: it holds just them, and zeros before. */
  read(indices: Int32Array, out: TypedArray): void;
}

export interface Dataset {
  readonly name: string;
  /** The number of samples. */
  readonly size: number;
  /** By the names that a batch's tensors get: usually `inputs` and `targets`. */
  readonly fields: Readonly<Record<string, Field>>;
  /** SHA-256 of the data under it, 64 hex digits by name: what a run's manifest and chain hold. */
  readonly digests: Readonly<Record<string, string>>;
  /** Of samples that are read later: what is asked for a batch's, in place of each field's `read`. */
  readonly later?: (samples: Int32Array) => Promise<Readonly<Record<string, TypedArray>>>;
  /** Of a table: the names of its columns, in the order of `inputs`' last axis. */
  readonly columns?: readonly string[];
  /** Of a text: which character each number stands for. */
  readonly vocabulary?: Characters;
  /** Of images in folders: the class of each number. Validation data with other classes are refused. */
  readonly classes?: readonly string[];
  /** Of a table: how its numbers are learned from the rows that are trained on. `fields` are those of all rows. */
  readonly table?: Table;
  /** Of a part of a dataset: which of its samples it holds. */
  readonly split?: SplitPart;
}

/** A table whose inputs depend on what some rows teach. */
export interface Table {
  /** What these samples teach, or all; undefined where there is nothing to learn. */
  fit(samples?: Int32Array): TableState | undefined;
  /** The same rows, with inputs by what was learned elsewhere. Throws DataError for a column or a category that isn't there. */
  under(state: TableState): Pick<Dataset, "fields" | "columns">;
}

/** How the columns of a table become inputs, in their order: kept with a run, and applied to what is validated and predicted. */
export type TableState = readonly TableColumn[];

/** A column of texts becomes a number for each category; one of numbers is standardised where it has a mean and a deviation, and a missing number becomes `fill`. */
export interface TableColumn {
  readonly column: string;
  readonly categories?: readonly string[];
  readonly mean?: number;
  readonly deviation?: number;
  readonly fill?: number;
}

/** The samples of a part that is drawn when the run's seed is known; `fields` reads by the whole dataset's numbers. */
export interface SplitPart {
  /** Draws before epoch 0 that this part, and the parts that it is of, take in all. */
  readonly draws: number;
  /** A seed of its own: these draws aren't the run's. */
  readonly seed?: bigint;
  /** The samples, by their numbers in the whole dataset, under a run's seed. */
  order(seed: bigint): Int32Array;
}

/** The characters of a text in the order of their numbers, from 0. */
export interface Characters {
  readonly characters: readonly string[];
  readonly size: number;
}

function isDataset(value: unknown): boolean {
  const { name, size, fields, digests } = (value ?? {}) as Partial<Dataset>;
  const isField = (field: Partial<Dataset["fields"][string]> | null) =>
    Array.isArray(field?.shape) && typeof field.read === "function";
  return (
    typeof name === "string" &&
    Number.isSafeInteger(size) &&
    isRecord(fields) &&
    Object.values(fields).every((field) => isField(field as Dataset["fields"][string] | null)) &&
    isRecord(digests) &&
    Object.values(digests).every((digest) => typeof digest === "string")
  );
}

/** As a kind of argument. */
export const datasetKind = kind("a dataset: { name, size, fields, digests }", isDataset);

const call = signature("data.arrayDataset", { name: string, arrays: kind("a record of arrays by field", isRecord) });

/** A dataset of arrays whose first axis counts samples. Throws DataError unless all have as many, at least one, of at least one element each. */
export function arrayDataset(name: string, arrays: Readonly<Record<string, HostArray>>): Dataset {
  checkArguments(call, arguments);
  const entries = Object.entries(arrays);
  for (const [field, array] of entries) {
    const known =
      Array.isArray(array?.shape) && array.shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
    if (known && holds(array.dtype, array.data)) continue;
    throw new DataError({
      where: `dataset ${name}`,
      problem: `field ${field} is no array of numbers with a shape, of the type that it says`,
      got: known ? `${array.data?.constructor?.name ?? "nothing"} as ${showValue(array.dtype)}` : undefined,
      expected:
        '{ data: Float32Array, shape: [samples, …], dtype: "float32" }; Int32Array is int32, Uint8Array bool: 0 and 1',
      hint:
        typeof array?.data === "function"
          ? "of a tensor x: { data: await x.data(), shape: x.shape, dtype: x.dtype }"
          : undefined,
    });
  }
  const size = entries[0]?.[1].shape[0];
  for (const [field, { shape, data }] of entries) {
    if (shape.length === 0 || shape[0] !== size || data.length !== sizeOf(shape)) {
      throw new DataError({
        where: `dataset ${name}`,
        problem: `field ${field} doesn't hold a value for each sample`,
        got: `[${shape.join(", ")}], ${data.length} elements`,
        expected: `[${size ?? "samples"}, ...]`,
      });
    }
  }
  if (size === undefined) refuse(DataError, `dataset ${name}`, "no fields", undefined, "at least one array");
  const empty = entries.find(([, { data }]) => data.length === 0);
  if (empty) {
    throw new DataError({
      where: `dataset ${name}`,
      problem: `field ${empty[0]} holds nothing`,
      got: `[${empty[1].shape.join(", ")}]`,
      expected: "at least one sample, of at least one element",
    });
  }
  return {
    name,
    size,
    fields: Object.fromEntries(entries.map(([key, array]) => [key, arrayField(array)])),
    digests: Object.fromEntries(entries.map(([key, { data }]) => [`${name}/${key}`, sha256Hex(canonicalBytes(data))])),
  };
}

/** The field of an array whose first axis counts samples. */
export function arrayField({ data, shape, dtype }: HostArray): Field {
  const width = sizeOf(shape.slice(1));
  return {
    shape: shape.slice(1),
    dtype,
    read(indices, out) {
      indices.forEach((index, row) => {
        out.set(data.subarray(index * width, (index + 1) * width), row * width);
      });
    },
  };
}
