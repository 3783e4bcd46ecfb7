// Loops over the positions of an axis. A body is traced once; what it computes from no carry, slice or draw is computed once, outside.
import { refuse, ShapeError } from "../core/errors.ts";
import { type BodyRules, closeBody } from "../graph/body.ts";
import { type DrawRange, type Node, nextNodeId } from "../graph/node.ts";
import { reserveDraws, withBody } from "../graph/scope.ts";
import { loopGradients } from "./adjoint.ts";
import { input } from "./creation.ts";
import { broadcastTo, defineOp } from "./define.ts";
import { dependences, outputsOf } from "./loop.ts";

defineOp({ name: "scan", kind: "repeat", version: 1, dtype: ([first]) => first, vjp: loopGradients });

/** What one position is computed from, or gives. */
export interface Step {
  readonly carry: readonly Node[];
  /** Given: slices at the position. Computed: what is stacked. */
  readonly slices: readonly Node[];
}

/** How a loop runs. */
export interface LoopOptions {
  readonly reverse?: boolean;
  readonly recompute?: boolean;
  /** All of its draws, where they are reserved already. */
  readonly draws?: DrawRange;
}

/**
 * A loop over the first axis of `stacks`, of extent `length`: `body` gives the next carry and what is stacked of each position. The final carry, and
 * the stacks. Draws: position t has its own range, from t times a body's draws on. Throws ShapeError where a carry changes its shape or dtype.
 */
export function scanNodes(
  body: (step: Step) => Step,
  init: readonly Node[],
  stacks: readonly Node[],
  length: number,
  { reverse = false, recompute = false, draws: reserved }: LoopOptions = {},
): Step {
  const firstId = nextNodeId();
  const carries = init.map(({ shape, dtype }) => input(shape, dtype));
  const slices = stacks.map(({ shape, dtype }) => input(shape.slice(1), dtype));
  const { result, draws, body: counter } = withBody(() => body({ carry: carries, slices }));
  checkCarry(carries, result.carry);
  const depends = dependences(firstId, new Set([...carries, ...slices]), counter);
  const fixed = (node: Node) => (node.id < firstId || depends(node) === "outside" ? node : undefined);
  const open = {
    carries: carries.map((leaf, i) => ({ leaf, next: result.carry[i] })),
    slices,
    roots: result.slices,
    draws,
    firstDraw: 0,
  };
  const rules: BodyRules = { sliced: () => undefined, fixed };
  const closed = closeBody(open, rules);
  const range = draws > 0 ? (reserved ?? reserveDraws(draws * length)) : undefined;
  const loop = outputsOf(closed, { length, reverse, ...(recompute && { recompute }) }, range, [
    ...init,
    ...stacks,
    ...closed.fixed,
  ]);
  return {
    carry: result.carry.map((next, i) => loop.carry(i, next)),
    slices: result.slices.map((node) => {
      const at = slices.indexOf(node);
      if (at >= 0) return stacks[at];
      return fixed(node) ? broadcastTo(node, [length, ...node.shape]) : loop.stack(node);
    }),
  };
}

function checkCarry(before: readonly Node[], after: readonly Node[]): void {
  before.forEach(({ shape, dtype }, i) => {
    const next = after[i];
    if (next.dtype === dtype && next.shape.length === shape.length && next.shape.every((each, k) => each === shape[k]))
      return;
    const problem = `carry ${i} isn't in the next iteration what it was`;
    const hint = next.dtype === dtype ? undefined : `cast what the body gives, as in x.cast("${dtype}")`;
    refuse(ShapeError, "scan", problem, `${next.dtype}[${next.shape}]`, `${dtype}[${shape}], as it begins`, hint);
  });
}
