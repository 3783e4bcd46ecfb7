// L2 norms of gradients and parameters, computed in the step and read where it is logged.

import { configured } from "../../core/configured.ts";
import { flag, type Given, options, type Read } from "../../core/options.ts";
import { sqrt, sum } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, StepResult, TraceContext } from "../contract.ts";
import { WatchedTensors } from "./watched.ts";

const record = options("ComputeNorm", {
  /** Norms of gradients, before clipping. */
  gradients: flag.default(true),
  /** Norms of parameters, before the step's update. */
  parameters: flag.default(true),
  /** One for each parameter too, beside the whole. */
  perLayer: flag.default(false),
});
export type ComputeNormOptions = Given<typeof record>;

const emptiness = ({ gradients, parameters }: Read<typeof record>) =>
  gradients || parameters ? undefined : { problem: "nothing to compute", got: "neither gradients nor parameters" };

/** Logs `norm/gradient` and `norm/parameter`: √ of the sum of squares over all; per layer `norm/gradient/<path>`, `norm/parameter/<path>`. */
export class ComputeNorm extends configured(record, emptiness) implements Callback {
  readonly changesTraining = false;
  readonly #scalars = new WatchedTensors("ComputeNorm");

  onTrace({ role, trainer, gradients }: TraceContext): void {
    if (role !== "train") return;
    const values = Object.fromEntries(trainer.needOptimizer().namedParameters);
    this.#scalars.watch([
      ...(this.options.gradients ? this.#norms("norm/gradient", gradients) : []),
      ...(this.options.parameters ? this.#norms("norm/parameter", values) : []),
    ]);
  }

  #norms(name: string, tensors: Readonly<Record<string, Tensor>>): [string, Tensor][] {
    const squares = Object.entries(tensors).map(([path, x]) => [path, sum(x.mul(x))] as const);
    const whole = sqrt(squares.map(([, square]) => square).reduce((total, square) => total.add(square)));
    const layers = this.options.perLayer ? squares : [];
    return [[name, whole], ...layers.map(([path, square]): [string, Tensor] => [`${name}/${path}`, sqrt(square)])];
  }

  async onTrainStepEnd({ trainer, step, logged, watched }: StepResult): Promise<void> {
    if (logged) await trainer.logMetrics(Object.fromEntries(await this.#scalars.numbers(watched)), step);
  }
}
