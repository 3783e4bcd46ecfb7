// How a kernel runs: one or more functions, one after another, each a loop nest of one of these kinds. A backend prints each kind; every number
// that shapes it stands here.
import { assemblePasses, placedPieces } from "../../kernels/assemble.ts";
import { asGather, elementBytes, isFold } from "../../kernels/kernel.ts";
import type { Kernel, SpecialKernel, SpecialKind } from "../../kernels/kinds.ts";
import { asProduct } from "../../kernels/product.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import { type ElementLoops, elementLoops } from "./elements.ts";
import { type FoldLoops, foldLoops } from "./folds.ts";
import { gatherLoops, scatterLoops } from "./indexed.ts";
import { type LineLoops, prefixLoops, sortLoops } from "./line.ts";
import { type Cost, chunkCount, grain, type Parallel, workOf } from "./parallel.ts";
import { type PieceLoops, pieceLoops } from "./pieces.ts";
import { type ProductLoops, productLoops } from "./product.ts";
import type { Division, Member } from "./rows.ts";
import { isTiled } from "./tile.ts";

/** The output set to zero. */
export interface ZeroLoops {
  readonly kind: "zeros";
  readonly bytes: number;
  readonly parallel: Parallel;
}

/** Integers from several draws each. */
export interface SamplerLoops {
  readonly kind: "sampler";
  readonly parallel: Parallel | undefined;
}

/** One function of a kernel. */
export type Loops = (ElementLoops | FoldLoops | ProductLoops | PieceLoops | LineLoops | ZeroLoops | SamplerLoops) &
  Cost & {
    /** What threads take of it one by one; in a group they take the group's blocks. */
    readonly chunks: number;
  };

/** A function, before it is known into how many chunks threads divide it. */
type Undivided = Loops extends infer L ? (L extends Loops ? Omit<L, "chunks"> : never) : never;

/** Columns or rows of a product that a chunk has at least: each packs all of the other operand. */
const leastOfProduct = 256;

/** The functions of a kernel, in order; all threads finish one before the next begins. `blocks`: it runs in a group, block by block. */
export function loopsOf(member: Member, target: Target, blocks: Division | undefined): Loops[] {
  return undivided(member, target, blocks).map((loops): Loops => {
    const shared = loops.kind === "pieces" ? loops.pieces.map(({ parallel }) => parallel) : [loops.parallel];
    const least = loops.kind === "product" && loops.by !== "batch" ? leastOfProduct : 1;
    return { ...loops, chunks: blocks ? 1 : chunkCount(loops.work, shared, target, least) };
  });
}

function undivided(member: Member, target: Target, blocks: Division | undefined): Undivided[] {
  const { kernel } = member;
  const work = workOf(kernel);
  if (kernel.kind !== "loop") return (rules[kernel.kind] as Rule)(kernel, target, work);
  const gather = asGather(kernel);
  if (gather) return [{ ...gatherLoops(kernel, gather, target), work }];
  if (!isFold(kernel)) return [{ ...elementLoops(kernel, target, blocks), work }];
  if (sizeOf(kernel.fold.reduced) === 0) return [zeros(kernel)];
  const product = asProduct(kernel);
  // Without SIMD there is nothing to pack for.
  if (!product || target.lanes === 1 || !isTiled(product)) return foldLoops(kernel, target, blocks, work);
  return [{ ...productLoops(kernel, product, target, blocks, member.panels), work }];
}

type Rule<K extends SpecialKind = SpecialKind> = (
  kernel: SpecialKernel<K>,
  target: Target,
  work: number,
) => Undivided[];

/** How kernels run that aren't loops, by their kind. */
const rules: { readonly [K in SpecialKind]: Rule<K> } = {
  scatter: (kernel, target, work) => [zeros(kernel), { ...scatterLoops(kernel, target), work }],
  assemble: (kernel, target) =>
    assemblePasses(kernel.shape, placedPieces(kernel)).flatMap((pass) =>
      pass.kind === "zeros" ? [zeros(kernel)] : pieceLoops(kernel, pass, target),
    ),
  prefix: (kernel, target, work) => [{ ...prefixLoops(kernel, target), work }],
  sort: (kernel, target, work) => [{ ...sortLoops(kernel, target), work }],
  random({ sampler, shape }, _, work) {
    // A permutation's swaps depend on one another.
    const parallel = sampler === "permutation" ? undefined : { axis: 0, extent: sizeOf(shape), grain };
    return [{ kind: "sampler", parallel, work, scratch: 0 }];
  },
};

function zeros(kernel: Kernel): Undivided {
  const size = sizeOf(kernel.shape);
  const bytes = size * elementBytes(kernel);
  return { kind: "zeros", bytes, parallel: { axis: 0, extent: bytes, grain }, work: size / 16, scratch: 0 };
}
