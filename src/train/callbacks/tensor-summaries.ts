// Mean, deviation and extremes of tensors chosen by globs, and histograms of them if asked for, computed in the step and read where it is logged.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { select } from "../../core/glob.ts";
import { flag, type Given, list, options, text } from "../../core/options.ts";
import { sizeOf } from "../../core/shape.ts";
import { type Histogram, histogramOf } from "../../io/histogram.ts";
import { namedModules } from "../../nn/naming.ts";
import { ModuleObserver } from "../../nn/observe.ts";
import { summarized } from "../../nn/summarize.ts";
import { max, mean, min, sqrt } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, FitContext, StepResult, TraceContext, TrainerView } from "../contract.ts";
import { WatchedTensors } from "./watched.ts";

const record = options("TensorSummaries", {
  /** Globs of parameters, `["*"]` for all. */
  parameters: list(text).default([]),
  /** Globs of parameters whose gradients are summarised. */
  gradients: list(text).default([]),
  /** Globs of modules whose outputs are summarised; the model itself is `model`. */
  activations: list(text).default([]),
  /** Whether loggers are told a histogram of each chosen tensor too: TensorBoardLogger shows them. */
  histograms: flag.default(false),
});
export type TensorSummariesOptions = Given<typeof record>;

type Kind = "parameters" | "gradients" | "activations";

/** Logs `summary/<kind>/<path>/mean`, `…/std`, `…/min`, `…/max`; and whatever the model gives to `summarizeScalar` and `summarizeTensor`. */
export class TensorSummaries extends configured(record) implements Callback {
  readonly changesTraining = false;
  readonly #scalars = new WatchedTensors("TensorSummaries/scalars");
  #observer: ModuleObserver | undefined;
  readonly #histograms = new WatchedTensors("TensorSummaries/histograms");

  postSetup({ model, optimizer }: TrainerView): void {
    const { parameters, gradients, activations } = this.options;
    select("TensorSummaries.parameters", model.namedParameters(), parameters);
    select("TensorSummaries.gradients", optimizer?.parameterNames.map((name) => [name] as const) ?? [], gradients);
    select("TensorSummaries.activations", namedModules(model), activations);
    if (activations.length > 0) this.#observer = new ModuleObserver(model);
  }

  onFitStart({ trainer }: FitContext): void {
    if (!this.options.histograms || [...trainer.callbacks.values()].some(({ logHistograms }) => logHistograms)) return;
    const problem = "no logger takes them";
    refuse(ConfigError, "TensorSummaries.histograms", problem, "true", "TensorBoardLogger among the loggers");
  }

  onTrace({ role, model, gradients }: TraceContext): void {
    const calls = this.#observer?.take() ?? [];
    if (role !== "train") return;
    const { options: chosen } = this;
    const found: [string, Tensor][] = summarized().map(({ name, tensor }) => [name, tensor]);
    const add = (kind: Kind, tensors: readonly (readonly [string, Tensor])[]) => {
      for (const [path, tensor] of select(kind, tensors, chosen[kind])) found.push([`summary/${kind}/${path}`, tensor]);
    };
    add("parameters", model.namedParameters());
    add("gradients", Object.entries(gradients));
    add(
      "activations",
      calls.flatMap(({ path, outputs }) => outputs.map((tensor): [string, Tensor] => [path, tensor])),
    );
    this.#scalars.watch(found.flatMap(([name, tensor]) => statistics(name, tensor)));
    if (chosen.histograms)
      this.#histograms.watch(found.filter(([, tensor]) => tensor.rank > 0 && sizeOf(tensor.shape) > 0));
  }

  async onTrainStepEnd({ trainer, step, logged, watched }: StepResult): Promise<void> {
    if (!logged) return;
    const values = await this.#scalars.numbers(watched);
    if (values.length > 0) await trainer.logMetrics(Object.fromEntries(values), step);
    const histograms: Record<string, Histogram> = {};
    for (const [name, elements] of await this.#histograms.read(watched)) {
      const histogram = histogramOf(elements);
      if (histogram) histograms[name] = histogram;
    }
    if (Object.keys(histograms).length > 0) await trainer.logHistograms(histograms, step);
  }
}

/** A scalar as it is; of a larger tensor its mean, standard deviation, least and greatest element. */
function statistics(name: string, tensor: Tensor): [string, Tensor][] {
  if (tensor.rank === 0) return [[name, tensor]];
  const middle = mean(tensor);
  const apart = tensor.sub(middle);
  return [
    [`${name}/mean`, middle],
    [`${name}/std`, sqrt(mean(apart.mul(apart)))],
    [`${name}/min`, min(tensor)],
    [`${name}/max`, max(tensor)],
  ];
}
