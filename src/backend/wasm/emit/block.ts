// A block of a fold over the last axes: 16 lanes, lane j taking elements j, j + 16 … ascending; lanes combine 8, 4, 2, 1. With SIMD the lanes
// are four vectors; without, sixteen locals.
import type { Expr, ScalarType } from "../../../../kernels/expr.ts";
import { type Join, laneCount, neutral } from "../../../../kernels/kernel.ts";
import type { Nest } from "../../../schedule/nest.ts";
import { branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler/assembler.ts";
import { f32x4, i32, i32x4, shuffle32, v128 } from "../assembler/instructions.ts";
import { combined, Extreme } from "./accumulate.ts";
import type { Context } from "./context.ts";
import { ElementPrinter } from "./elements.ts";
import type { Cursor } from "./nest.ts";

/** What reads a row's elements, some from the one on whose number, four times, is `words`. */
export interface RowReader {
  readonly before: readonly Code[];
  /** A vector of them, `step` vectors on. */
  wide(words: Local<"i32">, step: number): Code;
  /** One, `step` on. */
  one(words: Local<"i32">, step: number): Code;
}

/** What reads a row that runs along an axis. */
export function readerOf(
  context: Context,
  fn: FunctionBuilder,
  nest: Nest,
  axis: number,
  body: Expr,
  cursors: readonly Cursor[],
): RowReader {
  const inside = cursors.map(() => true);
  const wide = new ElementPrinter(fn, context.lanes, nest, axis, body).prepare(cursors, inside);
  const one =
    context.lanes.width > 1 ? new ElementPrinter(fn, context.single, nest, axis, body).prepare(cursors, inside) : wide;
  return { before: [...wide.before, ...(one === wide ? [] : one.before)], wide: wide.at, one: one.at };
}

/** Bytes at an address. */
export interface Place {
  readonly at: Local<"i32">;
  readonly offset: number;
}

/** One block from `words` on, which moves: [code, the value]. At `park`, where there is one, accumulators are written after the last round and read again: of two vectors that are stored side by side V8 makes one. */
export function foldBlock(
  context: Context,
  fn: FunctionBuilder,
  combine: Join,
  type: ScalarType,
  row: RowReader,
  words: Local<"i32">,
  size: number,
  park?: Place,
): [Code[], Code] {
  const { lanes } = context;
  const { width } = lanes;
  const vectors = laneCount / width;
  const used = Math.min(vectors, Math.ceil(size / width));
  const start = () => lanes.constant(type, neutral(combine, type));
  const accumulators = Array.from({ length: used }, () => fn.local(lanes.valueType(type)));
  const join = (into: Local, value: Code) => into.set(combined(fn, lanes, combine, type, into, value) as never);
  const code: Code[] = accumulators.map((local) => local.set(start() as never));
  const isExtreme = combine === "max" || combine === "min";
  const extreme = width > 1 && type === "float32" && isExtreme ? new Extreme(fn, combine, used) : undefined;
  const take = (step: number, value: Code) =>
    extreme?.take(step, accumulators[step] as Local<"v128">, value as Code<"v128">) ?? join(accumulators[step], value);
  if (extreme) code.push(...extreme.start);
  const rounds = Math.floor(size / laneCount);
  if (rounds > 0) {
    const [stop, set] = fn.hold(i32.add(words.get, i32.const(4 * laneCount * rounds)));
    const round = [
      ...accumulators.map((_, step) => take(step, row.wide(words, step))),
      words.set(i32.add(words.get, i32.const(4 * laneCount))),
    ];
    code.push(
      set,
      loop((again) => [...round, branchIf(again, i32.ltU(words.get, stop.get))]),
    );
    if (park && rounds > 1) code.push(...parked(park, [...accumulators, ...(extreme?.unordered ?? [])]));
  }
  const left = size % laneCount;
  const whole = Math.floor(left / width);
  for (let step = 0; step < whole; step++) code.push(take(step, row.wide(words, step)));
  if (left % width > 0) {
    // The last few elements take their lanes one by one; the other lanes get what changes nothing.
    let vector = start() as Code<"v128">;
    for (let lane = 0; lane < left % width; lane++) {
      const value = row.one(words, whole * width + lane);
      vector =
        type === "float32"
          ? f32x4.replaceLane(vector, lane, value as Code<"f32">)
          : i32x4.replaceLane(vector, lane, value as Code<"i32">);
    }
    code.push(take(whole, vector));
  }
  if (extreme) code.push(extreme.finish(accumulators[0] as Local<"v128">));
  const [joined, value] = joinLanes(context, fn, combine, type, accumulators, size);
  return [[...code, ...joined], value];
}

/** A block's value, of what its lanes have: of the first `size` of them. [code, the value] */
export function joinLanes(
  { lanes, single }: Context,
  fn: FunctionBuilder,
  combine: Join,
  type: ScalarType,
  accumulators: readonly Local[],
  size = laneCount,
): [Code[], Code] {
  const { width } = lanes;
  const code: Code[] = [];
  const join = (into: Local, value: Code) => into.set(combined(fn, lanes, combine, type, into, value) as never);
  let alive = accumulators;
  for (let half = laneCount / width / 2; half >= 1; half /= 2) {
    for (let i = 0; i + half < alive.length; i++) code.push(join(alive[i], alive[i + half].get));
    alive = alive.slice(0, half);
  }
  const [first] = alive;
  if (width === 1) return [code, first.get];
  const vector = first as Local<"v128">;
  if (size > 2) code.push(join(vector, shuffle32(vector.get, vector.get, [2, 3, 0, 1])));
  if (size === 1) return [code, extract(type, vector, 0)];
  const [a, set] = fn.hold(extract(type, vector, 0));
  code.push(set);
  return [code, combined(fn, single, combine, type, a, extract(type, vector, 1))];
}

function parked({ at, offset }: Place, locals: readonly Local[]): Code[] {
  const vectors = locals as readonly Local<"v128">[];
  const writes = vectors.map((local, i) => v128.store(at.get, local.get, offset + 16 * i));
  return [...writes.reverse(), ...vectors.map((local, i) => local.set(v128.load(at.get, offset + 16 * i)))];
}

function extract(type: ScalarType, vector: Local<"v128">, lane: number): Code<"f32"> {
  const code = type === "float32" ? f32x4.extractLane(vector.get, lane) : i32x4.extractLane(vector.get, lane);
  return code as Code<"f32">;
}
