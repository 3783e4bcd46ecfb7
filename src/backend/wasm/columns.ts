// Reductions over axes that aren't the last: every output adds its terms ascending in chunks of 256, chunk sums ascending. Neighbouring
// outputs run side by side, so that memory is read along its rows.
import { chunkSize, type ReduceKernel } from "../../../kernels/kernel.ts";
import { sizeOf } from "../../core/shape.ts";
import { mergeAxes } from "../../schedule/merge.ts";
import type { Nest } from "../../schedule/nest.ts";
import { operationCount, splitAxis } from "../../schedule/parallel.ts";
import { segments } from "../../schedule/split.ts";
import { Champion, combined, neutral } from "./accumulate.ts";
import { type Code, type FunctionBuilder, type Local, when } from "./assembler.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { ElementPrinter, unrolling } from "./elements.ts";
import { i32, select } from "./instructions.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";

/** Vectors of outputs that run side by side. */
const widest = 8;

/** Up to so many terms of an output are written out without loops: a pooling window's. */
const fewTerms = 9;

/** Prints a reduction in the order `chunks`. */
export function printColumns(context: Context, kernel: ReduceKernel, target: KernelFunction): void {
  const { fn } = target;
  const nest = mergeAxes([...kernel.shape, ...kernel.reduced], kernel.inputs, kernel.shape.length);
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const axis = nest.outer - 1;
  const split = splitAxis({ ...nest, extents: nest.extents.slice(0, nest.outer) });
  const [begin, end, limits] = share(target, nest.extents[split], split === axis ? 16 : 1);
  const [to, setTo] = fn.hold(valueAddress(target, kernel.output));
  const columns = new ColumnPrinter(context, fn, kernel, nest, axis);
  fn.body(
    ...code,
    ...limits,
    setTo,
    ...loops(
      fn,
      nest,
      [0, axis],
      cursors,
      (here, counters) => {
        let row: Code<"i32"> = i32.const(0);
        counters.forEach((counter, level) => {
          row = level === 0 ? counter.get : i32.add(i32.mul(row, i32.const(nest.extents[level])), counter.get);
        });
        const [out, setOut] = fn.hold(i32.add(to.get, i32.mul(row, i32.const(4 * nest.extents[axis]))));
        return [setOut, ...columns.row(here, out, split === axis ? { begin, end } : undefined)];
      },
      { axis: split, begin, end },
    ),
  );
}

class ColumnPrinter {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #kernel: ReduceKernel;
  readonly #nest: Nest;
  readonly #axis: number;
  readonly #column: Local<"i32">;
  readonly #words: Local<"i32">;

  constructor(context: Context, fn: FunctionBuilder, kernel: ReduceKernel, nest: Nest, axis: number) {
    this.#context = context;
    this.#fn = fn;
    this.#kernel = kernel;
    this.#nest = nest;
    this.#axis = axis;
    this.#column = fn.local("i32");
    this.#words = fn.local("i32");
  }

  /** One row of outputs, from `out` on. */
  row(cursors: readonly Cursor[], out: Local<"i32">, limits?: { begin: Limit; end: Limit }): Code[] {
    const { combine, body } = this.#kernel;
    const single = this.#context.single;
    const { width } = this.#context.lanes;
    const isIndex = combine === "argmax" || combine === "argmin";
    const simple = unrolling(this.#context, this.#nest, this.#axis, operationCount(body)) > 1;
    const groups = width === 1 ? [] : isIndex || !simple ? [1] : [widest, 1];
    return segments(this.#nest, this.#axis).flatMap((segment) => {
      const code: Code[] = [this.#column.set(this.#clip(segment.begin, limits?.begin, i32.gtS))];
      const [end, setEnd] = this.#fn.hold(this.#clip(segment.end, limits?.end, i32.ltS));
      code.push(setEnd);
      for (const group of groups)
        code.push(...this.#group(this.#context.lanes, group, cursors, segment.inside, out, end));
      code.push(...this.#group(single, 1, cursors, segment.inside, out, end));
      return code;
    });
  }

  #clip(border: number, limit: Limit | undefined, compare: typeof i32.ltS): Code<"i32"> {
    if (limit === undefined) return i32.const(border);
    return select(limitCode(limit), i32.const(border), compare(limitCode(limit), i32.const(border)));
  }

  /** while (column + group·width <= end) { … } */
  #group(
    lanes: Lanes,
    group: number,
    cursors: readonly Cursor[],
    inside: readonly boolean[],
    out: Local<"i32">,
    end: Local<"i32">,
  ): Code[] {
    const size = group * lanes.width;
    const fn = this.#fn;
    const [stop, set] = fn.hold(i32.sub(end.get, i32.const(size - 1)));
    const rounds = countLoop(fn, this.#column, stop, size, (column) => [
      this.#words.set(i32.shl(column.get, i32.const(2))),
      ...this.#sum(lanes, group, cursors, inside, out),
      this.#column.set(i32.add(column.get, i32.const(size))),
    ]);
    return [set, ...rounds];
  }

  #sum(lanes: Lanes, group: number, cursors: readonly Cursor[], inside: readonly boolean[], out: Local<"i32">): Code[] {
    const fn = this.#fn;
    const nest = this.#nest;
    const { combine, reduced, body, dtype } = this.#kernel;
    const count = sizeOf(reduced);
    const printer = new ElementPrinter(fn, lanes, nest, this.#axis, body);
    const term = (here: readonly Cursor[]) => printer.prepare(here, inside);
    const store = (step: number, value: Code) =>
      lanes.store(dtype, i32.add(out.get, this.#words.get), value, 4 * step * lanes.width);
    const terms = (use: (here: readonly Cursor[]) => Code[]) =>
      loops(fn, nest, [nest.outer, nest.extents.length], cursors, use, undefined, count <= fewTerms ? count : 1);
    if (combine === "argmax" || combine === "argmin") {
      const champion = new Champion(fn, lanes, combine, body.type);
      const [index, set] = fn.hold(i32.const(0));
      return [
        set,
        ...champion.start(),
        ...terms((here) => {
          const { before, at } = term(here);
          return [...before, ...champion.join(at(this.#words, 0), index), index.set(i32.add(index.get, i32.const(1)))];
        }),
        store(0, champion.index),
      ];
    }
    const locals = () => Array.from({ length: group }, () => fn.local(lanes.valueType(dtype)));
    const clear = (each: Local[]) =>
      each.map((local) => local.set(lanes.constant(dtype, neutral(combine, dtype)) as never));
    const chunk = locals();
    const total = count > chunkSize ? locals() : chunk;
    const flush = total.map((local, i) => local.set(combined(fn, lanes, combine, dtype, local, chunk[i].get) as never));
    const left = fn.local("i32");
    const code: Code[] = [...clear(chunk)];
    if (total !== chunk) code.push(...clear(total), left.set(i32.const(chunkSize)));
    code.push(
      ...terms((here) => {
        const { before, at } = term(here);
        const step = chunk.map((local, i) =>
          local.set(combined(fn, lanes, combine, dtype, local, at(this.#words, i)) as never),
        );
        if (total === chunk) return [...before, ...step];
        const full = i32.eqz(left.tee(i32.sub(left.get, i32.const(1))));
        return [...before, ...step, when(full, [...flush, ...clear(chunk), left.set(i32.const(chunkSize))])];
      }),
    );
    if (total !== chunk && count % chunkSize !== 0) code.push(...flush);
    return [...code, ...total.map((local, i) => store(i, local.get))];
  }
}
