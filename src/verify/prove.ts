// What the ops of a step gave, proved: the values of a step that was made again, op by op, become the leaves of a tree. Branches of an op's operands and of
// its result are all that a judge needs.
import { backendKind, threadsKind } from "../backend/load.ts";
import { encodeGraph } from "../compile/hash.ts";
import {
  boolean,
  callable,
  checkArguments,
  count,
  kind,
  options as optionsOf,
  signature,
  string,
} from "../core/arguments.ts";
import { fromHex, toHex } from "../core/canonical.ts";
import type { TypedArray } from "../core/dtype.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import { typeText } from "../core/shape.ts";
import { fixedData, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { merklePath, merkleRoot } from "../io/merkle.ts";
import { sortedTensors, tensorDigest, tensorsDigest } from "../io/state.ts";
import { recordOf } from "../ops/define.ts";
import { textOf } from "../ops/meaning.ts";
import { type Checkpoint, isOfRun, listCheckpoints, loadCheckpoint } from "../run/checkpoint.ts";
import { type OpProof, type ProvedValue, proofFormat, provedBytes, stepCommitment, valueLeaf } from "./opproof.ts";
import { blocksOf, probeNodes } from "./probe.ts";
import { type ProveOptions, type ReplayedStep, replayStep } from "./restep.ts";

/** One value of a step, as it is told. */
export interface StepValue {
  readonly value: number;
  /** `matmul float32[16, 8]`, `input parameter/0.weight float32[8, 4]`. */
  readonly what: string;
  /** What the graph gives it out as, where it does. */
  readonly names: readonly string[];
  /** Of its canonical bytes. */
  readonly sha256: string;
  /** Of what the step itself, whose kernels compute several ops at once, gave out, where it gave out another value. */
  readonly fused?: string;
}

/** All values of a step, by their hashes, and the root over them. */
export interface StepValues {
  readonly step: number;
  readonly graphHash: string;
  /** hₜ, 64 hex digits. */
  readonly link: string;
  readonly root: string;
  readonly commitment: string;
  readonly values: readonly StepValue[];
}

/** The tree over a step's values. */
interface Tree {
  readonly bytes: Uint8Array;
  readonly nodes: readonly Node[];
  readonly digests: readonly string[];
  readonly leaves: readonly Uint8Array[];
  /** Elements of those that were asked for. */
  readonly data: ReadonlyMap<number, TypedArray>;
}

/** Computes all values of a step, each op by itself, and keeps the elements of some. */
async function treeOf(
  { record, backend }: ReplayedStep,
  kept: (nodes: readonly Node[]) => ReadonlySet<number>,
): Promise<Tree> {
  const { graph } = record.plan;
  const numbers = new Map<Node, number>();
  const bytes = encodeGraph(graph, numbers);
  const nodes = [...numbers.keys()];
  const wanted = kept(nodes);
  const digests: string[] = [];
  const data = new Map<number, TypedArray>();
  const add = (number: number, array: TypedArray) => {
    digests[number] = provedBytes({ data: array }).sha256;
    if (wanted.has(number)) data.set(number, array);
  };
  record.inputs.forEach((array, number) => {
    add(number, array);
  });
  for (const block of blocksOf(nodes.slice(graph.inputs.length), (node) => node)) {
    const { values } = await probeNodes(backend, record, block);
    for (const node of block) add(numbers.get(node)!, values.get(node)!);
  }
  const leaves = nodes.map((node, number) => valueLeaf(number, node, fromHex(digests[number])));
  return { bytes, nodes, digests, leaves, data };
}

/** What all values of a step are, by their hashes. Computes and throws as `proveOp`. */
export async function stepValues(folder: string, step: number, options: ProveOptions = {}): Promise<StepValues> {
  checkArguments(calls.values, arguments);
  const replayed = await replayStep(folder, step, options);
  const { nodes, leaves, digests } = await treeOf(replayed, () => new Set());
  const { graph, graphHash } = replayed.record.plan;
  const [link, root] = [toHex(replayed.hash), toHex(merkleRoot(leaves))];
  const values = nodes.map((node, value): StepValue => {
    const op =
      value < graph.inputs.length ? `input ${graph.inputs[value].name}` : fixedData(graph, node) ? "constant" : node.op;
    const names = graph.outputs.flatMap((output) => (output.node === node ? [output.name] : []));
    const what = `${op} ${typeText(node)}`;
    const at = graph.outputs.findIndex((output) => output.node === node);
    const fused = at < 0 ? digests[value] : provedBytes({ data: replayed.record.outputs[at] }).sha256;
    return { value, what, names, sha256: digests[value], ...(fused !== digests[value] && { fused }) };
  });
  return { step, graphHash, link, root, commitment: stepCommitment(link, root), values };
}

/** What is asked of: a value's number, or the name of one of the graph's outputs. */
export type ValueChoice = number | string;

const options = optionsOf<ProveOptions>({
  "backend?": backendKind,
  "threads?": threadsKind,
  "rebuild?": callable,
  "from?": count,
  "own?": boolean,
});
const calls = {
  values: signature("stepValues", {
    folder: string,
    step: count,
    "options?": options,
  }),
  prove: signature("proveOp", {
    folder: string,
    step: count,
    value: kind("a value's number, or an output's name", (value) => typeof value === "string" || count.accepts(value)),
    "options?": options,
  }),
};

/**
 * Proves one op of a step of a run: `value` is its number among the step's values, as `stepValues` lists them, or the name of an output such as `parameter/0.weight`.
 * The run is replayed up to there. Throws ConfigError for a step or a value that isn't there, or that no op computes, ReproError where the replay isn't the run.
 */
export async function proveOp(
  folder: string,
  step: number,
  value: ValueChoice,
  options: ProveOptions = {},
): Promise<OpProof> {
  checkArguments(calls.prove, arguments);
  return proofOf(await replayStep(folder, step, options), value);
}

/** The proof of one op of a step that was made again. */
export async function proofOf(replayed: ReplayedStep, value: ValueChoice): Promise<OpProof> {
  const { graph, graphHash } = replayed.record.plan;
  let asked = 0;
  let operands: number[] = [];
  const { bytes, nodes, digests, leaves, data } = await treeOf(replayed, (nodes) => {
    asked = chosen(replayed.folder, graph, nodes, value);
    const node = nodes[asked];
    operands = fixedData(graph, node) ? [] : [...new Set(node.inputs)].map((input) => nodes.indexOf(input));
    return new Set([asked, ...operands]);
  });
  const node = nodes[asked];
  const beside = statesBeside(replayed);
  const proved = (number: number, state: Checkpoint | undefined, names: readonly string[]): ProvedValue => {
    const found = state && stateOf(state, names);
    const path = merklePath(leaves, number).map(toHex);
    return {
      value: number,
      sha256: digests[number],
      data: provedBytes({ data: data.get(number)! }).data,
      path,
      ...(found && { state: found }),
    };
  };
  const inputs = operands.map((number) =>
    proved(number, beside.before, number < graph.inputs.length ? [graph.inputs[number].name] : []),
  );
  const outputs = graph.outputs.flatMap((output) => (output.node === node ? [output.name] : []));
  const result = proved(asked, beside.after, outputs);
  const record = fixedData(graph, node) ? undefined : recordOf(node);
  const { previous, step, position, batch, given, lossBits } = replayed.link;
  return {
    format: proofFormat,
    step,
    graph: toHex(bytes),
    graphHash,
    link: {
      hash: toHex(replayed.hash),
      previous: toHex(previous),
      position,
      batch: toHex(batch),
      given: toHex(given),
      loss: lossBits.toString(16).padStart(8, "0"),
    },
    root: toHex(merkleRoot(leaves)),
    ...(record?.kind === "elementwise" && { expression: textOf(record, node) }),
    operands: inputs,
    result,
    states: {
      before: inputs.some(({ state }) => state) ? rootOf(beside.before!) : undefined,
      after: result.state && rootOf(beside.after!),
    },
  };
}

/** A value's number. */
function chosen(folder: string, graph: Graph, nodes: readonly Node[], value: ValueChoice): number {
  const named = typeof value === "string" ? graph.outputs.find(({ name }) => name === value) : undefined;
  const number = typeof value === "string" ? (named ? nodes.indexOf(named.node) : -1) : value;
  if (!nodes[number]) {
    const expected =
      typeof value === "string"
        ? `one of ${graph.outputs.map(({ name }) => name).join(", ")}`
        : `an integer in [0, ${nodes.length})`;
    refuse(ConfigError, folder, "the step's graph has no such value", String(value), expected);
  }
  if (number < graph.inputs.length)
    refuse(
      ConfigError,
      folder,
      "an input of the step, which no op computes",
      `${number}, ${graph.inputs[number].name}`,
    );
  return number;
}

/** The run's checkpoints before and after the step, where there are any. */
function statesBeside({ folder, link, hash }: ReplayedStep): { before?: Checkpoint; after?: Checkpoint } {
  const entries = listCheckpoints(`${folder}/checkpoints`);
  const at = (step: number, chain: string) => {
    const entry = entries.find((each) => each.step === step);
    const checkpoint = entry && loadCheckpoint(`${folder}/checkpoints/${entry.file}`);
    return checkpoint?.state.chain === chain ? checkpoint : undefined;
  };
  return { before: at(link.step - 1, toHex(link.previous)), after: at(link.step, toHex(hash)) };
}

const tensorsOf = ({ tensors }: Checkpoint) => sortedTensors([...tensors].filter(isOfRun));
const rootOf = (checkpoint: Checkpoint): string => toHex(tensorsDigest(tensorsOf(checkpoint)));

/** Where a tensor of one of these names is in a state. */
function stateOf(checkpoint: Checkpoint, names: readonly string[]): ProvedValue["state"] {
  const sorted = tensorsOf(checkpoint);
  const index = sorted.findIndex(([name]) => names.includes(name));
  if (index < 0) return undefined;
  const leaves = sorted.map(([name, array]) => tensorDigest(name, array));
  return { name: sorted[index][0], index, count: sorted.length, path: merklePath(leaves, index).map(toHex) };
}
