// Where a step's time goes: each kernel of its plan, run by itself on the backend over what it reads in that step, with the arithmetic and memory
// traffic it stands for.

import { kernelInputs, mapInputs } from "../../../kernels/kernel.ts";
import type { Kernel } from "../../../kernels/kinds.ts";
import { type KernelWord, wordOf } from "../../../kernels/word.ts";
import type { Backend, Buffer } from "../../compile/contract.ts";
import { type Cost, kernelCost, timesOf } from "../../compile/cost.ts";
import type { Plan, Value } from "../../compile/plan.ts";
import { checkArguments, signature } from "../../core/arguments.ts";
import { countOf, type Given, options, repeats } from "../../core/options.ts";
import { configured } from "../../core/things.ts";
import type { Peek } from "../../program/compiled.ts";
import { now } from "../clock.ts";
import type { Callback, StepContext } from "../contract.ts";
import { groups, type StepInput } from "../group.ts";

const record = options("OpProfiler", {
  /** Rows of the table. */
  rows: countOf("rows").default(12),
  /** How often each kernel is timed, at most 65536: the smallest time is shown. */
  repeats: repeats("a run of every kernel of the step").default(5),
});
export type OpProfilerOptions = Given<typeof record>;

/** One kernel of the training step. */
export interface ProfiledKernel extends Cost {
  /** Its number in the plan. */
  readonly kernel: number;
  readonly kind: KernelWord;
  /** The output's shape. */
  readonly shape: readonly number[];
  /** Undefined on `reference`, which runs nodes and no kernels. */
  readonly seconds?: number;
}

const textCall = signature("OpProfiler.text", {});

/** Shows before a fit's first step which of its kernels take longest: each is timed alone, over that step's own data, weights and state, beside the run and without touching it. */
export class OpProfiler extends configured(record) implements Callback {
  readonly changesTraining = false;
  #profile: readonly ProfiledKernel[] = [];
  #due = false;

  /** Every kernel, slowest first; by arithmetic where nothing was timed. */
  get profile(): readonly ProfiledKernel[] {
    return this.#profile;
  }

  onTrainStart(): void {
    this.#due = true;
  }

  async onTrainStepStart(context: StepContext): Promise<void> {
    if (!this.#due) return;
    this.#due = false;
    const { trainer } = context;
    const backend = await trainer.backend();
    const { plan, inputs } = await (await trainer.trainStep()).peek(await inputOf(context));
    const draws = { seed: trainer.seed, base: trainer.stream.position };
    const seconds =
      backend.name === "reference" ? [] : await times(backend, { plan, inputs }, draws, this.options.repeats);
    const measured = plan.kernels.map((kernel, i): ProfiledKernel => {
      return { kernel: i, kind: wordOf(kernel), shape: kernel.shape, ...kernelCost(kernel, plan), seconds: seconds[i] };
    });
    this.#profile = measured.sort((x, y) => (y.seconds ?? y.flops) - (x.seconds ?? x.flops));
    trainer.message("info", `kernels of the training step:\n${this.text()}`);
  }

  /** The table as text. */
  text(): string {
    checkArguments(textCall, arguments);
    const whole = this.#profile.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
    const rows = this.#profile
      .slice(0, this.options.rows)
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

/** What the step that is about to begin takes. Where batches are accumulated they are read once more: a loader's batches are a function of its draws. */
async function inputOf({ trainer, loader, batch }: StepContext): Promise<StepInput> {
  const { seed, progress, options } = trainer;
  const { gradAccumSteps } = options.loop;
  if (gradAccumSteps === 1) return batch.tensors;
  for await (const { input } of groups(loader, { seed, offset: progress.offset! }, gradAccumSteps, progress.cursor))
    return input;
  return batch.tensors;
}

/** The least of a few times of each kernel. They run one after another, each over what those before it have made; its own output is beside the step's. */
async function times(
  backend: Backend,
  { plan, inputs }: Peek,
  draws: { readonly seed: bigint; readonly base: number },
  repeats: number,
): Promise<number[]> {
  const buffers = new Map<number, Buffer>();
  const hold = (value: number): Buffer => {
    const { dtype, size } = plan.values[value];
    const buffer = backend.allocate(dtype, size);
    buffers.set(value, buffer);
    return buffer;
  };
  const lastReader = new Map(plan.kernels.flatMap((kernel, i) => sourcesOf(kernel).map((source) => [source, i])));
  const seconds: number[] = [];
  try {
    plan.inputs.forEach(({ value }, i) => {
      backend.write(hold(value), inputs[i]);
    });
    for (const [i, kernel] of plan.kernels.entries()) {
      const alone = planOf(plan, kernel);
      const executable = await backend.load(alone);
      try {
        // What another kernel wrote part by part, or a part of it, is stood for by zeros.
        const given = alone.inputs.map(({ name }) => buffers.get(Number(name)) ?? hold(Number(name)));
        const run = { inputs: given, outputs: [hold(kernel.output)], ...draws };
        let least = Number.POSITIVE_INFINITY;
        for (let repeat = 0; repeat < repeats; repeat++) {
          const start = now();
          await executable.run(run);
          least = Math.min(least, now() - start);
        }
        seconds.push(least * timesOf(kernel));
      } finally {
        executable.dispose();
      }
      for (const value of [...sourcesOf(kernel), kernel.output]) {
        const buffer = buffers.get(value);
        if (!buffer || (lastReader.get(value) ?? i) > i) continue;
        backend.free(buffer);
        buffers.delete(value);
      }
    }
  } finally {
    for (const buffer of buffers.values()) backend.free(buffer);
  }
  return seconds;
}

/** The values that a kernel reads. */
function sourcesOf(kernel: Kernel): number[] {
  return [...new Set(kernelInputs(kernel).flatMap(({ source }) => (typeof source === "number" ? [source] : [])))];
}

/** A kernel as a plan: what it reads are its inputs, what it writes is its output. */
function planOf(plan: Plan, kernel: Kernel): Plan {
  const sources = sourcesOf(kernel);
  const inputs = sources.filter((source) => plan.values[source].place.kind !== "constant");
  const numbers = new Map([...sources, kernel.output].map((value, i) => [value, i]));
  const values = [...sources, kernel.output].map((source, i): Value => {
    const { place, ...value } = plan.values[source];
    if (i === sources.length) return { ...value, place: { kind: "output", index: 0 } };
    return place.kind === "constant"
      ? { ...value, place }
      : { ...value, place: { kind: "input", index: inputs.indexOf(source) } };
  });
  const own = mapInputs(kernel, (input) =>
    typeof input.source === "number" ? { ...input, source: numbers.get(input.source)! } : input,
  );
  const port = (source: number) => ({ ...plan.values[source], name: String(source), value: numbers.get(source)! });
  return {
    ...plan,
    values,
    kernels: [{ ...own, output: sources.length, repeat: undefined }],
    inputs: inputs.map(port),
    outputs: [{ ...plan.values[kernel.output], name: "output", value: sources.length }],
    state: [],
    copies: [],
  };
}
