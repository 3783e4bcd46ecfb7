// The first op of a recorded step whose inputs agree on both sides and whose output doesn't: which it is, where it was made, what each side
// computed and what it means, and why they differ.

import { wordOf } from "../../kernels/word.ts";
import type { Backend } from "../compile/contract.ts";
import { encodeGraph } from "../compile/hash.ts";
import type { TypedArray } from "../core/dtype.ts";
import { importing } from "../core/lazy.ts";
import { sizeOf, typeText } from "../core/shape.ts";
import { firstDraw, fixedData, type Graph, graphNodes } from "../graph/graph.ts";
import { type Node, reachable } from "../graph/node.ts";
import { type Place, placeOf } from "../graph/place.ts";
import { sameElements, showElement } from "./bits.ts";
import { type Cause, causeOf, movedRange } from "./causes.ts";
import { compareGraphs, type GraphComparison, type NodeDifference } from "./graphs.ts";
import { inputDifference, type OpDifference, samplesDifference, valuesAt } from "./input.ts";
import { type Divergence, type SideState, sameSamples } from "./lockstep.ts";
import { blocksOf, meaningAt, probeKernels, probeNodes, suspectNode, type WrongKernel } from "./probe.ts";
import type { RunRecord } from "./record.ts";

/** Finds it. `backends` are those that the two sides ran on. */
export async function firstDifference(
  { sides }: Divergence,
  backends: readonly [Backend, Backend],
): Promise<OpDifference | undefined> {
  const [a, b] = sides;
  const isScalar = (name: string) => name.startsWith("scalar/");
  const early = await inputDifference(a, b, (name) => !isScalar(name));
  if (early) return early;
  const comparison = compareGraphs(a.record.plan.graph, b.record.plan.graph);
  const found = await nodeDifference(sides, comparison, backends);
  if (found) return found;
  // Numbers from the host last: a constant of the program that changes them too says more.
  const late = await inputDifference(a, b, isScalar);
  if (late && (await isExplained([a.record, b.record], isScalar, backends[1]))) return late;
  const structural = structuralDifference(comparison);
  if (structural) return programDifference(a.record.plan.graph, structural);
  // Fused, a side gives what its ops one by one don't give: its kernels are at fault.
  for (const [side, { record }] of sides.entries()) {
    const { outputs } = await probeNodes(backends[side], record, []);
    const whole = record.outputs;
    if (outputs.every((data, i) => sameElements(data, whole[i]))) continue;
    const wrong = await kernelDifference(sides, side as 0 | 1, backends);
    if (wrong) return wrong;
  }
  if (late) {
    const detail = `with ${late.name} of the first side, the second still gives other bits; ruled out: ${late.cause.name}`;
    return { ...late, cause: { name: "unknown", detail } };
  }
  return sameSamples(a, b) ? undefined : samplesDifference(a, b);
}

/** Whether the second side, given those inputs of the first that are asked for, gives the first side's outputs: then they are the cause. */
async function isExplained(
  [a, b]: readonly [RunRecord, RunRecord],
  asked: (name: string) => boolean,
  backend: Backend,
): Promise<boolean> {
  const first = new Map(a.plan.inputs.map(({ name }, i) => [name, a.inputs[i]]));
  const inputs = b.plan.inputs.map(({ name }, i) => (asked(name) ? first.get(name) : undefined) ?? b.inputs[i]);
  const { outputs } = await probeNodes(backend, { ...b, inputs }, []);
  return outputs.length === a.plan.graph.outputs.length && outputs.every((data, i) => sameElements(data, a.outputs[i]));
}

/** The first pair of nodes whose inputs agree and whose values don't, each op computed by itself. Only so many values are in memory at a time. */
async function nodeDifference(
  [a, b]: Divergence["sides"],
  comparison: GraphComparison,
  backends: readonly [Backend, Backend],
): Promise<OpDifference | undefined> {
  const texts = new Map(comparison.differences.map((difference) => [difference.nodes[0], difference]));
  const [p0, q0] = structuralDifference(comparison)?.nodes ?? [];
  // From where the programs part on, values say nothing.
  const pairs = comparison.pairs.filter(([x, y]) => x.id < (p0?.id ?? Infinity) && y.id < (q0?.id ?? Infinity));
  /** Nodes of the first side whose value the second side has too, and what has it there. */
  const agreeing = new Map<Node, Node>();
  const inputs = new Map(
    b.record.plan.graph.inputs.map(({ name, node }, i) => [name, [node, b.record.inputs[i]] as const]),
  );
  for (const [i, { name, node }] of a.record.plan.graph.inputs.entries()) {
    const [other, data] = inputs.get(name) ?? [];
    if (other && data && sameElements(a.record.inputs[i], data)) agreeing.set(node, other);
  }
  for (const block of blocksOf(pairs, ([x]) => x)) {
    const [first, second] = [
      await probeNodes(
        backends[0],
        a.record,
        block.map(([x]) => x),
      ),
      await probeNodes(
        backends[1],
        b.record,
        block.map(([, y]) => y),
      ),
    ];
    for (const [x, y] of block) {
      const [p, q] = [first.values.get(x)!, second.values.get(y)!];
      if (sameElements(p, q)) agreeing.set(x, y);
      if (p.length !== q.length || agreeing.has(x)) continue;
      const agree =
        x.inputs.length === y.inputs.length && x.inputs.every((input, i) => agreeing.get(input) === y.inputs[i]);
      if (!agree) continue;
      const { values } = await probeNodes(backends[0], a.record, x.inputs);
      const operands = x.inputs.map((input) => values.get(input)!);
      return importing(() => opDifference([a, b], [x, y], operands, [p, q], texts.get(x)?.what));
    }
  }
  return undefined;
}

function opDifference(
  [a, b]: Divergence["sides"],
  [x, y]: readonly [Node, Node],
  operands: readonly TypedArray[],
  [first, second]: readonly [TypedArray, TypedArray],
  what: readonly string[] | undefined,
): OpDifference {
  const meant = [
    meaningAt(a.record.plan.graph, x, operands, a.record),
    meaningAt(b.record.plan.graph, y, operands, b.record),
  ];
  const right = [sameElements(meant[0], first), sameElements(meant[1], second)];
  const { index, ...shown } = valuesAt(first, second, x.shape);
  return {
    kind: "op",
    ...numbered(a, x),
    name: fixedData(a.record.plan.graph, x) ? "constant" : x.op,
    node: describe(x),
    ...originOf(a.record.plan.graph, x, y),
    ...shown,
    reference: showElement(meant[right[0] ? 0 : 1], index),
    agrees: right[0] ? (right[1] ? "both" : "first") : right[1] ? "second" : "neither",
    cause: causeOfNode([a, b], [x, y], operands, { first, second, meant, right, what }),
  };
}

/** A node's number in the bytes of a step's graph; none in the graph that gives variables their first values. */
function numbered({ record: { plan } }: SideState, node: Node): Pick<OpDifference, "value"> {
  const numbers = new Map<Node, number>();
  if (plan.graph.inputs.length === 0) return {};
  encodeGraph(plan.graph, numbers);
  const value = numbers.get(node);
  return value === undefined ? {} : { value };
}

interface Findings {
  readonly first: TypedArray;
  readonly second: TypedArray;
  readonly meant: readonly TypedArray[];
  readonly right: readonly boolean[];
  /** What the graphs differ in at this node. */
  readonly what?: readonly string[];
}

function causeOfNode(
  [a, b]: Divergence["sides"],
  [x, y]: readonly [Node, Node],
  operands: readonly TypedArray[],
  { first, second, meant, right, what }: Findings,
): Cause {
  const [p, q] = [a.record, b.record];
  if (right[0] && right[1]) {
    // Each did what its program says: the programs differ.
    if (x.draws && y.draws) {
      if (p.seed !== q.seed) return { name: "another seed", detail: `draws of seed ${q.seed} in place of ${p.seed}` };
      const [own, found] = [p.base + firstDraw(x, p.plan.graph.base), q.base + firstDraw(y, q.plan.graph.base)];
      if (own !== found) return movedRange(own, found, x.draws.count);
    }
    const attributes = (what ?? []).filter((key) => key !== "inputs" && key !== "draws");
    const numbers = attributes.filter(
      (key) => typeof x.attributes[key] === "number" && typeof y.attributes[key] === "number",
    );
    if (numbers.length > 0 && numbers.length === attributes.length) {
      const told = numbers.map(
        (key) => `${key} ${shortest(y.attributes[key] as number)} in place of ${shortest(x.attributes[key] as number)}`,
      );
      return { name: "changed constant", detail: told.join(", ") };
    }
    if (attributes.includes("content"))
      return { name: "changed constant", detail: "a constant tensor of other content" };
    return { name: "another program", detail: `they differ in ${attributes.join(", ") || "what goes in"}` };
  }
  const wrongSide = right[0] ? 1 : 0;
  const record = [p, q][wrongSide];
  const suspect = suspectNode(record, [x, y][wrongSide], operands, {
    right: meant[wrongSide],
    wrong: [first, second][wrongSide],
  });
  return causeOf({ ...suspect, seeds: [[q, p][wrongSide].seed] });
}

/** The shortest decimal of a float32. */
function shortest(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}

function describe(node: Node): string {
  const attributes = Object.entries(node.attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${typeof value === "object" ? JSON.stringify(value) : value}`],
  );
  const operands = node.inputs.map(typeText);
  return `${node.op}(${[...operands, ...attributes].join(", ")}) ${typeText(node)}`;
}

/** Where a node comes from. What gives variables their first values is of the variable: a graph without inputs does that. */
function originOf(graph: Graph, node: Node, other = node): Place {
  const first = graph.inputs.length === 0 && graph.outputs.find((output) => reachable([output.node]).includes(node));
  const made = node.made ?? other.made;
  return { ...(made && placeOf(made)), ...(first && { role: `first value of ${first.name}` }) };
}

/** The side's first fused kernel that gives other bits than it means. */
async function kernelDifference(
  sides: Divergence["sides"],
  side: 0 | 1,
  backends: readonly [Backend, Backend],
): Promise<OpDifference | undefined> {
  const state = sides[side];
  const wrong = await probeKernels(backends[side], state.record);
  if (!wrong) return undefined;
  const node = await nodeOf(backends[side], state, wrong);
  const [first, second] = side === 0 ? [wrong.wrong, wrong.right] : [wrong.right, wrong.wrong];
  const { index, ...shown } = valuesAt(first, second, wrong.kernel.shape);
  return {
    kind: "kernel",
    ...(node && numbered(state, node)),
    name: `kernel ${wrong.number}, ${wordOf(wrong.kernel)}${node ? `, that ends in ${node.op}` : ""}`,
    node: node && describe(node),
    ...(node && originOf(state.record.plan.graph, node)),
    ...shown,
    reference: showElement(wrong.right, index),
    agrees: side === 0 ? "second" : "first",
    cause: causeOf({ ...wrong, seeds: [sides[1 - side].record.seed] }),
  };
}

/** The node whose value a kernel computes: found by its elements, where the ops one by one give them. */
async function nodeOf(
  backend: Backend,
  { record }: SideState,
  { kernel, right }: WrongKernel,
): Promise<Node | undefined> {
  const { graph } = record.plan;
  const fits = (node: Node) =>
    node.dtype === kernel.dtype && sizeOf(node.shape) === right.length && !fixedData(graph, node);
  for (const block of blocksOf(graphNodes(graph).filter(fits), (node) => node)) {
    const { values } = await probeNodes(backend, record, block);
    const found = block.find((node) => sameElements(values.get(node)!, right));
    if (found) return found;
  }
  return undefined;
}

/** The first place where two graphs don't have the same nodes. */
function structuralDifference({ differences: graphs }: GraphComparison): NodeDifference | undefined {
  return graphs.find(({ kind, what }) => kind !== "node" || what.includes("op") || what.includes("inputs"));
}

function programDifference(graph: Graph, { kind, what, first, second, nodes }: NodeDifference): OpDifference {
  const node = nodes[0] ?? nodes[1];
  return {
    kind: "op",
    name: node?.op ?? kind,
    ...(node && originOf(graph, node)),
    element: [],
    count: 0,
    size: 0,
    first: first || "nothing",
    second: second || "nothing",
    cause: {
      name: "another program",
      detail: `the graphs differ in ${what.join(", ")}${node ? ` at ${node.op}` : ""}`,
    },
  };
}
