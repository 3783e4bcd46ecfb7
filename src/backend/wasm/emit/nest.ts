// Loop nests as code: each input keeps an address on the way down, and bounds become conditions. Addresses never leave a buffer: outside its
// bounds a coordinate is moved to the nearest one inside, and the value masked.
import type { Nest } from "../../../schedule/nest.ts";
import { block, branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler/assembler.ts";
import { i32, select } from "../assembler/instructions.ts";

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
  const cursors: Cursor[] = [];
  for (const input of nest.inputs) {
    if (input.like !== undefined) {
      cursors.push(cursors[input.like]);
      continue;
    }
    const offset = i32.const(input.offset * input.scale);
    const [at, set] = fn.hold(
      typeof input.source !== "number"
        ? offset
        : input.offset === 0
          ? address(input.source)
          : i32.add(address(input.source), offset),
    );
    code.push(set);
    cursors.push({ at, inside: !input.never });
  }
  return { cursors, code };
}

/** Cursors at coordinate `i` of an axis. */
function descend(
  fn: FunctionBuilder,
  nest: Nest,
  axis: number,
  i: Local<"i32">,
  cursors: readonly Cursor[],
): { cursors: Cursor[]; code: Code[] } {
  const code: Code[] = [];
  const next: Cursor[] = [];
  const move = (cursor: Cursor, index: number): Cursor => {
    const { strides, bounds, scale, like } = nest.inputs[index];
    if (like !== undefined) return next[like];
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
  };
  cursors.forEach((cursor, index) => {
    next.push(move(cursor, index));
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
  body: (begin: Limit, end: Limit) => readonly Code[],
): Code[] {
  if (typeof begin === "number" && typeof end === "number" && end - begin <= size) return [...body(begin, end)];
  return countLoop(fn, begin, end, size, (from) => {
    const [to, set] = fn.hold(least(i32.add(from.get, i32.const(size)), limitCode(end)));
    return [set, ...body(from, to)];
  });
}

/** The smaller of two numbers, each of which is computed twice; `isGreatest`: the larger. */
export function least(a: Code<"i32">, b: Code<"i32">, isGreatest = false): Code<"i32"> {
  return select(a, b, (isGreatest ? i32.gtS : i32.ltS)(a, b));
}

/** Loops over the nest's axes [from, to), then `body` with the cursors there; `limits` narrows one axis to a thread's part, `written` is countLoop's. */
export function loops(
  fn: FunctionBuilder,
  nest: Nest,
  [from, to]: readonly [number, number],
  cursors: readonly Cursor[],
  body: (cursors: readonly Cursor[], counters: readonly Local<"i32">[]) => readonly Code[],
  limits?: Part,
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
