// The chain file of a run's folder: `chain.bin`, one fixed-size record a step, so that it can be cut back to a step and compared by bisection.
//
// Little-endian: a header of 16 bytes ("SGCHAIN1", u32 record size, u32 0), then records of 56: step u64 from 1, stream position u64, loss
// bits u32, u32 0, hₜ (32 bytes). A last record that was cut off is as if it weren't there.
import { append, exists, read, truncate, writeAtomic } from "#files";
import { toHex } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";
import type { ChainLink } from "./chain.ts";

const magic = new TextEncoder().encode("SGCHAIN1");
const headerSize = 16;
const recordSize = 56;
/** Records that wait in memory before they are written. */
const buffered = 64;

function header(): Uint8Array {
  const bytes = new Uint8Array(headerSize);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(8, recordSize, true);
  return bytes;
}

function encode(links: readonly ChainLink[]): Uint8Array {
  const bytes = new Uint8Array(links.length * recordSize);
  const view = new DataView(bytes.buffer);
  links.forEach(({ step, position, lossBits, hash }, i) => {
    const at = i * recordSize;
    view.setBigUint64(at, BigInt(step), true);
    view.setBigUint64(at + 8, BigInt(position), true);
    view.setUint32(at + 16, lossBits, true);
    bytes.set(hash, at + 24);
  });
  return bytes;
}

/** All links of a chain file in order. Throws CheckpointError when it is missing, not a chain file, or its steps don't ascend from 1. */
export function readChain(path: string): ChainLink[] {
  const bytes = read(path, CheckpointError);
  const expected = header();
  if (bytes.length < headerSize || expected.some((byte, i) => bytes[i] !== byte)) {
    throw new CheckpointError({
      where: path,
      problem: "not a chain file, or its header is damaged",
      got: `${bytes.length} bytes`,
      expected: "a header SGCHAIN1 of 16 bytes",
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.floor((bytes.length - headerSize) / recordSize);
  return Array.from({ length: count }, (_, i) => {
    const at = headerSize + i * recordSize;
    const step = view.getBigUint64(at, true);
    if (step !== BigInt(i + 1) || view.getUint32(at + 20, true) !== 0) {
      throw new CheckpointError({
        where: path,
        problem: `the record at byte ${at} is damaged`,
        got: `step ${step}`,
        expected: `step ${i + 1}`,
      });
    }
    return {
      step: i + 1,
      position: Number(view.getBigUint64(at + 8, true)),
      lossBits: view.getUint32(at + 16, true),
      hash: bytes.slice(at + 24, at + recordSize),
    };
  });
}

/** The chain file of a run that is going on: records are added in order and reach the file in lots, or when flushed. */
export class ChainFile {
  readonly path: string;
  #waiting: ChainLink[] = [];

  /** Opens the file, or makes it with its header alone. Throws CheckpointError. */
  constructor(path: string) {
    this.path = path;
    if (!exists(path)) writeAtomic(path, header());
  }

  /** Adds the next step's link. */
  append(link: ChainLink): void {
    this.#waiting.push(link);
    if (this.#waiting.length >= buffered) this.flush();
  }

  /** Writes what waits; `durable` waits until the file is on the disk. */
  flush({ durable = false } = {}): void {
    if (this.#waiting.length === 0 && !durable) return;
    append(this.path, encode(this.#waiting), { flush: durable });
    this.#waiting = [];
  }

  /** Whether the file holds a step, and this hash there (64 hex digits). */
  has(step: number, hash: string): boolean {
    const link = readChain(this.path)[step - 1];
    return link !== undefined && toHex(link.hash) === hash;
  }

  /** Drops all after `step`. Throws CheckpointError when the file doesn't reach that far, or ends there on another hash than `hash` (64 hex digits, if given). */
  cutBack(step: number, hash?: string): void {
    this.#waiting = [];
    const links = readChain(this.path);
    if (links.length < step) {
      throw new CheckpointError({
        where: this.path,
        problem: "the chain ends before the checkpoint",
        got: `${links.length} steps`,
        expected: `at least ${step}`,
      });
    }
    const last = links[step - 1];
    const found = last && toHex(last.hash);
    if (hash !== undefined && step > 0 && found !== hash) {
      throw new CheckpointError({
        where: this.path,
        problem: `the chain at step ${step} isn't the checkpoint's`,
        got: found,
        expected: hash,
        hint: "the file belongs to another run, or was changed",
      });
    }
    truncate(this.path, headerSize + step * recordSize);
  }
}
