// Folds over the last axes: a row of each output, read in place or gathered in scratch first, in blocks that join in ascending order.
import { input } from "../../../../kernels/expr.ts";
import { blockSize, elementBytes, type FoldKernel } from "../../../../kernels/kernel.ts";
import { LazyModule } from "../../../core/lazy.ts";
import { type ContiguousFold, gatheredBytes, waitingSize } from "../../../schedule/folds.ts";
import { inScratch } from "../../../schedule/nest.ts";
import { i32, memory } from "../assembler/assembler.ts";
import { type Blocks, blocksOf, readerOf } from "./block.ts";
import { type KernelFunction, overNest } from "./context.ts";
import { mapRows } from "./map.ts";
import { type Cursor, inStrips, loops } from "./nest.ts";

/** Rows of a few whole vectors that lie apart. */
const turning = new LazyModule(() => import("./turning.ts"));

/** Prints a fold over the last axes. */
export function printFold(target: KernelFunction<FoldKernel>, fold: ContiguousFold): void {
  const { takesTurns, gather, nest, park } = fold;
  const blocks = blocksOf(target, park);
  const print = takesTurns ? turning.module.turning : gather ? gathered : inPlace;
  const row = (here: readonly Cursor[]) => blocks.total(here[here.length - 1].at, print(target, blocks, fold, here));
  overNest(target, fold, (cursors, part) => loops(target.fn, nest, [0, nest.outer], cursors, row, part));
}

/** A row that lies straight. */
function inPlace(
  _target: KernelFunction<FoldKernel>,
  { straight, join }: Blocks,
  { nest, count }: ContiguousFold,
  here: readonly Cursor[],
): () => void {
  const row = straight(nest, count, here, join);
  const whole = Math.floor(count / blockSize);
  return () => row(0, whole, whole + 1);
}

/** A row's elements go into scratch memory in order, where a block waits for the piece that completes it: two blocks are enough, however long the row is. */
function gathered(
  target: KernelFunction<FoldKernel>,
  { block, join }: Blocks,
  { gather, count }: ContiguousFold,
  here: readonly Cursor[],
): () => void {
  const { fn, scratch } = target;
  const { nest, axis, body } = gather!;
  const { type } = body;
  const bytes = elementBytes({ dtype: type });
  const waiting = { extents: [waitingSize], outer: 0, inputs: [inScratch(type, [1])] };
  const reader = readerOf(target, waiting, 0, input(0, type), [{ at: scratch, inside: true }]);
  return () => {
    const size = fn.let(0);
    loops(fn, nest, [nest.outer, axis], here.slice(0, -1), (there) =>
      inStrips(fn, { begin: 0, end: nest.extents[axis] }, blockSize, (begin, end) => {
        const at = fn.let(i32.add(scratch, i32.mul(i32.sub(size, begin), bytes)));
        const part = begin === 0 ? undefined : { axis, begin, end };
        mapRows(target, gather!, axis, [...there, { at, inside: true }], gatheredBytes(body), part);
        size.set(i32.add(size, i32.sub(end, begin)));
        if (count < blockSize) return;
        fn.when(i32.geS(size, blockSize), () => {
          join(block(reader, 0, blockSize));
          size.set(i32.sub(size, blockSize));
          fn.emit(memory.copy(scratch, i32.add(scratch, i32.mul(bytes, blockSize)), i32.mul(size, bytes)));
        });
      }),
    );
    if (count % blockSize > 0) join(block(reader, 0, count % blockSize));
  };
}
