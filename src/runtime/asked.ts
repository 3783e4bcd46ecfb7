// An index out of range as its caller knows it: a plan has kernels and their axes, and nothing of the calls that they come from.
import { OutOfRange } from "../../kernels/range.ts";
import { ShapeError } from "../core/errors.ts";
import { loopOf } from "../graph/body.ts";
import { type Graph, graphNodes } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { placeOf, showPlace } from "../graph/place.ts";
import { recordOf } from "../ops/define.ts";
import type { OpRecord } from "../ops/record.ts";

/** A node and what it is called by; of a loop those of its body, named as in the loop. */
function withBody(node: Node): readonly (readonly [node: Node, name: string])[] {
  const name = node.made?.call ?? node.op;
  if (recordOf(node).kind !== "repeat") return [[node, name]];
  const inside = (own: string) => (own === name || own.endsWith(` in ${name}`) ? own : `${own} in ${name}`);
  return loopOf(node)
    .values.flatMap(withBody)
    .map(([each, own]) => [each, inside(own)]);
}

/** How long the axis is that a node's indices are for, where it has some. */
function indexedExtent({ inputs, shape, attributes }: Node, record: OpRecord): number | undefined {
  const axis = attributes.axis as number;
  if (record.kind === "gather") return inputs[0].shape[axis];
  return record.kind === "special" && record.of === "scatter" ? shape[axis] : undefined;
}

/** The error of a run in the name of what was called, where it is of an index: of all calls of the graph that have indices for an axis as long. */
export function asCalled(error: unknown, graph: Graph): unknown {
  if (!(error instanceof OutOfRange)) return error;
  const { problem, got, expected, extent } = error;
  const nodes = graphNodes(graph, { watched: true }).flatMap(withBody);
  const indexed = nodes.filter(([node]) => indexedExtent(node, recordOf(node)) === extent);
  // A gradient's indices were its op's own before.
  const forward = indexed.filter(([{ made }]) => made?.role === undefined);
  const asking = forward.length > 0 ? forward : indexed;
  const names = new Set(asking.map(([, name]) => name));
  const places = new Set(asking.flatMap(([{ made }]) => (made && showPlace(placeOf(made))) ?? []));
  return new ShapeError({
    where: [...names].join(" or ") || error.where,
    problem,
    got,
    expected,
    hint: places.size > 0 ? `the op was ${[...places].join(", or ")}` : undefined,
  });
}
