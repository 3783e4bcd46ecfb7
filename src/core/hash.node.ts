// SHA-256 where there is node:crypto (Node, Bun, Deno), behind the condition `#hash`.
import { createHash } from "node:crypto";
import { sha256 as inScript } from "@noble/hashes/sha2.js";

/** Fewer bytes are hashed before a native hash is set up. */
const few = 1024;

/** SHA-256 of some bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  if (bytes.length < few) return inScript(bytes);
  return new Uint8Array(createHash("sha256").update(bytes).digest());
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
