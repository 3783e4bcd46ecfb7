// Reader and writer of the safetensors format: u64 little-endian length of a JSON header, the header (dtype, shape, data_offsets by name,
// and a `__metadata__` map of strings), the elements. The same tensors always give the same bytes; a file is believed in no detail unchecked.
import { read, writeAtomic } from "#files";
import type { HostArray } from "../core/array.ts";
import { canonicalBytes } from "../core/canonical.ts";
import { itemSize } from "../core/dtype.ts";
import { CheckpointError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { type FormatType, formatNames, formatTypes, readElements } from "./formats.ts";
import { checkNesting, repeatedKey } from "./json.ts";

/** What a file holds: tensors by name, in the order of their bytes, and free text by key. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, HostArray>;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the file calls the type of each tensor's elements: `F32`, `BF16` … */
  readonly formats: ReadonlyMap<string, string>;
}

const metadataKey = "__metadata__";
const lengthBytes = 8;
/** As the format's own implementation bounds it. */
const longestHeader = 100_000_000;

function refuse(where: string, problem: string, got?: string, expected?: string, cause?: unknown): never {
  throw new CheckpointError({ where, problem, got, expected, cause });
}

const quoted = (name: string): string => JSON.stringify(name);

/** The file's bytes: wider elements first, so that each tensor is aligned, then by name; NaN as 0x7fc00000. Throws CheckpointError (`where`) for what the format can't hold. */
export function encodeSafetensors(
  where: string,
  tensors: Iterable<readonly [string, HostArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = [...tensors].sort(([a, x], [b, y]) => itemSize(y.dtype) - itemSize(x.dtype) || compareUtf8(a, b));
  const header = new Map<string, unknown>();
  const texts = Object.entries(metadata).sort(([a], [b]) => compareUtf8(a, b));
  if (texts.length > 0) header.set(metadataKey, new Map(texts));
  let end = 0;
  for (const [name, { data, shape, dtype }] of entries) {
    if (name === metadataKey || header.has(name)) refuse(where, "a tensor's name is taken", quoted(name));
    if (data.length !== sizeOf(shape))
      refuse(where, `tensor ${quoted(name)}: elements don't fit the shape`, String(data.length), formatShape(shape));
    const begin = end;
    end += data.length * itemSize(dtype);
    header.set(name, { dtype: formatNames[dtype], shape, data_offsets: [begin, end] });
  }
  const text = new TextEncoder().encode(orderedJson(header));
  const headerLength = Math.ceil(text.length / lengthBytes) * lengthBytes;
  if (headerLength > longestHeader) refuse(where, "the header is too long", String(headerLength), `≤ ${longestHeader}`);
  const bytes = new Uint8Array(lengthBytes + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, lengthBytes, lengthBytes + headerLength);
  bytes.set(text, lengthBytes);
  let at = lengthBytes + headerLength;
  for (const [, { data }] of entries) {
    const elements = canonicalBytes(data);
    bytes.set(elements, at);
    at += elements.length;
  }
  return bytes;
}

/** JSON of a map in the map's own order: an object would move keys like "0" to the front and trip over "__proto__". */
function orderedJson(value: unknown): string {
  if (!(value instanceof Map)) return JSON.stringify(value);
  return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}:${orderedJson(item)}`).join(",")}}`;
}

/** What the bytes of a file hold. Throws CheckpointError with `where` (the file) and the place in it for anything the format forbids. */
export function decodeSafetensors(where: string, bytes: Uint8Array): Safetensors {
  if (bytes.length < lengthBytes)
    refuse(where, "the file is truncated in its header's length", `${bytes.length} bytes`, `≥ ${lengthBytes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stated = view.getBigUint64(0, true);
  if (stated > BigInt(longestHeader))
    refuse(where, "the header's length (bytes 0 to 7) is too large", String(stated), `≤ ${longestHeader}`);
  const start = lengthBytes + Number(stated);
  if (start > bytes.length) refuse(where, "the file is truncated in its header", `${bytes.length} bytes`, `≥ ${start}`);
  const header = parseHeader(where, bytes.subarray(lengthBytes, start));
  const places = Object.entries(header)
    .filter(([name]) => name !== metadataKey)
    .map(([name, entry]) => readPlace(where, name, entry))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(where, places, bytes.length - start);
  const tensors = new Map<string, HostArray>();
  for (const { name, format, shape, begin } of places) {
    const data = readElements(view, start + begin, format, sizeOf(shape), (i, got, expected) => {
      const problem = `tensor ${quoted(name)}: element ${i} (byte ${start + begin + format.bytes * i}) is no ${format.dtype}`;
      return refuse(where, problem, got, expected);
    });
    tensors.set(name, { data, shape, dtype: format.dtype });
  }
  const formats = new Map(places.map(({ name, formatName }) => [name, formatName]));
  return { tensors, metadata: readMetadata(where, header), formats };
}

function parseHeader(where: string, bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) refuse(where, "the header (byte 8) doesn't begin with {", `0x${(bytes[0] ?? 0).toString(16)}`);
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    checkNesting(text);
    header = JSON.parse(text);
  } catch (cause) {
    refuse(where, "the header is not JSON", (cause as Error).message, undefined, cause);
  }
  const repeated = repeatedKey(text);
  if (repeated) refuse(where, `the header names ${quoted(repeated.key)} twice, at character ${repeated.at} of it`);
  return header as Record<string, unknown>;
}

interface Place {
  name: string;
  formatName: string;
  format: FormatType;
  shape: number[];
  begin: number;
  end: number;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readPlace(where: string, name: string, entry: unknown): Place {
  const fail = (problem: string, got: unknown, expected?: string): never =>
    refuse(where, `tensor ${quoted(name)}: ${problem}`, JSON.stringify(got) ?? "nothing", expected);
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return fail("its entry is no object", entry);
  const { dtype: formatName, shape, data_offsets: offsets, ...rest } = entry as Record<string, unknown>;
  if (Object.keys(rest).length > 0) return fail("its entry has unknown keys", Object.keys(rest));
  const format = formatTypes.get(formatName as string);
  if (!format) return fail("unsupported dtype", formatName, `one of ${[...formatTypes.keys()].join(", ")}`);
  if (!Array.isArray(shape) || !shape.every(isCount) || !isCount(sizeOf(shape)))
    return fail("shape is not a list of extents", shape);
  // What holds no elements may still be counted through.
  if (shape.some((extent) => extent >= 2 ** 32)) return fail("an extent is too large", shape, "extents below 2^32");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1])
    return fail("data_offsets are not two ascending counts", offsets);
  const [begin, end] = offsets as [number, number];
  const expected = sizeOf(shape) * format.bytes;
  if (end - begin !== expected) return fail("its bytes don't fit its shape", end - begin, `${expected} bytes`);
  return { name, formatName: formatName as string, format, shape, begin, end };
}

/** The tensors' bytes must follow each other without overlap or hole, from the header's end to the file's. */
function checkCover(where: string, places: readonly Place[], length: number): void {
  let end = 0;
  for (const place of places) {
    if (place.end > length)
      refuse(
        where,
        `the file is truncated: tensor ${quoted(place.name)} lies out of range`,
        `${length} bytes after the header`,
        `≥ ${place.end}`,
      );
    if (place.begin !== end)
      refuse(
        where,
        `tensor ${quoted(place.name)} ${place.begin < end ? "overlaps the one before" : "leaves a hole before it"}`,
        `begin ${place.begin}`,
        `begin ${end}`,
      );
    end = place.end;
  }
  if (end !== length) refuse(where, "bytes after the last tensor", `${length - end} bytes`, "none");
}

function readMetadata(where: string, header: Record<string, unknown>): Record<string, string> {
  if (!Object.hasOwn(header, metadataKey)) return {};
  const metadata = header[metadataKey];
  const isMap = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!isMap || !Object.values(metadata).every((text) => typeof text === "string"))
    refuse(where, `${metadataKey} is not a map of strings`, JSON.stringify(metadata));
  return metadata as Record<string, string>;
}

/** What a safetensors file holds. Throws CheckpointError for a file that is missing or not whole. */
export function readSafetensors(path: string): Safetensors {
  return decodeSafetensors(path, read(path, CheckpointError));
}

/** Writes tensors to a file, all at once (see `writeAtomic`). Throws CheckpointError, and then the old file is still there. */
export function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, HostArray]>,
  metadata?: Readonly<Record<string, string>>,
): void {
  writeAtomic(path, encodeSafetensors(path, tensors, metadata));
}
