// PNG images by pngjs, which is JavaScript alone and has no dependencies; it needs Node's zlib, and so stands behind the condition `#png`.
import { inflateSync } from "node:zlib";
import { PNG } from "pngjs";
import { DataError } from "../core/errors.ts";
import { crc32 } from "./crc.ts";

/** The pixels of an image. */
export interface Png {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel, row by row, in [0, 255]. */
  readonly data: Uint8Array;
}

/** Samples of a pixel, by the type of its colour. */
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const mostPixels = 2 ** 26;
/** Where each pass of an interlaced image (Adam7) begins, and its steps: x, y, across, down. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
/** Some writers leave a little after the last row. */
const slack = 2 ** 16;

/**
 * Throws for a damaged chunk, for packed pixels that can't be unpacked, and for others than the header says. pngjs passes over chunks that it doesn't know, takes what lay in memory for what it
 * can't unpack, and asks for memory by the header alone.
 */
function checkChunks(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 57 || view.getUint32(0) !== 0x89504e47) throw new Error("another beginning");
  const packed: Uint8Array[] = [];
  for (let at = 8; at < bytes.length; ) {
    const end = at + 12 > bytes.length ? Number.POSITIVE_INFINITY : at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) throw new Error("a chunk that is cut off");
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (view.getUint32(end) !== crc32(bytes.subarray(at + 4, end)))
      throw new Error(`chunk ${type} with a wrong checksum`);
    if ((type === "IHDR") !== (at === 8)) throw new Error(`chunk ${type} at byte ${at}`);
    if (type === "IDAT") packed.push(bytes.subarray(at + 8, end));
    at = end + 4;
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height === 0 || width * height > mostPixels) throw new Error(`${height} × ${width} pixels`);
  const bits = bytes[24] * (samples[bytes[25]] ?? 4);
  let size = 0;
  for (const [x, y, across, down] of bytes[28] === 0 ? [[0, 0, 1, 1]] : passes) {
    const [columns, rows] = [Math.ceil((width - x) / across), Math.ceil((height - y) / down)];
    // Each row begins with a byte for its filter.
    if (columns > 0 && rows > 0) size += rows * (1 + Math.ceil((columns * bits) / 8));
  }
  const { length } = inflateSync(Buffer.concat(packed), { maxOutputLength: size + slack });
  if (length < size) throw new Error(`${length} bytes for ${height} × ${width} pixels`);
}

/** The image in a file's bytes, of any kind that the format has; 16 bits are rescaled to 8. Throws DataError with `where` for a damaged file, and for one of more than 2²⁶ pixels. */
export function decodePng(where: string, bytes: Uint8Array): Png {
  try {
    checkChunks(bytes);
    const { buffer, byteOffset, length } = bytes;
    const { width, height, data } = PNG.sync.read(Buffer.from(buffer, byteOffset, length));
    return { width, height, data };
  } catch (cause) {
    throw new DataError({ where, problem: "not a PNG image, or a damaged one", got: (cause as Error).message, cause });
  }
}
