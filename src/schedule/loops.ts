// How a kernel runs: one or more functions, one after another, each a loop nest of one of these kinds. A backend prints each kind; every number
// that shapes it stands here.
import { assembleStages } from "../../kernels/assemble.ts";
import { asGather, elementBytes, isFold, type Kernel, placedPieces } from "../../kernels/kernel.ts";
import { asProduct } from "../../kernels/product.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import { type ElementLoops, elementLoops } from "./elements.ts";
import { type FoldLoops, foldLoops } from "./folds.ts";
import { type GatherLoops, gatherLoops, type ScatterLoops, scatterLoops } from "./indexed.ts";
import { type Cost, grain, type Parallel, workOf } from "./parallel.ts";
import { type PieceLoops, pieceLoops } from "./pieces.ts";
import { type ProductLoops, productLoops } from "./product.ts";
import type { Division, Member } from "./rows.ts";

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
export type Loops = (
  | ElementLoops
  | FoldLoops
  | ProductLoops
  | GatherLoops
  | ScatterLoops
  | PieceLoops
  | ZeroLoops
  | SamplerLoops
) &
  Cost;

/** The functions of a kernel, in order; all threads finish one before the next begins. `blocks`: it runs in a group, block by block. */
export function loopsOf(member: Member, target: Target, blocks: Division | undefined): Loops[] {
  const { kernel } = member;
  const work = workOf(kernel);
  const size = sizeOf(kernel.shape);
  switch (kernel.kind) {
    case "loop": {
      const gather = asGather(kernel);
      if (gather) return [{ ...gatherLoops(kernel, gather, target), work, scratch: 0 }];
      if (!isFold(kernel)) return [{ ...elementLoops(kernel, target, blocks), work }];
      if (sizeOf(kernel.fold.reduced) === 0) return [zeros(kernel)];
      const product = asProduct(kernel);
      // Without SIMD there is nothing to pack for.
      if (!product || target.lanes === 1) return foldLoops(kernel, target, blocks, work);
      return [{ ...productLoops(kernel, product, target, blocks, member.panels), work }];
    }
    case "scatter":
      return [zeros(kernel), { ...scatterLoops(kernel, target), work, scratch: 0 }];
    case "assemble":
      return assembleStages(kernel.shape, placedPieces(kernel)).flatMap((stage) =>
        stage.kind === "zeros" ? [zeros(kernel)] : pieceLoops(kernel, stage, target),
      );
    case "random": {
      // A permutation's swaps depend on one another.
      const parallel = kernel.sampler === "permutation" ? undefined : { axis: 0, extent: size, grain };
      return [{ kind: "sampler", parallel, work, scratch: 0 }];
    }
  }
}

function zeros(kernel: Kernel): Loops {
  const size = sizeOf(kernel.shape);
  const bytes = size * elementBytes(kernel);
  return { kind: "zeros", bytes, parallel: { axis: 0, extent: bytes, grain }, work: size / 16, scratch: 0 };
}
