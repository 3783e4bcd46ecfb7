// A graph as a run's folder keeps it, so that a program which makes another graph later can be compared with it node by node. It informs: the
// graph's hash, which the digest holds, is what proves. Elements of constants are kept as their SHA-256.
import { canonicalJson, toHex } from "../core/canonical.ts";
import { type DType, dtypes } from "../core/dtype.ts";
import { CheckpointError } from "../core/errors.ts";
import { contentDigest, firstDraw, fixedData, type Graph, graphNodes } from "../graph/graph.ts";
import { type Attributes, type DrawRange, Node } from "../graph/node.ts";
import { checkFields, type FieldCheck, isCount, isRecord, isSeed, isText, listOf, maybe, shaped } from "./fields.ts";

type RecordedInput = readonly [name: string, dtype: DType, shape: readonly number[]];
type RecordedNode = readonly [
  op: string,
  dtype: DType,
  shape: readonly number[],
  inputs: readonly number[],
  attributes: Attributes,
  draws?: DrawRange,
];

/** Nodes are numbered as in the hash: inputs first, then in making order. */
interface Recorded {
  readonly format: 1;
  /** Decimal. */
  readonly seed: string;
  readonly inputs: readonly RecordedInput[];
  readonly nodes: readonly RecordedNode[];
  readonly outputs: readonly (readonly [name: string, node: number])[];
  readonly draws: number;
}

/** Numbers that JSON lacks, in a form that no attribute has. */
const toJson = (value: unknown): unknown => {
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return { number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value === "bigint") return { bigint: value.toString() };
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, toJson(item)]])),
    );
  return value;
};

const fromJson = (key: string, value: unknown): unknown => {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    throw new Error(`${key}: a number beyond float64`);
  const { number, bigint } = (value ?? {}) as { number?: unknown; bigint?: unknown };
  if (typeof number === "string") return Number(number);
  return typeof bigint === "string" ? BigInt(bigint) : value;
};

const isLeaf = (value: unknown): boolean =>
  Array.isArray(value) && isText(value[0]) && dtypes.includes(value[1]) && listOf(isCount)(value[2]);
const isNode = (value: unknown): boolean =>
  isLeaf(value) &&
  listOf(isCount)((value as RecordedNode)[3]) &&
  isRecord((value as RecordedNode)[4]) &&
  maybe(shaped({ offset: isCount, count: isCount }))((value as RecordedNode)[5]);
const isOutput = (value: unknown): boolean => Array.isArray(value) && isText(value[0]) && isCount(value[1]);
const graphChecks: Readonly<Record<keyof Recorded, FieldCheck>> = {
  format: ["1", (value) => value === 1],
  seed: ["a decimal integer in [0, 2^64)", isSeed],
  inputs: ["inputs: name, dtype and shape", listOf(isLeaf)],
  nodes: ["nodes: op, dtype, shape, inputs, attributes and draws", listOf(isNode)],
  outputs: ["outputs: name and node", listOf(isOutput)],
  draws: ["a count", isCount],
};

/** The graph as one line of canonical JSON. */
export function recordGraph(graph: Graph): string {
  const numbers = new Map<Node, number>();
  for (const { node } of graph.inputs) numbers.set(node, numbers.size);
  const nodes = graphNodes(graph).map((node): RecordedNode => {
    const data = fixedData(graph, node);
    numbers.set(node, numbers.size);
    if (data) return ["constant", node.dtype, node.shape, [], { content: toHex(contentDigest(data)) }];
    const inputs = node.inputs.map((input) => numbers.get(input)!);
    if (!node.draws) return [node.op, node.dtype, node.shape, inputs, node.attributes];
    const offset = firstDraw(node, graph.base);
    return [node.op, node.dtype, node.shape, inputs, node.attributes, { offset, count: node.draws.count }];
  });
  const recorded: Recorded = {
    format: 1,
    seed: graph.seed.toString(),
    inputs: graph.inputs.map(({ name, node }) => [name, node.dtype, node.shape]),
    nodes,
    outputs: graph.outputs.map(({ name, node }) => [name, numbers.get(node)!]),
    draws: graph.draws,
  };
  return `${canonicalJson(toJson(recorded) as never)}\n`;
}

/** The graph that was recorded: for comparison, not for running, since its constants have no elements. Throws CheckpointError naming `where` for a text that is none. */
export function readGraph(where: string, text: string): Graph {
  try {
    const recorded: unknown = JSON.parse(text, fromJson);
    checkFields(where, "a graph", recorded, graphChecks);
    const { seed, inputs, nodes, outputs, draws } = recorded as Recorded;
    const all: Node[] = inputs.map(([, dtype, shape]) => new Node({ op: "input", dtype, shape, unsited: true }));
    const at = (number: number): Node => {
      const node = all[number];
      if (!node) throw new Error(`there is no node ${number} before it`);
      return node;
    };
    for (const [op, dtype, shape, operands, attributes, range] of nodes)
      all.push(new Node({ op, dtype, shape, inputs: operands.map(at), attributes, draws: range, unsited: true }));
    const port = ([name]: readonly [string, ...unknown[]], node: Node) => ({ name, node });
    return {
      seed: BigInt(seed),
      inputs: inputs.map((input, i) => port(input, all[i])),
      outputs: outputs.map((output) => port(output, at(output[1]))),
      watched: [],
      state: [],
      draws,
      base: 0,
    };
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError({
      where,
      problem: "the recorded graph can't be read",
      got: String((cause as Error).message ?? cause),
      hint: "it only informs: without the file, programs are compared by their graph's hash",
      cause,
    });
  }
}
