// Two graphs compared node by node: what `hash` says in one bit, said in words. Nodes are numbered as in the hash, inputs first; a pair of
// nodes is the same where op, dtype, shape, attributes, draws and the numbers of its inputs are.
import { canonicalJson, toHex } from "../core/canonical.ts";
import { formatShape, typeText } from "../core/shape.ts";
import { type Body, bodyText } from "../graph/body.ts";
import { contentDigest, firstDraw, fixedData, type Graph, type GraphPort, graphNodes } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";

/** One place where two graphs differ. */
export interface NodeDifference {
  /** `node`: the two stand for each other and differ; `first`, `second`: only that graph has it; `input`, `output`: what goes in or out; `draws`: how many in all. */
  readonly kind: "node" | "first" | "second" | "input" | "output" | "draws";
  /** What differs: `op`, `dtype`, `shape`, `draws`, `inputs`, `content`, the name of an attribute, or `body %n`: a value in a loop's body. */
  readonly what: readonly string[];
  /** Each as text; empty where a graph has none. */
  readonly first: string;
  readonly second: string;
  readonly nodes: readonly [Node | undefined, Node | undefined];
}

/** Nodes of two graphs that stand for each other, in making order, and where the graphs differ. The seed isn't compared. */
export interface GraphComparison {
  readonly pairs: readonly (readonly [Node, Node])[];
  readonly differences: readonly NodeDifference[];
}

/** What is compared of a node, by name. */
type Facts = ReadonlyMap<string, string>;

class Listing {
  readonly graph: Graph;
  readonly nodes: readonly Node[];
  readonly numbers = new Map<Node, number>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.nodes = graphNodes(graph);
    for (const { node } of graph.inputs) this.numbers.set(node, this.numbers.size);
    for (const node of this.nodes) this.numbers.set(node, this.numbers.size);
  }

  facts(node: Node): Facts {
    const { graph } = this;
    const data = fixedData(graph, node);
    // Of a graph that was read back the elements are known by their SHA-256 alone.
    const content = data ? toHex(contentDigest(data)) : node.op === "constant" ? node.attributes.content : undefined;
    const facts = new Map([
      ["op", content === undefined ? node.op : "constant"],
      ["dtype", node.dtype],
      ["shape", formatShape(node.shape)],
    ]);
    if (content !== undefined) return facts.set("content", String(content).slice(0, 16));
    for (const [key, value] of Object.entries(node.attributes)) {
      if (key === "body") {
        for (const [name, text] of bodyText(value as Body)) facts.set(`body ${name}`, text);
        continue;
      }
      // Shapes and dtypes among the attributes say what the node's own say.
      const own = key === "shape" && Array.isArray(value) ? formatShape(value) : value;
      if (value === undefined || own === facts.get(key)) continue;
      facts.set(key, Object.is(value, -0) ? "-0" : typeof value === "number" ? String(value) : canonicalJson(value));
    }
    if (node.draws) {
      const offset = firstDraw(node, graph.base);
      facts.set("draws", `[${offset}, ${offset + node.draws.count})`);
    }
    return facts;
  }

  /** Everything but which nodes go in: what nodes are matched by. */
  signature(node: Node): string {
    return JSON.stringify([...this.facts(node)]);
  }

  show(node: Node): string {
    const { op, dtype, shape, ...attributes } = Object.fromEntries(this.facts(node));
    const operands = node.inputs.map((input) => `%${this.numbers.get(input) ?? "?"}`);
    const rest = Object.entries(attributes)
      .filter(([key]) => !key.startsWith("body "))
      .map(([key, value]) => `${key}=${value}`);
    return `%${this.numbers.get(node)} = ${op}(${[...operands, ...rest].join(", ")}) ${dtype}${shape}`;
  }
}

/** Beyond this many nodes on both sides together, the middle is matched op by op in order, not by the longest common part. */
const mostCompared = 4_000_000;

/** Inputs or outputs of two graphs by name: the first graph's in order, then what the second alone has. */
function byName(
  first: readonly GraphPort[],
  second: readonly GraphPort[],
): (readonly [name: string, first: Node | undefined, second: Node | undefined])[] {
  const [own, others] = [first, second].map((ports) => new Map(ports.map(({ name, node }) => [name, node])));
  return [...new Set([...own.keys(), ...others.keys()])].map((name) => [name, own.get(name), others.get(name)]);
}

/** Compares two graphs. */
export function compareGraphs(first: Graph, second: Graph): GraphComparison {
  const [a, b] = [new Listing(first), new Listing(second)];
  const differences: NodeDifference[] = [];
  /** In the second graph, what stands for a node of the first. */
  const partner = new Map<Node, Node>();
  const leaf = (name: string, node: Node) => `"${name}" ${typeText(node)}`;
  for (const [name, x, y] of byName(first.inputs, second.inputs)) {
    if (x && y) partner.set(x, y);
    const [own, other] = [x, y].map((node) => (node ? leaf(name, node) : ""));
    if (own !== other) differences.push({ kind: "input", what: ["inputs"], first: own, second: other, nodes: [x, y] });
  }
  const pairs: [Node, Node][] = [];
  for (const [x, y] of match(a, b)) {
    if (x && y) {
      partner.set(x, y);
      pairs.push([x, y]);
      const what = unequal(a.facts(x), b.facts(y));
      const rewired =
        x.inputs.length !== y.inputs.length || x.inputs.some((input, i) => partner.get(input) !== y.inputs[i]);
      if (rewired && !what.includes("content")) what.push("inputs");
      if (what.length > 0) differences.push({ kind: "node", what, first: a.show(x), second: b.show(y), nodes: [x, y] });
    } else if (x) {
      differences.push({ kind: "first", what: ["op"], first: a.show(x), second: "", nodes: [x, undefined] });
    } else {
      differences.push({ kind: "second", what: ["op"], first: "", second: b.show(y!), nodes: [undefined, y] });
    }
  }
  const output = (name: string, { numbers }: Listing, node?: Node) => (node ? `"${name}" %${numbers.get(node)}` : "");
  for (const [name, x, y] of byName(first.outputs, second.outputs)) {
    if (x && y && (partner.get(x) ?? y) === y) continue;
    const [own, other] = [output(name, a, x), output(name, b, y)];
    differences.push({ kind: "output", what: ["outputs"], first: own, second: other, nodes: [x, y] });
  }
  if (first.draws !== second.draws) {
    const [x, y] = [first, second].map(({ draws }) => `${draws} draws`);
    differences.push({ kind: "draws", what: ["draws"], first: x, second: y, nodes: [undefined, undefined] });
  }
  return { pairs, differences };
}

function unequal(a: Facts, b: Facts): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key));
}

/** Nodes of both in making order, matched: the same at both ends, the longest common part between, and what is left paired by op, dtype and shape. */
function match(a: Listing, b: Listing): (readonly [Node | undefined, Node | undefined])[] {
  const signatures = [a, b].map((listing) => listing.nodes.map((node) => listing.signature(node)));
  const [x, y] = signatures;
  let start = 0;
  while (start < x.length && start < y.length && x[start] === y[start]) start++;
  let end = 0;
  while (end < x.length - start && end < y.length - start && x[x.length - 1 - end] === y[y.length - 1 - end]) end++;
  const middle = align(
    a.nodes.slice(start, a.nodes.length - end).map((node, i) => ({ node, signature: x[start + i] })),
    b.nodes.slice(start, b.nodes.length - end).map((node, i) => ({ node, signature: y[start + i] })),
  );
  const straight = (from: number, to: number, shift: number) =>
    a.nodes.slice(from, to).map((node, i) => [node, b.nodes[from + shift + i]] as const);
  const last = a.nodes.length - end;
  return [...straight(0, start, 0), ...middle, ...straight(last, a.nodes.length, b.nodes.length - a.nodes.length)];
}

interface Listed {
  readonly node: Node;
  readonly signature: string;
}

function align(a: readonly Listed[], b: readonly Listed[]): (readonly [Node | undefined, Node | undefined])[] {
  const kin = (x: Listed, y: Listed) =>
    x.node.op === y.node.op && x.node.dtype === y.node.dtype && x.node.shape.length === y.node.shape.length;
  const score = (x: Listed, y: Listed) => (x.signature === y.signature ? 3 : kin(x, y) ? 2 : 0);
  if (a.length * b.length > mostCompared || a.length === 0 || b.length === 0) {
    const paired = Math.min(a.length, b.length);
    return [
      ...a.slice(0, paired).map((x, i) => [x.node, b[i].node] as const),
      ...a.slice(paired).map((x) => [x.node, undefined] as const),
      ...b.slice(paired).map((y) => [undefined, y.node] as const),
    ];
  }
  // best[i][j]: the best score of a from i and b from j on.
  const width = b.length + 1;
  const best = new Int32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const gain = score(a[i], b[j]);
      const paired = gain > 0 ? gain + best[(i + 1) * width + j + 1] : 0;
      best[i * width + j] = Math.max(paired, best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const matched: (readonly [Node | undefined, Node | undefined])[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const here = best[i * width + j];
    const gain = i < a.length && j < b.length ? score(a[i], b[j]) : 0;
    if (gain > 0 && here === gain + best[(i + 1) * width + j + 1]) matched.push([a[i++].node, b[j++].node]);
    else if (i < a.length && (j === b.length || here === best[(i + 1) * width + j]))
      matched.push([a[i++].node, undefined]);
    else matched.push([undefined, b[j++].node]);
  }
  return matched;
}
