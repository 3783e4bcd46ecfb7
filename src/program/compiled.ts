// Compiled functions: traced once a signature into one graph, planned once, and run in place on their state. Draws inside are relative to a
// base that each call reserves, so the same graph serves every step.

import { backendKind } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { fallbackOf } from "../compile/fallback.ts";
import type { Plan } from "../compile/plan.ts";
import { boolean, callable, checkArguments, kind, options as optionsOf, signature, string } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import type { TypedArray } from "../core/dtype.ts";
import { allTaken } from "../core/promise.ts";
import type { Graph } from "../graph/graph.ts";
import { refuseInTrace } from "../graph/scope.ts";
import { atOneSite } from "../graph/site.ts";
import { ambientStream, Stream } from "../rng/stream.ts";
import { currentBackend, namedBackend } from "../runtime/backends.ts";
import { exclusive } from "../runtime/queue.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Leaf } from "../tensor/tree.ts";
import { type Execution, hostValues, makeCall, runCall } from "./call.ts";
import { Program, type Ready, surroundings } from "./program.ts";
import { checkSame } from "./retrace.ts";
import { listState, traceFunction } from "./trace.ts";
import { type Stateful, Variable } from "./variable.ts";

export type { Execution } from "./call.ts";

export interface CompileOptions {
  /** Whatever owns the variables that the function reads or assigns. */
  readonly state?: Stateful | readonly Stateful[];
  /** Its role in messages: `train`, `eval` … */
  readonly name?: string;
  /** A backend or its name, which is loaded once; the default backend at each call if left out. */
  readonly backend?: Backend | string;
  /** Whose draws it takes and whose seed its hash holds; the ambient stream at each call if left out. */
  readonly stream?: Stream;
  /** Unless false, the function is run twice where it is traced, and what differs is a TraceError: a number that changes by itself would stay what it was. */
  readonly strict?: boolean;
  /** Told when a graph was compiled or found, and warned once where kernels of it don't run on the backend's device. */
  readonly log?: (message: string, level: "debug" | "info" | "warn") => void;
}

/** What a call takes for what the function takes: for a tensor a host array too, or a number (a float32 scalar), alone and in records and lists. */
export type Passed<T> = T extends Tensor
  ? Tensor | HostArray | number
  : T extends number
    ? "a number arrives as a tensor, of which no condition is false: type what the function takes as Tensor"
    : T extends HostArray
      ? T
      : T extends object
        ? { readonly [K in keyof T]: Passed<T[K]> }
        : T;

/** Tensors, numbers and host arrays are given anew by each call; strings and booleans are part of the program. */
export interface Compiled<A extends readonly unknown[], R> {
  /** Draws, the state's versions, scalars, host arrays and what is around it (autocast, flags, the ambient stream, the default backend) are taken when it is called; only the execution waits for its turn. */
  (...args: Passed<A>): Promise<R>;
  /** As a call, with what else an execution tells. `base`: draws from there, and the stream stays where it is. */
  execute(args: Passed<A>, options?: { readonly base?: number }): Promise<Execution<R>>;
  /** The graph for arguments like these; nothing is run, and the stream stays where it is. */
  trace(...args: Passed<A>): Promise<Graph>;
  /** The plan for these arguments on the function's backend, and the elements of all its inputs as an execution would begin with them now: arguments, numbers from the host, state. Nothing is run, the stream stays where it is, and what `onExecute` called is taken back. */
  peek(...args: Passed<A>): Promise<Peek>;
  /** The plan for arguments like these on the function's backend. */
  plan(...args: Passed<A>): Promise<Plan>;
}

/** A plan and its inputs' elements, in order. */
export interface Peek {
  readonly plan: Plan;
  readonly inputs: readonly TypedArray[];
}

/** What runs calls: imported with the first. */
let execution: typeof import("./execution.ts") | undefined;

/** So many traces are kept a function; the one unused for longest goes first. */
const mostPrograms = 256;

const isOwner = (value: unknown): boolean => typeof (value as Partial<Stateful> | null)?.namedVariables === "function";
const call = signature("compile", {
  fn: callable,
  "options?": optionsOf<CompileOptions>({
    "state?": kind(
      "a module, an optimizer, or a list of them",
      (value) => isOwner(value) || (Array.isArray(value) && Array.from(value).every(isOwner)),
      (_, value) =>
        [value].flat().some((each) => each instanceof Variable)
          ? 'a variable has its name from what owns it: a module, or state: { namedVariables: () => [["count", variable]] }'
          : undefined,
    ),
    "name?": string,
    "backend?": backendKind,
    "stream?": kind("a Stream", (value) => value instanceof Stream),
    "strict?": boolean,
    "log?": callable,
  }),
});

/**
 * Compiles a function of tensors, state included: `compile((x, y) => { …; optimizer.minimize(loss); return loss; }, { state: [model, optimizer] })`.
 * The first call with a signature (shapes, dtypes, strings, options of the state's owners) traces it; later calls run the plan. A number
 * in a closure stays what it was when the function was traced: give it as an argument, or as `runtimeScalar`. Throws TraceError for values read
 * inside, variables outside `state`, and a function that isn't the same twice. A call that fails leaves the state as it was.
 */
export function compile<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  checkArguments(call, arguments);
  const { name = fn.name || "function", state = [], strict = true, log } = options;
  const owners: readonly Stateful[] = Array.isArray(state) ? state : [state as Stateful];
  /** Newest use first. */
  let programs: Program<R>[] = [];

  const backendNow = () =>
    typeof options.backend === "string" ? namedBackend(options.backend) : (options.backend ?? currentBackend());
  const streamNow = () => options.stream ?? ambientStream();

  const find = (args: Passed<A>, seed: bigint): { program: Program<R>; leaves: Leaf["value"][] } => {
    const around = surroundings(owners, seed);
    for (const [i, program] of programs.entries()) {
      const leaves = program.leaves(args, around);
      if (!leaves) continue;
      if (i > 0) programs = [program, ...programs.slice(0, i), ...programs.slice(i + 1)];
      return { program, leaves };
    }
    const changed = programs[0]?.changed(args, around);
    if (changed !== undefined) log?.(`traced ${name} anew: ${changed}`, "debug");
    const trace = () => traceFunction(fn, args, listState(owners), seed);
    const traced = trace();
    // Nobody is told of the second trace's nodes, so one look at the stack will do for all of them.
    if (strict) checkSame(name, traced, atOneSite(trace));
    // What the function itself sets when it is traced belongs to the trace.
    const settledAround = surroundings(owners, seed);
    const program = new Program<R>(traced, args, settledAround);
    const others = programs.filter((other) => !other.isSuperseded(args, settledAround));
    programs = [program, ...others].slice(0, mostPrograms);
    return { program, leaves: program.leaves(args, settledAround)! };
  };

  let isWarned = false;
  const told = ({ executable, backend }: Ready, hit: boolean) => {
    const { plan } = executable;
    log?.(
      `${hit ? "found" : "made"} compiled graph ${plan.graphHash.slice(0, 12)} for ${name}: ${plan.kernels.length} kernels`,
      hit ? "info" : "debug",
    );
    const fallback = isWarned ? undefined : fallbackOf(executable, backend.name);
    if (fallback === undefined) return;
    isWarned = true;
    log?.(`${name}: ${fallback}`, "warn");
  };

  const execute = (args: Passed<A>, base: number | undefined): Promise<Execution<R>> => {
    const stream = streamNow();
    const { program, leaves } = find(args, stream.seed);
    const call = makeCall({ name, program, leaves, backend: backendNow(), stream, base, log: told });
    return exclusive(() =>
      runCall(call, async (call) => {
        execution ??= await import("./execution.ts");
        return execution.execute(call);
      }),
    );
  };

  /** What is said of the program for arguments when it is its turn. */
  const asked = <T>(args: Passed<A>, answer: (program: Program<R>, backend: Backend) => Promise<T>): Promise<T> => {
    const { program } = find(args, streamNow().seed);
    const backend = backendNow();
    return exclusive(async () => answer(program, await backend));
  };

  const peek = (args: Passed<A>): Promise<Peek> => {
    const { program, leaves } = find(args, streamNow().seed);
    const backend = backendNow();
    const lineages = program.traced.state.map(({ variable }) => variable.lineage);
    const values = hostValues(leaves, program.traced);
    for (const lineage of lineages) lineage.hold();
    return exclusive(async () => {
      try {
        const { executable } = await program.load(await backend, told);
        const { peekInputs } = await import("./execution.ts");
        return {
          plan: executable.plan,
          inputs: await peekInputs({ program, values, lineages }, await backend),
        };
      } finally {
        for (const lineage of lineages) lineage.letGo();
      }
    });
  };

  return Object.assign((...args: Passed<A>) => made(name, async () => (await execute(args, undefined)).result), {
    execute: (args: Passed<A>, { base }: { readonly base?: number } = {}) => made(name, () => execute(args, base)),
    trace: (...args: Passed<A>) => made(name, () => asked(args, (program, backend) => program.graph(backend))),
    peek: (...args: Passed<A>) => made(name, () => peek(args)),
    plan: (...args: Passed<A>) =>
      made(name, () => asked(args, async (program, backend) => (await program.load(backend, told)).executable.plan)),
  });
}

/** What begins now and ends later: an error of the beginning is a rejection too, and all that it depends on is taken. Throws TraceError in a trace, which is then that trace's. */
function made<T>(name: string, begin: () => Promise<T>): Promise<T> {
  refuseInTrace(
    name,
    "a compiled function was called while tracing",
    "call what it was compiled of: all becomes one graph",
  );
  try {
    return allTaken(begin());
  } catch (error) {
    return Promise.reject(error);
  }
}
