// TensorBoard's event files: TFRecord frames (u64 length, masked CRC-32C of it, data, masked CRC-32C of the data) around Event messages in protocol
// buffers, of scalars and histograms.

import { crc32c } from "./crc.ts";
import type { Histogram } from "./histogram.ts";
import type { ReadRecord, RecordFormat } from "./records.ts";

const masked = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** One TFRecord frame around data. */
export function frame(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return bytes;
}

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
};
const fixed = (write: (view: DataView) => void, length: number): number[] => {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return [...bytes];
};
const message = (field: number, bytes: readonly number[]): number[] => [
  field * 8 + 2,
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string): number[] => message(field, [...new TextEncoder().encode(value)]);
const wallTime = (): number[] => [9, ...fixed((view) => view.setFloat64(0, Date.now() / 1000, true), 8)];
const step = (value: number): number[] => [16, ...varint(value)];
const scalar = (tag: string, value: number): number[] =>
  message(1, [...text(1, tag), 21, ...fixed((view) => view.setFloat32(0, value, true), 4)]);

const doubles = (field: number, values: readonly number[]): number[] =>
  message(field, [
    ...fixed((view) => values.forEach((value, i) => void view.setFloat64(8 * i, value, true)), 8 * values.length),
  ]);
const double = (field: number, value: number): number[] => [
  field * 8 + 1,
  ...fixed((view) => view.setFloat64(0, value, true), 8),
];
/** A HistogramProto: min, max, num, sum, sum of squares, the buckets' upper bounds and counts, packed. */
const histogram = (tag: string, { min, max, count, sum, sumOfSquares, limits, counts }: Histogram): number[] =>
  message(1, [
    ...text(1, tag),
    ...message(5, [
      ...[min, max, count, sum, sumOfSquares].flatMap((value, i) => double(i + 1, value)),
      ...doubles(6, limits),
      ...doubles(7, counts),
    ]),
  ]);

const fileVersion = (): Uint8Array => Uint8Array.from([...wallTime(), ...text(3, "brain.Event:2")]);
const summary = (values: readonly (readonly number[])[], at: number): Uint8Array =>
  Uint8Array.from([...wallTime(), ...step(at), ...message(5, values.flat())]);

const versionField = new TextEncoder().encode("brain.Event:2");

/** Whether an Event is the file's version: its third field, after the time's nine bytes. */
const isVersion = (event: Uint8Array): boolean =>
  event[9] === 26 && event[10] === versionField.length && versionField.every((byte, i) => event[11 + i] === byte);

/** The step of an Event that this logger wrote: 0 for the file's version. */
function stepOf(event: Uint8Array): number | undefined {
  if (isVersion(event)) return 0;
  if (event[9] !== 16) return undefined;
  let value = 0;
  let scale = 1;
  for (let at = 10; at < event.length; at++, scale *= 128) {
    value += (event[at] & 127) * scale;
    if (event[at] < 128) return Number.isSafeInteger(value) ? value : undefined;
  }
  return undefined;
}

/** The first frame of these bytes. Where the length's checksum is wrong, no later frame can be found. */
function nextFrame(bytes: Uint8Array): ReadRecord | undefined {
  if (bytes.length < 12) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = view.getBigUint64(0, true);
  if (view.getUint32(8, true) !== masked(bytes.subarray(0, 8)))
    return { length: Number.POSITIVE_INFINITY, step: undefined };
  const length = Number(size) + 16;
  if (bytes.length < length) return undefined;
  const event = bytes.subarray(12, length - 4);
  const whole = view.getUint32(length - 4, true) === masked(event);
  return { length, step: whole ? stepOf(event) : undefined };
}

/** How the file's frames are told apart. */
export const eventFile: RecordFormat = {
  header: () => frame(fileVersion()),
  isHeader: (bytes) => isVersion(bytes.subarray(12)),
  next: nextFrame,
};

/** A frame of scalars by name. */
export const scalarsEvent = (values: Readonly<Record<string, number>>, at: number): Uint8Array =>
  frame(
    summary(
      Object.entries(values).map(([tag, value]) => scalar(tag, value)),
      at,
    ),
  );

/** A frame of histograms by name. */
export const histogramsEvent = (values: Readonly<Record<string, Histogram>>, at: number): Uint8Array =>
  frame(
    summary(
      Object.entries(values).map(([tag, value]) => histogram(tag, value)),
      at,
    ),
  );
