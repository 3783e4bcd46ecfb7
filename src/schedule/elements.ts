// Kernels without a fold: merged axes, tiles or pairs where an input asks for them, vectors along the last one.
import type { Expr } from "../../kernels/expr.ts";
import { isDraws, type LoopKernel, type Stored } from "../../kernels/kernel.ts";
import type { Target } from "../compile/target.ts";
import { mergeAxes, written } from "./merge.ts";
import { type Cost, grain, type Parallel, parallelAxis, splitAxis } from "./parallel.ts";
import type { Division } from "./rows.ts";
import { inPairs, inTiles } from "./split.ts";
import { scratchOf } from "./stages.ts";
import { type RowLoops, rowLoops } from "./vectorise.ts";

/** Words of the stream that are drawn at once into thread-local scratch: they stay in the first cache. */
export const drawStrip = 512;

/** Every point by itself. */
export interface ElementLoops extends RowLoops {
  readonly kind: "elements";
  readonly parallel: Parallel | undefined;
}

/** What is left to compute of an expression whose values are kept so: writing them rounds. */
function beforeRounding(body: Expr, storage: Stored["storage"]): Expr {
  return storage && body.kind === "unary" && body.op === storage ? body.x : body;
}

export function elementLoops(
  kernel: LoopKernel,
  target: Target,
  blocks: Division | undefined,
): ElementLoops & Partial<Cost> {
  const { shape, storage, inputs } = kernel;
  const body = beforeRounding(kernel.body, storage);
  const whole = mergeAxes(shape, [...inputs, written(kernel)]);
  const drawn = inputs.filter(({ source }) => isDraws(source)).length;
  const joined = target.lanes > 1 && drawn === 0 ? inPairs(whole) : whole;
  const nest = blocks || drawn > 0 ? joined : inTiles(joined);
  const last = nest.extents.length - 1;
  const axis = blocks ? nest.outer : splitAxis(nest);
  const rows = rowLoops(nest, body, target, { isCut: axis === last || drawn > 0, hasScratch: true });
  return {
    kind: "elements",
    ...rows,
    parallel: parallelAxis(axis, nest.extents[axis], axis === last ? grain : 1, blocks),
    scratch: 4 * drawStrip * drawn + scratchOf(rows.stages),
  };
}
