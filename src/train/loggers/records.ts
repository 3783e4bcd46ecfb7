// A file of records that the file loggers share: added to as numbers come, put on the disk before a checkpoint is named, and cut back to a
// checkpoint's step when a run goes on from there. It is read in windows, so its length is bounded by the disk alone.
import { append, exists, makeDirectory, readRange, readText, size, truncate, writeAtomic } from "#files";

/** A record at the beginning of some bytes. */
export interface ReadRecord {
  /** Its bytes; Infinity where its end can't be known, so that all that follows is lost. */
  readonly length: number;
  /** The step it is of, 0 for the header; undefined where it is damaged. */
  readonly step: number | undefined;
}

/** How a file's records are told apart. */
export interface RecordFormat {
  /** What the file begins with, if anything. */
  readonly header?: () => Uint8Array;
  /** Whether bytes that begin with a whole record begin with a header. */
  readonly isHeader?: (bytes: Uint8Array) => boolean;
  /** The first record of these bytes; undefined where more bytes are needed to see its end. */
  readonly next: (bytes: Uint8Array) => ReadRecord | undefined;
}

/** Damaged records that `cutBack` dropped. */
export interface Damage {
  readonly records: number;
  readonly bytes: number;
}

interface Range {
  readonly start: number;
  end: number;
}

const windowSize = 2 ** 20;
/** A record longer than this is damage: no logger writes one. */
const longest = 2 ** 26;

/** One file of records. */
export class RecordFile {
  readonly path: string;
  readonly #format: RecordFormat;

  constructor(path: string, format: RecordFormat) {
    this.path = path;
    this.#format = format;
  }

  /** Adds a record at the end, made once the header is there: it goes before it in a file that is new or empty. */
  append(record: () => Uint8Array): void {
    if (!exists(this.path)) makeDirectory(this.path.slice(0, this.path.lastIndexOf("/")));
    const { header } = this.#format;
    if (header && !(exists(this.path) && size(this.path) > 0)) append(this.path, header());
    append(this.path, record());
  }

  /** A file of text by its lines; none where there is no file. */
  lines(): string[] {
    return exists(this.path) ? readText(this.path).split("\n") : [];
  }

  /** Waits until all records are on the disk. */
  flush(): void {
    if (exists(this.path)) append(this.path, new Uint8Array(0), { flush: true, create: false });
  }

  /**
   * Keeps the records of steps up to `step`, and says which were damaged and dropped. A last record that was cut off is no damage: it was
   * being written when the run ended, after what the last checkpoint knows of.
   */
  cutBack(step: number): Damage | undefined {
    if (!exists(this.path)) return undefined;
    const { header, isHeader } = this.#format;
    const kept: Range[] = [];
    const damage = { records: 0, bytes: 0 };
    let headed = header === undefined;
    for (const { at, bytes, length, step: found } of this.#records()) {
      if (found === undefined) {
        damage.records++;
        damage.bytes += length;
        continue;
      }
      if (at === 0) headed ||= isHeader!(bytes);
      if (found > step) continue;
      const last = kept.at(-1);
      if (last?.end === at) last.end += length;
      else kept.push({ start: at, end: at + length });
    }
    const end = kept[0]?.end ?? 0;
    if (!headed || kept.some(({ start }) => start > 0)) writeAtomic(this.path, this.#parts(headed, kept));
    else if (size(this.path) > end) truncate(this.path, end);
    return damage.records > 0 ? damage : undefined;
  }

  /** All records in the file, in order, but for a last one that was cut off. */
  *#records(): Generator<ReadRecord & { readonly at: number; readonly bytes: Uint8Array }> {
    const { next } = this.#format;
    const end = size(this.path);
    let wanted = windowSize;
    for (let at = 0; at < end; ) {
      const window = readRange(this.path, at, Math.min(wanted, end - at));
      let done = 0;
      while (done < window.length) {
        const bytes = window.subarray(done);
        const found = next(bytes) ?? (bytes.length >= longest ? { length: bytes.length, step: undefined } : undefined);
        if (!found) break;
        const length = Math.min(found.length, end - at - done);
        yield { at: at + done, bytes, length, step: found.step };
        done += length;
      }
      if (done === 0 && at + window.length >= end) return;
      at += done;
      wanted = done === 0 ? 2 * wanted : windowSize;
    }
  }

  *#parts(headed: boolean, kept: readonly Range[]): Generator<Uint8Array> {
    if (!headed) yield this.#format.header!();
    for (const { start, end } of kept)
      for (let at = start; at < end; at += windowSize) yield readRange(this.path, at, Math.min(windowSize, end - at));
  }
}

/** What a logger says of damage: what is lost can't be had again, so the run says so. */
export function damageMessage({ path }: RecordFile, step: number, { records, bytes }: Damage): string {
  const what = `${records} damaged record${records === 1 ? "" : "s"} (${bytes} bytes)`;
  return `${path}: ${what} dropped; what was logged there of steps up to ${step} is lost`;
}

/** Lines of text, each ended by a line feed. `stepOf`: of a line without its end, undefined where it isn't one that was written. */
export function linesOf(stepOf: (line: string) => number | undefined): RecordFormat["next"] {
  const decoder = new TextDecoder();
  return (bytes) => {
    const end = bytes.indexOf(10);
    return end < 0 ? undefined : { length: end + 1, step: stepOf(decoder.decode(bytes.subarray(0, end))) };
  };
}
