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

/** One function of a kernel. */
export type Loops = (ElementLoops | FoldLoops | ProductLoops | PieceLoops | LineLoops | ZeroLoops | SamplerLoops) &
  Cost & {
    /** What threads take of it one by one; in a group they take the group's blocks. */
    readonly chunks: number;
  };

/** A function, before it is known into how many chunks threads divide it. */
export type Undivided = Loops extends infer L ? (L extends Loops ? Omit<L, "chunks"> : never) : never;

/** A kernel's output set to zero. */
export function zeros(kernel: Kernel): Undivided {
  const size = sizeOf(kernel.shape);
  const bytes = size * elementBytes(kernel);
  return { kind: "zeros", bytes, parallel: { axis: 0, extent: bytes, grain }, work: size / 16, scratch: 0 };
}
