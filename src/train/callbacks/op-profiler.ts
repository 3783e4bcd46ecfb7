// Where a step's time goes: each kernel of its plan, run by itself on the backend over what it reads in that step, with the arithmetic and memory
// traffic it stands for.

import { type KernelWord, wordOf } from "../../../kernels/word.ts";
import { type Cost, kernelCost } from "../../compile/cost.ts";
import { checkNone } from "../../core/arguments.ts";
import { configured } from "../../core/configured.ts";
import { countOf, type Given, options, repeats } from "../../core/options.ts";
import { alignedLines } from "../../core/table.ts";
import { groups, type StepInput } from "../../data/groups.ts";
import { kernelTimes } from "../../runtime/profile.ts";
import type { Callback, StepContext } from "../contract.ts";

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
      backend.name === "reference" ? [] : await kernelTimes(backend, { plan, inputs }, draws, this.options.repeats);
    const measured = plan.kernels.map((kernel, i): ProfiledKernel => {
      return { kernel: i, kind: wordOf(kernel), shape: kernel.shape, ...kernelCost(kernel, plan), seconds: seconds[i] };
    });
    this.#profile = measured.sort((x, y) => (y.seconds ?? y.flops) - (x.seconds ?? x.flops));
    trainer.message("info", `kernels of the training step:\n${this.text()}`);
  }

  /** The table as text. */
  text(): string {
    checkNone("OpProfiler.text", arguments);
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
    return alignedLines(table, 3).join("\n");
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
