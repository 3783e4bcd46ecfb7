// SHA-256 where there is no native one that answers at once: a browser's own is async.
import { sha256 as inScript } from "@noble/hashes/sha2.js";

/** SHA-256 of some bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return inScript(bytes);
}

/** SHA-256 by the platform, for whoever can wait; undefined where it has none: in a page that came neither by https nor from this machine. */
export async function sha256Later(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const digest = await globalThis.crypto?.subtle?.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return digest && new Uint8Array(digest);
}

/** SHA-256 of bytes that come in parts. */
export function sha256Parts(parts: Iterable<Uint8Array>): Uint8Array {
  const hash = inScript.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}
