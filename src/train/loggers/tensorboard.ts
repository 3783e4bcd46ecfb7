// A TensorBoard event file in the run's folder: scalars and histograms. The format is TFRecord frames (u64 length, masked CRC-32C of it, data, masked
// CRC-32C of the data) around Event messages in protocol buffers.

import { append, exists, makeDirectory, read, writeAtomic } from "#files";
import { crc32c } from "../../core/crc.ts";
import type { Histogram } from "../histogram.ts";
import type { Logger, Metrics } from "../hooks.ts";
import { Optionless } from "../optionless.ts";
import type { Trainer } from "../trainer.ts";

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

/** The step of an Event that this logger wrote: 0 for the file's version. */
function stepOf(event: Uint8Array): number {
  if (event[9] !== 16) return 0;
  let value = 0;
  let scale = 1;
  for (let at = 10; ; at++, scale *= 128) {
    value += (event[at] & 127) * scale;
    if (event[at] < 128) return value;
  }
}

/** Writes `events.out.tfevents.0000000000.seedgrad`. On resume it is cut back to the checkpoint's step. Without a folder: nothing. */
export class TensorBoardLogger extends Optionless implements Logger {
  #path: string | undefined;

  postSetup({ options }: Trainer): void {
    const { modelDir } = options;
    this.#path = modelDir === undefined ? undefined : `${modelDir}/events.out.tfevents.0000000000.seedgrad`;
  }

  onTrainStart({ trainer }: { trainer: Trainer }): void {
    const path = this.#path;
    if (!path || !exists(path)) return;
    const bytes = read(path);
    const kept: Uint8Array[] = [];
    for (let at = 0; at + 16 <= bytes.length; ) {
      const length = Number(new DataView(bytes.buffer, bytes.byteOffset + at).getBigUint64(0, true));
      const end = at + 16 + length;
      if (end > bytes.length) break;
      if (stepOf(bytes.subarray(at + 12, end - 4)) <= trainer.step) kept.push(bytes.subarray(at, end));
      at = end;
    }
    const whole = new Uint8Array(kept.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of kept) {
      whole.set(part, at);
      at += part.length;
    }
    if (whole.length !== bytes.length) writeAtomic(path, whole);
  }

  logMetrics(metrics: Metrics, at: number): void {
    const values = Object.entries(metrics).map(([tag, value]) => scalar(tag, value));
    this.#append(values, at);
  }

  logHistograms(histograms: Readonly<Record<string, Histogram>>, at: number): void {
    const values = Object.entries(histograms).map(([tag, value]) => histogram(tag, value));
    this.#append(values, at);
  }

  #append(values: readonly (readonly number[])[], at: number): void {
    const path = this.#path;
    if (!path) return;
    if (!exists(path)) {
      makeDirectory(path.slice(0, path.lastIndexOf("/")));
      append(path, frame(fileVersion()));
    }
    append(path, frame(summary(values, at)));
  }
}
