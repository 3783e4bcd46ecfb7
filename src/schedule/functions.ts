// The functions that a kernel runs as, one after another: which kind of loop nest each is. A backend prints each kind; every number that shapes it stands in
// the rules that are asked here.
import { asGather, isFold } from "../../kernels/kernel.ts";
import { asProduct } from "../../kernels/product.ts";
import type { Target } from "../compile/target.ts";
import { LazyModule } from "../core/lazy.ts";
import { sizeOf } from "../core/shape.ts";
import { elementLoops } from "./elements.ts";
import { foldLoops } from "./folds.ts";
import { gatherLoops } from "./indexed.ts";
import { type Loops, type Made, zeros } from "./loops.ts";
import { chunkCount, workOf } from "./parallel.ts";
import { productLoops } from "./product.ts";
import type { Division, Member } from "./rows.ts";
import { isTiled } from "./tile.ts";

/** How kernels run that aren't loops. */
export const special = new LazyModule(() => import("./special.ts"));

/** Columns or rows of a product that a chunk has at least: each packs all of the other operand. */
const leastOfProduct = 256;

/** The functions of a kernel, in order; all threads finish one before the next begins. `blocks`: it runs in a group, block by block. */
export function loopsOf(member: Member, target: Target, blocks: Division | undefined): Loops[] {
  return loopsFor(member, target, blocks).map((loops): Loops => {
    const { work = workOf(member.kernel), scratch = 0 } = loops;
    const shared = loops.kind === "pieces" ? loops.pieces.map(({ parallel }) => parallel) : [loops.parallel];
    const least = loops.kind === "product" && loops.by !== "batch" ? leastOfProduct : 1;
    return { ...loops, work, scratch, chunks: blocks ? 1 : chunkCount(work, shared, target, least) };
  });
}

function loopsFor({ kernel, panels }: Member, target: Target, blocks: Division | undefined): readonly Made[] {
  if (kernel.kind !== "loop") return special.module.specialLoops(kernel, target);
  const gather = asGather(kernel);
  if (gather) return [gatherLoops(kernel, gather, target)];
  if (!isFold(kernel)) return [elementLoops(kernel, target, blocks)];
  if (sizeOf(kernel.fold.reduced) === 0) return [zeros(kernel)];
  const product = asProduct(kernel);
  // Without SIMD there is nothing to pack for.
  if (!product || target.lanes === 1 || !isTiled(product)) return foldLoops(kernel, target, blocks);
  return [productLoops(kernel, product, target, blocks, panels)];
}
