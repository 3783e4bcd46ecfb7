// The first op of a recorded step whose inputs agree on both sides and whose output doesn't: which it is, where it was made, what each side
// computed and what it means, and why they differ.
import type { Backend } from "../backend/contract.ts";
import type { TypedArray } from "../core/dtype.ts";
import { formatShape } from "../core/shape.ts";
import { compareGraphs, type GraphComparison, type NodeDifference } from "../graph/compare.ts";
import { fixedData } from "../graph/hash.ts";
import type { Node } from "../graph/node.ts";
import { coordinatesOf, differences, sameElements, showElement, ulpDistance } from "./bits.ts";
import { type Cause, causeOf, movedRange } from "./causes.ts";
import { type Meeting, type Presence, sameSamples } from "./lockstep.ts";
import {
  meaningAt,
  type NodeValues,
  probeKernels,
  probeNodes,
  relativeDraws,
  suspectNode,
  type WrongKernel,
} from "./probe.ts";
import { causeOfBatch } from "./rows.ts";

/** Where two runs of a step part. */
export interface OpDifference {
  /** `input`: what went in differs already; `op`: inputs agree, the output doesn't; `kernel`: the same, of a fused kernel. */
  readonly kind: "input" | "op" | "kernel";
  /** The op's name, or the input's, or the kernel's. */
  readonly name: string;
  /** As `explain` prints it. */
  readonly node?: string;
  /** Where in the source it was made. */
  readonly site?: string;
  /** The first element that differs, how many do, and of how many. */
  readonly element: readonly number[];
  readonly count: number;
  readonly size: number;
  /** Each side's value there: decimal (bits in hex). */
  readonly first: string;
  readonly second: string;
  /** How many float32 values lie between; undefined where that says nothing. */
  readonly ulp?: number;
  /** What the meaning gives for these inputs, and which side has it. */
  readonly reference?: string;
  readonly agrees?: "first" | "second" | "both" | "neither";
  readonly cause: Cause;
}

/** Finds it. `backends` are those that the two sides ran on. */
export async function firstDifference(
  { sides }: Meeting,
  backends: readonly [Backend, Backend],
): Promise<OpDifference | undefined> {
  const [a, b] = sides;
  const isScalar = (name: string) => name.startsWith("scalar/");
  const early = await inputDifference(a, b, (name) => !isScalar(name));
  if (early) return early;
  const comparison = compareGraphs(a.record.plan.graph, b.record.plan.graph);
  const [x, y] = [await probeNodes(backends[0], a.record), await probeNodes(backends[1], b.record)];
  const found = nodeDifference(sides, comparison, [x.values, y.values]);
  if (found) return found;
  // Numbers from the host last: a constant of the program that changes them too says more.
  const late = await inputDifference(a, b, isScalar);
  if (late) return late;
  const structural = structuralDifference(comparison);
  if (structural) return programDifference(structural);
  // Fused, a side gives what its ops one by one don't give: its kernels are at fault.
  for (const [side, { outputs }] of [x, y].entries()) {
    const whole = sides[side].record.outputs;
    if (outputs.every((data, i) => sameElements(data, whole[i]))) continue;
    const wrong = await kernelDifference(sides, side as 0 | 1, backends);
    if (wrong) return wrong;
  }
  return sameSamples(a, b) ? undefined : samplesDifference(a, b);
}

function valuesAt(first: TypedArray, second: TypedArray, shape: readonly number[]) {
  const { at, count } = differences(first, second, { most: 1 });
  const [index] = at;
  const float = first instanceof Float32Array && second instanceof Float32Array;
  return {
    index,
    element: coordinatesOf(index, shape),
    count,
    size: first.length,
    first: showElement(first, index),
    second: showElement(second, index),
    ulp: float ? ulpDistance(first[index], second[index]) : undefined,
  };
}

async function inputDifference(
  a: Presence,
  b: Presence,
  asked: (name: string) => boolean,
): Promise<OpDifference | undefined> {
  const inputs = new Map(b.record.plan.inputs.map(({ name }, i) => [name, b.record.inputs[i]]));
  for (const [i, { name, shape }] of a.record.plan.inputs.entries()) {
    const [first, second] = [a.record.inputs[i], inputs.get(name)];
    if (!asked(name) || second?.length !== first.length || sameElements(first, second)) continue;
    const { index: _, ...shown } = valuesAt(first, second, shape);
    return { kind: "input", name, ...shown, cause: await causeOfInput(name, [a, b], shown) };
  }
  return undefined;
}

/** The same elements, said to be of other samples. */
async function samplesDifference(a: Presence, b: Presence): Promise<OpDifference> {
  const [x, y] = [a, b].map(({ batch }) => Array.from(batch!.indices));
  const at = x.findIndex((index, i) => index !== y[i]);
  return {
    kind: "input",
    name: "the samples' numbers",
    element: [at],
    count: x.filter((index, i) => index !== y[i]).length,
    size: x.length,
    first: String(x[at]),
    second: String(y[at]),
    cause: await causeOfBatch([a, b]),
  };
}

async function causeOfInput(
  name: string,
  sides: readonly [Presence, Presence],
  { first, second }: { first: string; second: string },
): Promise<Cause> {
  if (name.startsWith("argument/") && sides[0].batch && sides[1].batch) return causeOfBatch(sides);
  if (name.startsWith("scalar/"))
    return {
      name: "changed constant",
      detail: `${first.split(" ")[0]} and ${second.split(" ")[0]}: a number that comes from the host`,
    };
  return { name: "unknown", detail: "the two began from other values" };
}

function nodeDifference(
  [a, b]: Meeting["sides"],
  comparison: GraphComparison,
  [first, second]: readonly [NodeValues, NodeValues],
): OpDifference | undefined {
  const texts = new Map(comparison.differences.map((difference) => [difference.nodes[0], difference]));
  const [p0, q0] = structuralDifference(comparison)?.nodes ?? [];
  for (const [x, y] of comparison.pairs) {
    // From where the programs part on, values say nothing.
    if (x.id >= (p0?.id ?? Infinity) || y.id >= (q0?.id ?? Infinity)) break;
    const [p, q] = [first.get(x)!, second.get(y)!];
    if (p.length !== q.length || sameElements(p, q)) continue;
    const agree =
      x.inputs.length === y.inputs.length &&
      x.inputs.every((input, i) => sameElements(first.get(input)!, second.get(y.inputs[i])!));
    if (!agree) continue;
    const operands = x.inputs.map((input) => first.get(input)!);
    const meant = [
      meaningAt(a.record.plan.graph, x, operands, a.record),
      meaningAt(b.record.plan.graph, y, operands, b.record),
    ];
    const right = [sameElements(meant[0], p), sameElements(meant[1], q)];
    const { index, ...shown } = valuesAt(p, q, x.shape);
    return {
      kind: "op",
      name: fixedData(a.record.plan.graph, x) ? "constant" : x.op,
      node: describe(x),
      site: x.origin ?? y.origin,
      ...shown,
      reference: showElement(meant[right[0] ? 0 : 1], index),
      agrees: right[0] ? (right[1] ? "both" : "first") : right[1] ? "second" : "neither",
      cause: causeOfNode([a, b], [x, y], operands, { first: p, second: q, meant, right, what: texts.get(x)?.what }),
    };
  }
  return undefined;
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
  [a, b]: Meeting["sides"],
  [x, y]: readonly [Node, Node],
  operands: readonly TypedArray[],
  { first, second, meant, right, what }: Findings,
): Cause {
  const [p, q] = [a.record, b.record];
  if (right[0] && right[1]) {
    // Each did what its program says: the programs differ.
    if (x.draws && y.draws) {
      if (p.seed !== q.seed) return { name: "another seed", detail: `draws of seed ${q.seed} in place of ${p.seed}` };
      const [own, found] = [p.base + relativeDraws(p.plan.graph, x), q.base + relativeDraws(q.plan.graph, y)];
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
  const operands = node.inputs.map((input) => `${input.dtype}${formatShape(input.shape)}`);
  return `${node.op}(${[...operands, ...attributes].join(", ")}) ${node.dtype}${formatShape(node.shape)}`;
}

/** The side's first fused kernel that gives other bits than it means. */
async function kernelDifference(
  sides: Meeting["sides"],
  side: 0 | 1,
  backends: readonly [Backend, Backend],
): Promise<OpDifference | undefined> {
  const presence = sides[side];
  const wrong = await probeKernels(backends[side], presence.record);
  if (!wrong) return undefined;
  const node = await nodeOf(backends[side], presence, wrong);
  const [first, second] = side === 0 ? [wrong.wrong, wrong.right] : [wrong.right, wrong.wrong];
  const { index, ...shown } = valuesAt(first, second, wrong.kernel.shape);
  return {
    kind: "kernel",
    name: `kernel ${wrong.number}, ${wrong.kernel.kind}${node ? `, that ends in ${node.op}` : ""}`,
    node: node && describe(node),
    site: node?.origin,
    ...shown,
    reference: showElement(wrong.right, index),
    agrees: side === 0 ? "second" : "first",
    cause: causeOf({ ...wrong, seeds: [sides[1 - side].record.seed] }),
  };
}

/** The node whose value a kernel computes: found by its elements, where the ops one by one give them. */
async function nodeOf(
  backend: Backend,
  { record }: Presence,
  { kernel, right }: WrongKernel,
): Promise<Node | undefined> {
  const { values } = await probeNodes(backend, record);
  const found = [...values].filter(
    ([node, data]) =>
      node.dtype === kernel.dtype &&
      data.length === right.length &&
      !fixedData(record.plan.graph, node) &&
      sameElements(data, right),
  );
  return found.at(0)?.[0];
}

/** The first place where two graphs don't have the same nodes. */
function structuralDifference({ differences: graphs }: GraphComparison): NodeDifference | undefined {
  return graphs.find(({ kind, what }) => kind !== "node" || what.includes("op") || what.includes("inputs"));
}

function programDifference({ kind, what, first, second, nodes }: NodeDifference): OpDifference {
  const node = nodes[0] ?? nodes[1];
  return {
    kind: "op",
    name: node?.op ?? kind,
    site: node?.origin,
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
