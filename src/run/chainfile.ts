// The chain file of a run's folder: `chain.bin`, one record of fixed size a step, so that it can be cut back to a step and compared by bisection.
//
// Little-endian. A header: "SGCHAIN2", u32 record size, u32 length L, the names of numbers that steps are given as a JSON array (L bytes of
// UTF-8), CRC-32C u32 of all that. Then records: step u64 from 1, stream position u64, loss bits u32, CRC-32C u32 of the record's other bytes in
// order, hₜ (32 bytes), then what went into the link, 8 bytes each: the beginnings of the graph's hash and of SHA-256 over the bytes of batch and
// given numbers; then a u32 for each name of the header, that number's float32 bits (7fc00000 where the step had none). A last record that was
// cut off is as if it weren't there.

import { append, exists, read, readRange, size, truncate, writeAtomic } from "#files";
import { fromHex, toHex } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";
import { ownValue } from "../core/keys.ts";
import { crc32c } from "../io/crc.ts";
import { type ChainLink, partDigits } from "./chain.ts";
import { isTexts, tryJson } from "./fields.ts";

const magic = "SGCHAIN2";
/** Of a record, without its numbers. */
const fixedSize = 80;
const checkAt = 20;
const partsAt = 56;
const partSize = partDigits / 2;
/** So many numbers a step are written down one by one; of more, the link and the digest of all hold them all the same. */
const mostNames = 64;
const noNumber = 0x7fc00000;
/** Records that wait in memory before they are written. */
const buffered = 64;

/** How the records of a file are laid out. */
interface Layout {
  readonly names: readonly string[];
  readonly headerSize: number;
  readonly recordSize: number;
}

function headerOf(names: readonly string[]): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(names));
  const bytes = new Uint8Array(16 + text.length + 4);
  bytes.set(new TextEncoder().encode(magic));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, fixedSize + 4 * names.length, true);
  view.setUint32(12, text.length, true);
  bytes.set(text, 16);
  view.setUint32(16 + text.length, crc32c(bytes.subarray(0, 16 + text.length)), true);
  return bytes;
}

function layoutOf(names: readonly string[], headerSize = headerOf(names).length): Layout {
  return { names, headerSize, recordSize: fixedSize + 4 * names.length };
}

/** Throws CheckpointError where a file's beginning is no header, or one of an earlier format. */
function readLayout(path: string, bytes: Uint8Array): Layout {
  const begin = String.fromCharCode(...bytes.subarray(0, 8));
  if (begin === "SGCHAIN1") {
    throw new CheckpointError({
      where: path,
      problem: "a chain of an earlier format, whose links hold other facts",
      got: begin,
      expected: magic,
      hint: "verify the run with the version that made it, or train it again",
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length < 20 ? Number.NaN : 16 + view.getUint32(12, true);
  if (begin === magic && end + 4 <= bytes.length && crc32c(bytes.subarray(0, end)) === view.getUint32(end, true)) {
    const names = tryJson(new TextDecoder().decode(bytes.subarray(16, end)));
    if (isTexts(names) && view.getUint32(8, true) === fixedSize + 4 * names.length) return layoutOf(names, end + 4);
  }
  throw new CheckpointError({
    where: path,
    problem: "not a chain file, or its header is damaged",
    got: `${bytes.length} bytes`,
    expected: `a header that begins with ${magic}`,
  });
}

function checkOf(record: Uint8Array): number {
  const others = new Uint8Array(record.length - 4);
  others.set(record.subarray(0, checkAt));
  others.set(record.subarray(checkAt + 4), checkAt);
  return crc32c(others);
}

function encode(links: readonly ChainLink[], { names, recordSize }: Layout): Uint8Array {
  const bytes = new Uint8Array(links.length * recordSize);
  const view = new DataView(bytes.buffer);
  links.forEach(({ step, position, lossBits, hash, graph, batch, given, numbers }, i) => {
    const at = i * recordSize;
    view.setBigUint64(at, BigInt(step), true);
    view.setBigUint64(at + 8, BigInt(position), true);
    view.setUint32(at + 16, lossBits, true);
    bytes.set(hash, at + 24);
    [graph, batch, given].forEach((part, j) => {
      bytes.set(fromHex(part), at + partsAt + j * partSize);
    });
    names.forEach((name, j) => {
      view.setUint32(at + fixedSize + 4 * j, ownValue(numbers, name) ?? noNumber, true);
    });
    view.setUint32(at + checkAt, checkOf(bytes.subarray(at, at + recordSize)), true);
  });
  return bytes;
}

function decode(record: Uint8Array, names: readonly string[]): ChainLink {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const part = (j: number) => toHex(record.subarray(partsAt + j * partSize, partsAt + (j + 1) * partSize));
  const bits = names.map((name, j) => [name, view.getUint32(fixedSize + 4 * j, true)] as const);
  return {
    step: Number(view.getBigUint64(0, true)),
    position: Number(view.getBigUint64(8, true)),
    lossBits: view.getUint32(16, true),
    hash: record.slice(24, partsAt),
    graph: part(0),
    batch: part(1),
    given: part(2),
    numbers: Object.fromEntries(bits.filter(([, value]) => value !== noNumber)),
  };
}

/** The links of a chain file in order, or its first `steps` if there are more: damage after those isn't looked at. Throws CheckpointError when it is missing, not a chain file, of an earlier format, or a record is damaged. */
export function readChain(path: string, steps = Number.POSITIVE_INFINITY): ChainLink[] {
  const bytes = read(path, CheckpointError);
  const { names, headerSize, recordSize } = readLayout(path, bytes);
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
    return decode(record, names);
  });
}

/** The last step that a chain file tells of, of a run that may be writing it; undefined where it has none yet. The records before it aren't looked at. Throws CheckpointError as `readChain`. */
export function lastLink(path: string): ChainLink | undefined {
  const start = readRange(path, 0, 16, CheckpointError);
  const length = start.length < 16 ? 0 : new DataView(start.buffer).getUint32(12, true);
  const { names, headerSize, recordSize } = readLayout(path, readRange(path, 0, 20 + length, CheckpointError));
  const count = Math.floor((size(path, CheckpointError) - headerSize) / recordSize);
  if (count <= 0) return undefined;
  return decode(readRange(path, headerSize + (count - 1) * recordSize, recordSize, CheckpointError), names);
}

/** The chain file of a run that is going on: records are added in order and are written in batches, or when flushed. */
export class ChainFile {
  readonly path: string;
  /** The file's. */
  #layout: Layout;
  #names: readonly string[];
  #waiting: ChainLink[] = [];
  /** The file's length as this run left it; undefined before it has cut or written the file. */
  #length: number | undefined;

  /** Opens the file, or makes it with its header alone. `names`: of the numbers that steps are given, to be written down with each. Throws CheckpointError. */
  constructor(path: string, names: Iterable<string> = []) {
    this.path = path;
    this.#names = [...names].slice(0, mostNames);
    if (exists(path)) this.#layout = readLayout(path, read(path, CheckpointError));
    else {
      this.#layout = layoutOf(this.#names);
      writeAtomic(path, headerOf(this.#names));
    }
  }

  /** Adds the next step's link. */
  append(link: ChainLink): void {
    this.#waiting.push(link);
    if (this.#waiting.length >= buffered) this.flush();
  }

  /** Writes what waits; `durable` waits until the file is on the disk. After an error all of it waits still. */
  flush({ durable = false } = {}): void {
    if (this.#waiting.length === 0 && !durable) return;
    this.#checkLength();
    const records = encode(this.#waiting, this.#layout);
    append(this.path, records, { flush: durable, create: false });
    if (this.#length !== undefined) this.#length += records.length;
    this.#waiting = [];
  }

  /** Throws CheckpointError where the file isn't as this run left it: records added to another file would prove nothing. */
  #checkLength(): void {
    const length = size(this.path, CheckpointError);
    this.#length ??= length;
    if (length === this.#length) return;
    throw new CheckpointError({
      where: this.path,
      problem: "the chain file was changed while the run was writing it",
      got: `${length} bytes`,
      expected: `${this.#length} bytes`,
      hint: "run the same fit again: it resumes from the last checkpoint that the chain reaches",
    });
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
    if (step === 0) {
      this.replace([]);
      return;
    }
    this.#waiting = [];
    const { headerSize, recordSize } = this.#layout;
    this.#length = headerSize + step * recordSize;
    truncate(this.path, this.#length);
  }

  /** Has the file hold these numbers too, of the steps from now on: it is written anew where it doesn't yet. */
  widen(names: readonly string[]): void {
    const known = this.#layout.names;
    const all = [...new Set([...known, ...names])].slice(0, mostNames);
    if (all.length === known.length) return;
    this.flush();
    this.#checkLength();
    const links = readChain(this.path);
    this.#names = all;
    this.replace(links);
  }

  /** Puts these links, from step 1 on, in place of all there are, at once. */
  replace(links: readonly ChainLink[]): void {
    const header = headerOf(this.#names);
    const layout = layoutOf(this.#names);
    const records = encode(links, layout);
    const bytes = new Uint8Array(header.length + records.length);
    bytes.set(header);
    bytes.set(records, header.length);
    writeAtomic(this.path, bytes);
    this.#layout = layout;
    this.#length = bytes.length;
    this.#waiting = [];
  }
}
