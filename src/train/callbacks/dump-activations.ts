// Writes what modules give, whole, every so many steps: for looking into a network, or comparing it with another implementation.

import type { HostArray } from "../../core/array.ts";
import { configured } from "../../core/configured.ts";
import { ConfigError } from "../../core/errors.ts";
import { select } from "../../core/glob.ts";
import { type Given, list, options, text } from "../../core/options.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { namedModules } from "../../nn/naming.ts";
import { ModuleObserver } from "../../nn/observe.ts";
import { duration, stepsOf } from "../../optim/duration.ts";
import { watch } from "../../program/trace.ts";
import { makeInside } from "../../run/inside.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, FitContext, StepResult, TraceContext, TrainerView } from "../contract.ts";

const record = options("DumpActivations", {
  /** Globs of modules; the model itself is `model`. */
  modules: list(text).default(["*"]),
  /** Every so many steps. */
  every: duration.default(1),
});
export type DumpActivationsOptions = Given<typeof record>;

const prefix = "DumpActivations/";

/** Writes `activations/step_<n>.safetensors` into the run's folder: the outputs of the chosen modules in training, by path. */
export class DumpActivations extends configured(record) implements Callback {
  readonly changesTraining = false;
  #observer: ModuleObserver | undefined;

  postSetup({ model }: TrainerView): void {
    select("DumpActivations.modules", namedModules(model), this.options.modules);
    this.#observer = new ModuleObserver(model);
  }

  onTrace({ role }: TraceContext): void {
    const calls = this.#observer!.take();
    if (role !== "train") return;
    const outputs = calls.flatMap(({ path, outputs: all }) =>
      all.map((tensor, i): [string, Tensor] => [all.length > 1 ? `${path}:${i}` : path, tensor]),
    );
    for (const [path, tensor] of select("DumpActivations.modules", outputs, this.options.modules))
      watch(prefix + path, tensor);
  }

  onTrainStart({ trainer }: FitContext): void {
    if (trainer.options.modelDir !== undefined) return;
    throw new ConfigError({ where: "DumpActivations", problem: "there is no folder to write to", got: "no modelDir" });
  }

  async onAfterOptimizerStep(context: StepResult): Promise<void> {
    const { trainer, step, watched } = context;
    if (step % stepsOf(this.options.every, context) !== 0) return;
    const folder = `${trainer.options.modelDir}/activations`;
    const tensors: [string, HostArray][] = [];
    for (const [name, tensor] of Object.entries(watched)) {
      if (!name.startsWith(prefix)) continue;
      const { shape, dtype } = tensor;
      tensors.push([name.slice(prefix.length), { data: await tensor.data(), shape, dtype }]);
    }
    makeInside(folder);
    writeSafetensors(`${folder}/step_${step}.safetensors`, tensors, { step: String(step) });
  }
}
