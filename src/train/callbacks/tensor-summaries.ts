// Mean, deviation and extremes of tensors chosen by globs, computed in the step and read where it is logged.
import { namedModules } from "../../nn/naming.ts";
import { max, mean, min, sqrt } from "../../tensor/functions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, StepResult, TraceContext } from "../hooks.ts";
import { summarized } from "../summarize.ts";
import type { Trainer } from "../trainer.ts";
import { ModuleObserver } from "./observe.ts";
import { WatchedScalars } from "./scalars.ts";
import { select } from "./select.ts";

export interface TensorSummariesOptions {
  /** Globs of parameters, `["*"]` for all; none by default. */
  readonly parameters?: readonly string[];
  /** Globs of parameters whose gradients are summarised; none by default. */
  readonly gradients?: readonly string[];
  /** Globs of modules whose outputs are summarised; the model itself is `model`; none by default. */
  readonly activations?: readonly string[];
}

/** Logs `summary/<kind>/<path>/mean`, `…/std`, `…/min`, `…/max`; and whatever the model gives to `summarizeScalar` and `summarizeTensor`. */
export class TensorSummaries implements Callback {
  readonly name = "TensorSummaries";
  readonly changesTraining = false;
  readonly #options: Required<TensorSummariesOptions>;
  readonly #scalars = new WatchedScalars("TensorSummaries");
  #observer: ModuleObserver | undefined;

  constructor({ parameters = [], gradients = [], activations = [] }: TensorSummariesOptions = {}) {
    this.#options = { parameters, gradients, activations };
  }

  postSetup({ model, optimizer }: Trainer): void {
    const { parameters, gradients, activations } = this.#options;
    const paths = model.namedParameters().map(([path]) => path);
    select("TensorSummaries.parameters", paths, parameters);
    select("TensorSummaries.gradients", [...(optimizer?.parameterNames ?? [])], gradients);
    select(
      "TensorSummaries.activations",
      namedModules(model).map(([path]) => path),
      activations,
    );
    if (activations.length > 0) this.#observer = new ModuleObserver(model);
  }

  onTrace({ role, model, gradients }: TraceContext): void {
    const calls = this.#observer?.take() ?? [];
    if (role !== "train") return;
    const options = this.#options;
    const found: [string, Tensor][] = summarized().map(({ name, tensor }) => [name, tensor]);
    const add = (kind: keyof TensorSummariesOptions, tensors: readonly (readonly [string, Tensor])[]) => {
      const wanted = new Set(
        options[kind].length === 0
          ? []
          : select(
              kind,
              tensors.map(([path]) => path),
              options[kind],
            ),
      );
      for (const [path, tensor] of tensors) if (wanted.has(path)) found.push([`summary/${kind}/${path}`, tensor]);
    };
    add("parameters", model.namedParameters());
    add("gradients", Object.entries(gradients));
    add(
      "activations",
      calls.flatMap(({ path, outputs }) => outputs.map((tensor): [string, Tensor] => [path, tensor])),
    );
    this.#scalars.watch(found.flatMap(([name, tensor]) => statistics(name, tensor)));
  }

  async onTrainStepEnd({ trainer, step, logged, watched }: StepResult): Promise<void> {
    if (!logged) return;
    const values = await this.#scalars.read(watched);
    if (values.length > 0) await trainer.logMetrics(Object.fromEntries(values), step);
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
