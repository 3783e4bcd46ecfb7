// Fashion-MNIST: clothes of ten kinds (Xiao, Rasul and Vollgraf 2017, MIT licence) in MNIST's form, the four IDX files of the Debian package dataset-fashion-mnist.
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
import { debianData } from "./package.ts";

/** One split of the clothes: `inputs` [784] float32, standardised unless that is switched off, and `targets` [] int32 in [0, 10). Throws DataError when a file is missing or has other bytes. */
export const fashionMnistDataset: ImagesDataset = imagesDataset(
  optionsOf("fashion_mnist", "data.fashionMnistDataset", splitFields),
  {
    source: debianData("dataset-fashion-mnist"),
    files: {
      train: {
        images: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        labels: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
      },
      test: {
        images: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        labels: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
      },
    },
    standardised: standardPixels(0.286, 0.353),
  },
);

export type FashionMnistOptions = PairOptions;

/** Loaders of the 60,000 images of clothes to train on, and the 10,000 to test on; the options are the training loader's. Rejects with DataError when a file is missing or has other bytes. */
export const fashionMnist: ImagesLoaders = imagesLoaders(
  optionsOf("fashionMnist", "data.fashionMnist", pairFields),
  fashionMnistDataset,
);
