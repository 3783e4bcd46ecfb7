// The graph's hash: SHA-256 of a canonical encoding that holds the numerics id, the seed and the draw ranges, and nothing of the
// machine: no addresses, clocks, ids or key orders. The encoding is NUMERICS.md's, prefix seedgrad/graph/1.
import { checkArguments, signature } from "../core/arguments.ts";
import { Encoder, sha256, toHex } from "../core/canonical.ts";
import { refuse, TraceError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { remembered } from "../core/remembered.ts";
import {
  contentDigest,
  firstDraw,
  fixedData,
  type Graph,
  type GraphPort,
  graphKind,
  walkGraph,
} from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { meaningsIn } from "../ops/meaning.ts";

/** A node's number in the encoding. Throws TraceError for a node that has none: it would be hashed as another one. */
function numberOf(node: Node, numbers: ReadonlyMap<Node, number>): number {
  const number = numbers.get(node);
  if (number !== undefined) return number;
  const problem = "a node is used that the graph doesn't hold before it";
  const got = `${node.op}${node.made?.line ? ` of ${node.made?.line}` : ""}`;
  refuse(TraceError, "graph", problem, got, "an input, or a node made earlier");
}

function encodeNodes(encoder: Encoder, graph: Graph, nodes: readonly Node[], numbers: Map<Node, number>): void {
  encoder.u32(nodes.length);
  for (const node of nodes) {
    const data = fixedData(graph, node);
    encoder
      .string(data ? "constant" : node.op)
      .string(node.dtype)
      .u32(node.shape.length);
    for (const extent of node.shape) encoder.i64(extent);
    encoder.value(data ? { dtype: node.dtype, content: contentDigest(data) } : node.attributes);
    const inputs = data ? [] : node.inputs;
    encoder.u32(inputs.length);
    for (const input of inputs) encoder.u32(numberOf(input, numbers));
    if (node.draws && !data) {
      const offset = firstDraw(node, graph.base);
      encoder.u8(1).i64(offset).i64(node.draws.count);
    } else {
      encoder.u8(0);
    }
    numbers.set(node, numbers.size);
  }
}

function encodeOutputs(encoder: Encoder, outputs: readonly GraphPort[], numbers: ReadonlyMap<Node, number>): void {
  encoder.u32(outputs.length);
  for (const { name, node } of outputs) encoder.string(name).u32(numberOf(node, numbers));
}

/** Each op's meaning, once, in the order in which the nodes need them: a node's op, attributes and operands' dtypes say which is its own. */
function encodeMeanings(encoder: Encoder, graph: Graph, nodes: readonly Node[]): void {
  const meanings = meaningsIn(nodes.filter((node) => !fixedData(graph, node)));
  encoder.u32(meanings.length);
  for (const { is } of meanings) {
    if (typeof is === "number") encoder.u8(0).u32(is);
    else encoder.u8(1).bytes(is);
  }
}

/** A graph's two names. */
interface Names {
  readonly hash: string;
  readonly key: string;
}

const names = new WeakMap<Graph, Names>();

/** The bytes that the graph's hash is of. `numbers` gets the number of each node in them. */
export function encodeGraph(graph: Graph, numbers = new Map<Node, number>()): Uint8Array {
  const { nodes } = walkGraph(graph);
  const encoder = new Encoder();
  encoder.string("seedgrad/graph/1").string(numericsId).u64(graph.seed).u32(graph.inputs.length);
  for (const { name, node } of graph.inputs) {
    if (numbers.has(node)) throw new TraceError({ where: "graph", problem: "two inputs are one node", got: name });
    numbers.set(node, numbers.size);
    encoder.string(name).string(node.dtype).u32(node.shape.length);
    for (const extent of node.shape) encoder.i64(extent);
  }
  encodeNodes(encoder, graph, nodes, numbers);
  encodeMeanings(encoder, graph, nodes);
  encodeOutputs(encoder, graph.outputs, numbers);
  return encoder.i64(graph.draws).finish();
}

/** Both names from one walk and one encoding: the key is the hash of the hash and of what it leaves out. */
const namesOf = (graph: Graph): Names => remembered(names, graph, hashed);

function hashed(graph: Graph): Names {
  const { beside } = walkGraph(graph);
  const numbers = new Map<Node, number>();
  const digest = sha256(encodeGraph(graph, numbers));
  const rest = new Encoder().bytes(digest);
  encodeNodes(rest, graph, beside, numbers);
  encodeOutputs(rest, graph.watched, numbers);
  rest.u32(graph.state.length);
  for (const { input, output } of graph.state) rest.u32(input).u32(output);
  return { hash: toHex(digest), key: toHex(sha256(rest.finish())) };
}

/** Says that a graph is another one over other nodes, and gives it. */
export function sameNames(graph: Graph, twin: Graph): Graph {
  names.set(twin, namesOf(graph));
  return twin;
}

const hashCall = signature("graphHash", { graph: graphKind });

/** The graph's hash, 64 hex digits. Same program and seed: same hash on every machine; another seed: another hash. */
export function graphHash(graph: Graph): string {
  checkArguments(hashCall, arguments);
  return namesOf(graph).hash;
}

/** The key of the graph's plan: two graphs of one key run as one plan. Beside the hash it holds what is watched, and what is updated in place. */
export function planKey(graph: Graph): string {
  return namesOf(graph).key;
}
