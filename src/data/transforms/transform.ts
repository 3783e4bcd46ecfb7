// Random changes of training batches. A transform draws the same number of words for each sample, so that a sample's words follow from the epoch's range and the sample's
// number: nothing else moves, and there is no state but the place in the epoch.
import type { HostArray } from "../../core/array.ts";
import { holdsNumber, makeArray } from "../../core/dtype.ts";
import { DataError } from "../../core/errors.ts";
import { countOf, tuple } from "../../core/options.ts";
import { formatShape, sizeOf } from "../../core/shape.ts";

export interface RandomTransform {
  readonly name: string;
  /** Draws for each sample. */
  readonly draws: number;
  /** What the transform was made with, for the run's digest: JSON. */
  readonly made: string;
  /** Other tensors for a batch's, which stay as they are; `words`: uint32, `draws` for each sample in turn. */
  apply(tensors: Tensors, words: Uint32Array): Tensors;
}

/** A batch's tensors by field. */
export type Tensors = Readonly<Record<string, HostArray>>;

/** An integer in [0, n) of one draw: ⌊word·n / 2³²⌋, exact in float64 for n ≤ 2²¹; bias at most n / 2³². */
export const below = (word: number, n: number): number => Math.floor((word * n) / 2 ** 32);

/** Whether an event of probability `p` happens: word < round(p·2³²). */
export const happens = (word: number, p: number): boolean => word < Math.round(p * 2 ** 32);

/** Options of transforms that see inputs as images. */
export const imageFields = {
  /** A sample as an image, where it comes flat: channels, height, width. */
  shape: tuple("[channels, height, width]", countOf("channels"), countOf("rows"), countOf("columns")).optional(),
} as const;

/** One image of a batch. */
export interface Plane {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Inputs [batch, channels, height, width], [batch, height, width], or flat with a `shape`, as images. Throws DataError for others. */
export function planeOf(
  where: string,
  { shape: [, ...sample] }: HostArray,
  given: readonly number[] | undefined,
): Plane {
  const image = given ?? (sample.length === 2 ? [1, ...sample] : sample);
  if (image.length === 3 && sizeOf(image) === sizeOf(sample)) {
    const [channels, height, width] = image;
    return { channels, height, width };
  }
  throw new DataError({
    where,
    problem: "inputs that are no images of this shape",
    got: `samples ${formatShape(sample)}${given ? ` as ${formatShape(given)}` : ""}`,
    expected: "[channels, height, width] or [height, width]",
    hint: given ? undefined : "samples that come flat: shape: [1, 28, 28]",
  });
}

/** Throws DataError for what is to be written over images and isn't one of their dtype's numbers. */
export function checkFill(where: string, { dtype }: HostArray, fill: number): void {
  if (holdsNumber(dtype, fill)) return;
  const expected = dtype === "bool" ? "0 or 1" : `an integer that fits ${dtype}`;
  throw new DataError({ where, problem: "a fill that the inputs can't hold", got: String(fill), expected });
}

/** Calls `write` for each sample of a batch with its image, where its new one goes, and its words. `size`: the new images' height and width. */
export function mapImages(
  tensors: Tensors,
  words: Uint32Array,
  { channels, height, width }: Plane,
  [rows, columns]: readonly [number, number],
  write: (from: HostArray["data"], out: HostArray["data"], words: Uint32Array) => void,
): Tensors {
  const { inputs } = tensors;
  const [batch, ...sample] = inputs.shape;
  const [before, after] = [channels * height * width, channels * rows * columns];
  const data = makeArray(inputs.dtype, batch * after);
  const draws = words.length / batch;
  for (let row = 0; row < batch; row++)
    write(
      inputs.data.subarray(row * before, (row + 1) * before),
      data.subarray(row * after, (row + 1) * after),
      words.subarray(row * draws, (row + 1) * draws),
    );
  const shape = sample.length === 1 ? [after] : sample.length === 2 ? [rows, columns] : [channels, rows, columns];
  return { ...tensors, inputs: { data, dtype: inputs.dtype, shape: [batch, ...shape] } };
}
