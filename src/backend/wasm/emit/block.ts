// A block of a fold over the last axes: 16 lanes, lane j taking elements j, j + 16 … ascending; lanes combine 8, 4, 2, 1. With SIMD the lanes
// are four vectors; without, sixteen locals.
import type { Expr, ScalarType } from "../../../../kernels/expr.ts";
import { blockSize, type FoldKernel, type Join, laneCount, neutral } from "../../../../kernels/kernel.ts";
import type { Nest } from "../../../schedule/nest.ts";
import { type Code, f32x4, i32, i32x4, type Local, shuffle32, type Value, v128 } from "../assembler/assembler.ts";
import { combined, extremes } from "./accumulate.ts";
import type { KernelFunction } from "./context.ts";
import { elementPrinter } from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, countLoop, type Limit } from "./nest.ts";

/** What reads a row's elements, some from the one on whose number, four times, is `words`. */
export interface RowReader {
  /** A vector of them, `step` vectors on. */
  wide(words: Local<"i32">, step: number): Value;
  /** One, `step` on. */
  one(words: Local<"i32">, step: number): Value;
}

/** What reads a row that runs along an axis. */
export function readerOf(
  { fn, lanes, single }: KernelFunction,
  nest: Nest,
  axis: number,
  body: Expr,
  cursors: readonly Cursor[],
): RowReader {
  const inside = cursors.map(() => true);
  const reader = (each: Lanes) => {
    const points = elementPrinter(fn, each, nest, axis, body)(cursors, inside);
    return (words: Local<"i32">, step: number) => points(words, step)[0];
  };
  const wide = reader(lanes);
  return { wide, one: lanes.width > 1 ? reader(single) : wide };
}

/** A fold's blocks, and the total that they join. */
export type Blocks = ReturnType<typeof blocksOf>;

/** What prints the blocks of a kernel's fold. */
export function blocksOf(target: KernelFunction<FoldKernel>, park?: number) {
  const { fn, single, kernel } = target;
  const { dtype, fold } = kernel;
  const combine = fold.combine as Join;
  const words = fn.local("i32");
  const total = fn.local(single.valueType(dtype));
  /** A block's value, from `from` on, a word an element. */
  const block = (reader: RowReader, from: Code<"i32"> | number, size: number): Value => {
    words.set(from);
    return foldBlock(target, reader, words, size, park);
  };
  return {
    block,
    /** What prints blocks of a row of `count` elements that lies straight: those from one on to those that are whole, then to the end; `use` is given the values. */
    straight(nest: Nest, count: number, here: readonly Cursor[], use: (value: Value, at: Local<"i32">) => void) {
      const reader = readerOf(target, nest, nest.outer, kernel.body, here);
      const each = (size: number) => (at: Local<"i32">) => use(block(reader, i32.mul(at, 4 * blockSize), size), at);
      return (begin: Limit, whole: Limit, end: Limit) => {
        countLoop(fn, begin, whole, 1, each(blockSize));
        if (count % blockSize > 0) countLoop(fn, whole, end, 1, each(count % blockSize));
      };
    },
    join: (value: Value) => total.set(combined(fn, single, combine, dtype, total, value)),
    /** What `joins` joins, stored. */
    total(to: Code<"i32">, joins: () => void): void {
      total.set(single.constant(dtype, neutral(combine, dtype)));
      joins();
      fn.emit(single.store(dtype, to, total, 0));
    },
  };
}

/**
 * The value of one block of the kernel's fold from `words` on, which moves. Where `park` says a place in scratch memory, accumulators are written there after
 * the last round and read again: of two vectors that are stored side by side V8 makes one.
 */
function foldBlock(
  target: KernelFunction<FoldKernel>,
  row: RowReader,
  words: Local<"i32">,
  size: number,
  park: number | undefined,
): Value {
  const { fn, lanes, scratch, kernel } = target;
  const { dtype: type } = kernel;
  const combine = kernel.fold.combine as Join;
  const { width } = lanes;
  const vectors = laneCount / width;
  const used = Math.min(vectors, Math.ceil(size / width));
  const none = lanes.constant(type, neutral(combine, type));
  const accumulators = Array.from({ length: used }, () => fn.let(none));
  const isExtreme = combine === "max" || combine === "min";
  const extreme = width > 1 && type === "float32" && isExtreme ? extremes(fn, combine, used) : undefined;
  const take = (step: number, value: Value) => {
    const { [step]: into } = accumulators;
    if (extreme) extreme.take(step, into as Local<"v128">, value as Code<"v128">);
    else into.set(combined(fn, lanes, combine, type, into, value));
  };
  const rounds = Math.floor(size / laneCount);
  if (rounds > 0) {
    const stop = fn.let(i32.add(words, 4 * laneCount * rounds));
    fn.loop((again) => {
      accumulators.forEach((_, step) => take(step, row.wide(words, step)));
      words.set(i32.add(words, 4 * laneCount));
      fn.branchIf(again, i32.ltU(words, stop));
    });
    if (park !== undefined && rounds > 1) {
      const parked = [...accumulators, ...(extreme?.unordered ?? [])] as Local<"v128">[];
      fn.emit(...parked.map((local, i) => v128.store(scratch, local, park + 16 * i)).reverse());
      parked.forEach((local, i) => local.set(v128.load(scratch, park + 16 * i)));
    }
  }
  const left = size % laneCount;
  const whole = Math.floor(left / width);
  for (let step = 0; step < whole; step++) take(step, row.wide(words, step));
  if (left % width > 0) {
    // The last few elements take their lanes one by one; the other lanes get what changes nothing.
    let vector = none as Code<"v128">;
    for (let lane = 0; lane < left % width; lane++) {
      const value = row.one(words, whole * width + lane);
      vector = instructionsOf(type).replaceLane(vector, lane, value as Code<"i32">);
    }
    take(whole, vector);
  }
  extreme?.finish(accumulators[0] as Local<"v128">);
  return joinLanes(target, accumulators, size);
}

/** A block's value, of what its lanes have: of the first `size` of them. */
export function joinLanes(
  { fn, lanes, single, kernel }: KernelFunction<FoldKernel>,
  accumulators: readonly Local[],
  size = laneCount,
): Value {
  const { dtype: type } = kernel;
  const { width } = lanes;
  const join = (each: Lanes, a: Local, b: Value) => combined(fn, each, kernel.fold.combine as Join, type, a, b);
  let alive = accumulators;
  for (let half = laneCount / width / 2; half >= 1; half /= 2) {
    for (let i = 0; i + half < alive.length; i++) alive[i].set(join(lanes, alive[i], alive[i + half]));
    alive = alive.slice(0, half);
  }
  const [first] = alive;
  if (width === 1) return first;
  const vector = first as Local<"v128">;
  const lane = (each: number): Value => instructionsOf(type).extractLane(vector, each);
  if (size > 2) vector.set(join(lanes, vector, shuffle32(vector, vector, [2, 3, 0, 1])) as Code<"v128">);
  if (size === 1) return lane(0);
  const a = fn.let(lane(0));
  return join(single, a, lane(1));
}

const instructionsOf = (type: ScalarType) => (type === "float32" ? f32x4 : i32x4) as typeof i32x4;
