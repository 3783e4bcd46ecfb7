// How much of what a machine can compute a run makes use of: the arithmetic that the step's plan holds, over the time that steps take.

import { planCost } from "../../compile/cost.ts";
import { configured } from "../../core/configured.ts";
import { type Given, options, positive } from "../../core/options.ts";
import { firstGroup } from "../../data/groups.ts";
import type { Callback, FitContext, StepResult } from "../contract.ts";

const record = options("FlopUtilization", {
  /** What the machine can do, in GFLOP/s; without it no share is logged. */
  peak: positive.optional(),
});
export type FlopUtilizationOptions = Given<typeof record>;

/** Logs `flops/gflops_per_second` (float32 + − × ÷ √ of the training step's plan, a multiply-add as two) and, with `peak`, the share `flops/utilization`. Validation and saving don't count. */
export class FlopUtilization extends configured(record) implements Callback {
  readonly changesTraining = false;
  #flops = 0;
  #seconds = 0;
  #steps = 0;

  async onTrainStart({ trainer, loader }: FitContext): Promise<void> {
    const { input } = await firstGroup(trainer.seed, loader, trainer.options.loop.gradAccumSteps);
    this.#flops = planCost(await (await trainer.trainStep()).plan(input)).flops;
    this.#seconds = 0;
    this.#steps = 0;
  }

  async onTrainStepEnd({ trainer, step, seconds, logged }: StepResult): Promise<void> {
    this.#seconds += seconds;
    this.#steps++;
    if (!logged) return;
    const rate = (this.#flops * this.#steps) / this.#seconds / 1e9;
    this.#seconds = 0;
    this.#steps = 0;
    await trainer.logMetrics(
      {
        "flops/gflops_per_second": rate,
        ...(this.options.peak !== undefined && { "flops/utilization": rate / this.options.peak }),
      },
      step,
    );
  }
}
