// Images in the four files that MNIST comes in: pairs of IDX files of unsigned bytes for a training and a test split, refused unless their bytes are the published ones.
import { checkArguments, oneOf } from "../core/arguments.ts";
import type { TypedArray } from "../core/dtype.ts";
import {
  countOf,
  flag,
  folderPath,
  type Given,
  type OptionRecord,
  options as optionsOf,
  word,
} from "../core/options.ts";
import { named } from "../core/things.ts";
import type { Dataset } from "./dataset.ts";
import { type IdxArray, parseIdx } from "./idx.ts";
import { type DataLoader, dataLoader, loaderRecord } from "./loader.ts";
import { type DataPackage, dataFolder, readPublished } from "./package.ts";

export type Split = "train" | "test";

/** Images as they were published. */
export interface PublishedImages {
  readonly source: DataPackage;
  /** SHA-256 of the files, unpacked. */
  readonly files: Readonly<Record<Split, { readonly images: string; readonly labels: string }>>;
  /** What each of the 256 pixels becomes where they are standardised. */
  readonly standardised: Float32Array;
}

const round = Math.fround;
/** For each pixel (pixel ÷ 255 − mean) ÷ deviation, each operation rounded: mean and deviation are those of the training images. */
export const standardPixels = (mean: number, deviation: number): Float32Array =>
  Float32Array.from({ length: 256 }, (_, pixel) => round(round(round(pixel / 255) - round(mean)) / round(deviation)));

/** pixel ÷ 255. */
const shares = Float32Array.from({ length: 256 }, (_, pixel) => pixel / 255);

/**
 * Images without most of what is 0 in them, four pixels in five: a byte that says how many marks follow, and a mark for each four pixels
 * in a row of which one isn't 0: their number and they. `starts` is where each image begins.
 */
function marksOf(pixels: Uint8Array, width: number): { readonly marks: Uint8Array; readonly starts: Int32Array } {
  const starts = new Int32Array(pixels.length / width);
  const marks = new Uint8Array(starts.length + (pixels.length / 4) * 5);
  let end = 0;
  for (let image = 0, from = 0; image < starts.length; image++) {
    const start = end++;
    for (let four = 0; four < width / 4; four++, from += 4) {
      if ((pixels[from] | pixels[from + 1] | pixels[from + 2] | pixels[from + 3]) === 0) continue;
      marks[end] = four;
      marks[end + 1] = pixels[from];
      marks[end + 2] = pixels[from + 1];
      marks[end + 3] = pixels[from + 2];
      marks[end + 4] = pixels[from + 3];
      end += 5;
    }
    marks[start] = (end - start - 1) / 5;
    starts[image] = start;
  }
  return { marks: marks.slice(0, end), starts };
}

/** Writes the values of `count` marks over the background. */
function writeMarks(
  { marks, values }: { readonly marks: Uint8Array; readonly values: Float32Array },
  from: number,
  count: number,
  out: TypedArray,
  at: number,
): void {
  for (let mark = from; mark < from + 5 * count; mark += 5) {
    const to = at + 4 * marks[mark];
    out[to] = values[marks[mark + 1]];
    out[to + 1] = values[marks[mark + 2]];
    out[to + 2] = values[marks[mark + 3]];
    out[to + 3] = values[marks[mark + 4]];
  }
}

const sourceFields = {
  /** Whether pixels are standardised by the training images' mean and deviation, as unless given; if not they are in [0, 1]. */
  standardise: flag.optional(),
  /** The folder of the four IDX files, which may be gzipped, instead of the installed package's. */
  directory: folderPath.optional(),
} as const;
type Source = Given<{ readonly fields: typeof sourceFields }>;

/** What a split's dataset takes. */
export const splitFields = {
  /** Which images. */
  split: word("train", "test"),
  ...sourceFields,
} as const;

/** What a pair of loaders takes. */
export const pairFields = {
  ...loaderRecord.fields,
  /** Batch size of the test split, which is never shuffled and keeps its last batch. */
  testBatchSize: countOf("samples").default(1000),
  ...sourceFields,
} as const;

const prefixes = { train: "train", test: "t10k" } as const;

/** Options of a pair of loaders. */
export type PairOptions = Given<{ readonly fields: typeof pairFields }>;

export type ImagesDataset = (split: Split, options?: Source) => Dataset;

/** What opens a split of published images. */
export function imagesDataset(
  record: OptionRecord<typeof splitFields>,
  { source, files, standardised }: PublishedImages,
): ImagesDataset {
  const { name, where } = record;
  const call = optionsOf(name, where, sourceFields).call({
    split: oneOf(["train", "test"], { val: '"test"', validation: '"test"' }),
  });
  const open: ImagesDataset = named(
    record,
    function (split: Split, options: Source = {}): Dataset {
      checkArguments(call, arguments);
      const { directory, standardise = true } = options;
      const folder = dataFolder(where, source, "the four IDX files", directory);
      const idx = (kind: string, sha256: string) => {
        const path = `${folder}/${prefixes[split]}-${kind}`;
        // The published files are of unsigned bytes.
        return parseIdx(path, readPublished(path, source, sha256)) as IdxArray & { readonly data: Uint8Array };
      };
      const { images, labels } = files[split];
      const { data: pixels, shape } = idx("images-idx3-ubyte", images);
      const { data: classes } = idx("labels-idx1-ubyte", labels);
      const width = shape[1] * shape[2];
      const { starts, marks } = marksOf(pixels, width);
      const drawn = { marks, values: standardise ? standardised : shares };
      return {
        name: `${name}/${split}`,
        size: shape[0],
        fields: {
          inputs: {
            shape: [width],
            dtype: "float32",
            read(indices, out) {
              // All counts before the first image: so memory is waited for once, and not image by image.
              const counts = new Uint8Array(indices.length);
              for (let row = 0; row < indices.length; row++) counts[row] = marks[starts[indices[row]]];
              out.fill(drawn.values[0]);
              for (let row = 0; row < indices.length; row++)
                writeMarks(drawn, starts[indices[row]] + 1, counts[row], out, row * width);
            },
          },
          targets: {
            shape: [],
            dtype: "int32",
            read(indices, out) {
              indices.forEach((index, row) => {
                out[row] = classes[index];
              });
            },
          },
        },
        digests: { [`${name}/${split}/images`]: images, [`${name}/${split}/labels`]: labels },
      };
    },
    ({ split, ...options }) => open(split, options),
  );
  return open;
}

export type ImagesLoaders = (options: PairOptions) => Promise<[train: DataLoader, test: DataLoader]>;

/** What opens both splits as loaders: the options are the training loader's. */
export function imagesLoaders(record: OptionRecord<typeof pairFields>, open: ImagesDataset): ImagesLoaders {
  return async function (options) {
    const { testBatchSize, directory, standardise, ...rest } = record.read(options, arguments);
    return [
      dataLoader(open("train", { directory, standardise }), rest),
      dataLoader(open("test", { directory, standardise }), { batchSize: testBatchSize }),
    ];
  };
}
