// One long row to one number: threads fold its blocks into the first one's scratch, and that one joins them.
import { blockSize, type FoldKernel } from "../../../../kernels/kernel.ts";
import type { BlockFold, JoinFold } from "../../../schedule/folds.ts";
import { i32, type Local } from "../assembler/assembler.ts";
import { bindings } from "../runtime/bindings.ts";
import { blocksOf } from "./block.ts";
import { bytesBefore, type KernelFunction, overNest, valueAddress } from "./context.ts";
import { countLoop, least } from "./nest.ts";

/** Prints a long row's first function: each block's value. */
export function printBlocks(target: KernelFunction<FoldKernel>, fold: BlockFold): void {
  const { fn, single, kernel } = target;
  const to = fn.let(partials(target));
  const { straight } = blocksOf(target, fold.park);
  overNest(target, fold, (cursors, part) => {
    const { begin, end } = part!;
    const row = straight(fold.nest, fold.count, cursors, (value, at) => {
      const held = fn.let(value);
      fn.emit(single.store(kernel.dtype, i32.add(to, i32.shl(at, 2)), held, 0));
    });
    row(begin, fn.let(least(end, Math.floor(fold.count / blockSize))), end);
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
