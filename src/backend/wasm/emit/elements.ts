// What expressions read at points along an axis: elements side by side, an even way or in pairs apart, or the same all along.
import type { Expr } from "../../../../kernels/expr.ts";
import type { Nest, NestInput } from "../../../schedule/nest.ts";
import { after, type Code, type FunctionBuilder, type Local } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { ExpressionPrinter } from "./expression.ts";
import { Elements } from "./halves.ts";
import { evenly, type Four, type Lanes } from "./lanes.ts";
import type { Cursor } from "./nest.ts";

/** Where a point is whose number, four times, is `words`: `stride` bytes a point from `at` on. */
export function along(at: Local<"i32">, stride: number, words: Local<"i32">): Code<"i32"> {
  const points = (bits: number) => i32.shrU(words.get, i32.const(bits));
  if (stride === 0) return at.get;
  if (stride === 4) return i32.add(at.get, words.get);
  if (stride === 1 || stride === 2) return i32.add(at.get, points(3 - stride));
  if (stride % 4 === 0) return i32.add(at.get, i32.mul(words.get, i32.const(stride / 4)));
  return i32.add(at.get, i32.mul(points(2), i32.const(stride)));
}

/** The expressions at a point: that of the first, or of all; `step` vectors on from the point whose number, four times, is `words`. Step 0 comes first. */
export interface Points {
  /** Code to run before: what stays the same along the axis, computed once. */
  readonly before: readonly Code[];
  at(words: Local<"i32">, step: number): Code;
  all(words: Local<"i32">, step: number): Code[];
}

/** Values that stay the same along the rows of several bands, and the code before these that computes them. */
export interface Kept {
  readonly code: Code[];
  readonly locals: Map<string, Local>;
}

/** Prints expressions at points along `axis`, of which the cursors give the beginning. */
export class ElementPrinter {
  readonly #fn: FunctionBuilder;
  readonly #lanes: Lanes;
  readonly #printer: ExpressionPrinter;
  readonly #nest: Nest;
  readonly #axis: number;

  constructor(fn: FunctionBuilder, lanes: Lanes, nest: Nest, axis: number, ...roots: readonly Expr[]) {
    this.#fn = fn;
    this.#lanes = lanes;
    this.#printer = new ExpressionPrinter(fn, lanes, roots);
    this.#nest = nest;
    this.#axis = axis;
  }

  /** `inside` says which inputs the axis' own bounds cover, `kept` has what stays the same along the axis before, too. */
  prepare(cursors: readonly Cursor[], inside: readonly boolean[], kept?: Kept): Points {
    const before: Code[] = [];
    const hoisted = new Map<number, Local>();
    const masks = new Map<number, Local>();
    const lanes = this.#lanes;
    for (const index of this.#printer.inputs) {
      const { [index]: input } = this.#nest.inputs;
      const cursor = cursors[index];
      if (!inside[index] || cursor.inside === false) continue;
      if (cursor.inside !== true) {
        const [mask, set] = this.#fn.hold(lanes.condition(cursor.inside.get) as Code<"v128">);
        masks.set(index, mask);
        before.push(set);
      }
      if (input.strides[this.#axis] !== 0 || input.pair !== undefined) continue;
      const own = kept && !masks.has(index) && input.strides[this.#axis - 1] === 0 ? kept : undefined;
      const key = `${index} ${lanes.width}`;
      const known = own?.locals.get(key);
      if (known) {
        hoisted.set(index, known);
        continue;
      }
      const value =
        input.source === "coordinate"
          ? lanes.ramp(cursor.at.get, evenly(0))
          : new Elements(this.#fn, lanes, input).splat(cursor.at.get, input.beyond);
      const mask = masks.get(index);
      const [local, set] = this.#fn.hold(
        (mask ? lanes.keep(input.type, mask.get, value, true) : value) as Code<"v128">,
      );
      hoisted.set(index, local);
      own?.locals.set(key, local);
      (own?.code ?? before).push(set);
    }
    /** Where an input is at step 0: the steps read at offsets from there. */
    const places = new Map<number, Local<"i32">>();
    const all = (words: Local<"i32">, step: number): Code[] => {
      const set = new Set<number>();
      return this.#printer.print({
        input: (index) => {
          const { [index]: input } = this.#nest.inputs;
          if (!inside[index] || cursors[index].inside === false) return lanes.constant(input.type, 0);
          const known = hoisted.get(index);
          if (known) return known.get;
          const by = input.like ?? index;
          const place = (first: Code<"i32">): Code<"i32"> => {
            if (lanes.width === 1) return first;
            const known = places.get(by);
            if (known && (step > 0 || set.has(by))) return known.get;
            const local = known ?? this.#fn.local("i32");
            places.set(by, local);
            set.add(by);
            return local.tee(first);
          };
          const value = this.#read(input, cursors[index].at, words, step, place);
          const mask = masks.get(index);
          return mask ? lanes.keep(input.type, mask.get, value, true) : value;
        },
      });
    };
    return { before, at: (words, step) => all(words, step)[0], all };
  }

  #read(
    input: NestInput,
    at: Local<"i32">,
    words: Local<"i32">,
    step: number,
    place: (first: Code<"i32">) => Code<"i32">,
  ): Code {
    const lanes = this.#lanes;
    const { pair, source, scale, beyond = 0 } = input;
    const stride = input.strides[this.#axis] * scale;
    const elements = new Elements(this.#fn, lanes, input);
    let [first, skip, distances]: [Code<"i32">, number, Four] = [
      along(at, stride, words),
      step * lanes.width * stride,
      evenly(stride),
    ];
    if (pair !== undefined) {
      const bytes = pair * scale;
      const second = i32.mul(i32.and(i32.shrU(words.get, i32.const(2)), i32.const(1)), i32.const(bytes));
      first = i32.add(at.get, i32.mul(i32.shrU(words.get, i32.const(3)), i32.const(stride)));
      if (lanes.width === 1) first = i32.add(first, second);
      [skip, distances] = [skip / 2, [0, bytes, stride, stride + bytes]];
    } else if (source !== "coordinate" && stride === scale) {
      return elements.load(place(first), skip + beyond);
    }
    if (skip + beyond !== 0) first = i32.add(first, i32.const(skip + beyond));
    if (source === "coordinate") return lanes.ramp(first, distances);
    const [from, set] = this.#fn.hold(first);
    return after(set, elements.spread(from.get, distances));
  }
}
