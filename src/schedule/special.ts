// How kernels run that aren't loops, by their kind.
import { assemblePasses, placedPieces } from "../../kernels/assemble.ts";
import type { SpecialKernel, SpecialKind } from "../../kernels/kinds.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import { prefixLoops, sortLoops } from "./line.ts";
import { type Undivided, zeros } from "./loops.ts";
import { grain } from "./parallel.ts";
import { pieceLoops } from "./pieces.ts";
import { scatterLoops } from "./scatter.ts";

export { keepFirst } from "./first.ts";

type Rule<K extends SpecialKind = SpecialKind> = (
  kernel: SpecialKernel<K>,
  target: Target,
  work: number,
) => Undivided[];

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

/** The functions of a kernel that isn't a loop, before threads divide them. */
export function specialLoops(kernel: SpecialKernel, target: Target, work: number): Undivided[] {
  return (rules[kernel.kind] as Rule)(kernel, target, work);
}
