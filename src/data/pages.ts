// The pages of a Parquet column, held to what they say before hyparquet reads them: it asks for as many bytes, and writes as many values, as a page or a run says, whether or not they are there.
// Of runs (RLE and bit-packed) and differences (DELTA) it is the format's specification, Encodings.md, that says how they lie.
import { unsnappy } from "./snappy.ts";

/** A page's header, as hyparquet gives it. */
interface PageHeader {
  readonly type: string;
  readonly compressed_page_size: number;
  readonly uncompressed_page_size: number;
  readonly dictionary_page_header?: { readonly num_values: number };
  readonly data_page_header?: { readonly num_values: number; readonly encoding: string };
  readonly data_page_header_v2?: {
    readonly num_values: number;
    readonly num_nulls: number;
    readonly encoding: string;
    readonly definition_levels_byte_length: number;
    readonly repetition_levels_byte_length: number;
    readonly is_compressed: boolean;
  };
}

interface Reader {
  readonly view: DataView;
  offset: number;
}

/** What is used of hyparquet here. */
export interface PageTools {
  parquetHeader(reader: Reader): PageHeader;
  deltaBinaryUnpack(reader: Reader, count: number, output: Int32Array): void;
}

/** A column's pages in a group of rows. */
export interface Pages {
  readonly view: DataView;
  readonly rows: number;
  readonly codec: string;
  readonly isBoolean: boolean;
  /** Whether values may be missing. */
  readonly isOptional: boolean;
}

/** The values that a page has: how they lie, and how many there are without those that are missing. */
interface Values {
  readonly bytes: Uint8Array;
  readonly encoding: string;
  readonly count: number;
}

/** Values of a page: of more an engine's list is a table of numbers and values, of many times the size. */
const mostValues = 2 ** 25;
/** Bytes of a page's texts that are written by what they have in common with the one before: so a few bytes come to any number. */
const mostBytes = 2 ** 28;
/** Bytes that a byte of Snappy becomes at most, and some of its beginning. */
const mostPacked = 64;

/** Throws where a page isn't whole, or says more than it can hold. */
export function checkPages(pages: Pages, tools: PageTools): void {
  const { view, rows, codec } = pages;
  // Of others it says by itself that it can't read them.
  if (codec !== "UNCOMPRESSED" && codec !== "SNAPPY") return;
  const reader = { view, offset: 0 };
  let isNumbered = false;
  for (let seen = 0; seen < rows && reader.offset < view.byteLength - 1; ) {
    const header = tools.parquetHeader(reader);
    const { compressed_page_size: packed, uncompressed_page_size: size } = header;
    const isWhole = packed >= 0 && reader.offset + packed <= view.byteLength;
    if (!isWhole || !(size >= 0 && size <= mostPacked * (packed + 1))) throw new Error(`a page of ${packed} bytes`);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + reader.offset, packed);
    reader.offset += packed;
    if (header.type === "DICTIONARY_PAGE") isNumbered = header.dictionary_page_header!.num_values > 0;
    const isSecond = header.type === "DATA_PAGE_V2";
    if (!isSecond && header.type !== "DATA_PAGE") continue;
    const { num_values: count } = (isSecond ? header.data_page_header_v2 : header.data_page_header)!;
    if (!(count >= 0 && count <= Math.min(rows - seen, mostValues)))
      throw new Error(`a page of ${count} values in a group of ${rows} rows`);
    seen += count;
    const values = (isSecond ? secondValues : firstValues)(bytes, header, pages);
    if (values.encoding.endsWith("_DICTIONARY") && values.count > 0 && !isNumbered)
      throw new Error("numbers of a dictionary that isn't there");
    if (values.count > 0) checkValues(values, pages, isSecond, tools);
  }
}

/** Of a page of the format's first version: which values are missing, where some may be, lies before them. */
function firstValues(packed: Uint8Array, header: PageHeader, { codec, isOptional }: Pages): Values {
  const { num_values: all, encoding } = header.data_page_header!;
  const bytes = codec === "SNAPPY" ? unsnappy(packed, header.uncompressed_page_size) : packed;
  const levels = isOptional ? 4 + lengthAt(bytes) : 0;
  return {
    bytes: bytes.subarray(levels),
    encoding,
    count: isOptional ? checkRuns(bytes.subarray(4, levels), 1, all) : all,
  };
}

/** Of a page of the second: what lies before them isn't packed. */
function secondValues(packed: Uint8Array, header: PageHeader, { codec, isOptional }: Pages): Values {
  const {
    num_values: all,
    num_nulls: missing,
    encoding,
    definition_levels_byte_length: levels,
    repetition_levels_byte_length: before,
    is_compressed: isPacked,
  } = header.data_page_header_v2!;
  const areThere = levels >= 0 && before >= 0 && levels + before <= packed.length && (isOptional || levels === 0);
  if (!areThere) throw new Error(`levels of ${levels} bytes`);
  const count = isOptional ? checkRuns(packed.subarray(before, before + levels), 1, all) : all;
  if (missing !== all - count) throw new Error(`a page of ${missing} nulls has ${all - count}`);
  const [rest, size] = [packed.subarray(before + levels), header.uncompressed_page_size - before - levels];
  const isUnpacked = codec === "SNAPPY" && isPacked && size > 0;
  return { bytes: isUnpacked ? unsnappy(rest, size) : rest, encoding, count };
}

function checkValues({ bytes, encoding, count }: Values, pages: Pages, isSecond: boolean, tools: PageTools): void {
  const isNumbers = encoding.endsWith("_DICTIONARY");
  if (isNumbers || encoding === "RLE") {
    if (isNumbers === pages.isBoolean) throw new Error(`${encoding} of other values`);
    if (!isNumbers) checkRuns(bytes.subarray(4, 4 + lengthAt(bytes)), 1, count);
    // Of no bits each are all the dictionary's first; in pages of the first version no run says so.
    else if (bytes[0] > 0 || isSecond) checkRuns(bytes.subarray(1), bytes[0], count);
  } else if (encoding === "DELTA_BYTE_ARRAY") checkTexts(bytes, count, tools);
  else if (encoding.startsWith("DELTA_")) checkDifferences(bytes, 0);
}

const lengthAt = (bytes: Uint8Array): number =>
  bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

/** A count of up to 31 bits, a byte of it after the other, and where it ends. */
function countAt(bytes: Uint8Array, begin: number): [count: number, end: number] {
  let [count, unit] = [0, 1];
  for (let at = begin; at < begin + 5; at++, unit *= 128) {
    count += (bytes[at] % 128) * unit;
    if (bytes[at] < 128 && count < 2 ** 31) return [count, at + 1];
  }
  throw new Error("a count that is cut off, or too large");
}

/** Throws for a run of more values than there are, and for fewer in all. Of bits, how many are 1. */
function checkRuns(bytes: Uint8Array, width: number, values: number): number {
  let ones = 0;
  for (let at = 0, seen = 0; seen < values; ) {
    const [header, begin] = countAt(bytes, at);
    const isPacked = header % 2 === 1;
    const count = isPacked ? 4 * (header - 1) : header / 2;
    // Packed values are so many times 8.
    if (count > values + (isPacked ? 7 : 0)) throw new Error(`a run of ${count} values in a page of ${values}`);
    const own = Math.min(count, values - seen);
    if (width === 1 && !isPacked) ones += bytes[begin] === 1 ? own : 0;
    else if (width === 1) for (let i = 0; i < own; i++) ones += (bytes[begin + (i >> 3)] >> (i % 8)) & 1;
    seen += count;
    at = begin + (isPacked ? (width * (header - 1)) / 2 : Math.ceil(width / 8));
  }
  return ones;
}

/** Throws where blocks of differences hold none: reading them would never end. */
function checkDifferences(bytes: Uint8Array, begin: number): void {
  const [block, next] = countAt(bytes, begin);
  const [parts] = countAt(bytes, next);
  if (!(block > 0 && parts > 0 && block % parts === 0))
    throw new Error(`blocks of ${block} differences in ${parts} parts`);
}

/** Throws for texts that take more of the one before than that has. */
function checkTexts(bytes: Uint8Array, count: number, { deltaBinaryUnpack }: PageTools): void {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
  const [taken, added] = [0, 1].map(() => {
    checkDifferences(bytes, reader.offset);
    const lengths = new Int32Array(count);
    deltaBinaryUnpack(reader, count, lengths);
    return lengths;
  });
  let before = 0;
  let all = 0;
  for (let i = 0; i < count; i++) {
    if (!(taken[i] >= 0 && taken[i] <= before && added[i] >= 0))
      throw new Error(`a text of ${taken[i]} bytes before it`);
    before = taken[i] + added[i];
    all += before;
    if (all > mostBytes) throw new Error(`a page of more than ${mostBytes} bytes of text`);
  }
}
