// SHA-256 where there is node:crypto (Node, Bun, Deno), behind the condition `#hash`. In a process that has hashed nothing yet it takes a tenth of the time that JavaScript
// takes for a few hundred bytes, and later no more for a few.
import { createHash } from "node:crypto";

/** SHA-256 of some bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return sha256Parts([bytes]);
}

/** As in hash.web, where whoever can wait needn't. */
export async function sha256Later(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  return sha256(bytes);
}

/** SHA-256 of bytes that come in parts. */
export function sha256Parts(parts: Iterable<Uint8Array>): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
