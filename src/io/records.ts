// A file of records, as file loggers write: added to as numbers come, put on the disk before a checkpoint is named, and cut back to a
// checkpoint's step when a run goes on from there. It is read in windows, so its length is bounded by the disk alone.
import { append, exists, makeDirectory, readRange, size, truncate, writeAtomic } from "#files";

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

interface Range {
  readonly start: number;
  end: number;
}

const windowSize = 2 ** 20;
/** A record longer than this is damage: no logger writes one. */
const longest = 2 ** 26;

/** Adds a record at the file's end, made once the header is there: it goes before it in a file that is new or empty. */
export function appendRecord(path: string, { header }: RecordFormat, record: () => Uint8Array): void {
  if (!exists(path)) makeDirectory(path.slice(0, path.lastIndexOf("/")));
  if (header && !(exists(path) && size(path) > 0)) append(path, header());
  append(path, record());
}

/**
 * Keeps a file's records of steps up to `step`, of those that begin at byte `from` or later, and says how many were damaged and dropped. A last record that was cut off is no damage: it was
 * being written when the run ended, after what the last checkpoint knows of.
 */
export function cutBack(
  path: string,
  format: RecordFormat,
  step: number,
  from = 0,
): { records: number; bytes: number } {
  const { header, isHeader } = format;
  const kept: Range[] = [];
  const damage = { records: 0, bytes: 0 };
  let headed = header === undefined;
  for (const { at, bytes, length, step: found } of recordsOf(path, format)) {
    if (found === undefined) {
      damage.records++;
      damage.bytes += length;
      continue;
    }
    const isHead = at === 0 && isHeader?.(bytes) === true;
    headed ||= isHead;
    if (!isHead && (found > step || at < from)) continue;
    const last = kept.at(-1);
    if (last?.end === at) last.end += length;
    else kept.push({ start: at, end: at + length });
  }
  const end = kept[0]?.end ?? 0;
  if (!headed || kept.some(({ start }) => start > 0))
    writeAtomic(path, rewritten(path, headed ? undefined : header, kept));
  else if (size(path) > end) truncate(path, end);
  return damage;
}

/** All records in a file, in order, but for a last one that was cut off. */
function* recordsOf(
  path: string,
  { next }: RecordFormat,
): Generator<ReadRecord & { readonly at: number; readonly bytes: Uint8Array }> {
  const end = size(path);
  let wanted = windowSize;
  for (let at = 0; at < end; ) {
    const window = readRange(path, at, Math.min(wanted, end - at));
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

function* rewritten(path: string, header: RecordFormat["header"], kept: readonly Range[]): Generator<Uint8Array> {
  if (header) yield header();
  for (const { start, end } of kept)
    for (let at = start; at < end; at += windowSize) yield readRange(path, at, Math.min(windowSize, end - at));
}

/** Lines of text, each ended by a line feed, after a line of a header, if there is one. `stepOf`: of a line without its end, undefined where it isn't one that was written. */
export function textLines(stepOf: (line: string) => number | undefined, header?: string): RecordFormat {
  const decoder = new TextDecoder();
  const first = header === undefined ? undefined : new TextEncoder().encode(`${header}\n`);
  return {
    ...(first && { header: () => first, isHeader: (bytes) => first.every((byte, i) => bytes[i] === byte) }),
    next(bytes) {
      const end = bytes.indexOf(10);
      return end < 0 ? undefined : { length: end + 1, step: stepOf(decoder.decode(bytes.subarray(0, end))) };
    },
  };
}
