// The hash of a state: tensors by name, as a Merkle root, so that one tensor, or 64 KiB of it, can be shown to be part of a run by itself.
// Pure.
//
// Bytes, in core/canonical's encoding, the trees as RFC 6962 has them (io/merkle):
//   a tensor's data = the root over its blocks of 64 KiB: little-endian elements, NaN as 0x7fc00000
//   a tensor = the leaf name ‖ dtype ‖ u32 rank ‖ extents u64 ‖ that root (32 bytes)
//   a state = the root over its tensors, sorted by name in UTF-8 order
import type { HostArray } from "../core/array.ts";
import { canonicalBytes, Encoder } from "../core/canonical.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { leafHash, merkleRoot } from "./merkle.ts";

/** Bytes of a leaf of a tensor's data. */
export const blockSize = 65536;

/** The hashes of a tensor's blocks, in order. */
export function blockHashes(data: HostArray["data"]): Uint8Array[] {
  const bytes = canonicalBytes(data);
  const count = Math.ceil(bytes.length / blockSize);
  return Array.from({ length: count }, (_, i) => leafHash(bytes.subarray(i * blockSize, (i + 1) * blockSize)));
}

/** A tensor's hash, of the root over its blocks. */
export function tensorHash(name: string, { shape, dtype }: Omit<HostArray, "data">, dataRoot: Uint8Array): Uint8Array {
  const encoder = new Encoder().string(name).string(dtype).u32(shape.length);
  for (const extent of shape) encoder.u64(extent);
  return leafHash(encoder.bytes(dataRoot).finish());
}

/** A tensor's hash under a name. */
export function tensorDigest(name: string, array: HostArray): Uint8Array {
  return tensorHash(name, array, merkleRoot(blockHashes(array.data)));
}

/** Tensors sorted by name, as a state has them. */
export function sortedTensors(tensors: Iterable<readonly [string, HostArray]>): (readonly [string, HostArray])[] {
  return [...tensors].sort(([a], [b]) => compareUtf8(a, b));
}

/** The root over tensors: a run's state, a checkpoint's, or a batch. */
export function tensorsDigest(tensors: Iterable<readonly [string, HostArray]>): Uint8Array {
  return merkleRoot(sortedTensors(tensors).map(([name, array]) => tensorDigest(name, array)));
}
