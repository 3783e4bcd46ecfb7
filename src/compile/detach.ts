// A graph over nodes of its own, for who keeps a graph for long: what other nodes hold, values and ancestors, isn't kept by it.
import { type Graph, graphNodes } from "../graph/graph.ts";
import { Node } from "../graph/node.ts";
import type { Site } from "../graph/site.ts";
import { sameNames } from "./hash.ts";

/** A site that keeps nothing but its lines. */
function read(site: Site | undefined): Site | undefined {
  void site?.line;
  site?.body?.forEach(read);
  return site;
}

/** The same graph, of the same hash and key, over other nodes. */
export function detached(graph: Graph): Graph {
  const bound = new Set(graph.inputs.map(({ node }) => node));
  const twins = new Map<Node, Node>();
  const twin = (node: Node) => twins.get(node)!;
  const nodes = [...bound, ...graphNodes(graph, { watched: true })].sort((a, b) => a.id - b.id);
  for (const node of nodes) {
    const { op, dtype, shape, attributes, draws, data } = node;
    const common = { dtype, shape, made: read(node.made), unsited: true };
    const leaf = graph.captured?.has(node) === true;
    const copy = bound.has(node)
      ? new Node({ ...common, op: "input", attributes: { dtype } })
      : new Node({ ...common, op, attributes, draws, data, inputs: leaf ? [] : node.inputs.map(twin) });
    twins.set(node, copy);
  }
  const ports = (list: Graph["inputs"]) => list.map(({ name, node }) => ({ name, node: twin(node) }));
  return sameNames(graph, {
    ...graph,
    inputs: ports(graph.inputs),
    outputs: ports(graph.outputs),
    watched: ports(graph.watched),
    captured: graph.captured && new Map([...graph.captured].map(([node, data]) => [twins.get(node) ?? node, data])),
  });
}
