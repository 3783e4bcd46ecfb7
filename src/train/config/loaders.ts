// The data loaders that a config may name: `train_dataloader: {name: mnist, …}`.
import { type DataLoader, dataLoader } from "../../data/loader.ts";
import { mnistDataset } from "../../data/mnist.ts";
import { Catalog, count, flag, text, word } from "./values.ts";

const base = { batchSize: count, shuffle: flag.optional(), dropLast: flag.optional() };

/** Each entry reads its data when it is made. Throws DataError where they are missing or not what they should be. */
export const loaders = new Catalog<DataLoader, void, "name">("name", "a data loader: a map with a name").add(
  "mnist",
  { split: word(["train", "test"]), ...base, directory: text.optional() },
  ({ split, directory, ...options }) => dataLoader(mnistDataset(split, { directory }), options),
);
