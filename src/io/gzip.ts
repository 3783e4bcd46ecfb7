// Gzipped files where unpacking may take its time: by the platform's stream, which pages have too.
import { DataError } from "../core/errors.ts";

/**
 * What a file holds: where its name ends in `.gz`, what it unpacks to, unless that was done on its way, as some servers do. Rejects with DataError for damaged
 * bytes, and for more than `most`: 1 GiB, unless given.
 */
export async function contentOf(path: string, bytes: Uint8Array, most = 2 ** 30): Promise<Uint8Array> {
  if (!path.endsWith(".gz") || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const parts: Uint8Array[] = [];
  let size = 0;
  const unpacking = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  const reader = unpacking.getReader();
  for (;;) {
    const { value, done } = await reader.read().catch((cause) => {
      const problem = "the file is damaged: its packed data can't be unpacked";
      throw new DataError({ where: path, problem, got: String(cause), cause });
    });
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      const problem = "it unpacks to more than a page can take";
      throw new DataError({ where: path, problem, expected: `at most ${most} bytes` });
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}
