// How kernels run that aren't loops, by their kind.
import { assemblePasses, placedPieces } from "../../kernels/assemble.ts";
import type { SpecialKernel, SpecialKind } from "../../kernels/kinds.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import { prefixLoops, sortLoops } from "./line.ts";
import { type Made, zeros } from "./loops.ts";
import { grain } from "./parallel.ts";
import { pieceLoops } from "./pieces.ts";
import { scatterLoops } from "./scatter.ts";

export { keepFirst } from "./first.ts";

type Rule<K extends SpecialKind = SpecialKind> = (kernel: SpecialKernel<K>, target: Target) => readonly Made[];

const rules: { readonly [K in SpecialKind]: Rule<K> } = {
  scatter: (kernel, target) => [zeros(kernel), scatterLoops(kernel, target)],
  assemble: (kernel, target) =>
    assemblePasses(kernel.shape, placedPieces(kernel)).flatMap((pass) =>
      pass.kind === "zeros" ? [zeros(kernel)] : pieceLoops(kernel, pass, target),
    ),
  prefix: (kernel, target) => [prefixLoops(kernel, target)],
  sort: (kernel, target) => [sortLoops(kernel, target)],
  // A permutation's swaps depend on one another.
  random: ({ sampler, shape }) => [
    { kind: "sampler", parallel: sampler === "permutation" ? undefined : { axis: 0, extent: sizeOf(shape), grain } },
  ],
};

/** The functions of a kernel that isn't a loop. */
export const specialLoops = (kernel: SpecialKernel, target: Target) => (rules[kernel.kind] as Rule)(kernel, target);
