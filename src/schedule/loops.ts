// How a kernel runs: one or more functions, one after another, each a loop nest of one of these kinds.
import { elementBytes } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { sizeOf } from "../core/shape.ts";
import type { ElementLoops } from "./elements.ts";
import type { FoldLoops } from "./folds.ts";
import type { LineLoops } from "./line.ts";
import { type Cost, grain, type Parallel } from "./parallel.ts";
import type { PieceLoops } from "./pieces.ts";
import type { ProductLoops } from "./product.ts";

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

type Nests = ElementLoops | FoldLoops | ProductLoops | PieceLoops | LineLoops | ZeroLoops | SamplerLoops;

/** What a rule makes of a kernel; left out: the kernel's own work, no scratch memory. */
export type Made = Nests & Partial<Cost>;

/** One function of a kernel. */
export type Loops = Nests &
  Cost & {
    /** What threads take of it one by one; in a group they take the group's blocks. */
    readonly chunks: number;
  };

/** A kernel's output set to zero. */
export function zeros(kernel: Kernel): Made {
  const size = sizeOf(kernel.shape);
  const bytes = size * elementBytes(kernel);
  return { kind: "zeros", bytes, parallel: { axis: 0, extent: bytes, grain }, work: size / 16 };
}
