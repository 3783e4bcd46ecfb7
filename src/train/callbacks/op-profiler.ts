// Where a step's time goes: each kernel of its plan, run by itself on the backend, with the arithmetic and memory traffic it stands for.
import { type Kernel, kernelInputs } from "../../../kernels/kernel.ts";
import type { Backend } from "../../backend/contract.ts";
import { type Cost, kernelCost } from "../../compile/cost.ts";
import type { Plan, Value } from "../../compile/plan.ts";
import { now } from "../clock.ts";
import { firstGroup } from "../group.ts";
import type { Callback, FitContext } from "../hooks.ts";
import { checkCount } from "./check.ts";

export interface OpProfilerOptions {
  /** Rows of the table; 12 by default. */
  readonly rows?: number;
  /** How often each kernel is timed: the least counts; 5 by default. */
  readonly repeats?: number;
}

/** One kernel of the training step. */
export interface ProfiledKernel extends Cost {
  /** Its number in the plan. */
  readonly kernel: number;
  readonly kind: Kernel["kind"];
  /** The output's shape. */
  readonly shape: readonly number[];
  /** Undefined on `reference`, which runs nodes and no kernels. */
  readonly seconds?: number;
}

/** Shows at the start which kernels of the training step take longest: each is timed alone, over zeros, beside the run and without touching it. */
export class OpProfiler implements Callback {
  readonly name = "OpProfiler";
  readonly changesTraining = false;
  readonly #rows: number;
  readonly #repeats: number;
  #profile: readonly ProfiledKernel[] = [];

  constructor({ rows = 12, repeats = 5 }: OpProfilerOptions = {}) {
    checkCount("OpProfiler.rows", rows, "rows");
    checkCount("OpProfiler.repeats", repeats, "repeats");
    this.#rows = rows;
    this.#repeats = repeats;
  }

  /** Every kernel, slowest first; by arithmetic where nothing was timed. */
  get profile(): readonly ProfiledKernel[] {
    return this.#profile;
  }

  async onTrainStart({ trainer, loader }: FitContext): Promise<void> {
    const { input } = await firstGroup(trainer.seed, loader, trainer.options.loop.gradAccumSteps);
    const plan = await (await trainer.trainStep()).plan(input);
    const backend = await trainer.backend();
    const measured: ProfiledKernel[] = [];
    for (const [i, kernel] of plan.kernels.entries()) {
      const seconds = backend.name === "reference" ? undefined : await time(backend, plan, kernel, this.#repeats);
      measured.push({ kernel: i, kind: kernel.kind, shape: kernel.shape, ...kernelCost(kernel, plan), seconds });
    }
    this.#profile = measured.sort((a, b) => (b.seconds ?? b.flops) - (a.seconds ?? a.flops));
    trainer.message("info", `kernels of the training step:\n${this.text()}`);
  }

  /** The table as text. */
  text(): string {
    const whole = this.#profile.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
    const rows = this.#profile
      .slice(0, this.#rows)
      .map(({ kernel, kind, shape, flops, bytesRead, bytesWritten, seconds }) => [
        String(kernel),
        kind,
        `[${shape.join(", ")}]`,
        seconds === undefined ? "" : (seconds * 1e6).toFixed(0),
        seconds === undefined ? "" : `${((100 * seconds) / whole).toFixed(1)} %`,
        String(flops),
        String(bytesRead + bytesWritten),
      ]);
    const table = [["kernel", "kind", "output", "µs", "share", "FLOP", "bytes"], ...rows];
    const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
    return table
      .map((row) =>
        row
          .map((cell, i) => (i > 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
          .join("  ")
          .trimEnd(),
      )
      .join("\n");
  }
}

/** The least time of a few runs of a plan that is this kernel alone. */
async function time(backend: Backend, plan: Plan, kernel: Kernel, repeats: number): Promise<number> {
  const alone = planOf(plan, kernel);
  const executable = await backend.load(alone);
  const buffers = (ports: Plan["inputs"]) =>
    ports.map(({ dtype, value }) => backend.allocate(dtype, alone.values[value].size));
  const [inputs, outputs] = [buffers(alone.inputs), buffers(alone.outputs)];
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const start = now();
    await executable.run({ inputs, outputs, seed: plan.graph.seed, base: 0 });
    least = Math.min(least, now() - start);
  }
  for (const buffer of [...inputs, ...outputs]) backend.free(buffer);
  executable.dispose();
  return least;
}

/** A kernel as a plan: what it reads are its inputs, what it writes is its output. */
function planOf(plan: Plan, kernel: Kernel): Plan {
  const sources = [
    ...new Set(kernelInputs(kernel).flatMap(({ source }) => (typeof source === "number" ? [source] : []))),
  ];
  const inputs = sources.filter((source) => plan.values[source].place.kind !== "constant");
  const numbers = new Map([...sources, kernel.output].map((value, i) => [value, i]));
  const values = [...sources, kernel.output].map((source, i): Value => {
    const { place, ...value } = plan.values[source];
    if (i === sources.length) return { ...value, place: { kind: "output", index: 0 } };
    return place.kind === "constant"
      ? { ...value, place }
      : { ...value, place: { kind: "input", index: inputs.indexOf(source) } };
  });
  const renumber = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(renumber);
    if (typeof item !== "object" || item === null || !("source" in item) || typeof item.source !== "number")
      return item;
    return { ...item, source: numbers.get(item.source)! };
  };
  const own = Object.fromEntries(Object.entries(kernel).map(([key, item]) => [key, renumber(item)]));
  const port = (source: number) => ({ ...plan.values[source], name: String(source), value: numbers.get(source)! });
  return {
    ...plan,
    values,
    kernels: [{ ...own, output: sources.length } as Kernel],
    inputs: inputs.map(port),
    outputs: [{ ...plan.values[kernel.output], name: "output", value: sources.length }],
    state: [],
    copies: [],
    arenaBytes: 0,
    lowerBoundBytes: 0,
  };
}
