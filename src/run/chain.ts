// The digest chain of a run: one SHA-256 link a step over what determined the step, and at the end one digest of the whole. Pure: no files,
// no clocks. What only watches a run never enters it.
//
// Bytes, in core/canonical's encoding (u32 and u64 little-endian, strings as u32 length + UTF-8, digests raw):
//   h₀ = SHA-256("seedgrad/chain/1" ‖ numerics id ‖ graph hash (32 bytes) ‖ seed u64 ‖ u32 count ‖ per data name in UTF-8 order: name ‖ digest (32 bytes))
//   hₜ = SHA-256(hₜ₋₁ ‖ t u64 from 1 ‖ hash of the graph that ran (32) ‖ stream position u64 ‖ u8 1 ‖ u32 count ‖ sample indices u64 each ‖ loss bits u32)
//        (a batch without indices: u8 0 ‖ SHA-256 of its tensors, encoded as below)
//   a tensor = SHA-256(name ‖ dtype ‖ u32 rank ‖ extents u64 ‖ little-endian elements, NaN as 0x7fc00000)
//   digest = SHA-256(h_T ‖ u32 count ‖ tensors' hashes sorted by name)
import type { HostArray } from "../core/array.ts";
import { canonicalBytes, compareUtf8, Encoder, float32Bits, fromHex, sha256, toHex } from "../core/canonical.ts";
import { DataError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";

/** What a chain starts from: all that names the program and its data. */
export interface ChainOrigin {
  /** The training step's graph hash at the full batch: 64 hex digits. */
  readonly graphHash: string;
  readonly seed: bigint;
  /** SHA-256 of the training data, and of files of weights that the run begins with, by name: 64 hex digits each. */
  readonly data: Readonly<Record<string, string>>;
}

/** What a step did. */
export interface ChainStep {
  /** Hash of the graph that ran. */
  readonly graphHash: string;
  /** The stream's position after the step's range. */
  readonly position: number;
  /** The batch: its sample indices, or its tensors where the loader has no indices. */
  readonly batch: { readonly indices?: ArrayLike<number>; readonly tensors: Readonly<Record<string, HostArray>> };
  readonly loss: number;
}

/** One step's entry, as the chain file keeps it. */
export interface ChainLink {
  /** From 1. */
  readonly step: number;
  /** hₜ, 32 bytes. */
  readonly hash: Uint8Array;
  readonly lossBits: number;
  readonly position: number;
}

/** The chain of one run, at the step it has come to. */
export class Chain {
  #hash: Uint8Array;
  #step = 0;
  readonly #graphs = new Map<string, Uint8Array>();

  /** Throws DataError for a digest of the data that isn't SHA-256 in hex. */
  constructor({ graphHash, seed, data }: ChainOrigin) {
    const encoder = new Encoder().string("seedgrad/chain/1").string(numericsId).bytes(fromHex(graphHash)).u64(seed);
    const entries = Object.entries(data).sort(([a], [b]) => compareUtf8(a, b));
    encoder.u32(entries.length);
    for (const [name, digest] of entries) encoder.string(name).bytes(dataDigest(name, digest));
    this.#hash = sha256(encoder.finish());
  }

  /** Steps linked so far. */
  get step(): number {
    return this.#step;
  }

  /** hₜ as 64 hex digits. */
  get hash(): string {
    return toHex(this.#hash);
  }

  /** Adds the next step. Throws DataError for a sample's index that is no integer in [0, 2⁵³), and then adds nothing. */
  link({ graphHash, position, batch, loss }: ChainStep): ChainLink {
    const encoder = new Encoder()
      .bytes(this.#hash)
      .u64(this.#step + 1)
      .bytes(this.#graphBytes(graphHash))
      .u64(position);
    const { indices } = batch;
    if (indices) {
      encoder.u8(1).u32(indices.length);
      // Indices are below 2⁵³: two u32 halves are the u64 without a bigint each.
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i];
        if (!Number.isSafeInteger(index) || index < 0) refuseIndex(this.#step + 1, index);
        encoder.u32(index >>> 0).u32(Math.floor(index / 2 ** 32));
      }
    } else {
      encoder.u8(0).bytes(tensorsDigest(Object.entries(batch.tensors)));
    }
    const lossBits = float32Bits(loss);
    this.#hash = sha256(encoder.u32(lossBits).finish());
    this.#step++;
    return { step: this.#step, hash: this.#hash, lossBits, position };
  }

  /** Goes on from a step whose hash is known: a checkpoint's. */
  resume(step: number, hash: string): void {
    this.#step = step;
    this.#hash = fromHex(hash);
  }

  /** The run's digest over the final tensors by full name (`parameter/…`, `buffer/…`, `optimizer/…`): 64 hex digits, after `warn:` when `marked`. */
  digest(tensors: Iterable<readonly [string, HostArray]>, { marked = false } = {}): string {
    const digest = toHex(sha256(new Encoder().bytes(this.#hash).bytes(encodeTensors(tensors)).finish()));
    return marked ? `warn:${digest}` : digest;
  }

  #graphBytes(hex: string): Uint8Array {
    let bytes = this.#graphs.get(hex);
    if (!bytes) {
      bytes = fromHex(hex);
      this.#graphs.set(hex, bytes);
    }
    return bytes;
  }
}

function refuseIndex(step: number, index: unknown): never {
  throw new DataError({
    where: `step ${step}`,
    problem: "the batch has an index that is no sample's number",
    got: String(index),
    expected: "an integer in [0, 2^53)",
  });
}

function dataDigest(name: string, digest: string): Uint8Array {
  if (/^[0-9a-f]{64}$/.test(digest)) return fromHex(digest);
  throw new DataError({
    where: `loader: digests: ${name}`,
    problem: "not the SHA-256 of the data",
    got: JSON.stringify(digest) ?? "nothing",
    expected: "64 hex digits, lower case",
  });
}

/** SHA-256 of one tensor under a name. */
export function tensorDigest(name: string, { data, shape, dtype }: HostArray): Uint8Array {
  const encoder = new Encoder().string(name).string(dtype).u32(shape.length);
  for (const extent of shape) encoder.u64(extent);
  return sha256(encoder.bytes(canonicalBytes(data)).finish());
}

function encodeTensors(tensors: Iterable<readonly [string, HostArray]>): Uint8Array {
  const sorted = [...tensors].sort(([a], [b]) => compareUtf8(a, b));
  const encoder = new Encoder().u32(sorted.length);
  for (const [name, array] of sorted) encoder.bytes(tensorDigest(name, array));
  return encoder.finish();
}

/** SHA-256 of tensors sorted by name: a batch's, or a checkpoint's state digest. */
export function tensorsDigest(tensors: Iterable<readonly [string, HostArray]>): Uint8Array {
  return sha256(encodeTensors(tensors));
}
