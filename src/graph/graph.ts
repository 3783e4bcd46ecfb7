// A closed graph: what a compiled step, an initialisation or a lazy evaluation computes, and the nodes in it.
import { type Kind, kind } from "../core/arguments.ts";
import { canonicalBytes, sha256 } from "../core/canonical.ts";
import type { TypedArray } from "../core/dtype.ts";
import { remembered } from "../core/remembered.ts";
import { Node, reachable } from "./node.ts";

/** A closed graph: what a compiled step, an initialisation or a lazy evaluation computes. */
export interface Graph {
  readonly seed: bigint;
  /** Bound at run time, in order. */
  readonly inputs: readonly GraphPort[];
  /** In order; the loss first where there is one, then state by name. */
  readonly outputs: readonly GraphPort[];
  /** Extra roots that only watch: computed, but not hashed. */
  readonly watched: readonly GraphPort[];
  /** State: the output that is the next version of an input, and takes its place in memory. */
  readonly state: readonly { readonly input: number; readonly output: number }[];
  /** Draws an execution reserves, dead random nodes included. */
  readonly draws: number;
  /** What the ranges of nodes that carry a seed are relative to. */
  readonly base: number;
  /** Nodes made outside whose value is fixed here: leaves, part of the hash by content. */
  readonly captured?: ReadonlyMap<Node, TypedArray>;
}

/** What the caller binds or gets. */
export interface GraphPort {
  readonly name: string;
  readonly node: Node;
}

/** The elements of a leaf that is fixed in this graph: a constant, or a node captured from outside. */
export function fixedData(graph: Graph, node: Node): TypedArray | undefined {
  return node.data ?? graph.captured?.get(node);
}

/** Where a node's draws begin, counted from the graph's base, as those of a trace are; 0 where it draws nothing. */
export function firstDraw({ draws }: Node, base: number): number {
  return draws ? draws.offset - (draws.seed === undefined ? 0 : base) : 0;
}

const digests = new WeakMap<object, Uint8Array>();

/** SHA-256 of fixed data: how it enters a hash. */
export function contentDigest(data: TypedArray): Uint8Array {
  return remembered(digests, data, () => sha256(canonicalBytes(data)));
}

/** The nodes of a graph, in making order. */
export interface GraphWalk {
  /** What the outputs reach. */
  readonly nodes: readonly Node[];
  /** What watched roots reach beside. */
  readonly beside: readonly Node[];
  /** Both, in making order. */
  readonly all: readonly Node[];
}

const walks = new WeakMap<Graph, GraphWalk>();

/** The nodes of the graph, by what reaches them. Inputs are left out; captured nodes are leaves. */
export const walkGraph = (graph: Graph): GraphWalk => remembered(walks, graph, walked);

function walked(graph: Graph): GraphWalk {
  const leaves = new Set(graph.inputs.map((input) => input.node));
  const reach = (outputs: readonly GraphPort[]) =>
    reachable(
      outputs.map(({ node }) => node),
      (node) => leaves.has(node) || graph.captured?.has(node) === true,
    ).filter((node) => !leaves.has(node));
  const nodes = reach(graph.outputs);
  const all = graph.watched.length === 0 ? nodes : reach([...graph.outputs, ...graph.watched]);
  const inHash = all === nodes ? undefined : new Set(nodes);
  return { nodes, all, beside: inHash ? all.filter((node) => !inHash.has(node)) : [] };
}

/** The nodes of the graph in making order: those its outputs reach, watched ones too if asked. Inputs are left out; captured nodes are leaves. */
export function graphNodes(graph: Graph, { watched = false } = {}): readonly Node[] {
  return watched ? walkGraph(graph).all : walkGraph(graph).nodes;
}

/** A graph, by what it holds. */
export const graphKind: Kind = kind("a graph", (value) => {
  const { seed, inputs, outputs, watched, state, draws, base } = (value ?? {}) as Partial<Graph>;
  return (
    typeof seed === "bigint" &&
    [inputs, outputs, watched].every(areNamed) &&
    Array.isArray(state) &&
    Array.from(state).every((each) => typeof each?.input === "number" && typeof each.output === "number") &&
    [draws, base].every(Number.isSafeInteger)
  );
});
const areNamed = (list: unknown) =>
  Array.isArray(list) &&
  Array.from(list as Partial<GraphPort>[]).every((each) => typeof each?.name === "string" && each.node instanceof Node);
