// Reductions over axes that aren't the last: every output adds its terms ascending in chunks of 256, chunk sums ascending. Neighbouring
// outputs run side by side, so that memory is read along its rows.
import { chunkSize, type FoldKernel, neutral } from "../../../../kernels/kernel.ts";
import type { StridedFold } from "../../../schedule/folds.ts";
import { type Code, type FunctionBuilder, type Local, when } from "../assembler/assembler.ts";
import { i32, select } from "../assembler/instructions.ts";
import { ArgAccumulator, combined } from "./accumulate.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { ElementPrinter } from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";

/** Prints a fold over other axes than the last. */
export function printStridedFold(
  context: Context,
  kernel: FoldKernel,
  fold: StridedFold,
  target: KernelFunction,
): void {
  const { fn } = target;
  const { nest, axis, parallel } = fold;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const [to, setTo] = fn.hold(valueAddress(target, kernel.output));
  const columns = new ColumnPrinter(context, fn, kernel, fold);
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
        return [setOut, ...columns.row(here, out, parallel.axis === axis ? { begin, end } : undefined)];
      },
      { axis: parallel.axis, begin, end },
    ),
  );
}

class ColumnPrinter {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #kernel: FoldKernel;
  readonly #fold: StridedFold;
  readonly #column: Local<"i32">;
  readonly #words: Local<"i32">;

  constructor(context: Context, fn: FunctionBuilder, kernel: FoldKernel, fold: StridedFold) {
    this.#context = context;
    this.#fn = fn;
    this.#kernel = kernel;
    this.#fold = fold;
    this.#column = fn.local("i32");
    this.#words = fn.local("i32");
  }

  /** One row of outputs, from `out` on. */
  row(cursors: readonly Cursor[], out: Local<"i32">, limits?: { begin: Limit; end: Limit }): Code[] {
    const { lanes, single } = this.#context;
    const { segments, widths } = this.#fold;
    return segments.flatMap((segment) => {
      const code: Code[] = [this.#column.set(this.#clip(segment.begin, limits?.begin, i32.gtS))];
      const [end, setEnd] = this.#fn.hold(this.#clip(segment.end, limits?.end, i32.ltS));
      code.push(setEnd);
      for (const group of widths) code.push(...this.#group(lanes, group, cursors, segment.inside, out, end));
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
    const { nest, axis, count, writtenTerms } = this.#fold;
    const { body, dtype, fold } = this.#kernel;
    const { combine } = fold;
    const printer = new ElementPrinter(fn, lanes, nest, axis, body);
    const term = (here: readonly Cursor[]) => printer.prepare(here, inside);
    const [to, setTo] = fn.hold(i32.add(out.get, this.#words.get));
    const store = (step: number, value: Code) => lanes.store(dtype, to.get, value, 4 * step * lanes.width);
    const terms = (use: (here: readonly Cursor[]) => Code[]) =>
      loops(fn, nest, [nest.outer, nest.extents.length], cursors, use, undefined, writtenTerms);
    if (combine === "argmax" || combine === "argmin") {
      const winner = new ArgAccumulator(fn, lanes, combine, body.type);
      const [index, set] = fn.hold(i32.const(0));
      return [
        set,
        ...winner.start(),
        ...terms((here) => {
          const { before, at } = term(here);
          return [...before, ...winner.join(at(this.#words, 0), index), index.set(i32.add(index.get, i32.const(1)))];
        }),
        setTo,
        store(0, winner.index),
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
    return [...code, setTo, ...total.map((local, i) => store(i, local.get))];
  }
}
