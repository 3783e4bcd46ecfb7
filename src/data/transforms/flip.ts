// Random flips and erased rectangles: each with a probability.
import { DataError } from "../../core/errors.ts";
import { countOf, finite, type Given, options as optionsOf, probability, tuple, word } from "../../core/options.ts";
import { factory } from "../../core/things.ts";
import { below, checkFill, happens, imageFields, mapImages, planeOf, type RandomTransform } from "./transform.ts";

const flipRecord = optionsOf("random_flip", "data.randomFlip", {
  /** `horizontal`: left and right change places; `vertical`: top and bottom. */
  axis: word("horizontal", "vertical").default("horizontal"),
  /** How likely an image is changed. */
  probability: probability.default(0.5),
  ...imageFields,
});
export type RandomFlipOptions = Given<typeof flipRecord>;

/** Some images mirrored: one draw for each. */
export const randomFlip = factory(
  flipRecord,
  (options): RandomTransform => ({
    name: "random_flip",
    draws: 1,
    made: JSON.stringify(options),
    apply(tensors, words) {
      const plane = planeOf("random_flip", tensors.inputs, options.shape);
      const { channels, height, width } = plane;
      const across = options.axis === "horizontal";
      return mapImages(tensors, words, plane, [height, width], (from, out, [draw]) => {
        const flipped = happens(draw, options.probability);
        for (let row = 0; row < channels * height; row++) {
          const mirrored = row - (row % height) + (height - 1 - (row % height));
          const start = (flipped && !across ? mirrored : row) * width;
          for (let column = 0; column < width; column++)
            out[row * width + column] = from[start + (flipped && across ? width - 1 - column : column)];
        }
      });
    },
  }),
);

const eraseRecord = optionsOf("random_erase", "data.randomErase", {
  /** Height and width of the rectangle, which lies within the image. */
  size: tuple("[height, width]", countOf("rows"), countOf("columns")),
  /** How likely an image is changed. */
  probability: probability.default(0.5),
  /** What is left there. */
  fill: finite.default(0),
  ...imageFields,
});
export type RandomEraseOptions = Given<typeof eraseRecord>;

/** A rectangle of some images overwritten (cutout, DeVries and Taylor 2017): three draws for each, whether, row and column. Throws DataError for one larger than the image. */
export const randomErase = factory(
  eraseRecord,
  (options): RandomTransform => ({
    name: "random_erase",
    draws: 3,
    made: JSON.stringify(options),
    apply(tensors, words) {
      const plane = planeOf("random_erase", tensors.inputs, options.shape);
      checkFill("random_erase", tensors.inputs, options.fill);
      const { channels, height, width } = plane;
      const [rows, columns] = options.size;
      if (rows > height || columns > width) {
        throw new DataError({
          where: "random_erase",
          problem: "a rectangle larger than the image",
          got: `${rows} × ${columns}`,
          expected: `at most ${height} × ${width}`,
        });
      }
      return mapImages(tensors, words, plane, [height, width], (from, out, [draw, down, across]) => {
        out.set(from);
        if (!happens(draw, options.probability)) return;
        const [top, left] = [below(down, height - rows + 1), below(across, width - columns + 1)];
        for (let i = 0; i < channels * rows; i++) {
          const start = (Math.floor(i / rows) * height + top + (i % rows)) * width + left;
          out.fill(options.fill, start, start + columns);
        }
      });
    },
  }),
);
