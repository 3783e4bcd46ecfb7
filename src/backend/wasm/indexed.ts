// Reading and adding by an index that is data. A scatter adds in source order: each part walks all updates and keeps its own columns. An
// index out of range is written to the bindings, and nothing is read or written through it.
import type { GatherKernel, KernelInput, ScatterKernel } from "../../../kernels/kernel.ts";
import { contiguousView, type View } from "../../../kernels/view.ts";
import { sizeOf } from "../../core/shape.ts";
import { mergeAxes } from "../../schedule/merge.ts";
import { splitAxis } from "../../schedule/parallel.ts";
import { type Code, type Local, when } from "./assembler.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { Elements } from "./halves.ts";
import { i32, memory } from "./instructions.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";
import { bindings } from "./runtime/bindings.ts";

/** What both families walk: indices, what lies in order beside them, and what is addressed through them. */
interface Walk {
  readonly shape: readonly number[];
  readonly plain: KernelInput;
  readonly indices: KernelInput;
  /** Its view over `shape` leaves out the axis of the index. */
  readonly addressed: KernelInput;
  /** Indices are below it. */
  readonly extent: number;
  /** Elements from one index to the next. */
  readonly stride: number;
  /** Points with different indices never meet, so any axis may be shared out; else only columns that keep their index. */
  readonly independent: boolean;
}

/** Moves one element, or four, from or to: addresses of the plain and the addressed side. */
type Move = (plain: Code<"i32">, addressed: Code<"i32">, wide: boolean) => Code<"none">;

const withoutAxis = (view: View, axis: number, shape: readonly number[]): View => ({
  ...view,
  shape,
  strides: view.strides.map((stride, i) => (i === axis ? 0 : stride)),
});

function printWalk(context: Context, target: KernelFunction, number: number, walk: Walk, move: Move): Code[] {
  const { fn } = target;
  const nest = mergeAxes(walk.shape, [walk.plain, walk.indices, walk.addressed]);
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const last = nest.extents.length - 1;
  const [plain, indices, addressed] = nest.inputs;
  // Where the index stays the same along the last axis, a whole row moves with it.
  const isRow = indices.strides[last] === 0;
  const split = walk.independent ? splitAxis(nest) : last;
  const shared = walk.independent || (isRow && addressed.strides[last] !== 0);
  const [begin, end, limits] = shared
    ? share(target, nest.extents[split], split === last ? 16 : 1)
    : [0, nest.extents[last], []];
  const [first, stop]: [Limit, Limit] = split === last ? [begin, end] : [0, nest.extents[last]];
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
    const isWide = context.isSimd && plain.scale > 1 && plain.strides[last] === 1 && addressed.strides[last] === 1;
    // `first` is a multiple of 4, so the fours end where stop's own multiple of 4 is.
    const [fours, setFours] = fn.hold(i32.and(limitCode(stop), i32.const(-4)));
    const moves = isWide ? [setFours, ...run(first, fours, 4), ...run(fours, stop, 1)] : run(first, stop, 1);
    return [index.set(i32.load(here[1].at.get)), checked([found.set(i32.add(here[2].at.get, offset)), ...moves])];
  };
  const body = loops(
    fn,
    nest,
    [0, last],
    cursors,
    isRow ? row : elements,
    split === last ? undefined : { axis: split, begin, end },
  );
  return [...code, ...limits, ...(shared ? body : [when(i32.eqz(target.part.get), body)])];
}

/** Prints a gather: reads through the index, writes in order. */
export function printGather(context: Context, kernel: GatherKernel, number: number, target: KernelFunction): void {
  const { fn } = target;
  const { shape, axis, x, indices, dtype, storage } = kernel;
  const walk: Walk = {
    shape,
    plain: { source: kernel.output, dtype, storage, view: contiguousView(shape) },
    indices,
    addressed: { ...x, view: withoutAxis(x.view, axis, shape) },
    extent: x.view.shape[axis],
    stride: x.view.strides[axis],
    independent: true,
  };
  const move: Move = (to, from, wide) => {
    const lanes = wide ? context.lanes : context.single;
    const read = new Elements(fn, lanes, { type: dtype, storage: x.storage });
    return new Elements(fn, lanes, { type: dtype, storage }).store(to, read.load(from));
  };
  fn.body(...printWalk(context, target, number, walk, move));
}

/** Prints a scatter's first stage: zeros. */
export function printZeros(value: number, bytes: number, target: KernelFunction): void {
  const { fn } = target;
  const [begin, end, limits] = share(target, bytes, 64);
  const address = i32.add(valueAddress(target, value), limitCode(begin));
  fn.body(...limits, memory.fill(address, i32.const(0), i32.sub(limitCode(end), limitCode(begin))));
}

/** Prints a scatter's second stage: every update added, in order. */
export function printScatter(context: Context, kernel: ScatterKernel, number: number, target: KernelFunction): void {
  const { shape, axis, indices, updates, dtype } = kernel;
  const view = contiguousView(shape);
  const walked = updates.view.shape;
  const walk: Walk = {
    shape: walked,
    plain: updates,
    indices,
    addressed: { source: kernel.output, dtype, view: withoutAxis(view, axis, walked) },
    extent: shape[axis],
    stride: view.strides[axis],
    independent: false,
  };
  const move: Move = (from, to, wide) => {
    const lanes = wide ? context.lanes : context.single;
    const update = new Elements(target.fn, lanes, { type: dtype, storage: updates.storage });
    return lanes.store(dtype, to, lanes.binary("add", dtype, lanes.load(dtype, to, 0), update.load(from)), 0);
  };
  if (sizeOf(walked) === 0) target.fn.body();
  else target.fn.body(...printWalk(context, target, number, walk, move));
}
