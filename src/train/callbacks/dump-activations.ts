// Writes what modules give, whole, every so many steps: for looking into a network, or comparing it with another implementation.

import { checkArguments, number, options as optionsOf, signature, strings } from "../../core/arguments.ts";
import type { HostArray } from "../../core/array.ts";
import { ConfigError } from "../../core/errors.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { namedModules } from "../../nn/naming.ts";
import { watch } from "../../program/trace.ts";
import { makeInside } from "../../run/inside.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, FitContext, StepResult, TraceContext, TrainerView } from "../contract.ts";
import { checkCount } from "./check.ts";
import { ModuleObserver } from "./observe.ts";
import { select } from "./select.ts";

export interface DumpActivationsOptions {
  /** Globs of modules; the model itself is `model`; all by default. */
  readonly modules?: readonly string[];
  /** Every so many steps; 1 by default. */
  readonly every?: number;
}

const prefix = "DumpActivations/";

const call = signature("DumpActivations", {
  "options?": optionsOf<DumpActivationsOptions>({ "modules?": strings, "every?": number }),
});

/** Writes `activations/step_<n>.safetensors` into the run's folder: the outputs of the chosen modules in training, by path. */
export class DumpActivations implements Callback {
  readonly name = "DumpActivations";
  readonly changesTraining = false;
  readonly #modules: readonly string[];
  readonly #every: number;
  #observer: ModuleObserver | undefined;

  constructor(options: DumpActivationsOptions = {}) {
    checkArguments(call, arguments);
    const { modules = ["*"], every = 1 } = options;
    checkCount("DumpActivations.every", every);
    this.#modules = modules;
    this.#every = every;
  }

  postSetup({ model }: TrainerView): void {
    select(
      "DumpActivations.modules",
      namedModules(model).map(([path]) => path),
      this.#modules,
    );
    this.#observer = new ModuleObserver(model);
  }

  onTrace({ role }: TraceContext): void {
    const calls = this.#observer!.take();
    if (role !== "train") return;
    const outputs = calls.flatMap(({ path, outputs: all }) =>
      all.map((tensor, i): [string, Tensor] => [all.length > 1 ? `${path}:${i}` : path, tensor]),
    );
    const names = select(
      "DumpActivations.modules",
      outputs.map(([path]) => path),
      this.#modules,
    );
    for (const [path, tensor] of outputs) if (names.includes(path)) watch(prefix + path, tensor);
  }

  onTrainStart({ trainer }: FitContext): void {
    if (trainer.options.modelDir !== undefined) return;
    throw new ConfigError({ where: "DumpActivations", problem: "there is no folder to write to", got: "no modelDir" });
  }

  async onAfterOptimizerStep({ trainer, step, watched }: StepResult): Promise<void> {
    if (step % this.#every !== 0) return;
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
