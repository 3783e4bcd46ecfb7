// Loop nests over views: axes that all views walk alike become one, each input keeps an address on the way down, and bounds become
// conditions. Addresses never leave a buffer: outside its bounds a coordinate is moved to the nearest one inside, and the value masked.
import { elementBytes, type KernelInput, type Source } from "../../../kernels/kernel.ts";
import { block, branchIf, type Code, type FunctionBuilder, type Local, loop } from "./assembler.ts";
import type { Element } from "./halves.ts";
import { i32, select } from "./instructions.ts";

type Bounds = readonly [number, number] | null;

/** One input in a simplified nest. Strides and bounds are one an axis of the nest. */
export interface NestInput extends Element {
  readonly source: Source;
  readonly strides: readonly number[];
  readonly bounds: readonly Bounds[];
  /** In elements. */
  readonly offset: number;
  /** Along the last axis points come in pairs: the elements from a pair's first point to its second. The stride is that from pair to pair. */
  readonly pair?: number;
  /** Bytes from the cursor to the element, where strides are 1. */
  readonly beyond?: number;
  /** No point of the nest is inside. */
  readonly never: boolean;
  /** Bytes an element; 1 for coordinates and draws, whose "address" is the index itself. */
  readonly scale: number;
}

export interface Nest {
  readonly extents: readonly number[];
  /** How many of the axes come from before the border: at least one, and at least one comes after. */
  readonly outer: number;
  readonly inputs: readonly NestInput[];
}

/**
 * Drops axes of extent 1 and merges neighbours that every view walks as one; axes before and after `border` stay apart, and either side
 * keeps at least one axis.
 */
export function simplify(shape: readonly number[], inputs: readonly KernelInput[], border = 0): Nest {
  const axes = shape
    .map((extent, axis) => ({ extent, before: axis < border, from: axis }))
    .filter(({ extent }) => extent !== 1);
  const merged: { extent: number; before: boolean; from: number[] }[] = [];
  for (const { extent, before, from } of axes) {
    const last = merged[merged.length - 1];
    const joins =
      last !== undefined &&
      last.before === before &&
      inputs.every(({ view }) => {
        const previous = last.from[last.from.length - 1];
        return (
          !view.bounds[previous] && !view.bounds[from] && view.strides[previous] === view.strides[from] * shape[from]
        );
      });
    if (joins) {
      last.extent *= extent;
      last.from.push(from);
    } else merged.push({ extent, before, from: [from] });
  }
  const unit = { extent: 1, from: [] };
  if (!merged.some(({ before }) => before)) merged.unshift({ ...unit, before: true });
  if (merged.every(({ before }) => before)) merged.push({ ...unit, before: false });
  const inner = merged.map(({ from }): number | undefined => from[from.length - 1]);
  const outer = merged.filter(({ before }) => before).length;
  return {
    extents: merged.map(({ extent }) => extent),
    outer,
    inputs: inputs.map(({ source, dtype, storage, view }) => ({
      type: dtype,
      storage,
      source,
      scale: typeof source === "number" ? elementBytes({ dtype, storage }) : 1,
      offset: view.offset,
      strides: inner.map((axis) => (axis === undefined ? 0 : view.strides[axis])),
      bounds: inner.map((axis) => (axis === undefined ? null : tighten(view.bounds[axis], shape[axis]))),
      never: view.bounds.some((bound, axis) => bound && isEmpty(bound, shape[axis])),
    })),
  };
}

/** The last two axes as one where the last has two points, so that a row is longer than that. As it is where they have bounds. */
export function inPairs(nest: Nest): Nest {
  const last = nest.extents.length - 1;
  const isFree = nest.inputs.every(({ bounds }) => !bounds[last - 1] && !bounds[last]);
  if (nest.extents[last] !== 2 || last - 1 < nest.outer || !isFree) return nest;
  const joined = <T>(values: readonly T[], one: T): T[] => [...values.slice(0, last - 1), one];
  return {
    ...nest,
    extents: joined(nest.extents, 2 * nest.extents[last - 1]),
    inputs: nest.inputs.map((input) => {
      const { [last - 1]: stride, [last]: pair } = input.strides;
      const isEven = stride === 2 * pair;
      const strides = joined(input.strides, isEven ? pair : stride);
      return { ...input, strides, bounds: joined(input.bounds, null), pair: isEven ? undefined : pair };
    }),
  };
}

/** A tile's extents: along an axis that some input walks in small steps the first that divides it, and along the last axis. */
const heights = [16, 8] as const;
const width = 8;
const lineBytes = 64;
/** Below so many elements all of it stays in the cache anyway. */
const worthTiles = 8192;

/**
 * The nest in tiles where an input walks the last axis in steps longer than a cache line and another axis within one: a line is used up
 * before it leaves the cache. The same points, each once. As it is where extents don't divide, the axes have bounds, or points come in pairs.
 */
export function inTiles(nest: Nest): Nest {
  const last = nest.extents.length - 1;
  const step = (input: NestInput, axis: number) => Math.abs(input.strides[axis]) * input.scale;
  const isFree = (axis: number) => nest.inputs.every(({ bounds, pair }) => !bounds[axis] && pair === undefined);
  let axis = last - 1;
  const crosses = (input: NestInput) =>
    typeof input.source === "number" &&
    step(input, last) >= lineBytes &&
    step(input, axis) > 0 &&
    step(input, axis) < lineBytes;
  while (axis >= nest.outer && !nest.inputs.some(crosses)) axis--;
  if (axis < nest.outer || !isFree(axis) || !isFree(last)) return nest;
  const { [axis]: rows, [last]: columns } = nest.extents;
  const height = heights.find((each) => rows % each === 0);
  if (height === undefined || columns % width !== 0 || rows * columns < worthTiles) return nest;
  const split = (
    values: readonly number[],
    coarse: (value: number, size: number) => number,
    fine: readonly number[],
  ) => [
    ...values.slice(0, axis),
    coarse(values[axis], height),
    ...values.slice(axis + 1, last),
    coarse(values[last], width),
    ...fine,
  ];
  return {
    ...nest,
    extents: split(nest.extents, (extent, size) => extent / size, [height, width]),
    inputs: nest.inputs.map((input) => ({
      ...input,
      strides: split(input.strides, (stride, size) => stride * size, [input.strides[axis], input.strides[last]]),
      bounds: [...input.bounds, null, null],
    })),
  };
}

const isEmpty = ([low, high]: readonly [number, number], extent: number) => Math.max(low, 0) >= Math.min(high, extent);

function tighten(bound: Bounds, extent: number): Bounds {
  if (!bound || (bound[0] <= 0 && bound[1] >= extent)) return null;
  return [Math.max(bound[0], 0), Math.min(bound[1], extent)];
}

/** Where an input is: its address (or index, for coordinates), and whether the coordinates so far are inside. */
export interface Cursor {
  readonly at: Local<"i32">;
  readonly inside: Local<"i32"> | boolean;
}

/** Cursors at the nest's first point; `address` gives where a value begins. */
export function start(
  fn: FunctionBuilder,
  nest: Nest,
  address: (value: number) => Code<"i32">,
): { cursors: Cursor[]; code: Code[] } {
  const code: Code[] = [];
  const cursors = nest.inputs.map((input): Cursor => {
    const offset = i32.const(input.offset * input.scale);
    const [at, set] = fn.hold(
      typeof input.source !== "number"
        ? offset
        : input.offset === 0
          ? address(input.source)
          : i32.add(address(input.source), offset),
    );
    code.push(set);
    return { at, inside: !input.never };
  });
  return { cursors, code };
}

/** Cursors at coordinate `i` of an axis. */
export function descend(
  fn: FunctionBuilder,
  nest: Nest,
  axis: number,
  i: Local<"i32">,
  cursors: readonly Cursor[],
): { cursors: Cursor[]; code: Code[] } {
  const code: Code[] = [];
  const next = cursors.map((cursor, index): Cursor => {
    const { strides, bounds, scale } = nest.inputs[index];
    const stride = strides[axis] * scale;
    const bound = bounds[axis];
    if (cursor.inside === false || (stride === 0 && !bound)) return cursor;
    let coordinate = i.get;
    let inside = cursor.inside;
    if (bound) {
      const [low, high] = bound;
      const here = i32.ltU(i32.sub(i.get, i32.const(low)), i32.const(high - low));
      const [local, set] = fn.hold(inside === true ? here : i32.and((inside as Local<"i32">).get, here));
      code.push(set);
      inside = local;
      // Moved to the nearest coordinate inside.
      const raised = select(i32.const(low), i.get, i32.ltS(i.get, i32.const(low)));
      coordinate = select(i32.const(high - 1), raised, i32.geS(i.get, i32.const(high)));
    }
    if (stride === 0) return { at: cursor.at, inside };
    const [at, set] = fn.hold(i32.add(cursor.at.get, i32.mul(coordinate, i32.const(stride))));
    code.push(set);
    return { at, inside };
  });
  return { cursors: next, code };
}

/** A number of loops, or a value that holds it. */
export type Limit = number | Local<"i32">;
export const limitCode = (limit: Limit): Code<"i32"> => (typeof limit === "number" ? i32.const(limit) : limit.get);

/** for (i = begin; i < end; i += step) body. Both limits are read before the first round; known rounds, as many as `written` or fewer, are written out one after another. */
export function countLoop(
  fn: FunctionBuilder,
  begin: Limit,
  end: Limit,
  step: number,
  body: (i: Local<"i32">) => readonly Code[],
  written = 1,
): Code[] {
  if (typeof begin === "number" && typeof end === "number" && end - begin <= written * step) {
    const code: Code[] = [];
    for (let at = begin; at < end; at += step) {
      const i = fn.local("i32");
      code.push(i.set(i32.const(at)), ...body(i));
    }
    return code;
  }
  const i = fn.local("i32");
  const rounds = loop((again) => [
    ...body(i),
    branchIf(again, i32.ltS(i.tee(i32.add(i.get, i32.const(step))), limitCode(end))),
  ]);
  if (typeof begin === "number" && typeof end === "number") return [i.set(i32.const(begin)), rounds];
  return [i.set(limitCode(begin)), block((leave) => [branchIf(leave, i32.geS(i.get, limitCode(end))), rounds])];
}

/** Loops over the nest's axes [from, to), then `body` with the cursors there; `limits` narrows one axis to a thread's part, `written` is countLoop's. */
export function loops(
  fn: FunctionBuilder,
  nest: Nest,
  [from, to]: readonly [number, number],
  cursors: readonly Cursor[],
  body: (cursors: readonly Cursor[], counters: readonly Local<"i32">[]) => readonly Code[],
  limits?: { readonly axis: number; readonly begin: Limit; readonly end: Limit },
  written?: number,
): Code[] {
  const level = (axis: number, here: readonly Cursor[], counters: readonly Local<"i32">[]): readonly Code[] => {
    if (axis === to) return body(here, counters);
    const [begin, end] = limits?.axis === axis ? [limits.begin, limits.end] : [0, nest.extents[axis]];
    const round = (i: Local<"i32">) => {
      const { cursors: next, code } = descend(fn, nest, axis, i, here);
      return [...code, ...level(axis + 1, next, [...counters, i])];
    };
    return countLoop(fn, begin, end, 1, round, written);
  };
  return [...level(from, cursors, [])];
}

/** A part of the last axis in which every bound of it is decided. */
export interface Segment {
  readonly begin: number;
  readonly end: number;
  /** For each input: whether this axis' bounds cover the segment. */
  readonly inside: readonly boolean[];
}

/** The axis cut where a bound begins or ends. */
export function segments(nest: Nest, axis: number): Segment[] {
  const extent = nest.extents[axis];
  const cuts = new Set([0, extent]);
  for (const { bounds } of nest.inputs) for (const cut of bounds[axis] ?? []) cuts.add(cut);
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => {
    const begin = sorted[i];
    const inside = nest.inputs.map(({ bounds }) => {
      const bound = bounds[axis];
      return !bound || (bound[0] <= begin && end <= bound[1]);
    });
    return { begin, end, inside };
  });
}
