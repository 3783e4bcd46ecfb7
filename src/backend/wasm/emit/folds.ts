// Folds over the last axes: a row of each output, read in place or gathered in scratch first, in blocks that join in ascending order.
import { input } from "../../../../kernels/expr.ts";
import { blockSize, elementBytes, type FoldKernel, type Join, neutral } from "../../../../kernels/kernel.ts";
import { LazyModule } from "../../../core/lazy.ts";
import { type ContiguousFold, gatheredBytes, waitingSize } from "../../../schedule/folds.ts";
import { inScratch } from "../../../schedule/nest.ts";
import type { RowLoops } from "../../../schedule/vectorise.ts";
import { type Code, i32, type Local, memory, type Value } from "../assembler/assembler.ts";
import { combined } from "./accumulate.ts";
import { foldBlock, type Parking, type RowReader, readerOf } from "./block.ts";
import { type Context, type KernelFunction, overNest } from "./context.ts";
import { mapRows } from "./map.ts";
import { type Cursor, countLoop, inStrips, loops } from "./nest.ts";

/** Rows of a few whole vectors that lie apart. */
const turning = new LazyModule(() => import("./turning.ts"));

/** Prints a fold over the last axes, of kernel `number`. */
export function printFold(
  context: Context,
  number: number,
  kernel: FoldKernel,
  fold: ContiguousFold,
  target: KernelFunction,
): void {
  const { nest } = fold;
  const printer = new FoldPrinter(context, kernel, target, fold.park);
  const row = (here: readonly Cursor[]) => printer.row(number, fold, here);
  overNest(target, fold, (cursors, part) => loops(target.fn, nest, [0, nest.outer], cursors, row, part));
}

/** Prints the folds of a kernel. */
export class FoldPrinter {
  readonly #context: Context;
  readonly #kernel: FoldKernel;
  readonly #target: KernelFunction;
  readonly #words: Local<"i32">;
  readonly #total: Local;
  readonly #park: Parking | undefined;

  constructor(context: Context, kernel: FoldKernel, target: KernelFunction, park?: number) {
    this.#context = context;
    this.#kernel = kernel;
    this.#target = target;
    this.#words = target.fn.local("i32");
    this.#total = target.fn.local(context.single.valueType(kernel.dtype));
    this.#park = park === undefined ? undefined : { at: target.scratch, offset: park };
  }

  /** A row's result, stored where its output is. */
  row(number: number, { nest, count, gather, takesTurns }: ContiguousFold, here: readonly Cursor[]): void {
    const to = here[here.length - 1].at;
    if (takesTurns) {
      const use = (value: Value) => this.join(value);
      this.total(to, () =>
        turning.module.turningFold(this.#context, this.#target, this.#kernel, { nest, count }, here, use),
      );
      return;
    }
    if (gather) {
      this.#gathered(number, gather, here.slice(0, -1), count, to);
      return;
    }
    const { fn } = this.#target;
    const reader = readerOf(this.#context, fn, nest, nest.outer, this.#kernel.body, here);
    const block = (size: number) => (at: Local<"i32">) =>
      this.join(this.block(reader, i32.mul(at, 4 * blockSize), size));
    const blocks = Math.floor(count / blockSize);
    this.total(to, () => {
      countLoop(fn, 0, blocks, 1, block(blockSize));
      if (count % blockSize > 0) countLoop(fn, blocks, blocks + 1, 1, block(count % blockSize));
    });
  }

  /** A row's elements go into scratch memory in order, where a block waits for the piece that completes it: two blocks are enough, however long the row is. */
  #gathered(number: number, gather: RowLoops, inputs: readonly Cursor[], count: number, to: Code<"i32">): void {
    const { fn, scratch } = this.#target;
    const { nest, axis, body } = gather;
    const { type } = body;
    const bytes = elementBytes({ dtype: type });
    const owner = { target: this.#target, number, taken: gatheredBytes(body) };
    const waiting = { extents: [waitingSize], outer: 0, inputs: [inScratch(type, [1])] };
    const reader = readerOf(this.#context, fn, waiting, 0, input(0, type), [{ at: scratch, inside: true }]);
    const block = (each: number) => this.join(this.block(reader, 0, each));
    this.total(to, () => {
      const size = fn.let(0);
      loops(fn, nest, [nest.outer, axis], inputs, (here) =>
        inStrips(fn, { begin: 0, end: nest.extents[axis] }, blockSize, (begin, end) => {
          const at = fn.let(i32.add(scratch, i32.mul(i32.sub(size, begin), bytes)));
          const part = begin === 0 ? undefined : { axis, begin, end };
          mapRows(this.#context, fn, gather, axis, [...here, { at, inside: true }], owner, part);
          size.set(i32.add(size, i32.sub(end, begin)));
          if (count < blockSize) return;
          fn.when(i32.geS(size, blockSize), () => {
            block(blockSize);
            size.set(i32.sub(size, blockSize));
            fn.emit(memory.copy(scratch, i32.add(scratch, i32.mul(bytes, blockSize)), i32.mul(size, bytes)));
          });
        }),
      );
      if (count % blockSize > 0) block(count % blockSize);
    });
  }

  /** A block's value, from `from` on, a word an element. */
  block(reader: RowReader, from: Code<"i32"> | number, size: number): Value {
    const { dtype, fold } = this.#kernel;
    this.#words.set(from);
    const combine = fold.combine as Join;
    return foldBlock(this.#context, this.#target.fn, combine, dtype, reader, this.#words, size, this.#park);
  }

  /** What `joins` joins, stored. */
  total(to: Code<"i32">, joins: () => void): void {
    const { dtype, fold } = this.#kernel;
    const { single } = this.#context;
    this.#total.set(single.constant(dtype, neutral(fold.combine, dtype)));
    joins();
    this.#target.fn.emit(single.store(dtype, to, this.#total, 0));
  }

  join(value: Value): void {
    const { dtype, fold } = this.#kernel;
    const total = this.#total;
    total.set(combined(this.#target.fn, this.#context.single, fold.combine as Join, dtype, total, value));
  }
}
