// Compiled functions: traced once a signature into one graph, planned once, and run in place on their state. Draws inside are relative to a
// base that each execution reserves, so the same graph serves every step.
import type { Backend, Buffer, Executable } from "../backend/contract.ts";
import { loadBackend } from "../backend/load.ts";
import { compileGraph } from "../compile/cache.ts";
import type { Plan } from "../compile/plan.ts";
import type { HostArray } from "../core/array.ts";
import type { TypedArray } from "../core/dtype.ts";
import { TraceError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { type Graph, planKey } from "../graph/hash.ts";
import { refuseInTrace } from "../graph/scope.ts";
import { ambientStream, type Stream } from "../rng/stream.ts";
import { bind, defaultBackend, exclusive, materialize, store, valueAtHand } from "./engine.ts";
import { Tensor } from "./tensor.ts";
import { captured, listState, resultLeaf, type TraceResult, traceFunction } from "./trace.ts";
import { type Form, formOf, hasForm, type Leaf, mapTree } from "./tree.ts";
import { type Stateful, settleVariables, type Variable } from "./variable.ts";

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
  /** The values of its runtime scalars, by name. */
  readonly scalars: Readonly<Record<string, number>>;
}

/** A tensor, a number (a float32 scalar that each call gives anew) or a host array, in records and arrays; strings and booleans are part of the program. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: A): Promise<R>;
  /** As a call, with what else an execution tells. `base`: draws from there, and the stream stays where it is. */
  execute(args: A, options?: { readonly base?: number }): Promise<Execution<R>>;
  /** The graph for arguments like these; nothing is run, and the stream stays where it is. */
  trace(...args: A): Promise<Graph>;
  /** The plan for these arguments on the function's backend, and the elements of all its inputs as an execution would begin with them now: arguments, numbers from the host, state. Nothing is run, and the stream stays where it is. */
  peek(...args: A): Promise<Peek>;
  /** The plan for arguments like these on the function's backend. */
  plan(...args: A): Promise<Plan>;
}

/** A plan and its inputs' elements, in order. */
export interface Peek {
  readonly plan: Plan;
  readonly inputs: readonly TypedArray[];
}

/** A trace made ready on a backend, and all that needn't be found out again at each execution. */
interface Program<R> extends TraceResult<R> {
  readonly backend: Backend;
  readonly executable: Executable;
  readonly fits: Fit;
  /** For each of the plan's outputs: the input whose memory it takes, or −1; and how many elements it has. */
  readonly ports: readonly { readonly input: number; readonly size: number }[];
  /** Memory for scalars and host arrays, by input position: written anew at each execution. */
  readonly staging: (Buffer | undefined)[];
}

/** What a program serves: calls whose arguments, seed and owners are as they were when it was traced. */
interface Fit {
  readonly form: Form;
  readonly seed: bigint;
  readonly keys: readonly string[];
  readonly variables: readonly (readonly [string, Variable])[];
  /** The owners' pieces when keys and variables were last seen to be these. */
  pieces: readonly unknown[];
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
  const programs = new WeakMap<Backend, Program<R>[]>();

  const backendOf = async () => {
    if (options.backend === undefined) return defaultBackend();
    return typeof options.backend === "string" ? loadBackend(options.backend) : options.backend;
  };

  const prepare = async (args: A, stream: Stream): Promise<{ program: Program<R>; leaves: Leaf["value"][] }> => {
    refuseInTrace(name);
    const backend = await backendOf();
    const known = programs.get(backend) ?? [];
    const { seed } = stream;
    const pieces = owners.flatMap(piecesOf);
    for (const program of known) {
      const leaves: Leaf["value"][] = [];
      const { fits } = program;
      if (fits.seed === seed && samePieces(fits.pieces, pieces) && hasForm(args, fits.form, leaves))
        return { program, leaves };
    }
    const keys = owners.map((owner) => owner.traceKey?.() ?? "");
    const variables = owners.flatMap((owner) => [...owner.namedVariables()]);
    for (const program of known) {
      const leaves: Leaf["value"][] = [];
      const { fits } = program;
      if (fits.seed !== seed || !isSame(fits, keys, variables) || !hasForm(args, fits.form, leaves)) continue;
      fits.pieces = pieces;
      return { program, leaves };
    }
    const trace = async () => {
      const traced = traceFunction(fn, args, listState(owners), seed);
      return { ...traced, graph: await captured(traced, backend) };
    };
    const traced = await trace();
    if (options.strict) checkSame(name, traced.graph, (await trace()).graph);
    const staging: Program<R>["staging"] = [];
    const { executable, hit } = await compileGraph(backend, traced.graph, staging);
    const { plan } = executable;
    log?.(
      `${hit ? "found" : "made"} compiled graph ${plan.graphHash.slice(0, 12)} for ${name}: ${plan.kernels.length} kernels`,
    );
    const inputOf = new Map(plan.state.map(({ input, output }) => [output, input]));
    const program: Program<R> = {
      ...traced,
      backend,
      executable,
      fits: { form: formOf(args), seed, keys, variables, pieces },
      ports: plan.outputs.map(({ shape }, i) => ({ input: inputOf.get(i) ?? -1, size: sizeOf(shape) })),
      staging,
    };
    collected.register(program, { backend, staging });
    const leaves: Leaf["value"][] = [];
    hasForm(args, program.fits.form, leaves);
    // A program that only other variables of the same names keep from serving this call served variables that are gone.
    const others = known.filter(
      ({ fits }) =>
        !(seed === fits.seed && hasForm(args, fits.form, []) && isSame(fits, keys, variables, { byName: true })),
    );
    programs.set(backend, [program, ...others]);
    return { program, leaves };
  };

  const run = async (args: A, given: number | undefined): Promise<Execution<R>> => {
    const stream = options.stream ?? ambientStream();
    const { program, leaves } = await prepare(args, stream);
    const { backend, executable, graph, state } = program;
    if (state.some(({ variable }) => variable.unsettled(backend)))
      await settleVariables(
        backend,
        state.map(({ name, variable }) => [name, variable]),
      );
    for (const callback of program.beforeExecution) callback();
    const inputs: Buffer[] = [];
    for (const leaf of leaves) {
      if (!(leaf instanceof Tensor)) inputs.push(stage(program, inputs.length, leaf));
      else inputs.push((valueAtHand(backend, leaf.node) ?? (await materialize(backend, leaf.node))).buffer);
    }
    const scalars: Record<string, number> = {};
    for (const { name, provide } of program.scalars) {
      scalars[name] = Math.fround(provide());
      inputs.push(stage(program, inputs.length, scalars[name]));
    }
    for (const { variable } of state) inputs.push(variable.stored.buffer);
    const { outputs: ports } = executable.plan;
    const buffers = program.ports.map(({ input, size }, i) =>
      input < 0 ? backend.allocate(ports[i].dtype, size) : inputs[input],
    );
    const base = given ?? stream.reserve(graph.draws);
    await executable.run({ inputs, outputs: buffers, seed: stream.seed, base });
    for (const { variable, written } of state) if (written) variable.overwritten();
    const take = (i: number) => {
      const node = resultLeaf(ports[i].shape, ports[i].dtype);
      bind(node, { backend, buffer: buffers[i] }, { owned: true });
      return new Tensor(node);
    };
    let at = 0;
    const result = mapTree(program.result, "", ({ value }) => (value instanceof Tensor ? take(at++) : value)) as R;
    const watched = Object.fromEntries(graph.watched.map(({ name }, i) => [name, take(graph.outputs.length + i)]));
    return { result, watched, graphHash: executable.plan.graphHash, base, draws: graph.draws, scalars };
  };

  const peek = async (args: A): Promise<Peek> => {
    const { program, leaves } = await prepare(args, options.stream ?? ambientStream());
    const { backend, executable, state, scalars } = program;
    await settleVariables(
      backend,
      state.map(({ name, variable }) => [name, variable]),
    );
    const read = async (buffer: Buffer) => (await backend.read(buffer)).slice();
    const inputs: TypedArray[] = [];
    for (const leaf of leaves) {
      if (leaf instanceof Tensor) inputs.push(await read((await materialize(backend, leaf.node)).buffer));
      else inputs.push(typeof leaf === "number" ? Float32Array.of(leaf) : leaf.data);
    }
    for (const { provide } of scalars) inputs.push(Float32Array.of(provide()));
    for (const { variable } of state) inputs.push(await read(variable.stored.buffer));
    return { plan: executable.plan, inputs };
  };

  const compiled = async (...args: A) => (await exclusive(() => run(args, undefined))).result;
  return Object.assign(compiled, {
    execute: (args: A, { base }: { readonly base?: number } = {}) => exclusive(() => run(args, base)),
    trace: async (...args: A) =>
      (await exclusive(() => prepare(args, options.stream ?? ambientStream()))).program.graph,
    peek: (...args: A) => exclusive(() => peek(args)),
    plan: async (...args: A) =>
      (await exclusive(() => prepare(args, options.stream ?? ambientStream()))).program.executable.plan,
  });
}

function piecesOf(owner: Stateful): readonly unknown[] {
  return owner.pieces?.() ?? [owner.traceKey?.(), ...[...owner.namedVariables()].flat()];
}

function samePieces(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether owners are those it fits: the same variables, or, `byName`, variables of the same names. */
function isSame(fits: Fit, keys: readonly string[], variables: Fit["variables"], { byName = false } = {}): boolean {
  if (fits.variables.length !== variables.length) return false;
  if (!keys.every((key, i) => key === fits.keys[i])) return false;
  return variables.every(
    ([name, variable], i) => name === fits.variables[i][0] && (byName || variable === fits.variables[i][1]),
  );
}

const collected = new FinalizationRegistry<Pick<Program<unknown>, "backend" | "staging">>(({ backend, staging }) => {
  for (const buffer of staging) if (buffer) backend.free(buffer);
});

/** Throws TraceError unless two traces of one function are one graph. */
function checkSame(name: string, first: Graph, second: Graph): void {
  if (planKey(first) === planKey(second)) return;
  throw new TraceError({
    where: name,
    problem: "two traces of the function differ",
    got: planKey(second),
    expected: planKey(first),
    hint: "it reads something that changes from call to call: pass it as an argument, or use runtimeScalar",
  });
}

const one = new Float32Array(1);

/** A host value in memory that the program keeps for it. */
function stage<R>({ backend, staging }: Program<R>, position: number, value: number | HostArray): Buffer {
  if (typeof value === "number") one[0] = value;
  const data = typeof value === "number" ? one : value.data;
  const known = staging[position];
  if (known) {
    backend.write(known, data);
    return known;
  }
  const { buffer } = store(backend, data, typeof value === "number" ? "float32" : value.dtype);
  staging[position] = buffer;
  return buffer;
}
