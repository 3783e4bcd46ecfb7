// A dataset of a pair of IDX files, such as Fashion-MNIST's or one's own: what is in them is the user's, and is held to no published bytes.

import { read } from "#files";
import type { HostArray } from "../core/array.ts";
import { DataError, refuse } from "../core/errors.ts";
import { filePath, type Given, options as optionsOf } from "../core/options.ts";
import { sizeOf } from "../core/shape.ts";
import { factory } from "../core/things.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";
import { type IdxElements, parseIdx } from "./idx.ts";
import { standardise } from "./mnist.ts";

const record = optionsOf("idx", "data.idxDataset", {
  /** The path of the inputs' file; it may be gzipped. */
  inputs: filePath,
  /** The path of the targets' file. */
  targets: filePath,
});
export type IdxOptions = Given<typeof record>;

/** The samples of an IDX file, each flat: [samples, width] float32. Unsigned bytes are standardised as MNIST's images, other elements are as they are. */
export function idxInputs(path: string): HostArray {
  const { data, shape } = parseIdx(path, read(path));
  if (shape.length === 0) throw noSamples(path);
  const values = data instanceof Uint8Array ? standardise(data) : asFloat32(path, data);
  return { data: values, shape: [shape[0], sizeOf(shape.slice(1))], dtype: "float32" };
}

/** `inputs` as `idxInputs` gives them; `targets` of integers int32 with the file's shape, of other numbers [samples, …, 1] float32. Throws DataError where the two don't hold as many samples, and what reading them throws. */
export const idxDataset = factory(record, ({ inputs, targets }): Dataset => {
  const { data, shape } = parseIdx(targets, read(targets));
  if (shape.length === 0) throw noSamples(targets);
  const whole = !(data instanceof Float32Array || data instanceof Float64Array);
  return arrayDataset(inputs.split(/[\\/]/).at(-1)!, {
    inputs: idxInputs(inputs),
    targets: whole
      ? { data: Int32Array.from(data), shape, dtype: "int32" }
      : { data: asFloat32(targets, data), shape: shape.length === 1 ? [...shape, 1] : shape, dtype: "float32" },
  });
});

/** Elements rounded to float32. Throws DataError for a finite number that would become infinite. */
function asFloat32(where: string, data: IdxElements): Float32Array {
  const rounded = Float32Array.from(data);
  const at = rounded.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(data[i]));
  if (at < 0) return rounded;
  refuse(DataError, where, `element ${at} is no float32`, data[at], "a number in float32's range");
}

const noSamples = (where: string) =>
  new DataError({ where, problem: "it holds one element, and no samples", got: "[]", expected: "at least one axis" });
