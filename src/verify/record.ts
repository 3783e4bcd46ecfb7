// A backend that remembers: what each graph was last run on, and what came out. It hands everything on to the backend it wraps, so that what
// is recorded is what really ran.
import type { Backend, Buffer } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import type { TypedArray } from "../core/dtype.ts";

/** One run of a plan. */
export interface RunRecord {
  readonly plan: Plan;
  /** Elements of the plan's inputs before the run, in order. */
  readonly inputs: readonly TypedArray[];
  /** Elements of the plan's outputs and watched roots after it, in order. */
  readonly outputs: readonly TypedArray[];
  readonly seed: bigint;
  /** The absolute offset that the plan's draws were relative to. */
  readonly base: number;
}

/** A backend, and the last run of each plan on it by the plan's key. */
export interface RecordingBackend extends Backend {
  readonly inner: Backend;
  /** The latest last. */
  readonly records: ReadonlyMap<string, RunRecord>;
}

/** The latest run of a graph of one of these hashes. */
export function latestOf(
  { records }: RecordingBackend,
  hashes: readonly (string | undefined)[],
): RunRecord | undefined {
  return [...records.values()].reverse().find(({ plan }) => hashes.includes(plan.graphHash));
}

/** The latest run of a step's graph, and the role that the graph has: a step's graphs may be several, as `train` and `train/2`. */
export function latestStep(
  backend: RecordingBackend,
  graphs: Readonly<Record<string, string>>,
): { readonly record: RunRecord; readonly role: string } {
  const steps = Object.entries(graphs).filter(([role]) => role.startsWith("train"));
  const record = latestOf(
    backend,
    steps.map(([, hash]) => hash),
  )!;
  const [role] = steps.find(([, hash]) => hash === record.plan.graphHash)!;
  return { record, role };
}

/** Wraps a backend so that it remembers: all runs, or those that begin while `wanted` says so. */
export function recording(inner: Backend, wanted: () => boolean = () => true): RecordingBackend {
  const records = new Map<string, RunRecord>();
  const readAll = async (buffers: readonly Buffer[]) => {
    const all: TypedArray[] = [];
    for (const buffer of buffers) all.push((await inner.read(buffer)).slice());
    return all;
  };
  return {
    inner,
    records,
    name: inner.name,
    class: inner.class,
    threads: inner.threads,
    target: inner.target,
    allocate: (dtype, size) => inner.allocate(dtype, size),
    write: (buffer, data) => inner.write(buffer, data),
    read: (buffer) => inner.read(buffer),
    free: (buffer) => inner.free(buffer),
    async load(plan) {
      const executable = await inner.load(plan);
      return {
        plan,
        sources: executable.sources,
        scratchBytes: executable.scratchBytes,
        dispose: () => executable.dispose(),
        async run(run) {
          if (!wanted()) return executable.run(run);
          const inputs = await readAll(run.inputs);
          await executable.run(run);
          const { seed, base } = run;
          records.delete(plan.key);
          records.set(plan.key, { plan, inputs, outputs: await readAll(run.outputs), seed, base });
        },
      };
    },
    dispose: () => inner.dispose(),
  };
}

/** Runs a plan once on a backend with these inputs; elements of its outputs, in order. State isn't updated in place: inputs stay. */
export async function runPlan(
  backend: Backend,
  plan: Plan,
  { inputs, seed, base }: Pick<RunRecord, "inputs" | "seed" | "base">,
): Promise<TypedArray[]> {
  const executable = await backend.load(plan);
  const held: Buffer[] = [];
  const make = ({ dtype }: Plan["inputs"][number], size: number) => {
    const buffer = backend.allocate(dtype, size);
    held.push(buffer);
    return buffer;
  };
  try {
    const given = plan.inputs.map((port, i) => make(port, inputs[i].length));
    const results = plan.outputs.map((port) => make(port, plan.values[port.value].size));
    given.forEach((buffer, i) => {
      backend.write(buffer, inputs[i]);
    });
    await executable.run({ inputs: given, outputs: results, seed, base });
    const outputs: TypedArray[] = [];
    for (const buffer of results) outputs.push((await backend.read(buffer)).slice());
    return outputs;
  } finally {
    for (const buffer of held) backend.free(buffer);
    executable.dispose();
  }
}
