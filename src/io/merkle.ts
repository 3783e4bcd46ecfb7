// Merkle trees as RFC 6962 (certificate transparency) has them, over SHA-256: one hash for a list of leaves, and for each leaf a path by which
// anyone who has the leaf can compute that hash. Pure.
import { sha256 } from "../core/canonical.ts";

/** SHA-256(0x00 ‖ data). */
export function leafHash(data: Uint8Array): Uint8Array {
  return tagged(0, data);
}

const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => tagged(1, left, right);

function tagged(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 1));
  bytes[0] = tag;
  let at = 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return sha256(bytes);
}

/** The largest power of two below `count`: a tree's left part has so many leaves. */
function leftPart(count: number): number {
  let left = 1;
  while (2 * left < count) left *= 2;
  return left;
}

/** The root over hashes of leaves; SHA-256 of nothing for none. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return leaves[0];
  const left = leftPart(leaves.length);
  return nodeHash(merkleRoot(leaves.slice(0, left)), merkleRoot(leaves.slice(left)));
}

/** The hashes beside the way from leaf `index` up to the root, lowest first. */
export function merklePath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length <= 1) return [];
  const left = leftPart(leaves.length);
  return index < left
    ? [...merklePath(leaves.slice(0, left), index), merkleRoot(leaves.slice(left))]
    : [...merklePath(leaves.slice(left), index - left), merkleRoot(leaves.slice(0, left))];
}

/** The root that a leaf's hash and its path come to; undefined where the path isn't that of leaf `index` of `count`. */
export function rootOfPath(
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!(index >= 0 && index < count)) return undefined;
  if (count === 1) return path.length === 0 ? leaf : undefined;
  const last = path.at(-1);
  if (!last) return undefined;
  const [left, lower] = [leftPart(count), path.slice(0, -1)];
  const below =
    index < left ? rootOfPath(leaf, index, left, lower) : rootOfPath(leaf, index - left, count - left, lower);
  return below && (index < left ? nodeHash(below, last) : nodeHash(last, below));
}
