// Random crops and shifts: a window of the image, which may reach over its edges.
import { DataError } from "../../core/errors.ts";
import { countOf, finite, type Given, options as optionsOf, tuple } from "../../core/options.ts";
import { factory } from "../../core/things.ts";
import { below, checkFill, imageFields, mapImages, planeOf, type RandomTransform } from "./transform.ts";

const cropRecord = optionsOf("random_crop", "data.randomCrop", {
  /** Height and width of what is left; the image's own unless given. */
  size: tuple("[height, width]", countOf("rows"), countOf("columns")).optional(),
  /** How far a window may reach over each edge. */
  padding: countOf("pixels", 0).default(0),
  /** What is there. */
  fill: finite.default(0),
  ...imageFields,
});
export type RandomCropOptions = Given<typeof cropRecord>;

/** A window of each image, its row and its column from one draw each. Throws DataError where it is larger than the padded image. */
export const randomCrop = factory(cropRecord, (options) => windows("random_crop", options));

const shiftRecord = optionsOf("random_shift", "data.randomShift", {
  /** How far at most, along each axis. */
  pixels: countOf("pixels"),
  /** What comes in over the edges. */
  fill: finite.default(0),
  ...imageFields,
});
export type RandomShiftOptions = Given<typeof shiftRecord>;

/** Each image moved by up to so many pixels along both axes, from one draw each. */
export const randomShift = factory(shiftRecord, ({ pixels, ...rest }) =>
  windows("random_shift", { ...rest, padding: pixels }),
);

interface Window {
  readonly size?: readonly [number, number];
  readonly padding: number;
  readonly fill: number;
  readonly shape?: readonly number[];
}

function windows(name: string, options: Window): RandomTransform {
  const { size, padding, fill, shape } = options;
  return {
    name,
    draws: 2,
    made: JSON.stringify(options),
    apply(tensors, words) {
      const plane = planeOf(name, tensors.inputs, shape);
      checkFill(name, tensors.inputs, fill);
      const { channels, height, width } = plane;
      const [rows, columns] = size ?? [height, width];
      const [down, across] = [height + 2 * padding - rows, width + 2 * padding - columns];
      if (down < 0 || across < 0) {
        throw new DataError({
          where: name,
          problem: "a window larger than the image",
          got: `${rows} × ${columns}`,
          expected: `at most ${height + 2 * padding} × ${width + 2 * padding}`,
        });
      }
      return mapImages(tensors, words, plane, [rows, columns], (from, out, [first, second]) => {
        const [top, left] = [below(first, down + 1) - padding, below(second, across + 1) - padding];
        for (let i = 0, to = 0; i < channels * rows; i++) {
          const row = top + (i % rows);
          const start = Math.floor(i / rows) * height * width + row * width + left;
          for (let column = 0; column < columns; column++, to++) {
            const inside = row >= 0 && row < height && left + column >= 0 && left + column < width;
            out[to] = inside ? from[start + column] : fill;
          }
        }
      });
    },
  };
}
