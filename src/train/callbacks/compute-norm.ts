// L2 norms of gradients and parameters, computed in the step and read where it is logged.

import { boolean, checkArguments, options as optionsOf, signature } from "../../core/arguments.ts";
import { ConfigError } from "../../core/errors.ts";
import { sqrt, sum } from "../../tensor/functions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, StepResult, TraceContext } from "../contract.ts";
import { WatchedScalars } from "./scalars.ts";

export interface ComputeNormOptions {
  /** Norms of gradients, before clipping; true by default. */
  readonly gradients?: boolean;
  /** Norms of parameters, before the step's update; true by default. */
  readonly parameters?: boolean;
  /** One for each parameter too, beside the whole; false by default. */
  readonly perLayer?: boolean;
}

const call = signature("ComputeNorm", {
  "options?": optionsOf<ComputeNormOptions>({ "gradients?": boolean, "parameters?": boolean, "perLayer?": boolean }),
});

/** Logs `norm/gradient` and `norm/parameter`: √ of the sum of squares over all; per layer `norm/gradient/<path>`, `norm/parameter/<path>`. */
export class ComputeNorm implements Callback {
  readonly name = "ComputeNorm";
  readonly changesTraining = false;
  readonly #options: Required<ComputeNormOptions>;
  readonly #scalars = new WatchedScalars("ComputeNorm");

  constructor(options: ComputeNormOptions = {}) {
    checkArguments(call, arguments);
    const { gradients = true, parameters = true, perLayer = false } = options;
    if (!gradients && !parameters) {
      throw new ConfigError({
        where: "ComputeNorm",
        problem: "nothing to compute",
        got: "neither gradients nor parameters",
      });
    }
    this.#options = { gradients, parameters, perLayer };
  }

  onTrace({ role, trainer, gradients }: TraceContext): void {
    if (role !== "train") return;
    const values = Object.fromEntries(trainer.needOptimizer().namedParameters);
    this.#scalars.watch([
      ...(this.#options.gradients ? this.#norms("norm/gradient", gradients) : []),
      ...(this.#options.parameters ? this.#norms("norm/parameter", values) : []),
    ]);
  }

  #norms(name: string, tensors: Readonly<Record<string, Tensor>>): [string, Tensor][] {
    const squares = Object.entries(tensors).map(([path, x]) => [path, sum(x.mul(x))] as const);
    const whole = sqrt(squares.map(([, square]) => square).reduce((total, square) => total.add(square)));
    const layers = this.#options.perLayer ? squares : [];
    return [[name, whole], ...layers.map(([path, square]): [string, Tensor] => [`${name}/${path}`, sqrt(square)])];
  }

  async onTrainStepEnd({ trainer, step, logged, watched }: StepResult): Promise<void> {
    if (logged) await trainer.logMetrics(Object.fromEntries(await this.#scalars.read(watched)), step);
  }
}
