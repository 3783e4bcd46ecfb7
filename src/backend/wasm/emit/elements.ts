// The innermost loop: elements along one axis, four at a time and then one by one. Maps run it over an output row; column sums over a row
// of accumulators; both read their inputs the same way.
import type { Expr } from "../../../../kernels/expr.ts";
import type { Nest, NestInput } from "../../../schedule/nest.ts";
import { after, type Code, type FunctionBuilder, type Local } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { ExpressionPrinter } from "./expression.ts";
import { Elements } from "./halves.ts";
import { evenly, type Four, type Lanes } from "./lanes.ts";
import type { Cursor } from "./nest.ts";

/** What reads a row's elements: wide (four at once) and one by one, `words` bytes-of-words from its beginning. */
export interface Row {
  readonly before: readonly Code[];
  wide(words: Local<"i32"> | 0, step: number): Code;
  one(words: Local<"i32"> | 0, step: number): Code;
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

  /**
   * What stays the same along the axis, computed once: returns functions that print the first expression, or all of them, at `4·index + unroll·width` bytes-of-words
   * from the beginning, and the code to run before the loop. `inside` says which inputs the axis' own bounds cover.
   */
  prepare(
    cursors: readonly Cursor[],
    inside: readonly boolean[],
  ): {
    before: Code[];
    at: (words: Local<"i32"> | 0, step: number) => Code;
    all: (words: Local<"i32"> | 0, step: number) => Code[];
  } {
    const before: Code[] = [];
    const hoisted = new Map<number, Local>();
    const masks = new Map<number, Local>();
    const lanes = this.#lanes;
    this.#nest.inputs.forEach((input, index) => {
      const cursor = cursors[index];
      if (!inside[index] || cursor.inside === false) return;
      if (cursor.inside !== true) {
        const [mask, set] = this.#fn.hold(lanes.condition(cursor.inside.get) as Code<"v128">);
        masks.set(index, mask);
        before.push(set);
      }
      if (input.strides[this.#axis] !== 0 || input.pair !== undefined) return;
      const value =
        input.source === "coordinate"
          ? lanes.ramp(cursor.at.get, evenly(0))
          : new Elements(this.#fn, lanes, input).splat(cursor.at.get);
      const mask = masks.get(index);
      const [local, set] = this.#fn.hold(
        (mask ? lanes.keep(input.type, mask.get, value, true) : value) as Code<"v128">,
      );
      hoisted.set(index, local);
      before.push(set);
    });
    /** Where an input is at step 0, which comes first: the steps read at offsets from there. */
    const places = new Map<number, Local<"i32">>();
    const all = (words: Local<"i32"> | 0, step: number): Code[] => {
      return this.#printer.print({
        input: (index) => {
          const input = this.#nest.inputs[index];
          const cursor = cursors[index];
          if (!inside[index] || cursor.inside === false) return lanes.constant(input.type, 0);
          const known = hoisted.get(index);
          if (known) return known.get;
          const place = (along: Code<"i32">): Code<"i32"> => {
            if (lanes.width === 1 || words === 0) return along;
            const known = places.get(index);
            if (known && step > 0) return known.get;
            const local = known ?? this.#fn.local("i32");
            places.set(index, local);
            return local.tee(along);
          };
          const value = this.#read(input, cursor, words, step, place);
          const mask = masks.get(index);
          return mask ? lanes.keep(input.type, mask.get, value, true) : value;
        },
      });
    };
    return { before, at: (words, step) => all(words, step)[0], all };
  }

  #read(
    input: NestInput,
    cursor: Cursor,
    words: Local<"i32"> | 0,
    step: number,
    place: (along: Code<"i32">) => Code<"i32">,
  ): Code {
    const lanes = this.#lanes;
    const { pair, source } = input;
    const stride = input.strides[this.#axis] * input.scale;
    const bytes = pair === undefined ? stride : pair * input.scale;
    // `words` counts bytes of 4-byte elements.
    const along = (): Code<"i32"> => {
      if (words === 0) return cursor.at.get;
      if (pair !== undefined) {
        const first = i32.add(cursor.at.get, i32.mul(i32.shrU(words.get, i32.const(3)), i32.const(stride)));
        if (lanes.width > 1) return first;
        return i32.add(first, i32.mul(i32.and(i32.shrU(words.get, i32.const(2)), i32.const(1)), i32.const(bytes)));
      }
      const factor = stride / 4;
      if (factor === 1) return i32.add(cursor.at.get, words.get);
      if (factor === 0.5) return i32.add(cursor.at.get, i32.shrU(words.get, i32.const(1)));
      if (factor % 1 === 0) return i32.add(cursor.at.get, i32.mul(words.get, i32.const(factor)));
      return i32.add(cursor.at.get, i32.mul(i32.shrU(words.get, i32.const(2)), i32.const(stride)));
    };
    const skip = step * lanes.width * (pair === undefined ? stride : stride / 2);
    const distances: Four = pair === undefined ? evenly(stride) : [0, bytes, stride, stride + bytes];
    const first = () => (skip === 0 ? along() : i32.add(along(), i32.const(skip)));
    if (source === "coordinate") return lanes.ramp(first(), distances);
    const elements = new Elements(this.#fn, lanes, input);
    if (pair === undefined && stride === input.scale) return elements.load(place(along()), skip + (input.beyond ?? 0));
    const [at, set] = this.#fn.hold(first());
    return after(set, elements.spread(at.get, distances));
  }
}
