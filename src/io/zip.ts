// The files in a zip archive (APPNOTE.TXT of PKWARE), stored or deflated, as NumPy's `.npz` are: by the central directory at its end. Archives in parts, encrypted files and
// archives of 4 GiB or more are refused.
import { inflate } from "#files";
import { DataError } from "../core/errors.ts";

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
/** The end's record, and the longest comment after it. */
const endLength = 22;
const farthest = endLength + 0xffff;

/** The bytes of each file by its name, in the directory's order. Throws DataError with `where` for what is no such archive, and for a damaged one. */
export function decodeZip(where: string, bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fail = (problem: string, got?: string, expected?: string): never => {
    throw new DataError({ where, problem, got, expected });
  };
  let end = bytes.length - endLength;
  while (end >= 0 && end >= bytes.length - farthest && view.getUint32(end, true) !== endSignature) end--;
  if (end < 0 || view.getUint32(end, true) !== endSignature)
    return fail("not a zip archive, or one that is cut off: its end isn't there");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const files = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const within = at + 46 <= end && view.getUint32(at, true) === entrySignature;
    if (!within) return fail("the zip archive's directory is damaged", `entry ${i} of ${count}`);
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [crc, packed, size] = [16, 20, 24].map((offset) => view.getUint32(at + offset, true));
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + extra + comment;
    if (flags & 1 || (method !== 0 && method !== 8))
      return fail(`${name} can't be unpacked`, flags & 1 ? "encrypted" : `method ${method}`, "stored or deflated");
    if (local + 30 > end || view.getUint32(local, true) !== localSignature)
      return fail(`${name} isn't where the zip archive's directory says`, `byte ${local}`);
    const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (begin + packed > end) return fail(`${name} is cut off`, `${bytes.length} bytes`, `≥ ${begin + packed}`);
    const data = bytes.subarray(begin, begin + packed);
    const found = method === 0 ? data : inflate(`${where}: ${name}`, data, size);
    if (found?.length !== size || crc32(found) !== crc) return fail(`${name} is damaged: its checksum isn't right`);
    files.set(name, found);
  }
  return files;
}

/** CRC-32 (ISO 3309, polynomial 0xedb88320) of bytes. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const table = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
