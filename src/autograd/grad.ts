// Reverse-mode differentiation, graph → graph: the gradients are nodes like any other, so they differentiate again.
import { GradError, refuse } from "../core/errors.ts";
import { remembered } from "../core/remembered.ts";
import { typeText } from "../core/shape.ts";
import { loopAttributes, loopNodes } from "../graph/body.ts";
import { type Node, reachable } from "../graph/node.ts";
import { atSite } from "../graph/site.ts";
import { full, recordOf } from "../ops/define.ts";
import type { Landing, LoopVjpContext } from "../ops/record.ts";
import { Arrived } from "./arrived.ts";
import { originals, recomputing } from "./segments.ts";

/**
 * Gradients of `output` (float32; a scalar unless `seed` is given) with respect to each of `wanted`: nodes of their shapes, zeros where
 * nothing depends on one. Contributions to a node add up left to right, in reverse order of the consumers' making; a consumer's input
 * positions ascending. What comes from a slice is added where it lands, and nowhere else. A gradient's nodes stand where the forward node
 * stands whose rule made them. `aliases`: by their ids, other nodes that stand for the same value as one that is wanted. Throws GradError.
 */
export function gradients(
  output: Node,
  wanted: readonly Node[],
  seed?: Node,
  aliases: ReadonlyMap<number, Node> = new Map(),
): Node[] {
  return pullback([{ output, seed }], wanted, aliases);
}

/** Runs `body`, whose nodes are for the gradient of `node`. */
function gradientOf<T>(node: Node, body: () => T): T {
  const { made, op } = node;
  return atSite(made?.with({ role: `gradient of ${made.role === undefined ? op : `${op} (${made.role})`}` }), body);
}

function refuseForgotten({ forgotten }: Node, wanted: readonly Node[]): void {
  const lost = forgotten && wanted.find((each) => forgotten.some((held) => held.deref() === each));
  if (!lost) return;
  const problem = "the output depends on a tensor by one whose history is no longer kept";
  const line = lost.made?.line;
  const got = `${typeText(lost)}${line ? ` made at ${line}` : ""}`;
  const hint = "ask for gradients before more is computed and read, or compile the loop";
  refuse(GradError, "grad", problem, got, undefined, hint);
}

/** An output, and the gradient that comes to it: 1 unless given. */
export interface Seeded {
  readonly output: Node;
  readonly seed?: Node;
}

function checkSeeded({ output, seed }: Seeded): void {
  if (output.dtype !== "float32") refuse(GradError, "grad", "the output isn't differentiable", output.dtype, "float32");
  if (!seed && output.shape.length > 0)
    refuse(GradError, "grad", "the output isn't a scalar", output, "[]", "reduce it first, as in loss.mean()");
  if (seed && typeText(seed) !== typeText(output))
    refuse(GradError, "grad", "the seed isn't of the output's dtype and shape", typeText(seed), typeText(output));
}

function checkWanted(wanted: readonly Node[]): void {
  for (const node of wanted) {
    if (node.dtype !== "float32")
      refuse(GradError, "grad", "no gradient with respect to this dtype", node.dtype, "float32");
  }
}

/** The sum of the outputs' gradients with respect to each of `wanted`, from one walk over their graph. Throws GradError. */
export function pullback(
  outputs: readonly Seeded[],
  wanted: readonly Node[],
  aliases: ReadonlyMap<number, Node> = new Map(),
): Node[] {
  outputs.forEach(checkSeeded);
  checkWanted(wanted);
  return accumulate(
    outputs.map(({ output, seed }) => ({
      node: output,
      grad: seed ?? gradientOf(output, () => full([], 1)),
    })),
    wanted,
    aliases,
  ).map((gradient, at) => gradient ?? gradientOf(wanted[at], () => full(wanted[at].shape, 0)));
}

/** The derivative of outputs in the direction of `tangents`, one for each input (Townsend 2017): the backward pass is linear in what it is seeded with, and is differentiated by that. Of the backward pass itself nothing is left that must be computed. */
export function pushforward(outputs: readonly Node[], inputs: readonly Node[], tangents: readonly Node[]): Node[] {
  const seeds = outputs.map(({ shape }) => full(shape, 0));
  const seeded = outputs.map((output, i) => ({ output, seed: seeds[i] }));
  const backward = pullback(seeded, inputs);
  const pushed = backward.map((output, i) => ({ output, seed: tangents[i] }));
  return pullback(pushed, seeds);
}

/** Gradients where any flows. `outputs`: what is differentiated, with its own gradients in the order in which they add up. */
function accumulate(
  outputs: Parameters<LoopVjpContext["differentiate"]>[0],
  wanted: readonly Node[],
  aliases: ReadonlyMap<number, Node> = new Map(),
): (Node | undefined)[] {
  // By ids, which a node shares with what takes its place.
  const targets = new Set([...wanted.map(({ id }) => id), ...aliases.keys()]);
  // What was made before all that is wanted depends on none of it.
  const first = Math.min(...targets);
  const roots = outputs.map(({ node }) => node);
  const order = reachable(roots, ({ id }) => id <= first);
  for (const node of reachable(roots, (node) => node.id <= first || recordOf(node).vjp === "none"))
    refuseForgotten(node, wanted);
  const active = new Set<Node>();
  for (const node of order) {
    if (
      targets.has((originals.get(node) ?? node).id) ||
      (recordOf(node).vjp !== "none" && node.inputs.some((input) => active.has(input)))
    )
      active.add(node);
  }
  const sums = new Map<Node, Arrived>();
  const standing = (node: Node) => aliases.get(node.id) ?? node;
  const gradOf = (node: Node): Node | undefined => {
    const arrived = sums.get(standing(node));
    return arrived && gradientOf(node, () => arrived.sum());
  };
  const arrive = (node: Node, part: Node | Landing): void => {
    remembered(sums, standing(node), () => new Arrived(node.shape)).add(part);
  };
  for (const { node, grad } of outputs) if (active.has(node)) arrive(node, grad);
  const recomputed = recomputing(order);
  const loops = loopNodes(order, (node) => recordOf(node).kind === "repeat");
  for (const node of order.reverse()) {
    const record = recordOf(node);
    if (record.vjp === "none" || !node.inputs.some((input) => active.has(input))) continue;
    let parts: () => readonly (Node | Landing | null)[];
    if (record.kind === "repeat") {
      // What a loop's nodes are read by is made after the first of them: by now all has arrived.
      const siblings = loops.get(loopAttributes(node).body)!;
      if (siblings[0] !== node) continue;
      const arrived = siblings.reverse().flatMap((each) => {
        const grad = gradOf(each);
        return grad ? [{ node: each, grad }] : [];
      });
      if (arrived.length === 0) continue;
      const isWanted = node.inputs.map((input) => active.has(input));
      parts = () => record.vjp({ outputs: arrived, wanted: isWanted, differentiate: accumulate });
    } else {
      const { vjp } = record;
      const grad = gradOf(node);
      if (!grad) continue;
      parts = () => {
        const inputs = node.inputs.map(recomputed);
        return vjp({ inputs, output: recomputed(node), grad, attributes: node.attributes });
      };
    }
    gradientOf(node, () => {
      parts().forEach((part, i) => {
        const input = node.inputs[i];
        if (part && active.has(input)) arrive(input, part);
      });
    });
  }
  for (const twin of order) {
    const node = originals.get(twin);
    const grad = node && wanted.includes(node) && gradOf(twin);
    if (grad) arrive(node, grad);
  }
  return wanted.map(gradOf);
}
