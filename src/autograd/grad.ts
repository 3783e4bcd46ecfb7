// Reverse-mode differentiation, graph → graph: the gradients are nodes like any other, so they differentiate again.
import { GradError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { hasForgotten } from "../graph/ancestry.ts";
import { type Node, reachable } from "../graph/node.ts";
import { atSite } from "../graph/site.ts";
import { full, recordOf } from "../ops/define.ts";
import { Arrived } from "./arrived.ts";

/**
 * Gradients of `output` (float32; a scalar unless `seed` is given) with respect to each of `wanted`: nodes of their shapes, zeros where
 * nothing depends on one. Contributions to a node add up left to right, in reverse order of the consumers' making; a consumer's input
 * positions ascending. What comes from a slice is added where it lands, and nowhere else. A gradient's nodes stand where the forward node
 * stands whose rule made them. `aliases`: other nodes that stand for the same value as one that is wanted. Throws GradError.
 */
export function gradients(
  output: Node,
  wanted: readonly Node[],
  seed?: Node,
  aliases: ReadonlyMap<Node, Node> = new Map(),
): Node[] {
  if (output.dtype !== "float32")
    throw new GradError({
      where: "grad",
      problem: "the output isn't differentiable",
      got: output.dtype,
      expected: "float32",
    });
  if (!seed && output.shape.length > 0) {
    throw new GradError({
      where: "grad",
      problem: "the output isn't a scalar",
      got: formatShape(output.shape),
      expected: "[]",
      hint: "reduce it first, as in loss.mean()",
    });
  }
  if (seed && seed.dtype !== "float32")
    throw new GradError({ where: "grad", problem: "the seed isn't float32", got: seed.dtype, expected: "float32" });
  if (seed && !sameShape(seed.shape, output.shape)) {
    throw new GradError({
      where: "grad",
      problem: "the seed's shape isn't the output's",
      got: formatShape(seed.shape),
      expected: formatShape(output.shape),
    });
  }
  for (const node of wanted) {
    if (node.dtype !== "float32")
      throw new GradError({
        where: "grad",
        problem: "no gradient with respect to this dtype",
        got: node.dtype,
        expected: "float32",
      });
  }
  return accumulate(output, wanted, seed, aliases);
}

/** Runs `body`, whose nodes are for the gradient of `node`. */
function gradientOf<T>(node: Node, body: () => T): T {
  const { made, op } = node;
  return atSite(made?.for(`gradient of ${made.role === undefined ? op : `${op} (${made.role})`}`), body);
}

function refuseForgotten(node: Node, wanted: readonly Node[]): void {
  const lost = wanted.find((each) => hasForgotten(node, each));
  if (!lost) return;
  throw new GradError({
    where: "grad",
    problem: "the output depends on a tensor by way of one that was computed so long ago that how is forgotten",
    got: `${lost.dtype}${formatShape(lost.shape)}${lost.site ? ` made at ${lost.site}` : ""}`,
    hint: "ask for the gradients before so much more is computed and read, or compile the loop as one function",
  });
}

function accumulate(
  output: Node,
  wanted: readonly Node[],
  seed: Node | undefined,
  aliases: ReadonlyMap<Node, Node>,
): Node[] {
  const targets = new Set([...wanted, ...aliases.keys()]);
  // What was made before all that is wanted depends on none of it.
  const first = Math.min(...[...targets].map(({ id }) => id));
  const order = reachable([output], ({ id }) => id <= first);
  for (const node of order) refuseForgotten(node, wanted);
  const active = new Set<Node>();
  for (const node of order) {
    if (targets.has(node) || (recordOf(node).vjp !== "none" && node.inputs.some((input) => active.has(input))))
      active.add(node);
  }
  const sums = new Map<Node, Arrived>();
  const standing = (node: Node) => aliases.get(node) ?? node;
  const gradOf = (node: Node): Node | undefined => {
    const arrived = sums.get(standing(node));
    return arrived && gradientOf(node, () => arrived.sum());
  };
  if (active.has(output))
    sums.set(standing(output), new Arrived(output.shape, seed ?? gradientOf(output, () => full([], 1))));
  for (const node of order.reverse()) {
    const { vjp } = recordOf(node);
    if (vjp === "none" || !node.inputs.some((input) => active.has(input))) continue;
    const grad = gradOf(node);
    if (!grad) continue;
    gradientOf(node, () => {
      const parts = vjp({ inputs: node.inputs, output: node, grad, attributes: node.attributes });
      parts.forEach((part, i) => {
        const input = node.inputs[i];
        if (!part || !active.has(input)) return;
        const arrived = sums.get(standing(input)) ?? new Arrived(input.shape);
        sums.set(standing(input), arrived);
        arrived.add(part);
      });
    });
  }
  return wanted.map((node) => gradOf(node) ?? gradientOf(node, () => full(node.shape, 0)));
}
