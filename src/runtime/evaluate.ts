// Evaluation: nodes without values are computed as one closed graph, from the nodes below them that have one.
import { compileGraph } from "../compile/cache.ts";
import type { Backend, Buffer } from "../compile/contract.ts";
import { graphHash } from "../compile/hash.ts";
import { TraceError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { settle } from "../graph/ancestry.ts";
import type { Graph, GraphPort } from "../graph/graph.ts";
import { type Node, reachable } from "../graph/node.ts";
import { recordOf } from "../ops/define.ts";
import { asCalled } from "./asked.ts";
import type { Stored } from "./stored.ts";
import { bind, hasValue, valueOn, whyGone } from "./values.ts";

/** A graph that computes the outputs from nodes that have values. Throws TraceError where a leaf has none. */
function closeGraph(outputs: readonly GraphPort[], seed: bigint): Graph {
  const roots = outputs.map((output) => output.node);
  const nodes = reachable(roots, hasValue);
  for (const node of nodes) {
    if (hasValue(node)) continue;
    if (node.forgotten) {
      throw new TraceError({
        where: "data",
        problem: "a tensor can't be read: it depends on one that was disposed, and how that was computed is forgotten",
        hint: "dispose later",
      });
    }
    if (node.op !== "variable" && node.op !== "input") continue;
    const { problem, hint } = whyGone(node) ?? {
      problem: "it belongs to a trace, and is read outside it",
      hint: "return it from the compiled function",
    };
    throw new TraceError({ where: "data", problem: `a tensor can't be read: ${problem}`, hint });
  }
  const ranges = nodes.flatMap((node) => (node.draws && !hasValue(node) ? [node.draws] : []));
  const base = ranges.length ? Math.min(...ranges.map(({ offset }) => offset)) : 0;
  const end = ranges.length ? Math.max(...ranges.map(({ offset, count }) => offset + count)) : 0;
  const inputs = nodes.filter(hasValue).map((node, index) => ({ name: String(index), node }));
  return { seed, inputs, outputs, watched: [], state: [], draws: end - base, base };
}

/** What `evaluate` did. */
export interface Evaluation {
  /** One value for each output, in order. */
  readonly stored: readonly Stored[];
  readonly graph: Graph;
  readonly graphHash: string;
}

/** Nodes that some graph computed on the way to its outputs. */
const computed = new WeakSet<Node>();

/** Ops whose values are as good as their inputs', or as nothing. */
const cheap: readonly string[] = ["full", "coordinate", "leaf", "movement", "words"];

/** Makes values those of nodes that were computed, and has the nodes let go of what they were computed from. */
function keep(nodes: readonly Node[], stored: readonly Stored[]): void {
  nodes.forEach((node, i) => bind(node, stored[i], { owned: true }));
  settle(nodes, { hasValue, isDifferentiable: (node) => recordOf(node).vjp !== "none" });
}

/**
 * What a second graph computes again: nodes without a value that an earlier one computed on its way and that something new reads. They are
 * worth keeping, since the next graph may need them a third time: a loop that reads only its losses would begin from its first step each time.
 */
function neededAgain(nodes: readonly Node[]): Node[] {
  const again = new Set<Node>();
  const visit = (node: Node): void => {
    if (hasValue(node) || !computed.has(node) || again.has(node)) return;
    if (!cheap.includes(recordOf(node).kind)) again.add(node);
    else node.inputs.forEach(visit);
  };
  for (const node of nodes) if (!hasValue(node) && !computed.has(node)) node.inputs.forEach(visit);
  return [...again].sort((a, b) => a.id - b.id);
}

/** Nodes as outputs of a graph. */
const numbered = (nodes: readonly Node[]): GraphPort[] => nodes.map((node, i) => ({ name: String(i), node }));

/** Computes outputs as one graph. Call under `exclusive`. Of nodes drawn under several seeds all but the last seed's are computed first, each seed's as far as they are of no other's, since a loop may be of what was drawn before it. */
export async function evaluate(backend: Backend, outputs: readonly GraphPort[]): Promise<Evaluation> {
  const ends = outputs.map(({ node }) => node);
  const pending = () => reachable(ends, hasValue).filter((node) => !hasValue(node));
  let seed: bigint | undefined;
  for (;;) {
    seed = undefined;
    const later = new Set<Node>();
    const drawn = pending().filter((node) => {
      const { draws, inputs } = node;
      seed ??= draws?.seed;
      const isNow = (!draws || draws.seed === seed) && !inputs.some((each) => later.has(each));
      if (!isNow) later.add(node);
      return isNow && draws;
    });
    if (!later.size) break;
    keep(drawn, await run(backend, closeGraph(numbered(drawn), seed!)));
  }
  const nodes = pending();
  const roots = new Set(ends);
  const again = neededAgain(nodes).filter((node) => !roots.has(node));
  const closed = closeGraph(outputs, seed ?? 0n);
  const graph = { ...closed, watched: numbered(again) };
  const stored = await run(backend, graph);
  keep(again, stored.splice(outputs.length));
  for (const node of nodes) computed.add(node);
  return { stored, graph, graphHash: graphHash(graph) };
}

async function run(backend: Backend, graph: Graph): Promise<Stored[]> {
  const inputs: Buffer[] = [];
  for (const { node } of graph.inputs) inputs.push((await valueOn(backend, node))!.buffer);
  const { executable } = await compileGraph(backend, graph);
  const outputs: Buffer[] = [];
  try {
    for (const { node } of [...graph.outputs, ...graph.watched])
      outputs.push(backend.allocate(node.dtype, sizeOf(node.shape)));
    await executable.run({ inputs, outputs, seed: graph.seed, base: graph.base });
  } catch (error) {
    for (const buffer of outputs) backend.free(buffer);
    throw asCalled(error, graph);
  }
  return outputs.map((buffer) => ({ backend, buffer }));
}

/** Computes nodes that have no value yet, all in one graph, and keeps their values. Call under `exclusive`. */
export async function realizeNodes(backend: Backend, nodes: readonly Node[]): Promise<void> {
  const missing = [...new Set(nodes)].filter((node) => !hasValue(node));
  if (missing.length === 0) return;
  const outputs = missing.map((node, index) => ({ name: String(index), node }));
  const { stored } = await evaluate(backend, outputs);
  keep(missing, stored);
}

/** The node's value on the backend, computed if need be. Call under `exclusive`. */
export async function materialize(backend: Backend, node: Node): Promise<Stored> {
  await realizeNodes(backend, [node]);
  return (await valueOn(backend, node))!;
}
