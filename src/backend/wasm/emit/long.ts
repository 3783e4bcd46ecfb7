// One long row to one number: threads fold its blocks into the first one's scratch, and that one joins them.
import { blockSize, type FoldKernel } from "../../../../kernels/kernel.ts";
import type { BlockFold, JoinFold } from "../../../schedule/folds.ts";
import { i32, type Local } from "../assembler/assembler.ts";
import { bindings } from "../runtime/bindings.ts";
import { readerOf } from "./block.ts";
import { bytesBefore, type Context, type KernelFunction, overNest, valueAddress } from "./context.ts";
import { FoldPrinter } from "./folds.ts";
import { countLoop, least } from "./nest.ts";

/** Prints a long row's first function: each block's value. */
export function printBlocks(context: Context, kernel: FoldKernel, fold: BlockFold, target: KernelFunction): void {
  const { fn } = target;
  const { nest, count, blocks } = fold;
  const to = fn.let(partials(context, target));
  const printer = new FoldPrinter(context, kernel, target, fold.park);
  const whole = Math.floor(count / blockSize);
  overNest(target, fold, (cursors, part) => {
    const { begin, end } = part!;
    const reader = readerOf(context, fn, nest, 1, kernel.body, cursors);
    const block = (size: number) => (at: Local<"i32">) => {
      const value = fn.let(printer.block(reader, i32.mul(at, 4 * blockSize), size));
      fn.emit(context.single.store(kernel.dtype, i32.add(to, i32.shl(at, 2)), value, 0));
    };
    const stop = fn.let(least(end, whole));
    countLoop(fn, begin, stop, 1, block(blockSize));
    if (whole < blocks) countLoop(fn, stop, end, 1, block(count % blockSize));
  });
}

/** Prints a long row's second function: the blocks' values, joined in order by the first part. */
export function printJoin(context: Context, kernel: FoldKernel, { blocks }: JoinFold, target: KernelFunction): void {
  const { fn, part } = target;
  const printer = new FoldPrinter(context, kernel, target);
  fn.when(i32.eqz(part), () => {
    const from = fn.let(partials(context, target));
    const value = (at: Local<"i32">) => context.single.load(kernel.dtype, i32.add(from, i32.shl(at, 2)), 0);
    printer.total(valueAddress(target, kernel.output), () =>
      countLoop(fn, 0, blocks, 1, (at) => printer.join(value(at))),
    );
  });
}

/** Where the blocks' values wait: in the first part's scratch memory. */
const partials = (context: Context, { bindings: at }: KernelFunction) =>
  i32.add(i32.load(at, bindings.scratch), bytesBefore(context));
