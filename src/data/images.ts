// Images in folders: one folder per class, PNG files in each. All are decoded when the dataset is made, and kept as bytes.
import { exists, list, read } from "#files";
import { decodePng } from "#png";
import { sha256Hex } from "../core/canonical.ts";
import { DataError, refuse } from "../core/errors.ts";
import {
  finite,
  folderPath,
  type Given,
  list as listOf,
  options as optionsOf,
  positive,
  text,
  word,
} from "../core/options.ts";
import { factory } from "../core/things.ts";
import type { Dataset } from "./dataset.ts";

const record = optionsOf("images", "data.imageFolder", {
  /** The folder of the classes' folders. */
  folder: folderPath,
  /** The classes' folders in the order of their numbers; all of them by name unless given. */
  classes: listOf(text, 1, "a list of at least one text").optional(),
  /** `rgb`: three channels; `grey`: one, by the weights of ITU-R 601. */
  colour: word("rgb", "grey").default("rgb"),
  /** What is subtracted from pixels ÷ 255, for each channel. */
  mean: listOf(finite, 1, "a list of numbers, one for each channel").optional(),
  /** What the difference is then divided by, for each channel. */
  deviation: listOf(positive, 1, "a list of numbers > 0, one for each channel").optional(),
});
export type ImageFolderOptions = Given<typeof record>;

/**
 * Images by class: `inputs` [channels, height, width] float32, pixels ÷ 255, each operation rounded; `targets` [] int32, the folder's number. Files are read in the order of their names; transparency is
 * left out. Throws DataError for a folder without images, for other files in it, and for images of different sizes.
 */
export const imageFolder = factory(record, ({ folder, colour, mean, deviation, classes: given }): Dataset => {
  const classes = given ?? list(folder).filter((name) => !name.startsWith("."));
  const channels = colour === "rgb" ? 3 : 1;
  const files = classes.flatMap((name, target) =>
    imagesIn(`${folder}/${name}`).map((file) => ({ file: `${name}/${file}`, target })),
  );
  if (files.length === 0) refuse(DataError, folder, "no images", undefined, "a folder for each class, of .png files");
  let shape: readonly [height: number, width: number] | undefined;
  let pixels = new Uint8Array();
  const lines = files.map(({ file }, i) => {
    const path = `${folder}/${file}`;
    const bytes = read(path);
    const { width, height, data } = decodePng(path, bytes);
    if (!shape) {
      shape = [height, width];
      pixels = new Uint8Array(files.length * channels * height * width);
    } else if (height !== shape[0] || width !== shape[1]) {
      throw new DataError({
        where: path,
        problem: "an image of another size than the first",
        got: `${height} × ${width}`,
        expected: `${shape[0]} × ${shape[1]}, height and width of ${files[0].file}`,
      });
    }
    writePixels(data, channels, pixels.subarray(i * channels * height * width));
    return `${file}\n${sha256Hex(bytes)}\n`;
  });
  const values = channelValues(folder, channels, mean, deviation);
  const size = shape![0] * shape![1];
  const name = folder.split(/[\\/]/).filter(Boolean).at(-1)!;
  const preparation = JSON.stringify({ classes, colour, mean: mean ?? null, deviation: deviation ?? null });
  return {
    name,
    size: files.length,
    classes,
    fields: {
      inputs: {
        shape: [channels, ...shape!],
        dtype: "float32",
        read(indices, out) {
          indices.forEach((index, row) => {
            const [from, to] = [index * channels * size, row * channels * size];
            for (let i = 0; i < channels * size; i++) out[to + i] = values[Math.floor(i / size)][pixels[from + i]];
          });
        },
      },
      targets: {
        shape: [],
        dtype: "int32",
        read(indices, out) {
          indices.forEach((index, row) => {
            out[row] = files[index].target;
          });
        },
      },
    },
    digests: { [`${name}/images`]: sha256Hex(new TextEncoder().encode(lines.join("") + preparation)) },
  };
});

/** The names of a class's images. */
function imagesIn(folder: string): string[] {
  if (!exists(folder)) throw new DataError({ where: folder, problem: "there is no folder of this class" });
  const names = list(folder).filter((name) => !name.startsWith("."));
  const other = names.find((name) => !/\.png$/i.test(name));
  if (other === undefined) return names;
  throw new DataError({ where: `${folder}/${other}`, problem: "not an image that is read", expected: "a .png file" });
}

/** Pixels [height, width, 4] as [channels, height, width]. */
function writePixels(data: Uint8Array, channels: number, out: Uint8Array): void {
  const size = data.length / 4;
  for (let i = 0; i < size; i++) {
    const [red, green, blue] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels === 1) out[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >>> 16;
    else {
      out[i] = red;
      out[size + i] = green;
      out[2 * size + i] = blue;
    }
  }
}

/** What each byte of a channel becomes. */
function channelValues(
  where: string,
  channels: number,
  mean: readonly number[] | undefined,
  deviation: readonly number[] | undefined,
): readonly Float32Array[] {
  for (const [key, list] of Object.entries({ mean, deviation })) {
    if (!list || list.length === channels) continue;
    refuse(DataError, `${where}: ${key}`, "not a number for each channel", `${list.length} numbers`, `${channels}`);
  }
  const round = Math.fround;
  return Array.from({ length: channels }, (_, channel) => {
    const [shift, divisor] = [round(mean?.[channel] ?? 0), round(deviation?.[channel] ?? 1)];
    return Float32Array.from({ length: 256 }, (_, byte) => round(round(round(byte / 255) - shift) / divisor));
  });
}
