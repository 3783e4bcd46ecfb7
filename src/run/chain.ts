// The digest chain of a run: one SHA-256 link a step over what determined the step, and at the end one digest of the whole. Pure: no files,
// no clocks. What only watches a run never enters it.
//
// Bytes, in core/canonical's encoding (u32 and u64 little-endian, strings as u32 length + UTF-8, digests raw):
//   h₀ = SHA-256("seedgrad/chain/2" ‖ numerics id ‖ graph hash (32 bytes) ‖ seed u64 ‖ u32 count ‖ per data name in UTF-8 order: name ‖ digest (32 bytes)
//        ‖ u32 count ‖ shuffle seeds u64 each ‖ of a run whose steps have further graphs: u32 count ‖ graph hash (32 bytes) each)
//   hₜ = SHA-256(hₜ₋₁ ‖ t u64 from 1 ‖ hash of the graph that ran (32) ‖ stream position u64 ‖ batch ‖ given ‖ loss bits u32)
//   batch = u8 1 ‖ u32 count ‖ sample indices u64 each; of a batch without indices u8 0 ‖ the root of its tensors (io/state)
//   given = u32 count ‖ per number in UTF-8 order of the names: name ‖ its float32 bits u32
//   digest = SHA-256(h_T ‖ the root of the final tensors (io/state))
import type { HostArray } from "../core/array.ts";
import { Encoder, float32Bits, fromHex, sha256, toHex } from "../core/canonical.ts";
import { DataError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { tensorsDigest } from "../io/state.ts";

/** What a chain starts from: all that names the program and its data. */
export interface ChainOrigin {
  /** The training step's graph hash at the full batch: 64 hex digits. */
  readonly graphHash: string;
  /** Those of further kinds of step at the full batch, where optimizers take turns. */
  readonly furtherGraphs?: readonly string[];
  readonly seed: bigint;
  /** SHA-256 of the training data, and of files of weights that the run begins with, by name: 64 hex digits each. */
  readonly data: Readonly<Record<string, string>>;
  /** The training loader's own seed, where it was given one. */
  readonly shuffleSeeds?: readonly bigint[];
}

/** What a step did. */
export interface ChainStep {
  /** Hash of the graph that ran. */
  readonly graphHash: string;
  /** The stream's position after the step's range. */
  readonly position: number;
  /** The batch: its sample indices, or its tensors where the loader has no indices. */
  readonly batch: { readonly indices?: ArrayLike<number>; readonly tensors: Readonly<Record<string, HostArray>> };
  /** What the host gave the step, by name: learning rates, weight decays, a loss scale. */
  readonly given: Readonly<Record<string, number>>;
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
  /** The first 16 hex digits of the graph's hash, and of SHA-256 over the bytes of `batch` and `given`: they say which of them differ. */
  readonly graph: string;
  readonly batch: string;
  readonly given: string;
  /** The numbers that were given, as float32 bits by name; of very many a file keeps the first. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** Hex digits of the parts of a link. */
export const partDigits = 16;

const partOf = (bytes: Uint8Array): string => toHex(sha256(bytes)).slice(0, partDigits);

/** All that a link is the hash of: of the batch and of what was given, the bytes. */
export interface LinkParts {
  /** hₜ₋₁, 32 bytes. */
  readonly previous: Uint8Array;
  readonly step: number;
  /** 64 hex digits. */
  readonly graphHash: string;
  readonly position: number;
  readonly batch: Uint8Array;
  readonly given: Uint8Array;
  readonly lossBits: number;
}

/** hₜ. */
export function linkHash({ previous, step, graphHash, position, batch, given, lossBits }: LinkParts): Uint8Array {
  const encoder = new Encoder().bytes(previous).u64(step).bytes(fromHex(graphHash)).u64(position);
  return sha256(encoder.bytes(batch).bytes(given).u32(lossBits).finish());
}

/** The chain of one run, at the step it has come to. */
export class Chain {
  #hash: Uint8Array;
  #step = 0;
  #last: ChainLink | undefined;

  /** Throws DataError for a digest of the data that isn't SHA-256 in hex. */
  constructor({ graphHash, furtherGraphs = [], seed, data, shuffleSeeds = [] }: ChainOrigin) {
    const encoder = new Encoder().string("seedgrad/chain/2").string(numericsId).bytes(fromHex(graphHash)).u64(seed);
    const entries = Object.entries(data).sort(([a], [b]) => compareUtf8(a, b));
    encoder.u32(entries.length);
    for (const [name, digest] of entries) encoder.string(name).bytes(dataDigest(name, digest));
    encoder.u32(shuffleSeeds.length);
    for (const shuffleSeed of shuffleSeeds) encoder.u64(shuffleSeed);
    if (furtherGraphs.length > 0) encoder.u32(furtherGraphs.length);
    for (const hash of furtherGraphs) encoder.bytes(fromHex(hash));
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

  /** The link that was added last; undefined before the first, and after `resume`. */
  get last(): ChainLink | undefined {
    return this.#last;
  }

  /** Adds the next step's link. Throws DataError for a sample's index that is no integer in [0, 2⁵³), and then adds nothing. */
  link({ graphHash, position, batch, given, loss }: ChainStep): ChainLink {
    const step = this.#step + 1;
    const batchBytes = encodeBatch(step, batch);
    const numbers = Object.entries(given)
      .sort(([a], [b]) => compareUtf8(a, b))
      .map(([name, value]) => [name, float32Bits(value)] as const);
    const givenBytes = encodeNumbers(numbers);
    const lossBits = float32Bits(loss);
    const parts = { previous: this.#hash, step, graphHash, position, batch: batchBytes, given: givenBytes, lossBits };
    const hash = linkHash(parts);
    this.#hash = hash;
    this.#step = step;
    const shown = { graph: graphHash.slice(0, partDigits), batch: partOf(batchBytes), given: partOf(givenBytes) };
    this.#last = { step, hash, lossBits, position, ...shown, numbers: Object.fromEntries(numbers) };
    return this.#last;
  }

  /** Goes on from a step whose hash is known: a checkpoint's. */
  resume(step: number, hash: string): void {
    this.#step = step;
    this.#hash = fromHex(hash);
    this.#last = undefined;
  }

  /** The run's digest over the final tensors by full name (`parameter/…`, `buffer/…`, `optimizer/…`): 64 hex digits, after `warn:` when `marked`. */
  digest(tensors: Iterable<readonly [string, HostArray]>, { marked = false } = {}): string {
    const digest = digestOf(this.#hash, tensorsDigest(tensors));
    return marked ? `warn:${digest}` : digest;
  }
}

/** A run's digest, unmarked, of its last link and its state's root. */
export function digestOf(link: Uint8Array, root: Uint8Array): string {
  return toHex(sha256(new Encoder().bytes(link).bytes(root).finish()));
}

/** The bytes of a batch in a link. */
export function encodeBatch(step: number, { indices, tensors }: ChainStep["batch"]): Uint8Array {
  if (!indices) {
    return new Encoder()
      .u8(0)
      .bytes(tensorsDigest(Object.entries(tensors)))
      .finish();
  }
  const encoder = new Encoder().u8(1).u32(indices.length);
  // Indices are below 2⁵³: two u32 halves are the u64 without a bigint each.
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!Number.isSafeInteger(index) || index < 0) refuseIndex(step, index);
    encoder.u32(index >>> 0).u32(Math.floor(index / 2 ** 32));
  }
  return encoder.finish();
}

/** The bytes of what a step was given: float32 bits by name, the names in UTF-8 order. */
export function encodeNumbers(numbers: readonly (readonly [string, number])[]): Uint8Array {
  const encoder = new Encoder().u32(numbers.length);
  for (const [name, bits] of numbers) encoder.string(name).u32(bits);
  return encoder.finish();
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
