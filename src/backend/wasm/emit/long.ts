// One long row to one number: threads fold its blocks into the first one's scratch, and that one joins them.
import { blockSize, type FoldKernel } from "../../../../kernels/kernel.ts";
import type { BlockFold, JoinFold } from "../../../schedule/folds.ts";
import { i32, type Local } from "../assembler/assembler.ts";
import { bindings } from "../runtime/bindings.ts";
import { blocksOf, readerOf } from "./block.ts";
import { bytesBefore, type KernelFunction, overNest, valueAddress } from "./context.ts";
import { countLoop, least } from "./nest.ts";

/** Prints a long row's first function: each block's value. */
export function printBlocks(target: KernelFunction<FoldKernel>, fold: BlockFold): void {
  const { fn, single, kernel } = target;
  const { nest, count, blocks, park } = fold;
  const to = fn.let(partials(target));
  const { block } = blocksOf(target, park);
  const whole = Math.floor(count / blockSize);
  overNest(target, fold, (cursors, part) => {
    const { begin, end } = part!;
    const reader = readerOf(target, nest, 1, kernel.body, cursors);
    const each = (size: number) => (at: Local<"i32">) => {
      const value = fn.let(block(reader, i32.mul(at, 4 * blockSize), size));
      fn.emit(single.store(kernel.dtype, i32.add(to, i32.shl(at, 2)), value, 0));
    };
    const stop = fn.let(least(end, whole));
    countLoop(fn, begin, stop, 1, each(blockSize));
    if (whole < blocks) countLoop(fn, stop, end, 1, each(count % blockSize));
  });
}

/** Prints a long row's second function: the blocks' values, joined in order by the first part. */
export function printJoin(target: KernelFunction<FoldKernel>, { blocks }: JoinFold): void {
  const { fn, single, part, kernel } = target;
  const { total, join } = blocksOf(target);
  fn.when(i32.eqz(part), () => {
    const from = fn.let(partials(target));
    const value = (at: Local<"i32">) => single.load(kernel.dtype, i32.add(from, i32.shl(at, 2)), 0);
    total(valueAddress(target, kernel.output), () => countLoop(fn, 0, blocks, 1, (at) => join(value(at))));
  });
}

/** Where the blocks' values wait: in the first part's scratch memory. */
const partials = (target: KernelFunction) => i32.add(i32.load(target.bindings, bindings.scratch), bytesBefore(target));
