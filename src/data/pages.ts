// The pages of a Parquet column, held to what they say before hyparquet reads them: it asks for as many bytes, and writes as many values, as a page or a run says, whether or not they are there.
// Of runs (RLE and bit-packed) it is the format's specification, Encodings.md, that says how they lie.

/** A page's header, as hyparquet gives it. */
interface PageHeader {
  readonly compressed_page_size: number;
  readonly uncompressed_page_size: number;
  readonly data_page_header?: { readonly num_values: number; readonly encoding: string };
  readonly data_page_header_v2?: {
    readonly num_values: number;
    readonly encoding: string;
    readonly definition_levels_byte_length: number;
    readonly repetition_levels_byte_length: number;
    readonly is_compressed: boolean;
  };
}

/** What is used of hyparquet here. */
export interface PageTools {
  parquetHeader(reader: { readonly view: DataView; offset: number }): PageHeader;
  snappyUncompress(input: Uint8Array, output: Uint8Array): void;
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

/** More values than a table of texts is made of. */
const mostRows = 2 ** 27;
/** Bytes that a byte of Snappy becomes at most, and some of its beginning. */
const mostPacked = 64;

/** Throws where a page isn't whole, or says more than it can hold. */
export function checkPages(pages: Pages, { parquetHeader, snappyUncompress }: PageTools): void {
  const { view, rows, codec } = pages;
  // Of others it says by itself that it can't read them.
  if (codec !== "UNCOMPRESSED" && codec !== "SNAPPY") return;
  if (!(rows >= 0 && rows <= mostRows)) throw new Error(`a group of ${rows} rows`);
  const reader = { view, offset: 0 };
  for (let seen = 0; seen < rows && reader.offset < view.byteLength - 1; ) {
    const header = parquetHeader(reader);
    const { compressed_page_size: packed, uncompressed_page_size: size } = header;
    const isWhole = packed >= 0 && reader.offset + packed <= view.byteLength;
    if (!isWhole || !(size >= 0 && size <= mostPacked * (packed + 1))) throw new Error(`a page of ${packed} bytes`);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + reader.offset, packed);
    reader.offset += packed;
    const { num_values: values } = header.data_page_header ?? header.data_page_header_v2 ?? { num_values: 0 };
    if (!(values >= 0 && values <= rows - seen))
      throw new Error(`a page of ${values} values in a group of ${rows} rows`);
    seen += values;
    const unpacked = (input: Uint8Array, length: number) => {
      if (codec !== "SNAPPY") return input;
      const output = new Uint8Array(length);
      snappyUncompress(input, output);
      return output;
    };
    if (header.data_page_header) checkPage(unpacked(bytes, size), header.data_page_header, pages);
    else if (header.data_page_header_v2) {
      const { definition_levels_byte_length: levels, repetition_levels_byte_length: before } =
        header.data_page_header_v2;
      if (!(levels >= 0 && before >= 0 && levels + before <= packed)) throw new Error(`levels of ${levels} bytes`);
      if (levels > 0) checkRuns(bytes.subarray(before, before + levels), 1, values);
      const { is_compressed: isPacked } = header.data_page_header_v2;
      const [rest, length] = [bytes.subarray(before + levels), size - before - levels];
      checkIndices(isPacked && length > 0 ? unpacked(rest, length) : rest, header.data_page_header_v2, pages);
    }
  }
}

/** A page of the format's first version: which values are missing, where some may be, and then the values. */
function checkPage(bytes: Uint8Array, header: { num_values: number; encoding: string }, pages: Pages): void {
  const levels = pages.isOptional ? 4 + lengthAt(bytes) : 0;
  if (levels > 0) checkRuns(bytes.subarray(4, levels), 1, header.num_values);
  checkIndices(bytes.subarray(levels), header, pages);
}

/** Values that are runs: numbers of a dictionary's, after the bits of each, or truth values. */
function checkIndices(
  bytes: Uint8Array,
  { num_values: values, encoding }: { num_values: number; encoding: string },
  { isBoolean }: Pages,
): void {
  if (encoding.endsWith("_DICTIONARY")) checkRuns(bytes.subarray(1), bytes[0], values);
  else if (isBoolean && encoding === "RLE") checkRuns(bytes.subarray(4, 4 + lengthAt(bytes)), 1, values);
}

const lengthAt = (bytes: Uint8Array): number =>
  bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

/** Throws for a run of more values than there are. */
function checkRuns(bytes: Uint8Array, width: number, values: number): void {
  for (let at = 0, seen = 0; seen < values && at < bytes.length; ) {
    let header = 0;
    for (let scale = 1, byte = 128; byte >= 128; scale *= 128) {
      byte = bytes[at++] ?? 0;
      header += (byte % 128) * scale;
    }
    const isPacked = header % 2 === 1;
    const count = isPacked ? 4 * (header - 1) : header / 2;
    // Packed values are read no further than there are bytes.
    if (!isPacked && count > values) throw new Error(`a run of ${count} values in a page of ${values}`);
    seen += count;
    at += isPacked ? (width * (header - 1)) / 2 : Math.ceil(width / 8);
  }
}
