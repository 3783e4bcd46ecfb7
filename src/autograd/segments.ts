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

/** What one backward pass computes again. */
export class Recomputed {
  readonly #nodes: Node[];
  readonly #twins = new Map<Node, Node>();

  /** `nodes`: the forward pass, in making order. */
  constructor(nodes: readonly Node[]) {
    this.#nodes = [...nodes];
  }

  /** The node to read in the backward pass: the forward node, or in a segment its twin, made when the segment is first asked for. */
  of(node: Node): Node {
    const [segment] = segmentsOf(node);
    if (!segment) return node;
    if (!this.#twins.has(node)) this.#remake(segment);
    return this.of(this.#twins.get(node)!);
  }

  #remake(segment: Segment): void {
    for (const node of this.#nodes.filter((each) => segmentsOf(each)[0] === segment)) {
      const { op, dtype, shape, attributes, draws, ownGradient, made } = node;
      const inputs = node.inputs.map((input) => this.#twins.get(input) ?? input);
      const twin = new Node({ op, dtype, shape, inputs, attributes, draws, ownGradient, made });
      memberships.set(twin, segmentsOf(node).slice(1));
      originals.set(twin, originals.get(node) ?? node);
      this.#twins.set(node, twin);
      this.#nodes.push(twin);
    }
  }
}
