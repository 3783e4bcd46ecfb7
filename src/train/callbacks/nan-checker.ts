// Finds where numbers stop being finite: the first module in the forward pass, the first gradient on the way back, or the parameter.

import { configured } from "../../core/configured.ts";
import { TrainingError } from "../../core/errors.ts";
import { flag, type Given, options } from "../../core/options.ts";
import { ModuleObserver } from "../../nn/observe.ts";
import { duration, stepsOf } from "../../optim/duration.ts";
import { abs, less, sum, where } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, StepResult, TraceContext, TrainerView } from "../contract.ts";
import { WatchedTensors } from "./watched.ts";

const record = options("NaNChecker", {
  /** Looks at every module's outputs. */
  activations: flag.default(true),
  /** Looks at every gradient; unless given, but under a dynamic loss scale, which expects some to overflow and skips their steps. */
  gradients: flag.optional(),
  /** Looks every so many steps, and whenever the loss is not finite. */
  every: duration.default(1),
});
export type NaNCheckerOptions = Given<typeof record>;

/** Stops a run at the first step in which a parameter, an activation or a gradient is NaN or infinite, and names the first one. */
export class NaNChecker extends configured(record) implements Callback {
  readonly changesTraining = false;
  #gradients = true;
  readonly #counts = new WatchedTensors("NaNChecker");
  #observer: ModuleObserver | undefined;

  postSetup({ model, options }: TrainerView): void {
    this.#gradients = this.options.gradients ?? options.precision.lossScalingFactor !== "dynamic";
    if (this.options.activations) this.#observer = new ModuleObserver(model);
  }

  /** In the order in which a bad number would spread: what went in, parameters, modules as they ran, the loss, gradients from the last parameter back. */
  onTrace({ role, model, batch, loss, gradients }: TraceContext): void {
    const calls = this.#observer?.take() ?? [];
    if (role !== "train") return;
    const found: [string, Tensor][] = Object.entries(batch).map(([name, x]) => [`the batch's ${name}`, x]);
    for (const [path, x] of model.namedParameters()) found.push([`parameter ${path}`, x]);
    for (const { path, module, outputs } of calls)
      for (const x of outputs) found.push([`the output of ${path} (${module.constructor.name})`, x]);
    if (loss) found.push(["the loss", loss]);
    const order = model.namedParameters().map(([path]) => path);
    const backward = Object.entries(gradients).sort(([a], [b]) => order.indexOf(b) - order.indexOf(a));
    if (this.#gradients) for (const [path, x] of backward) found.push([`the gradient of ${path}`, x]);
    this.#counts.watch(found.filter(([, x]) => x.dtype === "float32").map(([name, x]) => [name, notFinite(x)]));
  }

  async onAfterOptimizerStep(context: StepResult): Promise<void> {
    const { step, watched, batch, loss } = context;
    if (step % stepsOf(this.options.every, context) !== 0 && Number.isFinite(loss)) return;
    const bad = (await this.#counts.numbers(watched)).filter(([, count]) => count > 0);
    if (bad.length === 0) return;
    const [[first, count], ...others] = bad;
    const samples = Array.from(batch.indices ?? [])
      .slice(0, 4)
      .join(", ");
    throw new TrainingError({
      where: `step ${step}`,
      problem: `${first} is not finite`,
      got: `${count} elements that are NaN or infinite`,
      expected: "finite numbers",
      hint: `then ${others.length} more: ${
        others
          .slice(0, 3)
          .map(([name]) => name)
          .join("; ") || "none"
      }. ${samples && `The batch begins with samples ${samples}`}`,
    });
  }
}

/** How many elements are NaN or infinite. → [] float32 */
function notFinite(x: Tensor): Tensor {
  return sum(where(less(abs(x), Number.POSITIVE_INFINITY), 0, 1));
}
