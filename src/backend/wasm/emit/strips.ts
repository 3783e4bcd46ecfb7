// A long expression's stages over strips of a row: each stage runs over the whole strip, and what later ones need waits in scratch memory
// that stays in the first cache.

import type { Nest, NestInput } from "../../../schedule/nest.ts";
import { type Stages, strip } from "../../../schedule/stages.ts";
import { block, branch, branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler/assembler.ts";
import { i32, select } from "../assembler/instructions.ts";
import type { Context } from "./context.ts";
import { ElementPrinter } from "./elements.ts";
import { Elements } from "./halves.ts";
import type { Cursor, Limit } from "./nest.ts";

/** Scratch memory from `from` bytes after where it begins. */
export interface Scratch {
  readonly base: Local<"i32">;
  readonly from: number;
}

export class StripPrinter {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #nest: Nest;
  readonly #stages: Stages;
  readonly #output: NestInput;
  readonly #scratch: Scratch;

  /** The nest's last input is the output. */
  constructor(context: Context, fn: FunctionBuilder, nest: Nest, stages: Stages, scratch: Scratch) {
    this.#output = nest.inputs[nest.inputs.length - 1];
    const last = nest.extents.length - 1;
    const slots = stages.slots.map(
      (held, slot): NestInput => ({
        // Conditions are kept as masks.
        type: held === "bool" ? "int32" : held,
        source: 0,
        strides: nest.extents.map((_, axis) => (axis === last ? 1 : 0)),
        bounds: nest.extents.map(() => null),
        offset: 0,
        beyond: 4 * strip * slot,
        never: false,
        scale: 4,
      }),
    );
    this.#context = context;
    this.#fn = fn;
    this.#nest = { ...nest, inputs: [...nest.inputs, ...slots] };
    this.#stages = stages;
    this.#scratch = scratch;
  }

  /** The elements from `words` on in whole rounds, as many as there are before `end`; `address` is the output's at `words`. */
  print(
    here: readonly Cursor[],
    inside: readonly boolean[],
    words: Local<"i32">,
    end: Limit,
    address: () => Code<"i32">,
  ): Code[] {
    const fn = this.#fn;
    const { lanes } = this.#context;
    const { stages, slots, unroll } = this.#stages;
    const roundBytes = 16 * unroll;
    const output = new Elements(fn, lanes, this.#output);
    const bytes = this.#output.scale;
    const axis = this.#nest.extents.length - 1;
    const base = fn.local("i32");
    const to = fn.local("i32");
    const [goal, place] = [fn.local("i32"), fn.local("i32")];
    const store = (slot: number, value: Code, step: number): Code => {
      if (slot < 0) return output.store(goal.get, value, 4 * bytes * step);
      const type = slots[slot] === "bool" ? "int32" : slots[slot];
      return lanes.store(type, place.get, value, 4 * strip * slot + 16 * step);
    };
    const [from, setFrom] = fn.hold(words.get);
    const count = typeof end === "number" ? i32.const(4 * end) : i32.shl(end.get, i32.const(2));
    const [stop, setStop] = fn.hold(i32.add(from.get, i32.and(i32.sub(count, from.get), i32.const(-roundBytes))));
    const before: Code[] = [];
    const run = stages.flatMap(({ roots }) => {
      const cursors = [...here, ...slots.map((): Cursor => ({ at: base, inside: true }))];
      const bodies = roots.map(({ body }) => body);
      const printer = new ElementPrinter(fn, lanes, this.#nest, axis, ...bodies);
      const printed = printer.prepare(cursors, [...inside, ...slots.map(() => true)]);
      before.push(...printed.before);
      // As in a map: no store before the last value.
      const steps = Array.from({ length: unroll }, (_, step) =>
        printed.all(words, step).map((value) => fn.hold(value as Code<"v128">)),
      );
      return [
        words.set(from.get),
        loop((next) => [
          ...(roots.some(({ slot }) => slot < 0) ? [goal.set(address())] : []),
          ...(roots.some(({ slot }) => slot >= 0) ? [place.set(i32.add(base.get, words.get))] : []),
          ...steps.flatMap((values) => values.map(([, set]) => set)),
          ...roots.flatMap(({ slot }, i) => steps.map((values, step) => store(slot, values[i][0].get, step))),
          branchIf(next, i32.ltS(words.tee(i32.add(words.get, i32.const(roundBytes))), to.get)),
        ]),
      ];
    });
    const start = i32.add(this.#scratch.base.get, i32.const(this.#scratch.from));
    return [
      ...before,
      setFrom,
      setStop,
      block((leave) => [
        loop((again) => [
          branchIf(leave, i32.geS(from.get, stop.get)),
          base.set(i32.sub(start, from.get)),
          to.set(i32.add(from.get, i32.const(4 * strip))),
          to.set(select(to.get, stop.get, i32.ltS(to.get, stop.get))),
          ...run,
          from.set(to.get),
          branch(again),
        ]),
      ]),
    ];
  }
}
