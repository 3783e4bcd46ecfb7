// The bits of a result as 16 hex digits, NaNs canonical: what stands beside each time. Without imports from src, for the peers.
import { createHash } from "node:crypto";

/** First 16 hex digits of the SHA-256 of the elements' little-endian bytes, every NaN as 0x7fc00000. */
export function bitsOf(data: Float32Array | Int32Array | Uint32Array | Uint8Array): string {
  const canonical = data instanceof Float32Array && data.some((value) => value !== value) ? data.slice() : data;
  if (canonical !== data) {
    const words = new Uint32Array(canonical.buffer);
    for (let i = 0; i < words.length; i++) if (canonical[i] !== canonical[i]) words[i] = 0x7fc00000;
  }
  return textBits(new Uint8Array(canonical.buffer, canonical.byteOffset, canonical.byteLength));
}

/** First 16 hex digits of a SHA-256. */
export function textBits(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
