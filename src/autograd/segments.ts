// Segments of the forward pass whose values aren't kept for the backward pass: what a gradient rule needs of them is computed again from what goes
// into the segment, by nodes of the same ops and the same draws. The forward graph is as it would be without; so are the gradients' bits.
import { Node, reachable } from "../graph/node.ts";
import { recordOf } from "../ops/define.ts";

/** A stretch of the forward pass: an identity, and nothing else. */
export type Segment = object;

/** The segments that a node is in, the outermost first. A node that was computed long ago may have lost them: it is then read as it is. */
const memberships = new WeakMap<Node, readonly Segment[]>();
const segmentsOf = (node: Node) => memberships.get(node) ?? [];

/** By twins, the nodes that they are computed again for. */
export const originals = new WeakMap<Node, Node>();

/** Puts what `outputs` reach and was made since `firstId` into one segment. Loops are kept: they say themselves what they compute again. */
export function makeSegment(outputs: readonly Node[], firstId: number): void {
  const segment: Segment = {};
  for (const node of reachable(outputs, ({ id }) => id < firstId))
    if (node.id >= firstId && recordOf(node).kind !== "leaf" && recordOf(node).kind !== "repeat")
      memberships.set(node, [segment, ...segmentsOf(node)]);
}

/** Says that a node is in the segments that another is in. */
export function inSegmentsOf(node: Node, other: Node): Node {
  const segments = memberships.get(other);
  if (segments) memberships.set(node, segments);
  return node;
}

/** What one backward pass is to read of the forward pass, whose nodes are given in making order: a node, or in a segment its twin, made when the segment is first asked for. */
export function recomputing(forward: readonly Node[]): (node: Node) => Node {
  const nodes = [...forward];
  const twins = new Map<Node, Node>();
  const remake = (segment: Segment) => {
    for (const node of nodes.filter((each) => segmentsOf(each)[0] === segment)) {
      const { op, dtype, shape, attributes, draws, ownGradient, made } = node;
      const inputs = node.inputs.map((input) => twins.get(input) ?? input);
      const twin = new Node({ op, dtype, shape, inputs, attributes, draws, ownGradient, made });
      memberships.set(twin, segmentsOf(node).slice(1));
      originals.set(twin, originals.get(node) ?? node);
      twins.set(node, twin);
      nodes.push(twin);
    }
  };
  const read = (node: Node): Node => {
    const [segment] = segmentsOf(node);
    if (!segment) return node;
    if (!twins.has(node)) remake(segment);
    return read(twins.get(node)!);
  };
  return read;
}
