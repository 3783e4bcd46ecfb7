// Datasets whose samples aren't at hand: on a disk, in a network. Their batches come later, and a Trainer asks for the next while a step runs.
import {
  callable,
  checkArguments,
  count,
  dtype as dtypeKind,
  isRecord,
  kind,
  options,
  shape as shapeKind,
  signature,
  string,
} from "../core/arguments.ts";
import type { TypedArray } from "../core/dtype.ts";
import { DataError } from "../core/errors.ts";
import type { Dataset, Field } from "./dataset.ts";

/** Samples that are read later. */
export interface AsyncSource {
  /** The number of samples. */
  readonly size: number;
  /** A sample's shape and dtype, by the names that a batch's tensors get: usually `inputs` and `targets`. */
  readonly fields: Readonly<Record<string, Pick<Field, "shape" | "dtype">>>;
  /** SHA-256 of the data, 64 hex digits by name: what a run's manifest and chain hold. */
  readonly digests: Readonly<Record<string, string>>;
  /** The elements of samples, by their numbers, one after another: by field. Always the same ones. */
  read(samples: Int32Array): Promise<Readonly<Record<string, TypedArray>>>;
}

const isField = (value: unknown): boolean => {
  const { shape, dtype } = (value ?? {}) as Partial<Field>;
  return shapeKind.accepts(shape) && dtypeKind.accepts(dtype);
};
const recordOf = (expected: string, isOne: (value: unknown) => boolean) =>
  kind(expected, (value) => isRecord(value) && Object.values(value).every(isOne));
const call = signature("data.asyncDataset", {
  name: string,
  source: options<AsyncSource>({
    size: count,
    fields: recordOf("a record of { shape, dtype }, by field", isField),
    digests: recordOf("a record of digests, by name", (value) => typeof value === "string"),
    read: callable,
  }),
});

/** A dataset whose samples are read a batch at a time, later; a loader of it is shuffled, split and resumed as any. Throws ConfigError, and DataError where `read` gave other elements than the fields say. */
export function asyncDataset(name: string, source: AsyncSource): Dataset {
  checkArguments(call, arguments);
  const { size, digests } = source;
  const fields = Object.entries(source.fields).map(([key, { shape, dtype }]): [string, Field] => {
    const read = () => {
      throw new DataError({ where: `dataset ${name}`, problem: `${key} is read later`, hint: "a loader reads it" });
    };
    return [key, { shape, dtype, read }];
  });
  return { name, size, digests, fields: Object.fromEntries(fields), later: (samples) => source.read(samples) };
}
