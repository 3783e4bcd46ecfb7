// Where values live: which backend is in use, which nodes have been computed, and the one queue that all execution goes through. A node's
// value is computed once and kept as long as the node is; memory is given back when nothing refers to it any more.
import type { Backend, Buffer } from "../backend/contract.ts";
import { loadBackend } from "../backend/load.ts";
import { compileGraph } from "../compile/cache.ts";
import type { TypedArray } from "../core/dtype.ts";
import { TraceError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { type Graph, type GraphOutput, graphHash } from "../graph/hash.ts";
import { type Node, reachable } from "../graph/node.ts";

/** A value in a backend's memory. */
export interface Stored {
  readonly backend: Backend;
  readonly buffer: Buffer;
  /** What owns the memory, when that isn't the node. */
  readonly keeps?: object;
}

let chosen: Backend | undefined;

/** The backend that evaluates tensors and compiled functions which name none: `wasm` on one thread until another is set. */
export async function defaultBackend(): Promise<Backend> {
  return chosen ?? setDefaultBackend("wasm");
}

/** Sets the default backend by object or name. Values made on another one are moved when they are next used. Throws BackendError. */
export async function setDefaultBackend(backend: Backend | string): Promise<Backend> {
  const loaded = typeof backend === "string" ? await loadBackend(backend) : backend;
  chosen = loaded;
  return loaded;
}

let queue: Promise<unknown> = Promise.resolve();
let works = 0;

/** Lets everything else have a turn: timers, signals, and the collector's callbacks, which give memory back. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}

/** Work that never waits for anything from outside would keep everything else from its turn for ever. */
const turnEvery = 256;

/** Runs one piece of work after all that came before it: executions never interleave. */
export function exclusive<T>(work: () => Promise<T>): Promise<T> {
  const result = ++works % turnEvery === 0 ? queue.then(turn).then(work) : queue.then(work);
  queue = result.catch(() => undefined);
  return result;
}

const values = new WeakMap<Node, Stored>();
const gone = new WeakMap<Node, { problem: string; hint: string }>();
const released = new FinalizationRegistry<Stored>(({ backend, buffer }) => backend.free(buffer));

/** Makes `stored` the node's value. `owned`: its memory goes when the node does. */
export function bind(node: Node, stored: Stored, { owned }: { owned: boolean }): void {
  values.set(node, stored);
  if (owned) released.register(node, stored, node);
}

/** Forgets a leaf's value because its memory holds another one now. */
export function overwrite(node: Node): void {
  values.delete(node);
  gone.set(node, {
    problem: "it depends on a version of a variable that has been overwritten",
    hint: "read it (await t.data()) before the step that overwrites it",
  });
}

/** Gives back a node's memory now. What can be computed again is computed when it is next read; the result of a compiled function is gone. */
export function release(node: Node): void {
  const stored = values.get(node);
  if (!stored || node.op === "variable") return;
  values.delete(node);
  released.unregister(node);
  stored.backend.free(stored.buffer);
  if (node.op === "input")
    gone.set(node, { problem: "it depends on a tensor that was disposed", hint: "dispose later" });
}

/** The value moved to a backend: itself where it is there already. */
export async function moveTo(backend: Backend, stored: Stored): Promise<Stored> {
  if (stored.backend === backend) return stored;
  const buffer = backend.allocate(stored.buffer.dtype, stored.buffer.size);
  backend.write(buffer, await stored.backend.read(stored.buffer));
  return { backend, buffer };
}

/** Puts host data into the backend's memory. */
export function store(backend: Backend, data: TypedArray, dtype: Buffer["dtype"]): Stored {
  const buffer = backend.allocate(dtype, data.length);
  backend.write(buffer, data);
  return { backend, buffer };
}

/** The node's value in the backend's memory, if it has one: constants always do. */
async function valueOn(backend: Backend, node: Node): Promise<Stored | undefined> {
  const known = values.get(node);
  if (known?.backend === backend) return known;
  if (!known && !node.data) return undefined;
  const stored = known ? await moveTo(backend, known) : store(backend, node.data!, node.dtype);
  if (node.op !== "variable") bind(node, stored, { owned: true });
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
    if (hasValue(node) || (node.op !== "variable" && node.op !== "input")) continue;
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

/** Computes outputs as one graph. Call under `exclusive`. Nodes drawn under another seed than the first one met are computed first. */
export async function evaluate(backend: Backend, outputs: readonly GraphOutput[]): Promise<Evaluation> {
  const random = reachable(
    outputs.map((output) => output.node),
    hasValue,
  ).filter((node) => node.draws && !hasValue(node));
  const seeds = [...new Set(random.map((node) => node.draws!.seed))];
  for (const seed of seeds.slice(1)) {
    const others = random.filter((node) => node.draws!.seed === seed);
    const done = await run(
      backend,
      closeGraph(
        others.map((node, i) => ({ name: String(i), node })),
        seed!,
      ),
    );
    others.forEach((node, i) => bind(node, done[i], { owned: true }));
  }
  const graph = closeGraph(outputs, seeds[0] ?? 0n);
  return { stored: await run(backend, graph), graph, graphHash: graphHash(graph) };
}

async function run(backend: Backend, graph: Graph): Promise<Stored[]> {
  const inputs: Buffer[] = [];
  for (const { node } of graph.inputs) inputs.push((await valueOn(backend, node))!.buffer);
  const { executable } = await compileGraph(backend, graph);
  const buffers = graph.outputs.map(({ node }) => backend.allocate(node.dtype, sizeOf(node.shape)));
  await executable.run({ inputs, outputs: buffers, seed: graph.seed, base: graph.base });
  return buffers.map((buffer) => ({ backend, buffer }));
}

/** Computes nodes that have no value yet, all in one graph, and keeps their values. Call under `exclusive`. */
export async function realizeNodes(backend: Backend, nodes: readonly Node[]): Promise<void> {
  const missing = [...new Set(nodes)].filter((node) => !hasValue(node));
  if (missing.length === 0) return;
  const { stored } = await evaluate(
    backend,
    missing.map((node, index) => ({ name: String(index), node })),
  );
  missing.forEach((node, i) => bind(node, stored[i], { owned: true }));
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
  return exclusive(async () => {
    const known = values.get(node);
    const { backend, buffer } = known ?? (await materialize(await defaultBackend(), node));
    return backend.read(buffer);
  });
}
