// Loop nests as code: each input keeps an address on the way down, and bounds become conditions. Addresses never leave a buffer: outside its
// bounds a coordinate is moved to the nearest one inside, and the value masked.
import type { Nest, NestInput } from "../../../schedule/nest.ts";
import { type Code, type FunctionBuilder, type Integer, i32, type Local, select } from "../assembler/assembler.ts";

/** Where an input is: its address (or index, for coordinates), and whether the coordinates so far are inside. */
export interface Cursor {
  readonly at: Local<"i32">;
  readonly inside: Local<"i32"> | boolean;
}

/** Cursors at the nest's first point; `address` gives where a value begins. */
export function start(fn: FunctionBuilder, nest: Nest, address: (value: number) => Code<"i32">): Cursor[] {
  return shared(nest.inputs, ({ source, offset, scale, never }) => {
    const bytes = offset * scale;
    const begin = typeof source === "number" ? address(source) : undefined;
    const at = begin && bytes !== 0 ? i32.add(begin, bytes) : (begin ?? bytes);
    return { at: fn.let(at), inside: !never };
  });
}

/** A cursor for each input; some have that of another before them. */
function shared(inputs: readonly NestInput[], make: (input: NestInput, index: number) => Cursor): Cursor[] {
  const cursors: Cursor[] = [];
  inputs.forEach((input, index) => {
    cursors.push(input.like === undefined ? make(input, index) : cursors[input.like]);
  });
  return cursors;
}

/** Cursors at coordinate `i` of an axis. */
function descend(
  fn: FunctionBuilder,
  nest: Nest,
  axis: number,
  i: Local<"i32">,
  cursors: readonly Cursor[],
): readonly Cursor[] {
  return shared(nest.inputs.slice(0, cursors.length), ({ strides, bounds, scale }, index) => {
    const cursor = cursors[index];
    const stride = strides[axis] * scale;
    const bound = bounds[axis];
    if (cursor.inside === false || (stride === 0 && !bound)) return cursor;
    let coordinate: Code<"i32"> = i;
    let inside = cursor.inside;
    if (bound) {
      const [low, high] = bound;
      const here = i32.ltU(i32.sub(i, low), high - low);
      inside = fn.let(inside === true ? here : i32.and(inside, here));
      // Moved to the nearest coordinate inside.
      const raised = select(low, i, i32.ltS(i, low));
      coordinate = select(high - 1, raised, i32.geS(i, high));
    }
    if (stride === 0) return { at: cursor.at, inside };
    return { at: fn.let(i32.add(cursor.at, i32.mul(coordinate, stride))), inside };
  });
}

/** A number of loops, or a value that holds it. */
export type Limit = number | Local<"i32">;

/** for (i = begin; i < end; i += step) body. Both limits are read before the first round; known rounds, as many as `written` or fewer, are written out one after another. */
export function countLoop(
  fn: FunctionBuilder,
  begin: Limit,
  end: Limit,
  step: number,
  body: (i: Local<"i32">) => void,
  written = 1,
): void {
  const isKnown = typeof begin === "number" && typeof end === "number";
  if (isKnown && end - begin <= written * step) {
    for (let at = begin; at < end; at += step) body(fn.let(at));
    return;
  }
  const i = fn.let(begin);
  const rounds = () =>
    fn.loop((again) => {
      body(i);
      fn.branchIf(again, i32.ltS(i.tee(i32.add(i, step)), end));
    });
  if (isKnown) rounds();
  else
    fn.block((leave) => {
      fn.branchIf(leave, i32.geS(i, end));
      rounds();
    });
}

/** A thread's part of an axis. */
export interface Part {
  readonly axis: number;
  readonly begin: Limit;
  readonly end: Limit;
}

/** [begin, end) in strips of `size` at most. */
export function inStrips(
  fn: FunctionBuilder,
  { begin, end }: Omit<Part, "axis">,
  size: number,
  body: (begin: Limit, end: Limit) => void,
): void {
  if (typeof begin === "number" && typeof end === "number" && end - begin <= size) body(begin, end);
  else countLoop(fn, begin, end, size, (from) => body(from, fn.let(least(i32.add(from, size), end))));
}

/** The smaller of two numbers, each of which is computed twice; `isGreatest`: the larger. */
export function least(a: Integer, b: Integer, isGreatest = false): Code<"i32"> {
  return select(a, b, (isGreatest ? i32.gtS : i32.ltS)(a, b));
}

/** Loops over the nest's axes [from, to), then `body` with the cursors there; `limits` narrows one axis to a thread's part, `written` is countLoop's. */
export function loops(
  fn: FunctionBuilder,
  nest: Nest,
  [from, to]: readonly [number, number],
  cursors: readonly Cursor[],
  body: (cursors: readonly Cursor[], counters: readonly Local<"i32">[]) => void,
  limits?: Part,
  written?: number,
): void {
  const level = (axis: number, here: readonly Cursor[], counters: readonly Local<"i32">[]): void => {
    if (axis === to) {
      body(here, counters);
      return;
    }
    const [begin, end] = limits?.axis === axis ? [limits.begin, limits.end] : [0, nest.extents[axis]];
    const round = (i: Local<"i32">) => level(axis + 1, descend(fn, nest, axis, i, here), [...counters, i]);
    countLoop(fn, begin, end, 1, round, written);
  };
  level(from, cursors, []);
}
