// Where values live: which backend is in use, which nodes have been computed, and the one queue that all execution goes through. A node's
// value is computed once and kept as long as the node is; memory is given back when nothing refers to it any more.
import type { Backend, Buffer } from "../backend/contract.ts";
import { backendKind, loadBackend } from "../backend/load.ts";
import { compileGraph } from "../compile/cache.ts";
import { checkArguments, signature } from "../core/arguments.ts";
import { itemSize, type TypedArray } from "../core/dtype.ts";
import { TraceError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { isForgetful, settle } from "../graph/ancestry.ts";
import { type Graph, type GraphOutput, graphHash } from "../graph/hash.ts";
import { type Node, reachable } from "../graph/node.ts";
import { recordOf } from "../ops/define.ts";
import { count, discount, isPressing, relieve, turn } from "./pressure.ts";

/** A value in a backend's memory. */
export interface Stored {
  readonly backend: Backend;
  readonly buffer: Buffer;
  /** What owns the memory, when that isn't the node. */
  readonly keeps?: object;
}

let chosen: Backend | Promise<Backend> | undefined;
const named = new Map<string, Backend | Promise<Backend>>();

/** The backend that evaluates tensors and compiled functions which name none, as it is now: `wasm` on one thread until another is set. */
export function currentBackend(): Backend | Promise<Backend> {
  return chosen ?? setDefaultBackend("wasm");
}

const currentCall = signature("defaultBackend", {});

/** The backend that tensors outside a compiled function are computed on, loaded. Rejects with BackendError where it can't be loaded. */
export async function defaultBackend(): Promise<Backend> {
  checkArguments(currentCall, arguments);
  return currentBackend();
}

const call = signature("setDefaultBackend", { backend: backendKind });

/** Sets the default backend by object or name, for all that is called from now on. Values made on another one are moved when they are next used. Throws BackendError, and then leaves the one before. */
export function setDefaultBackend(backend: Backend | string): Promise<Backend> {
  checkArguments(call, arguments);
  if (typeof backend !== "string") {
    chosen = backend;
    return Promise.resolve(backend);
  }
  const before = chosen;
  const loading = loadNamed(backend);
  chosen = loading;
  const replace = (by: typeof chosen) => {
    if (chosen === loading) chosen = by;
  };
  loading.then(replace, () => replace(before));
  // A promise of its own: whoever set it and doesn't look hears of the error too.
  return loading.then((loaded) => loaded);
}

/** The backend of a name: the one loaded last by it, or a new one. */
export function namedBackend(name: string): Backend | Promise<Backend> {
  return named.get(name) ?? loadNamed(name);
}

function loadNamed(name: string): Promise<Backend> {
  const loading = loadBackend(name);
  named.set(name, loading);
  loading.then(
    (backend) => named.set(name, backend),
    () => named.delete(name),
  );
  return loading;
}

let queue: Promise<unknown> = Promise.resolve();
let works = 0;

/** Work that never waits for anything from outside would keep everything else from its turn for ever. */
const turnEvery = 256;

/** Runs one piece of work after all that came before it: executions never interleave. */
export function exclusive<T>(work: () => Promise<T>): Promise<T> {
  const result = queue.then(rest).then(work);
  queue = result.then(nothing, nothing);
  return result;
}

const nothing = () => {};

/** Before a piece of work: a turn for the rest of the world now and then, and for the collector where much waits for it. */
async function rest(): Promise<void> {
  if (isPressing()) await relieve();
  else if (++works % turnEvery === 0) await turn();
}

/** A value and who gives its memory back. */
interface Held extends Stored {
  /** Its memory goes when the node does; else it is somebody's who lends it. */
  readonly owned: boolean;
}

const values = new WeakMap<Node, Held>();
/** Values of leaves that somebody lends, on another backend than that one's. */
const copies = new WeakMap<Node, Stored>();
const gone = new WeakMap<Node, { problem: string; hint: string }>();
const released = new FinalizationRegistry<Stored>(free);

const bytesOf = ({ dtype, size }: Buffer) => itemSize(dtype) * size;

function free({ backend, buffer }: Stored): void {
  discount(bytesOf(buffer));
  backend.free(buffer);
}

/** Memory goes with the node. */
function own(node: Node, stored: Stored, token: object = node): void {
  count(bytesOf(stored.buffer));
  released.register(node, stored, token);
}

/** Makes `stored` the node's value, in place of any it had. `owned`: its memory goes when the node does. */
export function bind(node: Node, stored: Stored, { owned }: { owned: boolean }): void {
  const before = values.get(node);
  if (before?.owned && before.buffer !== stored.buffer) {
    released.unregister(node);
    free(before);
  }
  values.set(node, { ...stored, owned });
  if (owned) own(node, stored);
}

/** Makes values those of nodes that were computed, and has the nodes let go of what they were computed from. */
function keep(nodes: readonly Node[], stored: readonly Stored[]): void {
  nodes.forEach((node, i) => bind(node, stored[i], { owned: true }));
  settle(nodes, { hasValue, isDifferentiable: (node) => recordOf(node).vjp !== "none" });
}

/** Makes what a lender has in memory, at the time of asking, the leaf's value. */
export function lend(leaf: Node, lender: Stored): void {
  values.set(leaf, {
    get backend() {
      return lender.backend;
    },
    get buffer() {
      return lender.buffer;
    },
    owned: false,
    keeps: lender,
  });
}

/** Forgets a leaf's value because the call that was to give it failed. */
export function spoil(leaf: Node): void {
  values.delete(leaf);
  dropCopy(leaf);
  gone.set(leaf, {
    problem: "it depends on a version of a variable that a compiled call was to write, and that call failed",
    hint: "the variable has the version from before the call: make the tensor anew",
  });
}

/** Forgets a leaf's value because its memory holds another one now. */
export function overwrite(node: Node): void {
  values.delete(node);
  dropCopy(node);
  gone.set(node, {
    problem: "it depends on a version of a variable that has been overwritten",
    hint: "read it (await t.data()) before the step that overwrites it",
  });
}

/** Gives back a node's memory now. What can be computed again is computed when it is next read; the result of a compiled function is gone. */
export function release(node: Node): void {
  const stored = values.get(node);
  if (!stored?.owned || node.op === "variable") return;
  values.delete(node);
  released.unregister(node);
  free(stored);
  if (node.op === "input")
    gone.set(node, { problem: "it depends on a tensor that was disposed", hint: "dispose later" });
}

/** The value moved to a backend: itself where it is there already. */
export async function moveTo(backend: Backend, stored: Stored): Promise<Stored> {
  if (stored.backend === backend) return stored;
  return store(backend, await stored.backend.read(stored.buffer), stored.buffer.dtype);
}

/** Puts host data into the backend's memory. */
export function store(backend: Backend, data: TypedArray, dtype: Buffer["dtype"]): Stored {
  const buffer = backend.allocate(dtype, data.length);
  try {
    backend.write(buffer, data);
  } catch (error) {
    backend.free(buffer);
    throw error;
  }
  return { backend, buffer };
}

function dropCopy(node: Node): void {
  const copy = copies.get(node);
  if (!copy) return;
  copies.delete(node);
  released.unregister(copy);
  free(copy);
}

/** The node's value in the backend's memory, if it has one: constants always do. */
async function valueOn(backend: Backend, node: Node): Promise<Stored | undefined> {
  const known = values.get(node);
  if (known?.backend === backend) return known;
  if (!known && !node.data) return undefined;
  const copy = copies.get(node);
  if (copy?.backend === backend) return copy;
  const stored = known ? await moveTo(backend, known) : store(backend, node.data!, node.dtype);
  if (!known || known.owned) bind(node, stored, { owned: true });
  else {
    dropCopy(node);
    copies.set(node, stored);
    own(node, stored, stored);
  }
  return stored;
}

const hasValue = (node: Node) => node.data !== undefined || values.has(node);

/** A graph that computes the outputs from nodes that have values. Throws TraceError where a leaf has none. */
function closeGraph(outputs: readonly GraphOutput[], seed: bigint): Graph {
  const nodes = reachable(
    outputs.map((output) => output.node),
    hasValue,
  );
  for (const node of nodes) {
    if (hasValue(node)) continue;
    if (isForgetful(node)) {
      throw new TraceError({
        where: "data",
        problem: "a tensor can't be read: it depends on one that was disposed, and how that was computed is forgotten",
        hint: "dispose later",
      });
    }
    if (node.op !== "variable" && node.op !== "input") continue;
    const { problem, hint } = gone.get(node) ?? {
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

/** Computes outputs as one graph. Call under `exclusive`. Nodes drawn under another seed than the first one met are computed first. */
export async function evaluate(backend: Backend, outputs: readonly GraphOutput[]): Promise<Evaluation> {
  const pending = () =>
    reachable(
      outputs.map((output) => output.node),
      hasValue,
    ).filter((node) => !hasValue(node));
  const random = pending().filter((node) => node.draws);
  const [seed = 0n, ...others] = new Set(random.map(({ draws }) => draws!.seed!));
  for (const other of others) {
    const nodes = random.filter(({ draws }) => draws!.seed === other);
    const roots = nodes.map((node, i) => ({ name: String(i), node }));
    keep(nodes, await run(backend, closeGraph(roots, other)));
  }
  const nodes = pending();
  const roots = new Set(outputs.map(({ node }) => node));
  const again = neededAgain(nodes).filter((node) => !roots.has(node));
  const closed = closeGraph(outputs, seed);
  const graph = { ...closed, watched: again.map((node, i) => ({ name: String(i), node })) };
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
    throw error;
  }
  return outputs.map((buffer) => ({ backend, buffer }));
}

/** Computes nodes that have no value yet, all in one graph, and keeps their values. Call under `exclusive`. */
export async function realizeNodes(backend: Backend, nodes: readonly Node[]): Promise<void> {
  const missing = [...new Set(nodes)].filter((node) => !hasValue(node));
  if (missing.length === 0) return;
  const { stored } = await evaluate(
    backend,
    missing.map((node, index) => ({ name: String(index), node })),
  );
  keep(missing, stored);
}

/** The node's value if it is in the backend's memory already. */
export function valueAtHand(backend: Backend, node: Node): Stored | undefined {
  const known = values.get(node);
  return known?.backend === backend ? known : undefined;
}

/** The node's value on the backend, computed if need be. Call under `exclusive`. */
export async function materialize(backend: Backend, node: Node): Promise<Stored> {
  await realizeNodes(backend, [node]);
  return (await valueOn(backend, node))!;
}

/** The node's elements on the host, computed if need be: a copy. */
export function readNode(node: Node): Promise<TypedArray> {
  if (node.data) return Promise.resolve(node.data.slice());
  const chosen = currentBackend();
  return exclusive(async () => {
    const known = values.get(node);
    const { backend, buffer } = known ?? (await materialize(await chosen, node));
    return backend.read(buffer);
  });
}
