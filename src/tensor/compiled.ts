// Compiled functions: traced once a signature into one graph, planned once, and run in place on their state. Draws inside are relative to a
// base that each execution reserves, so the same graph serves every step.
import type { Backend, Buffer } from "../backend/contract.ts";
import { loadBackend } from "../backend/load.ts";
import { compileGraph } from "../compile/cache.ts";
import type { Plan } from "../compile/plan.ts";
import { TraceError } from "../core/errors.ts";
import type { Graph } from "../graph/hash.ts";
import { refuseInTrace } from "../graph/scope.ts";
import { ambientStream, type Stream } from "../rng/stream.ts";
import { bind, defaultBackend, exclusive, materialize, store } from "./engine.ts";
import { Tensor } from "./tensor.ts";
import { type Capture, captured, listState, resultLeaf, type TraceResult, traceFunction } from "./trace.ts";
import { isHostArray, type Leaf, mapTree } from "./tree.ts";
import { type Stateful, settleVariables } from "./variable.ts";

export interface CompileOptions {
  /** Whatever owns the variables that the function reads or assigns. */
  readonly state?: Stateful | readonly Stateful[];
  /** Its role in messages: `train`, `eval` … */
  readonly name?: string;
  /** A backend or its name; the default backend if left out. */
  readonly backend?: Backend | string;
  /** Whose draws it takes and whose seed its hash holds; the ambient stream at each call if left out. */
  readonly stream?: Stream;
  /** Traces twice and compares hashes, so that a function which isn't the same each time is found out. */
  readonly strict?: boolean;
  /** Told when a graph was compiled or found. */
  readonly log?: (message: string) => void;
}

/** What one execution did. */
export interface Execution<R> {
  readonly result: R;
  /** The tensors given to `watch`, by name. */
  readonly watched: Readonly<Record<string, Tensor>>;
  readonly graphHash: string;
  /** The absolute offset its draws were relative to, and how many they were. */
  readonly base: number;
  readonly draws: number;
}

/** A tensor, a number (a float32 scalar that each call gives anew) or a host array, in records and arrays; strings and booleans are part of the program. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: A): Promise<R>;
  /** As a call, with what else an execution tells. `base`: draws from there, and the stream stays where it is. */
  execute(args: A, options?: { readonly base?: number }): Promise<Execution<R>>;
  /** The graph for arguments like these; nothing is run, and the stream stays where it is. */
  trace(...args: A): Promise<Graph>;
  /** The plan for arguments like these on the function's backend. */
  plan(...args: A): Promise<Plan>;
}

interface Program<R> extends TraceResult<R> {
  readonly backend: Backend;
  readonly executable: Awaited<ReturnType<Backend["load"]>>;
  /** Memory for scalars and host arrays, by input position: written anew at each execution. */
  readonly staging: Map<number, Buffer>;
}

/**
 * Compiles a function of tensors, state included: `compile((x, y) => { …; optimizer.update(gradients); return loss; }, { state: [model, optimizer] })`.
 * The first call with a signature (shapes, dtypes, strings) traces it; later calls run the plan. Throws TraceError for values read
 * inside and variables outside `state`.
 */
export function compile<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  const { name = fn.name || "function", state = [], log } = options;
  const owners: readonly Stateful[] = Array.isArray(state) ? state : [state as Stateful];
  const programs = new Map<string, Program<R>>();

  const backendOf = async () => {
    if (options.backend === undefined) return defaultBackend();
    return typeof options.backend === "string" ? loadBackend(options.backend) : options.backend;
  };

  const prepare = async (args: A, stream: Stream): Promise<{ program: Program<R>; leaves: Leaf[] }> => {
    refuseInTrace(name);
    const backend = await backendOf();
    const leaves: Leaf[] = [];
    const structure = mapTree(args, "", (leaf) => {
      leaves.push(leaf);
      return describe(leaf);
    });
    const variables = listState(owners);
    const keys = owners.map((owner) => owner.traceKey?.() ?? "");
    const signature = JSON.stringify([
      backend.name,
      String(stream.seed),
      structure,
      keys,
      variables.map(([path]) => path),
    ]);
    const known = programs.get(signature);
    if (known && known.backend === backend) return { program: known, leaves };
    const traced = await close(traceFunction(fn, args, variables, stream.seed), backend);
    if (options.strict) {
      const again = await close(traceFunction(fn, args, variables, stream.seed), backend);
      if (again.plan.key !== traced.plan.key) {
        throw new TraceError({
          where: name,
          problem: "two traces of the function differ",
          got: again.plan.key,
          expected: traced.plan.key,
          hint: "it reads something that changes from call to call: pass it as an argument, or use runtimeScalar",
        });
      }
    }
    const { executable, hit } = traced;
    log?.(
      `${hit ? "found" : "made"} compiled graph ${executable.plan.graphHash.slice(0, 12)} for ${name}: ${executable.plan.kernels.length} kernels`,
    );
    const program = { ...traced, backend, staging: new Map<number, Buffer>() };
    programs.set(signature, program);
    return { program, leaves };
  };

  const close = async (trace: TraceResult<R> & Capture, backend: Backend) => {
    const graph = await captured(trace, backend);
    const entry = await compileGraph(backend, graph);
    return { ...trace, ...entry, graph, plan: entry.executable.plan };
  };

  const run = async (args: A, given: number | undefined): Promise<Execution<R>> => {
    const stream = options.stream ?? ambientStream();
    const { program, leaves } = await prepare(args, stream);
    const { backend, executable, graph } = program;
    await settleVariables(
      backend,
      program.state.map(({ name, variable }) => [name, variable]),
    );
    for (const callback of program.beforeExecution) callback();
    const inputs: Buffer[] = [];
    for (let i = 0; i < leaves.length; i++) inputs.push(await bindArgument(program, inputs.length, leaves[i]));
    for (const { provide } of program.scalars)
      inputs.push(stage(program, inputs.length, { data: Float32Array.of(provide()), dtype: "float32" }));
    for (const { variable } of program.state) inputs.push(variable.stored.buffer);
    const { outputs: ports } = executable.plan;
    const stateOf = new Map(graph.state.map(({ input, output }) => [output, inputs[input]]));
    const buffers = ports.map(
      (port, i) =>
        stateOf.get(i) ??
        backend.allocate(
          port.dtype,
          port.shape.reduce((size, extent) => size * extent, 1),
        ),
    );
    const base = given ?? stream.reserve(graph.draws);
    await executable.run({ inputs, outputs: buffers, seed: stream.seed, base });
    for (const { variable, written } of program.state) if (written) variable.overwritten();
    const take = (i: number) => {
      const node = resultLeaf(ports[i].shape, ports[i].dtype);
      bind(node, { backend, buffer: buffers[i] }, { owned: true });
      return new Tensor(node);
    };
    let at = 0;
    const result = mapTree(program.result, "", ({ value }) => (value instanceof Tensor ? take(at++) : value)) as R;
    const watched = Object.fromEntries(graph.watched.map(({ name }, i) => [name, take(graph.outputs.length + i)]));
    return { result, watched, graphHash: executable.plan.graphHash, base, draws: graph.draws };
  };

  const compiled = async (...args: A) => (await exclusive(() => run(args, undefined))).result;
  return Object.assign(compiled, {
    execute: (args: A, { base }: { readonly base?: number } = {}) => exclusive(() => run(args, base)),
    trace: async (...args: A) =>
      (await exclusive(() => prepare(args, options.stream ?? ambientStream()))).program.graph,
    plan: async (...args: A) =>
      (await exclusive(() => prepare(args, options.stream ?? ambientStream()))).program.executable.plan,
  });
}

/** What of an argument decides which graph serves it. */
function describe({ value }: Leaf): string {
  if (typeof value === "number") return "number";
  return `${value.dtype}[${value.shape.join(",")}]`;
}

function stage<R>(
  { backend, staging }: Program<R>,
  position: number,
  { data, dtype }: { data: Parameters<Backend["write"]>[1]; dtype: Buffer["dtype"] },
): Buffer {
  const known = staging.get(position);
  if (known) {
    backend.write(known, data);
    return known;
  }
  const { buffer } = store(backend, data, dtype);
  staging.set(position, buffer);
  return buffer;
}

async function bindArgument<R>(program: Program<R>, position: number, { value }: Leaf): Promise<Buffer> {
  if (typeof value === "number") return stage(program, position, { data: Float32Array.of(value), dtype: "float32" });
  if (isHostArray(value)) return stage(program, position, value);
  return (await materialize(program.backend, value.node)).buffer;
}
