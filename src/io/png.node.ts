// PNG images by pngjs, which is JavaScript alone and has no dependencies; it needs Node's zlib, and so stands behind the condition `#png`.
import { PNG } from "pngjs";
import { DataError } from "../core/errors.ts";

/** The pixels of an image. */
export interface Png {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel, row by row, in [0, 255]. */
  readonly data: Uint8Array;
}

/** The image in a file's bytes, of any kind that the format has; 16 bits are rescaled to 8. Throws DataError with `where` for a damaged file. */
export function decodePng(where: string, bytes: Uint8Array): Png {
  try {
    const { buffer, byteOffset, length } = bytes;
    const { width, height, data } = PNG.sync.read(Buffer.from(buffer, byteOffset, length));
    return { width, height, data };
  } catch (cause) {
    throw new DataError({ where, problem: "not a PNG image, or a damaged one", got: (cause as Error).message, cause });
  }
}
