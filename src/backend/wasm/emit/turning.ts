// Sums over the last axes of rows that lie apart, each of whole vectors: read where they lie. The vectors that hold a block's 16 sums take turns: each of a row's vectors is
// added to the next of them, and after the row they change places, so that the first is always the one whose turn it is. A row in which a block ends goes vector by vector.
import { blockSize, type FoldKernel, laneCount } from "../../../../kernels/kernel.ts";
import type { ContiguousFold } from "../../../schedule/folds.ts";
import { i32, type Local } from "../assembler/assembler.ts";
import { type Blocks, joinLanes, readerOf } from "./block.ts";
import type { KernelFunction } from "./context.ts";
import { type Cursor, countLoop, loops } from "./nest.ts";

/** Joins the value of each block in order. */
export function turning(
  target: KernelFunction<FoldKernel>,
  { join }: Blocks,
  { nest, count }: ContiguousFold,
  here: readonly Cursor[],
): () => void {
  const { fn, lanes, kernel } = target;
  const { dtype, body } = kernel;
  const last = nest.extents.length - 1;
  const vectors = nest.extents[last] / lanes.width;
  const perBlock = blockSize / lanes.width;
  const zero = lanes.constant(dtype, 0);
  return () => {
    const sums = Array.from({ length: laneCount / lanes.width }, () => fn.let(zero));
    const words = fn.local("i32");
    const left = fn.let(perBlock);
    const kept = sums.slice(1).map(() => fn.local(lanes.valueType(dtype)));
    /** The first comes last, so often. */
    const turn = (times: number) => {
      const all = [...sums, ...kept];
      const by = times % sums.length;
      if (by === 0) return;
      kept.slice(0, by).forEach((each, i) => each.set(sums[i]));
      sums.forEach((sum, i) => sum.set(all[i + by]));
    };
    loops(fn, nest, [nest.outer, last], here, (there) => {
      const { wide } = readerOf(target, nest, last, body, there);
      const add = (sum: Local, step: number) => sum.set(lanes.binary("add", dtype, sum, wide(words, step)));
      const whole = () => {
        words.set(0);
        for (let step = 0; step < vectors; step++) add(sums[step % sums.length], step);
        turn(vectors);
        left.set(i32.sub(left, vectors));
      };
      const one = () =>
        countLoop(fn, 0, vectors, 1, (at) => {
          words.set(i32.mul(at, 4 * lanes.width));
          add(sums[0], 0);
          turn(1);
          left.set(i32.sub(left, 1));
          fn.when(i32.eqz(left), () => {
            join(joinLanes(target, sums));
            for (const sum of sums) sum.set(zero);
            left.set(perBlock);
          });
        });
      fn.when(i32.gtS(left, vectors), whole, one);
    });
    // Where the sums are once all rows are added.
    const turns = (count / lanes.width) % sums.length;
    if (count % blockSize > 0)
      join(
        joinLanes(
          target,
          sums.map((_, i) => sums[(i + sums.length - turns) % sums.length]),
        ),
      );
  };
}
