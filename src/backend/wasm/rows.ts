// Reductions over the last axes: blocks of 1024, in a block 16 lanes, lane j taking elements j, j + 16 … ascending; lanes combine 8, 4, 2,
// 1; blocks join in ascending order. With SIMD the lanes are four vectors; without, sixteen locals.
import { input, type ScalarType } from "../../../kernels/expr.ts";
import { blockSize, type FoldKernel, laneCount } from "../../../kernels/kernel.ts";
import { type BlockFold, type ContiguousFold, type JoinFold, waitingSize } from "../../schedule/folds.ts";
import type { Nest } from "../../schedule/nest.ts";
import { Champion, combined, Extreme, neutral } from "./accumulate.ts";
import { branchIf, type Code, type FunctionBuilder, type Local, loop, when } from "./assembler.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { ElementPrinter, type Row } from "./elements.ts";
import { findExtreme } from "./extreme.ts";
import { f32x4, i32, i32x4, select, shuffle32 } from "./instructions.ts";
import { mapLoops } from "./map.ts";
import { type Cursor, countLoop, limitCode, loops, start } from "./nest.ts";
import { Pieces } from "./pieces.ts";
import { bindings } from "./runtime/bindings.ts";

type Join = "sum" | "max" | "min";

/** Prints a fold over the last axes. */
export function printContiguousFold(
  context: Context,
  kernel: FoldKernel,
  fold: ContiguousFold,
  target: KernelFunction,
): void {
  const { fn } = target;
  const { nest, count, parallel, gather, isInPieces, isTwoPass } = fold;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const { scratch } = target;
  const pieces = gather && isInPieces ? new Pieces(context, fn, gather, scratch) : undefined;
  const [to, setTo] = fn.hold(valueAddress(target, kernel.output));
  fn.body(
    ...code,
    ...limits,
    setTo,
    ...loops(
      fn,
      nest,
      [0, nest.outer],
      cursors,
      (here, counters) => {
        const address = i32.add(to.get, outputOffset(nest, counters));
        if (pieces) return reducePieces(context, fn, kernel, pieces, waitingRow(), here, count, address);
        const row = gather ? waitingRow() : rowOf(context, fn, nest, nest.outer, kernel.body, here);
        const fill = gather ? mapLoops(context, fn, gather, nest.outer, [...here, { at: scratch, inside: true }]) : [];
        return [...fill, ...row.before, ...reduceRow(context, fn, kernel, row, count, address, isTwoPass)];
      },
      { axis: parallel.axis, begin, end },
    ),
  );

  /** What is in scratch memory, as a row. */
  function waitingRow(): Row {
    const { type } = kernel.body;
    const flat: Nest = {
      extents: [Math.min(count, waitingSize)],
      outer: 0,
      inputs: [
        { type, source: 0, strides: [1], bounds: [null], offset: 0, never: false, scale: type === "bool" ? 1 : 4 },
      ],
    };
    return rowOf(context, fn, flat, 0, input(0, type), [{ at: scratch, inside: true }]);
  }
}

/** Where the blocks' values wait: in the first part's scratch memory. */
const partials = ({ bindings: at }: KernelFunction, context: Context) =>
  i32.add(i32.load(at.get, bindings.scratch), i32.const(context.bytesBefore));

/** Prints a long row's first stage: each block's value. */
export function printBlocks(
  context: Context,
  kernel: FoldKernel,
  { nest, count, blocks, parallel }: BlockFold,
  target: KernelFunction,
): void {
  const { fn } = target;
  const { dtype, body } = kernel;
  const { combine } = kernel.fold;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const [to, setTo] = fn.hold(partials(target, context));
  const row = rowOf(context, fn, nest, 1, body, cursors);
  const words = fn.local("i32");
  const blockAt = (at: Local<"i32">, size: number): Code[] => {
    const [codes, value] = reduceBlock(context, fn, combine as Join, dtype, row, words, size);
    const [held, hold] = fn.hold(value as Code<"f32">);
    const address = i32.add(to.get, i32.shl(at.get, i32.const(2)));
    const from = words.set(i32.mul(at.get, i32.const(4 * blockSize)));
    return [from, ...codes, hold, context.single.store(dtype, address, held.get, 0)];
  };
  const whole = Math.floor(count / blockSize);
  const [stop, setStop] = fn.hold(select(limitCode(end), i32.const(whole), i32.ltS(limitCode(end), i32.const(whole))));
  fn.body(
    ...code,
    ...limits,
    setTo,
    ...row.before,
    setStop,
    ...countLoop(fn, begin, stop, 1, (at) => blockAt(at, blockSize)),
    ...(whole < blocks ? countLoop(fn, stop, end, 1, (at) => blockAt(at, count % blockSize)) : []),
  );
}

/** Prints a long row's second stage: the blocks' values, joined in order by the first part. */
export function printJoin(context: Context, kernel: FoldKernel, { blocks }: JoinFold, target: KernelFunction): void {
  const { fn } = target;
  const { dtype } = kernel;
  const { combine } = kernel.fold;
  const { single } = context;
  const [from, setFrom] = fn.hold(partials(target, context));
  const total = fn.local(single.valueType(dtype));
  const join = (at: Local<"i32">) => {
    const value = single.load(dtype, i32.add(from.get, i32.shl(at.get, i32.const(2))), 0);
    return [total.set(combined(fn, single, combine as Join, dtype, total, value) as never)];
  };
  fn.body(
    when(i32.eqz(target.part.get), [
      setFrom,
      total.set(single.constant(dtype, neutral(combine, dtype)) as never),
      ...countLoop(fn, 0, blocks, 1, join),
      single.store(dtype, valueAddress(target, kernel.output), total.get, 0),
    ]),
  );
}

function outputOffset(nest: Nest, counters: readonly Local<"i32">[]): Code<"i32"> {
  let index: Code<"i32"> | undefined;
  for (let axis = 0; axis < nest.outer; axis++) {
    const here = counters[axis].get;
    index = index ? i32.add(i32.mul(index, i32.const(nest.extents[axis])), here) : here;
  }
  return i32.shl(index ?? i32.const(0), i32.const(2));
}

function rowOf(
  context: Context,
  fn: FunctionBuilder,
  nest: Nest,
  axis: number,
  body: FoldKernel["body"],
  cursors: readonly Cursor[],
): Row {
  const inside = cursors.map(() => true);
  const wide = new ElementPrinter(fn, context.lanes, nest, axis, body).prepare(cursors, inside);
  const one = context.isSimd ? new ElementPrinter(fn, context.single, nest, axis, body).prepare(cursors, inside) : wide;
  return { before: [...wide.before, ...(one === wide ? [] : one.before)], wide: wide.at, one: one.at };
}

/** The row's result, stored at `address`. */
function reduceRow(
  context: Context,
  fn: FunctionBuilder,
  kernel: FoldKernel,
  row: Row,
  count: number,
  address: Code<"i32">,
  isTwoPass: boolean,
): Code[] {
  const { dtype, body } = kernel;
  const { combine } = kernel.fold;
  if (combine === "argmax" || combine === "argmin") {
    if (isTwoPass) {
      const [code, index] = findExtreme(fn, combine, body.type as "float32" | "int32", row, count);
      return [...code, i32.store(address, index)];
    }
    const champion = new Champion(fn, context.single, combine, body.type);
    const words = fn.local("i32");
    return [
      ...champion.start(),
      ...countLoop(fn, 0, count, 1, (i) => [
        words.set(i32.shl(i.get, i32.const(2))),
        ...champion.join(row.one(words, 0), i),
      ]),
      context.single.store("int32", address, champion.index, 0),
    ];
  }
  const blocks = Math.floor(count / blockSize);
  const rest = count % blockSize;
  const words = fn.local("i32");
  const total = fn.local(context.single.valueType(dtype));
  const single = context.single;
  const joinBlock = (size: number): Code[] => {
    const [codes, value] = reduceBlock(context, fn, combine, dtype, row, words, size);
    return [...codes, total.set(combined(fn, single, combine, dtype, total, value) as never)];
  };
  const code: Code[] = [words.set(i32.const(0)), total.set(single.constant(dtype, neutral(combine, dtype)) as never)];
  if (blocks > 0) code.push(...countLoop(fn, 0, blocks, 1, () => joinBlock(blockSize)));
  if (rest > 0) code.push(...joinBlock(rest));
  return [...code, single.store(dtype, address, total.get, 0)];
}

/** The result of a row that comes in pieces, stored at `address`: `row` is what waits of it. */
function reducePieces(
  context: Context,
  fn: FunctionBuilder,
  { fold: { combine }, dtype, body }: FoldKernel,
  pieces: Pieces,
  row: Row,
  cursors: readonly Cursor[],
  count: number,
  address: Code<"i32">,
): Code[] {
  const { single } = context;
  const { waiting } = pieces;
  const words = fn.local("i32");
  if (combine === "argmax" || combine === "argmin") {
    const champion = new Champion(fn, single, combine, body.type);
    const index = fn.local("i32");
    const take = () => [
      ...countLoop(fn, 0, waiting, 1, (i) => [
        words.set(i32.shl(i.get, i32.const(2))),
        ...champion.join(row.one(words, 0), index),
        index.set(i32.add(index.get, i32.const(1))),
      ]),
      waiting.set(i32.const(0)),
    ];
    const first = [...row.before, ...champion.start(), index.set(i32.const(0))];
    return [...first, ...pieces.print(cursors, take), single.store("int32", address, champion.index, 0)];
  }
  const total = fn.local(single.valueType(dtype));
  const joinBlock = (size: number): Code[] => {
    const [codes, value] = reduceBlock(context, fn, combine, dtype, row, words, size);
    const join = total.set(combined(fn, single, combine, dtype, total, value) as never);
    return [words.set(i32.const(0)), ...codes, join];
  };
  const take = () => [
    when(i32.geS(waiting.get, i32.const(blockSize)), [...joinBlock(blockSize), ...pieces.drop(blockSize)]),
  ];
  return [
    ...row.before,
    total.set(single.constant(dtype, neutral(combine, dtype)) as never),
    ...pieces.print(cursors, take),
    ...(count % blockSize > 0 ? joinBlock(count % blockSize) : []),
    single.store(dtype, address, total.get, 0),
  ];
}

/** One block from `words` on, which moves behind it: [code, the value]. */
function reduceBlock(
  context: Context,
  fn: FunctionBuilder,
  combine: Join,
  type: ScalarType,
  row: Row,
  words: Local<"i32">,
  size: number,
): [Code[], Code] {
  const { lanes, single } = context;
  const { width } = lanes;
  const vectors = laneCount / width;
  const used = Math.min(vectors, Math.ceil(size / width));
  const start = () => lanes.constant(type, neutral(combine, type));
  const accumulators = Array.from({ length: used }, () => fn.local(lanes.valueType(type)));
  const join = (into: Local, value: Code) => into.set(combined(fn, lanes, combine, type, into, value) as never);
  const code: Code[] = accumulators.map((local) => local.set(start() as never));
  const extreme = width > 1 && type === "float32" && combine !== "sum" ? new Extreme(fn, combine) : undefined;
  const take = (into: Local, value: Code) =>
    extreme?.take(into as Local<"v128">, value as Code<"v128">) ?? join(into, value);
  if (extreme) code.push(extreme.start);
  const rounds = Math.floor(size / laneCount);
  const forward = (elements: number) => words.set(i32.add(words.get, i32.const(4 * elements)));
  if (rounds > 0) {
    const [stop, set] = fn.hold(i32.add(words.get, i32.const(4 * laneCount * rounds)));
    const round = [...accumulators.map((local, step) => take(local, row.wide(words, step))), forward(laneCount)];
    code.push(
      set,
      loop((again) => [...round, branchIf(again, i32.ltU(words.get, stop.get))]),
    );
  }
  const left = size % laneCount;
  const whole = Math.floor(left / width);
  for (let step = 0; step < whole; step++) code.push(take(accumulators[step], row.wide(words, step)));
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
    code.push(take(accumulators[whole], vector));
  }
  if (left > 0) code.push(forward(left));
  if (extreme) code.push(extreme.finish(accumulators[0] as Local<"v128">));
  let alive = accumulators;
  for (let half = vectors / 2; half >= 1; half /= 2) {
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

function extract(type: ScalarType, vector: Local<"v128">, lane: number): Code<"f32"> {
  const code = type === "float32" ? f32x4.extractLane(vector.get, lane) : i32x4.extractLane(vector.get, lane);
  return code as Code<"f32">;
}
