// The graph as text, a line a node: what `explain` shows and what two people compare when hashes differ.
import { toHex } from "../core/canonical.ts";
import { formatShape } from "../core/shape.ts";
import { contentDigest, type Graph, graphNodes } from "./hash.ts";
import type { Node } from "./node.ts";

/** Lines like `%7 = matmul(%3, %5) float32[64, 10]`, inputs first, then nodes in making order, then outputs. */
export function printGraph(graph: Graph): string {
  const names = new Map<Node, string>();
  const lines: string[] = [];
  for (const { name, node } of graph.inputs) {
    names.set(node, `%${names.size}`);
    lines.push(`${names.get(node)} = input "${name}" ${node.dtype}${formatShape(node.shape)}`);
  }
  for (const node of graphNodes(graph, { watched: true })) {
    const attributes = Object.entries(node.attributes)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value instanceof Uint8Array ? toHex(value).slice(0, 12) : JSON.stringify(value)}`);
    if (node.data) attributes.push(`content=${toHex(contentDigest(node)).slice(0, 12)}`);
    if (node.draws) {
      const offset = node.draws.offset - (node.draws.seed === undefined ? 0 : graph.base);
      attributes.push(`draws=[${offset}, ${offset + node.draws.count})`);
    }
    const operands = [...node.inputs.map((input) => names.get(input)!), ...attributes].join(", ");
    names.set(node, `%${names.size}`);
    lines.push(`${names.get(node)} = ${node.op}(${operands}) ${node.dtype}${formatShape(node.shape)}`);
  }
  for (const { name, node } of [...graph.outputs, ...graph.watched]) lines.push(`return "${name}" ${names.get(node)}`);
  return lines.join("\n");
}
