// How much of what a machine can compute a run makes use of: the arithmetic that the step's plan holds, over the time that steps take.

import { planCost } from "../../compile/cost.ts";
import { checkArguments, number, options as optionsOf, signature } from "../../core/arguments.ts";
import type { Callback, FitContext, StepResult } from "../contract.ts";
import { firstGroup } from "../group.ts";
import { checkRange } from "./check.ts";

export interface FlopUtilizationOptions {
  /** What the machine can do, in GFLOP/s; without it no share is logged. */
  readonly peak?: number;
}

const call = signature("FlopUtilization", { "options?": optionsOf<FlopUtilizationOptions>({ "peak?": number }) });

/** Logs `flops/gflops_per_second` (float32 + − × ÷ √ of the training step's plan, a multiply-add as two) and, with `peak`, the share `flops/utilization`. Validation and saving don't count. */
export class FlopUtilization implements Callback {
  readonly name = "FlopUtilization";
  readonly changesTraining = false;
  readonly #peak: number | undefined;
  #flops = 0;
  #seconds = 0;
  #steps = 0;

  constructor(options: FlopUtilizationOptions = {}) {
    checkArguments(call, arguments);
    const { peak } = options;
    if (peak !== undefined) checkRange("FlopUtilization.peak", peak, Number.MIN_VALUE, Number.POSITIVE_INFINITY);
    this.#peak = peak;
  }

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
        ...(this.#peak !== undefined && { "flops/utilization": rate / this.#peak }),
      },
      step,
    );
  }
}
