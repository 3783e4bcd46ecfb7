// A recorded run looked into: every node's value on a backend, each in memory of its own; and, since fused kernels may go wrong where single ops
// don't, every kernel's output as the fused plan computes it, against what the kernel means.

import type { KernelCall } from "../backend/host.ts";
import { interpretKernel, readersOf } from "../backend/interpret.ts";
import type { Meaning } from "../backend/reference/meaning.ts";
import { meaningOf } from "../backend/reference/node.ts";
import type { Backend } from "../compile/contract.ts";
import { lower, planGraph } from "../compile/lower.ts";
import type { Plan } from "../compile/plan.ts";
import { itemSize, makeArray, type TypedArray } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { firstDraw, fixedData, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { sameElements } from "./bits.ts";
import type { Suspect } from "./causes.ts";
import { type RunRecord, runPlan } from "./record.ts";

/** Elements by node. */
export type NodeValues = ReadonlyMap<Node, TypedArray>;

/** Nodes are looked at so many bytes at a time. */
const mostBytes = 2 ** 28;

/** Nodes in order, cut into blocks that can be in memory together. */
export function blocksOf<T>(items: readonly T[], nodeOf: (item: T) => Node): T[][] {
  const blocks: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const { shape, dtype } = nodeOf(item);
    const own = sizeOf(shape) * itemSize(dtype);
    if (blocks.length === 0 || bytes + own > mostBytes) {
      blocks.push([]);
      bytes = 0;
    }
    blocks[blocks.length - 1].push(item);
    bytes += own;
  }
  return blocks;
}

/** Runs the recorded graph again, every op by itself, and gives the values of some of its nodes; and the outputs, in the graph's order. */
export async function probeNodes(
  backend: Backend,
  record: RunRecord,
  nodes: readonly Node[],
): Promise<{ values: NodeValues; outputs: readonly TypedArray[] }> {
  const { graph } = record.plan;
  const values = new Map(graph.inputs.map(({ node }, i) => [node, record.inputs[i]] as const));
  for (const node of nodes) {
    const data = fixedData(graph, node);
    if (data) values.set(node, data);
  }
  const computed = [...new Set(nodes)].filter((node) => !values.has(node));
  const watched = computed.map((node, i) => ({ name: `node/${i}`, node }));
  const all = await runPlan(backend, await planGraph({ ...graph, watched, state: [] }, { fuse: false }), record);
  computed.forEach((node, i) => {
    values.set(node, all[graph.outputs.length + i]);
  });
  return { values, outputs: all.slice(0, graph.outputs.length) };
}

/** What a node should give for these operands. */
export function meaningAt(
  graph: Graph,
  node: Node,
  operands: readonly TypedArray[],
  { seed, base }: RunRecord,
): TypedArray {
  const data = fixedData(graph, node);
  if (data) return data;
  const meaning: Meaning = meaningOf(node);
  return meaning(operands, { seed, offset: base + firstDraw(node, graph.base) });
}

/** A node's run as a suspect: the kernel that computes it alone. */
export function suspectNode(
  record: RunRecord,
  node: Node,
  operands: readonly TypedArray[],
  outputs: { readonly right: TypedArray; readonly wrong: TypedArray },
): Suspect {
  const { seed, base } = record;
  const { graph } = record.plan;
  const sources = [...new Set(node.inputs)];
  const plan = lower({
    ...graph,
    inputs: sources.map((input, i) => ({ name: String(i), node: input })),
    outputs: [{ name: "result", node }],
    watched: [],
    state: [],
    captured: undefined,
  });
  const given = sources.map((source) => operands[node.inputs.indexOf(source)]);
  const [kernel] = plan.kernels.slice(-1);
  const inputs =
    kernel && plan.kernels.length === 1
      ? kernelInputsOf(plan, kernel, { array: (value) => placed(plan, value, given), seed, base })
      : [];
  return { kernel: plan.kernels.length === 1 ? kernel : undefined, inputs, ...outputs, seed, base };
}

function placed(plan: Plan, value: number, inputs: readonly TypedArray[]): TypedArray {
  const { place } = plan.values[value];
  if (place.kind === "constant") return place.data;
  return inputs[(place as { index: number }).index];
}

function kernelInputsOf(plan: Plan, kernel: Plan["kernels"][number], call: KernelCall): TypedArray[] {
  return readersOf(kernel, plan).map((read) => read(call));
}

/** A fused kernel that gave other bits than it means. */
export interface WrongKernel extends Suspect {
  /** Its place in the plan. */
  readonly number: number;
  readonly kernel: Plan["kernels"][number];
}

/** The first of the plan's kernels whose inputs are what this backend computed and whose output isn't what it means; undefined where there is none. */
export async function probeKernels(backend: Backend, record: RunRecord): Promise<WrongKernel | undefined> {
  const { plan, seed, base } = record;
  const seen = plan.values.flatMap(({ place }, value) => (place.kind === "temporary" ? [value] : []));
  const values = plan.values.map((value) => ({ ...value }));
  const ports = seen.map((value, i) => {
    values[value].place = { kind: "output", index: plan.outputs.length + i };
    const { dtype, shape } = values[value];
    return { name: `value/${value}`, dtype, shape, value };
  });
  const open: Plan = { ...plan, key: `${plan.key}/open`, values, outputs: [...plan.outputs, ...ports], state: [] };
  const results = await runPlan(backend, open, record);
  const array = (value: number): TypedArray => {
    const { place } = values[value];
    if (place.kind === "constant") return place.data;
    if (place.kind === "input") return record.inputs[place.index];
    return results[(place as { index: number }).index];
  };
  for (const [number, kernel] of plan.kernels.entries()) {
    const right = makeArray(kernel.dtype, values[kernel.output].size);
    const call = { array: (value: number) => (value === kernel.output ? right : array(value)), seed, base };
    await interpretKernel(kernel, open).run(call);
    const wrong = array(kernel.output);
    if (sameElements(right, wrong)) continue;
    return { number, kernel, inputs: kernelInputsOf(open, kernel, call), right, wrong, seed, base };
  }
  return undefined;
}
