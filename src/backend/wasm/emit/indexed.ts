// Reading and writing by an index that is data. A scatter writes in source order: each part walks all updates and keeps its own columns. An
// index out of range is written to the bindings, and nothing is read or written through it.
import type { GatherLoops, ScatterLoops, Walk } from "../../../schedule/indexed.ts";
import type { ZeroLoops } from "../../../schedule/loops.ts";
import { type Code, type Local, when } from "../assembler/assembler.ts";
import { i32, memory } from "../assembler/instructions.ts";
import { bindings } from "../runtime/bindings.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { Elements } from "./halves.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";

/** Moves one element, or four, from or to: addresses of the plain and the addressed side. */
type Move = (plain: Code<"i32">, addressed: Code<"i32">, wide: boolean) => Code<"none">;

function printWalk(target: KernelFunction, number: number, walk: Walk, move: Move): Code[] {
  const { fn } = target;
  const { nest, isRow, lanes, parallel } = walk;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const last = nest.extents.length - 1;
  const [plain, indices, addressed] = nest.inputs;
  const [begin, end, limits] = parallel ? share(target, parallel) : [0, nest.extents[last], []];
  const [first, stop]: [Limit, Limit] = parallel?.axis === last ? [begin, end] : [0, nest.extents[last]];
  const index = fn.local("i32");
  const found = fn.local("i32");
  const report = when(i32.eqz(i32.load(target.bindings.get, bindings.status)), [
    i32.store(target.bindings.get, index.get, bindings.badIndex),
    i32.store(target.bindings.get, i32.const(number + 1), bindings.status),
  ]);
  const checked = (body: readonly Code[]) => when(i32.geU(index.get, i32.const(walk.extent)), [report], body);
  const offset = i32.mul(index.get, i32.const(walk.stride * addressed.scale));
  const along = (base: Local<"i32">, stride: number, i: Local<"i32">) =>
    stride === 0 ? base.get : i32.add(base.get, i32.mul(i.get, i32.const(stride)));
  const plainAt = (here: readonly Cursor[], i: Local<"i32">) => along(here[0].at, plain.strides[last] * plain.scale, i);
  const addressedAt = (base: Local<"i32">, i: Local<"i32">) =>
    along(base, addressed.strides[last] * addressed.scale, i);

  const elements = (here: readonly Cursor[]) =>
    countLoop(fn, first, stop, 1, (i) => [
      index.set(i32.load(along(here[1].at, indices.strides[last] * 4, i))),
      checked([move(plainAt(here, i), i32.add(addressedAt(here[2].at, i), offset), false)]),
    ]);
  const row = (here: readonly Cursor[]) => {
    const run = (from: Limit, to: Limit, step: number) =>
      countLoop(fn, from, to, step, (i) => [move(plainAt(here, i), addressedAt(found, i), step > 1)]);
    // `first` is a multiple of 4, so the fours end where stop's own multiple of 4 is.
    const [fours, setFours] = fn.hold(i32.and(limitCode(stop), i32.const(-4)));
    const moves = lanes > 1 ? [setFours, ...run(first, fours, 4), ...run(fours, stop, 1)] : run(first, stop, 1);
    return [index.set(i32.load(here[1].at.get)), checked([found.set(i32.add(here[2].at.get, offset)), ...moves])];
  };
  const part = parallel && parallel.axis !== last ? { axis: parallel.axis, begin, end } : undefined;
  const body = loops(fn, nest, [0, last], cursors, isRow ? row : elements, part);
  return [...code, ...limits, ...(parallel ? body : [when(i32.eqz(target.part.get), body)])];
}

/** Prints a gather: reads through the index, writes in order. */
export function printGather(context: Context, number: number, walk: GatherLoops, target: KernelFunction): void {
  const { fn } = target;
  const [written, , read] = walk.nest.inputs;
  const move: Move = (to, from, wide) => {
    const lanes = wide ? context.lanes : context.single;
    return new Elements(fn, lanes, written).store(to, new Elements(fn, lanes, read).load(from));
  };
  fn.body(...printWalk(target, number, walk, move));
}

/** Prints a scatter's first stage: zeros. */
export function printZeros(value: number, { parallel }: ZeroLoops, target: KernelFunction): void {
  const { fn } = target;
  const [begin, end, limits] = share(target, parallel);
  const address = i32.add(valueAddress(target, value), limitCode(begin));
  fn.body(...limits, memory.fill(address, i32.const(0), i32.sub(limitCode(end), limitCode(begin))));
}

/** Prints a scatter's second stage: every update added or stored, in order. */
export function printScatter(context: Context, number: number, walk: ScatterLoops, target: KernelFunction): void {
  const [updates, , { type }] = walk.nest.inputs;
  const { adds } = walk;
  const move: Move = (from, to, wide) => {
    const lanes = wide ? context.lanes : context.single;
    const update = new Elements(target.fn, lanes, updates).load(from);
    return lanes.store(type, to, adds ? lanes.binary("add", type, lanes.load(type, to, 0), update) : update, 0);
  };
  if (walk.nest.extents.includes(0)) target.fn.body();
  else target.fn.body(...printWalk(target, number, walk, move));
}
