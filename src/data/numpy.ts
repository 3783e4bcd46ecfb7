// Datasets of NumPy's files: a pair of .npy files, or two arrays of a .npz archive.
import { read } from "#files";
import { checkArguments, signature, string } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { canonicalBytes, sha256Parts, toHex } from "../core/canonical.ts";
import type { TypedArray } from "../core/dtype.ts";
import { DataError, didYouMean, refuse } from "../core/errors.ts";
import { filePath, finite, flag, type Given, options as optionsOf, text } from "../core/options.ts";
import { sizeOf } from "../core/shape.ts";
import { factory } from "../core/things.ts";
import { decodeNpy, openNpy } from "../io/npy.ts";
import { decodeZip } from "../io/zip.ts";
import { arrayDataset, type Dataset, type Field } from "./dataset.ts";

/** What inputs are multiplied by. */
const scale = finite.optional();

const npyRecord = optionsOf("npy", "data.npyDataset", {
  /** The path of the inputs' file. */
  inputs: text,
  /** The path of the targets' file; without it there are none. */
  targets: text.optional(),
  /** Makes inputs float32 and multiplies them by it: 1/255 for pixels. */
  scale,
  /** Where it is false, samples are read when they are wanted: for files that are larger than memory. */
  memory: flag.default(true),
});
export type NpyOptions = Given<typeof npyRecord>;

const npzRecord = optionsOf("npz", "data.npzDataset", {
  /** The path of the archive, as numpy.savez or savez_compressed writes it. */
  file: filePath,
  /** The name of the array that is inputs. */
  inputs: text.default("inputs"),
  /** The name of the array that is targets; without it there are none. */
  targets: text.optional(),
  /** Makes inputs float32 and multiplies them by it: 1/255 for pixels. */
  scale,
});
export type NpzOptions = Given<typeof npzRecord>;

const nameOf = (path: string): string => path.split(/[\\/]/).at(-1)!;

/** A dataset of .npy files: `inputs` as the file has them, float64 rounded to float32 and integers int32; `targets` alike, but floats of one axis are [samples, 1]. Throws DataError. */
export const npyDataset = factory(npyRecord, ({ inputs, targets, scale, memory }): Dataset => {
  const name = nameOf(inputs);
  if (memory) return datasetOf(name, npyArray(inputs), targets && npyArray(targets), scale);
  const fields = { inputs: fileField(inputs, scale), ...(targets && { targets: fileField(targets, undefined, true) }) };
  const [first, ...others] = Object.values(fields).map(({ size }) => size);
  if (!(first > 0) || others.some((size) => size !== first)) {
    throw new DataError({
      where: `dataset ${name}`,
      problem: "inputs and targets don't hold as many samples",
      got: [first, ...others].join(" and "),
      expected: "as many, at least one",
    });
  }
  const digests = Object.entries(fields).map(([key, { digest }]) => [`${name}/${key}`, digest]);
  return { name, size: first, fields, digests: Object.fromEntries(digests) };
});

/** A dataset of two arrays of a .npz archive, as `npyDataset` has them. Throws DataError. */
export const npzDataset = factory(npzRecord, ({ file, inputs, targets, scale }) => {
  const arrays = npzArrays(file);
  const array = (name: string): HostArray => {
    const found = arrays.get(name);
    if (found) return found;
    const expected = [...arrays.keys()].join(", ") || "arrays";
    refuse(DataError, file, "no array of this name", name, expected, didYouMean(name, arrays.keys()));
  };
  return datasetOf(nameOf(file), array(inputs), targets && array(targets), scale);
});

const calls = {
  npy: signature("data.npyArray", { path: string }),
  npz: signature("data.npzArrays", { path: string }),
};

/** The array of a .npy file, as `numpy.load` reads it: float64 rounded to float32, integers int32. `tensor(data.npyArray(path))` is its tensor. Throws DataError. */
export function npyArray(path: string): HostArray {
  checkArguments(calls.npy, arguments);
  return decodeNpy(path, read(path));
}

/** The arrays of a .npz archive by name, each as `npyArray` gives it. Throws DataError. */
export function npzArrays(path: string): Map<string, HostArray> {
  checkArguments(calls.npz, arguments);
  const arrays = new Map<string, HostArray>();
  for (const [file, bytes] of decodeZip(path, read(path))) {
    const name = file.replace(/\.npy$/, "");
    if (arrays.has(name)) refuse(DataError, path, "two files are arrays of one name", `${name} and ${name}.npy`);
    arrays.set(name, decodeNpy(`${path}: ${file}`, bytes));
  }
  return arrays;
}

/** Elements that are hashed at a time. */
const chunk = 2 ** 20;

/** A field whose samples stay in a file; its digest is that of the array in memory. */
function fileField(path: string, scale: number | undefined, wide = false): Field & { size: number; digest: string } {
  const file = openNpy(path);
  const [size = 0, ...shape] = file.shape;
  const width = sizeOf(shape);
  const get = (first: number, count: number) => scaled(file.read(first, count), scale);
  const parts = function* () {
    for (let at = 0; at < size * width; at += chunk) yield canonicalBytes(get(at, Math.min(chunk, size * width - at)));
  };
  return {
    size,
    digest: toHex(sha256Parts(parts())),
    shape: wide && file.dtype === "float32" && shape.length === 0 ? [1] : shape,
    dtype: scale === undefined ? file.dtype : "float32",
    read(indices, out) {
      indices.forEach((index, row) => {
        out.set(get(index * width, width), row * width);
      });
    },
  };
}

function scaled(data: TypedArray, scale: number | undefined): TypedArray {
  if (scale === undefined) return data;
  const factor = Math.fround(scale);
  return Float32Array.from(data, (value) => Math.fround(value) * factor);
}

function datasetOf(
  name: string,
  inputs: HostArray,
  targets: HostArray | "" | undefined,
  scale: number | undefined,
): Dataset {
  const wide = targets && targets.dtype === "float32" && targets.shape.length === 1;
  return arrayDataset(name, {
    inputs: scale === undefined ? inputs : { ...inputs, data: scaled(inputs.data, scale), dtype: "float32" },
    ...(targets && { targets: wide ? { ...targets, shape: [...targets.shape, 1] } : targets }),
  });
}
