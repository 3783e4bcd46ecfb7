// The graph as text, a line a node: what `explain` shows and what two people compare when hashes differ.
import { checkArguments, signature } from "../core/arguments.ts";
import { toHex } from "../core/canonical.ts";
import { typeText } from "../core/shape.ts";
import { attributeText, type Body, bodyText } from "./body.ts";
import { contentDigest, firstDraw, fixedData, type Graph, graphKind, graphNodes } from "./graph.ts";
import type { Node } from "./node.ts";

const call = signature("printGraph", { graph: graphKind });

/** Lines like `%7 = matmul(%3, %5) float32[64, 10]`, inputs first, then nodes in making order, then outputs. A loop's body stands once, before it, with numbers of its own. */
export function printGraph(graph: Graph): string {
  checkArguments(call, arguments);
  const names = new Map<Node, string>();
  const lines: string[] = [];
  for (const { name, node } of graph.inputs) {
    names.set(node, `%${names.size}`);
    lines.push(`${names.get(node)} = input "${name}" ${typeText(node)}`);
  }
  const nodes = graphNodes(graph, { watched: true });
  const bodies: Body[] = [];
  for (const node of nodes) {
    const data = fixedData(graph, node);
    const { body } = node.attributes as { body?: Body };
    if (!data && body && !bodies.includes(body)) {
      bodies.push(body);
      lines.push(`body ${bodies.length}:`, ...bodyText(body).map(([name, text]) => `  ${name} = ${text}`));
    }
    const operands = data
      ? [`content=${toHex(contentDigest(data)).slice(0, 12)}`]
      : describe(graph, node, names, bodies);
    const op = data ? "constant" : node.op;
    names.set(node, `%${names.size}`);
    lines.push(`${names.get(node)} = ${op}(${operands.join(", ")}) ${typeText(node)}`);
  }
  for (const { name, node } of [...graph.outputs, ...graph.watched]) lines.push(`return "${name}" ${names.get(node)}`);
  return lines.join("\n");
}

function describe(graph: Graph, node: Node, names: ReadonlyMap<Node, string>, bodies: readonly Body[]): string[] {
  const operands = node.inputs.map((input) => names.get(input)!);
  for (const [key, value] of Object.entries(node.attributes)) {
    const body = bodies.indexOf(value as Body);
    if (value !== undefined) operands.push(body >= 0 ? `body ${body + 1}` : `${key}=${attributeText(value)}`);
  }
  if (node.draws) {
    const offset = firstDraw(node, graph.base);
    operands.push(`draws=[${offset}, ${offset + node.draws.count})`);
  }
  return operands;
}
