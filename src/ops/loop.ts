// The nodes of a loop, and what those of its body depend on: for what makes loops, forwards and back.
import { GradError, refuse } from "../core/errors.ts";
import { type Shape, typeText } from "../core/shape.ts";
import type { ClosedBody, LoopAttributes } from "../graph/body.ts";
import { type DrawRange, Node } from "../graph/node.ts";
import { atSite, hereSite } from "../graph/site.ts";
import { recordOf } from "./define.ts";

/** What nodes from `firstId` on are computed from: something of the position, the draws of `body` among it, tensors from outside alone, or nothing but constants. Throws GradError for what draws of outside and of the position are to meet in. */
export function dependences(
  firstId: number,
  leaves: ReadonlySet<Node>,
  body: object | undefined,
): (node: Node) => "position" | "outside" | "nothing" {
  const known = new Map<Node, "position" | "outside" | "nothing">();
  for (const leaf of leaves) known.set(leaf, "position");
  const own = (node: Node) => {
    if (node.id < firstId || recordOf(node).kind === "leaf") return "outside";
    return node.draws && node.draws.body === body ? "position" : undefined;
  };
  return (root) => {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      const found = known.get(node) ?? own(node);
      const missing = found ? [] : node.inputs.filter((each) => !known.has(each));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      const of = node.inputs.map((each) => known.get(each));
      const isOutside = node.draws !== undefined || of.includes("outside");
      const reached = of.includes("position") ? "position" : isOutside ? "outside" : "nothing";
      if (!found && node.draws && reached === "position") refuseDrawn(node);
      if (!known.has(node)) known.set(node, found ?? reached);
    }
    return known.get(root)!;
  };
}

function refuseDrawn(node: Node): never {
  const problem = "a gradient in the body is of a loop outside of it that draws";
  const hint =
    "ask for it outside, by vmap where there are many; or draw before the loop outside, and give it what was drawn";
  refuse(GradError, "scan", problem, typeText(node), undefined, hint);
}

/** What makes the nodes of a loop: its carries by number, and stacks of its body's values. */
export function outputsOf(
  closed: ClosedBody,
  how: Omit<LoopAttributes, "body" | "of" | "at">,
  draws: DrawRange | undefined,
  inputs: readonly Node[],
) {
  const site = hereSite().with({ body: closed.sites });
  const made = (what: Pick<LoopAttributes, "of" | "at">, shape: Shape, dtype: Node["dtype"]) =>
    atSite(site, () => loopNode({ ...how, ...what, body: closed.body }, shape, dtype, inputs, draws));
  return {
    carry: (at: number, { shape, dtype }: Node) => made({ of: "carry", at }, shape, dtype),
    stack: (value: Node) => made({ of: "stack", at: closed.number(value) }, [how.length, ...value.shape], value.dtype),
  };
}

/** A carry or a stack of a loop. */
export const loopNode = (
  attributes: LoopAttributes,
  shape: Shape,
  dtype: Node["dtype"],
  inputs: readonly Node[],
  draws: DrawRange | undefined,
) => new Node({ op: "scan", dtype, shape: Object.freeze([...shape]), inputs, attributes, draws });
