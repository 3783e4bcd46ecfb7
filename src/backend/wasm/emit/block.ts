// A block of a fold over the last axes: 16 lanes, lane j taking elements j, j + 16 … ascending; lanes combine 8, 4, 2, 1. With SIMD the lanes
// are four vectors; without, sixteen locals.
import type { Expr, ScalarType } from "../../../../kernels/expr.ts";
import { type Join, laneCount, neutral } from "../../../../kernels/kernel.ts";
import type { Nest } from "../../../schedule/nest.ts";
import {
  type Code,
  type FunctionBuilder,
  f32x4,
  i32,
  i32x4,
  type Local,
  shuffle32,
  type Value,
  v128,
} from "../assembler/assembler.ts";
import { combined, Extreme } from "./accumulate.ts";
import type { Context } from "./context.ts";
import { ElementPrinter } from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import type { Cursor } from "./nest.ts";

/** What reads a row's elements, some from the one on whose number, four times, is `words`. */
export interface RowReader {
  /** A vector of them, `step` vectors on. */
  wide(words: Local<"i32">, step: number): Value;
  /** One, `step` on. */
  one(words: Local<"i32">, step: number): Value;
}

/** What reads a row that runs along an axis. */
export function readerOf(
  { lanes, single }: Context,
  fn: FunctionBuilder,
  nest: Nest,
  axis: number,
  body: Expr,
  cursors: readonly Cursor[],
): RowReader {
  const inside = cursors.map(() => true);
  const reader = (each: Lanes) => {
    const points = new ElementPrinter(fn, each, nest, axis, body).prepare(cursors, inside);
    return (words: Local<"i32">, step: number) => points(words, step)[0];
  };
  const wide = reader(lanes);
  return { wide, one: lanes.width > 1 ? reader(single) : wide };
}

/** Bytes at an address. */
export interface Parking {
  readonly at: Local<"i32">;
  readonly offset: number;
}

/** The value of one block from `words` on, which moves. At `park`, where there is one, accumulators are written after the last round and read again: of two vectors that are stored side by side V8 makes one. */
export function foldBlock(
  context: Context,
  fn: FunctionBuilder,
  combine: Join,
  type: ScalarType,
  row: RowReader,
  words: Local<"i32">,
  size: number,
  park?: Parking,
): Value {
  const { lanes } = context;
  const { width } = lanes;
  const vectors = laneCount / width;
  const used = Math.min(vectors, Math.ceil(size / width));
  const none = lanes.constant(type, neutral(combine, type));
  const accumulators = Array.from({ length: used }, () => fn.let(none));
  const join = (into: Local, value: Value) => into.set(combined(fn, lanes, combine, type, into, value));
  const isExtreme = combine === "max" || combine === "min";
  const extreme = width > 1 && type === "float32" && isExtreme ? new Extreme(fn, combine, used) : undefined;
  const take = (step: number, value: Value) => {
    if (extreme) extreme.take(step, accumulators[step] as Local<"v128">, value as Code<"v128">);
    else join(accumulators[step], value);
  };
  const rounds = Math.floor(size / laneCount);
  if (rounds > 0) {
    const stop = fn.let(i32.add(words, 4 * laneCount * rounds));
    fn.loop((again) => {
      accumulators.forEach((_, step) => take(step, row.wide(words, step)));
      words.set(i32.add(words, 4 * laneCount));
      fn.branchIf(again, i32.ltU(words, stop));
    });
    if (park && rounds > 1) parked(fn, park, [...accumulators, ...(extreme?.unordered ?? [])] as Local<"v128">[]);
  }
  const left = size % laneCount;
  const whole = Math.floor(left / width);
  for (let step = 0; step < whole; step++) take(step, row.wide(words, step));
  if (left % width > 0) {
    // The last few elements take their lanes one by one; the other lanes get what changes nothing.
    let vector = none as Code<"v128">;
    for (let lane = 0; lane < left % width; lane++) {
      const value = row.one(words, whole * width + lane);
      vector =
        type === "float32"
          ? f32x4.replaceLane(vector, lane, value as Code<"f32">)
          : i32x4.replaceLane(vector, lane, value as Code<"i32">);
    }
    take(whole, vector);
  }
  extreme?.finish(accumulators[0] as Local<"v128">);
  return joinLanes(context, fn, combine, type, accumulators, size);
}

/** A block's value, of what its lanes have: of the first `size` of them. */
export function joinLanes(
  { lanes, single }: Context,
  fn: FunctionBuilder,
  combine: Join,
  type: ScalarType,
  accumulators: readonly Local[],
  size = laneCount,
): Value {
  const { width } = lanes;
  const join = (into: Local, value: Value) => into.set(combined(fn, lanes, combine, type, into, value));
  let alive = accumulators;
  for (let half = laneCount / width / 2; half >= 1; half /= 2) {
    for (let i = 0; i + half < alive.length; i++) join(alive[i], alive[i + half]);
    alive = alive.slice(0, half);
  }
  const [first] = alive;
  if (width === 1) return first;
  const vector = first as Local<"v128">;
  if (size > 2) join(vector, shuffle32(vector, vector, [2, 3, 0, 1]));
  if (size === 1) return extract(type, vector, 0);
  const a = fn.let(extract(type, vector, 0));
  return combined(fn, single, combine, type, a, extract(type, vector, 1));
}

function parked(fn: FunctionBuilder, { at, offset }: Parking, vectors: readonly Local<"v128">[]): void {
  fn.emit(...vectors.map((local, i) => v128.store(at, local, offset + 16 * i)).reverse());
  vectors.forEach((local, i) => local.set(v128.load(at, offset + 16 * i)));
}

const extract = (type: ScalarType, vector: Local<"v128">, lane: number): Value =>
  type === "float32" ? f32x4.extractLane(vector, lane) : i32x4.extractLane(vector, lane);
