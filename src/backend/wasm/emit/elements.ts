// What expressions read at points along an axis: elements side by side, an even way or in pairs apart, or the same all along.
import type { Expr } from "../../../../kernels/expr.ts";
import type { Nest, NestInput } from "../../../schedule/nest.ts";
import { type Code, type FunctionBuilder, i32, type Local, type Place, type Value } from "../assembler/assembler.ts";
import { expressionPrinter } from "./expression.ts";
import { elementsAs } from "./kept.ts";
import { evenly, type Four, type Lanes } from "./lanes.ts";
import type { Cursor } from "./nest.ts";

/** Where a point is whose number, four times, is `words`: `stride` bytes a point from `at` on. */
export function along(at: Local<"i32">, stride: number, words: Local<"i32">): Code<"i32"> {
  const points = (bits: number) => i32.shrU(words, bits);
  if (stride === 0) return at;
  if (stride === 4) return i32.add(at, words);
  if (stride === 1 || stride === 2) return i32.add(at, points(3 - stride));
  if (stride % 4 === 0) return i32.add(at, i32.mul(words, stride / 4));
  return i32.add(at, i32.mul(points(2), stride));
}

/** The expressions at a point: `step` vectors on from the point whose number, four times, is `words`. Step 0 comes first. */
export type Points = (words: Local<"i32">, step: number) => Value[];

/** Values that stay the same along the rows of several bands, and the place before these where they are computed. */
export interface Kept {
  readonly place: Place;
  readonly locals: Map<string, Local>;
}

/** Writes what stays the same along the axis. `inside` says which inputs the axis' own bounds cover, `kept` has what stays the same along the axis before, too. */
export type Prepare = (cursors: readonly Cursor[], inside: readonly boolean[], kept?: Kept) => Points;

/** Prints expressions at points along `axis`, of which the cursors give the beginning. */
export function elementPrinter(
  fn: FunctionBuilder,
  lanes: Lanes,
  nest: Nest,
  axis: number,
  ...roots: readonly Expr[]
): Prepare {
  const printer = expressionPrinter(fn, lanes, roots);
  /** `place`: what gives an address that the steps have in common. */
  const read = (
    input: NestInput,
    at: Local<"i32">,
    words: Local<"i32">,
    step: number,
    place: (first: Code<"i32">) => Code<"i32">,
  ): Value => {
    const { pair, source, scale, beyond = 0 } = input;
    const stride = input.strides[axis] * scale;
    const elements = elementsAs(fn, lanes, input);
    let [first, skip, distances]: [Code<"i32">, number, Four] = [
      along(at, stride, words),
      step * lanes.width * stride,
      evenly(stride),
    ];
    if (pair !== undefined) {
      const bytes = pair * scale;
      const second = i32.mul(i32.and(i32.shrU(words, 2), 1), bytes);
      first = i32.add(at, i32.mul(i32.shrU(words, 3), stride));
      if (lanes.width === 1) first = i32.add(first, second);
      [skip, distances] = [skip / 2, [0, bytes, stride, stride + bytes]];
    } else if (source !== "coordinate" && stride === scale) {
      return elements.load(place(first), skip + beyond);
    }
    if (skip + beyond !== 0) first = i32.add(first, skip + beyond);
    return source === "coordinate"
      ? lanes.ramp(distances, first)
      : fn.value(() => elements.spread(fn.let(first), distances));
  };
  return (cursors, inside, kept) => {
    const hoisted = new Map<number, Local>();
    const masks = new Map<number, Local>();
    const masked = (index: number, value: Value): Value => {
      const mask = masks.get(index);
      return mask ? lanes.keep(nest.inputs[index].type, mask, value, true) : value;
    };
    for (const index of printer.inputs) {
      const { [index]: input } = nest.inputs;
      const { at, inside: covered } = cursors[index];
      if (!inside[index] || covered === false) continue;
      if (covered !== true) masks.set(index, fn.let(lanes.condition(covered)));
      if (input.strides[axis] !== 0 || input.pair !== undefined) continue;
      const isCoordinate = input.source === "coordinate";
      const value = isCoordinate ? lanes.ramp(evenly(0), at) : elementsAs(fn, lanes, input).splat(at, input.beyond);
      const own = kept && !masks.has(index) && input.strides[axis - 1] === 0 ? kept : undefined;
      const key = `${index} ${lanes.width}`;
      const make = () => fn.let(masked(index, value));
      const local = own?.locals.get(key) ?? (own ? fn.at(own.place, make) : make());
      own?.locals.set(key, local);
      hoisted.set(index, local);
    }
    /** Where an input is at step 0: the steps read at offsets from there. */
    const places = new Map<number, Local<"i32">>();
    return (words, step) => {
      const set = new Set<number>();
      return printer.print((index) => {
        const { [index]: input } = nest.inputs;
        if (input.isPlace) return lanes.ramp(evenly(1, step * lanes.width));
        if (!inside[index] || cursors[index].inside === false) return lanes.constant(input.type, 0);
        const same = hoisted.get(index);
        if (same) return same;
        const by = input.like ?? index;
        const place = (first: Code<"i32">): Code<"i32"> => {
          if (lanes.width === 1) return first;
          const known = places.get(by);
          if (known && (step > 0 || set.has(by))) return known;
          const local = known ?? fn.local("i32");
          places.set(by, local);
          set.add(by);
          return local.tee(first);
        };
        return masked(index, read(input, cursors[index].at, words, step, place));
      });
    };
  };
}
