// The files in a zip archive (APPNOTE.TXT of PKWARE), stored or deflated, as NumPy's `.npz` are: by the central directory at its end. Archives in parts, encrypted files and
// archives of 4 GiB or more are refused.
import { inflate } from "#files";
import { DataError } from "../core/errors.ts";
import { crc32 } from "./crc.ts";

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
  const [size, directory] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  let at = directory;
  const files = new Map<string, Uint8Array>();
  let taken = 0;
  for (let i = 0; i < count; i++) {
    const within = at + 46 <= end && view.getUint32(at, true) === entrySignature;
    if (!within) return fail("the zip archive's directory is damaged", `entry ${i} of ${count}`);
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [crc, packed, whole] = [16, 20, 24].map((offset) => view.getUint32(at + offset, true));
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + extra + comment;
    if (files.has(name)) return fail(`${name} is in the zip archive twice`);
    // Files that share their bytes could unpack to any size.
    taken += packed;
    if (taken > bytes.length) return fail("the files of the zip archive lie over each other", `entry ${i} of ${count}`);
    if (flags & 1 || (method !== 0 && method !== 8))
      return fail(`${name} can't be unpacked`, flags & 1 ? "encrypted" : `method ${method}`, "stored or deflated");
    if (local + 30 > end || view.getUint32(local, true) !== localSignature)
      return fail(`${name} isn't where the zip archive's directory says`, `byte ${local}`);
    const named = bytes.subarray(local + 30, local + 30 + view.getUint16(local + 26, true));
    if (new TextDecoder().decode(named) !== name) return fail(`${name} has another name where it lies`);
    const begin = local + 30 + named.length + view.getUint16(local + 28, true);
    if (begin + packed > end) return fail(`${name} is cut off`, `${bytes.length} bytes`, `≥ ${begin + packed}`);
    const data = bytes.subarray(begin, begin + packed);
    const found = method === 0 ? data : inflate(`${where}: ${name}`, data, whole);
    if (found?.length !== whole || crc32(found) !== crc) return fail(`${name} is damaged: its checksum isn't right`);
    files.set(name, found);
  }
  if (at !== directory + size) return fail("the zip archive's directory is damaged", `${count} entries`);
  return files;
}
