// The chain file of a run's folder: `chain.bin`, one fixed-size record a step, so that it can be cut back to a step and compared by bisection.
//
// Little-endian: a header of 16 bytes ("SGCHAIN1", u32 record size, u32 0), then records of 56: step u64 from 1, stream position u64, loss
// bits u32, CRC-32C u32 of the record's other bytes in order, hₜ (32 bytes). A last record that was cut off is as if it weren't there.
import { append, exists, read, truncate, writeAtomic } from "#files";
import { toHex } from "../core/canonical.ts";
import { crc32c } from "../core/crc.ts";
import { CheckpointError } from "../core/errors.ts";
import type { ChainLink } from "./chain.ts";

const magic = new TextEncoder().encode("SGCHAIN1");
const headerSize = 16;
const recordSize = 56;
const checkAt = 20;
/** Records that wait in memory before they are written. */
const buffered = 64;

function header(): Uint8Array {
  const bytes = new Uint8Array(headerSize);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(8, recordSize, true);
  return bytes;
}

function checkOf(record: Uint8Array): number {
  const others = new Uint8Array(recordSize - 4);
  others.set(record.subarray(0, checkAt));
  others.set(record.subarray(checkAt + 4), checkAt);
  return crc32c(others);
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
    view.setUint32(at + checkAt, checkOf(bytes.subarray(at, at + recordSize)), true);
  });
  return bytes;
}

/** The links of a chain file in order, or its first `steps` if there are more: damage after those isn't looked at. Throws CheckpointError when it is missing, not a chain file, or a record is damaged. */
export function readChain(path: string, steps = Number.POSITIVE_INFINITY): ChainLink[] {
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
  const count = Math.min(steps, Math.floor((bytes.length - headerSize) / recordSize));
  return Array.from({ length: count }, (_, i) => {
    const at = headerSize + i * recordSize;
    const step = view.getBigUint64(at, true);
    const record = bytes.subarray(at, at + recordSize);
    const whole = view.getUint32(at + checkAt, true) === checkOf(record);
    if (!whole || step !== BigInt(i + 1)) {
      throw new CheckpointError({
        where: path,
        problem: `the record of step ${i + 1}, at byte ${at}, is damaged`,
        got: whole ? `step ${step}` : "bytes that don't fit their checksum",
        hint: i > 0 ? `the ${i} steps before it are whole` : undefined,
      });
    }
    return {
      step: i + 1,
      position: Number(view.getBigUint64(at + 8, true)),
      lossBits: view.getUint32(at + 16, true),
      hash: record.slice(24),
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

  /** Writes what waits; `durable` waits until the file is on the disk. After an error all of it waits still. */
  flush({ durable = false } = {}): void {
    if (this.#waiting.length === 0 && !durable) return;
    append(this.path, encode(this.#waiting), { flush: durable });
    this.#waiting = [];
  }

  /** Whether the file holds a step, and this hash there (64 hex digits). Throws CheckpointError when it is damaged before. */
  has(step: number, hash: string): boolean {
    const link = readChain(this.path, step)[step - 1];
    return link !== undefined && toHex(link.hash) === hash;
  }

  /** Throws CheckpointError when the file doesn't reach `step`, is damaged up to there, or has another hash than `hash` there (64 hex digits, if given). */
  check(step: number, hash?: string): void {
    const links = readChain(this.path, step);
    if (links.length < step) {
      throw new CheckpointError({
        where: this.path,
        problem: "the chain ends before the checkpoint",
        got: `${links.length} steps`,
        expected: `at least ${step}`,
      });
    }
    if (hash === undefined || step === 0) return;
    const found = toHex(links[step - 1].hash);
    if (found !== hash) {
      throw new CheckpointError({
        where: this.path,
        problem: `the chain at step ${step} isn't the checkpoint's`,
        got: found,
        expected: hash,
        hint: "the file belongs to another run, or was changed",
      });
    }
  }

  /** Drops all after `step`, checked as by `check`. */
  cutBack(step: number, hash?: string): void {
    this.check(step, hash);
    this.#waiting = [];
    truncate(this.path, headerSize + step * recordSize);
  }

  /** Puts these links, from step 1 on, in place of all there are, at once. */
  replace(links: readonly ChainLink[]): void {
    const records = encode(links);
    const bytes = new Uint8Array(headerSize + records.length);
    bytes.set(header());
    bytes.set(records, headerSize);
    writeAtomic(this.path, bytes);
    this.#waiting = [];
  }
}
