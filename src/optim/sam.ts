// Sharpness-aware minimisation: another optimizer's steps, with the gradients at the weights' worst neighbour.
import { checkArguments } from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { flag, type Given, nonNegative, options as optionsOf, type Read } from "../core/options.ts";
import { named } from "../core/things.ts";
import { type Parameter, substituting } from "../program/variable.ts";
import { div, stopGradient } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { methodCalls } from "./arguments.ts";
import { globalNorm } from "./clip.ts";
import { needObjective, type Objective, type Passes } from "./objective.ts";
import type { Optimizer } from "./optimizer.ts";
import { gradientsByParameter } from "./whose.ts";
import { innerOptimizer, Wrapper } from "./wrapper.ts";

const fields = {
  /** How far the neighbour is: the length of its difference to the weights, ≥ 0. */
  rho: nonNegative.default(0.05),
  /** Measures the way in units of each weight's size (Kwon et al. 2021, whose ρ is about ten times as large). */
  adaptive: flag.default(false),
} as const;
const record = optionsOf("SAM", "optim.sam", fields);
export type SAMOptions = Given<typeof record>;

const call = record.call({ optimizer: innerOptimizer.kind });

/**
 * Another optimizer's steps with the gradients at p + ρ·g ÷ ‖g‖, g those at p (Foret et al. 2020, algorithm 1; 10⁻¹² is added to the norm); adaptive: at p + ρ·p²·g ÷ ‖|p|·g‖
 * (Kwon et al. 2021, with η = 0). The norm is over all parameters, added up by their names. A step is two forward and backward passes, so it takes the loss as a function:
 * `minimize(() => loss)`, and so a Trainer does. The second pass draws random numbers of its own, as PyTorch's do; buffers (running statistics) and what is watched are the
 * first pass's. Groups, rates, steps and state are the optimizer's. Throws ConfigError around several optimizers, another SAM or a line search, and for an update with gradients at one place.
 */
export class SAM extends Wrapper {
  readonly #options: Read<typeof record>;

  constructor(optimizer: Optimizer, options: SAMOptions = {}) {
    checkArguments(call, arguments);
    super("sam", optimizer);
    if (optimizer.passes === "line")
      throw new ConfigError({
        where: "optim.sam",
        problem: "it goes around an optimizer that takes the gradients it is given",
        got: `${optimizer.constructor.name} with a line search, which evaluates the loss at the weights themselves`,
        expected: "one without",
      });
    this.#options = record.fill(options);
  }

  override get passes(): Passes {
    return "twice";
  }

  override update(
    gradients: readonly Tensor[],
    parameters: readonly Parameter[] = this.parameters,
    objective?: Objective,
  ): void {
    checkArguments(methodCalls.update, arguments);
    const { again } = needObjective("optim.sam", objective);
    const neighbour = this.#neighbour(gradientsByParameter(this, gradients, parameters));
    this.inner.update(substituting(neighbour, () => again("new")).gradients, parameters);
  }

  /** The weights where the loss is about worst at distance ρ; of what is maximised, least. */
  #neighbour(gradients: ReadonlyMap<Parameter, Tensor>): Map<Parameter, Tensor> {
    const { rho, adaptive } = this.#options;
    const all = this.namedParameters.map(([, cell]) => ({ cell, gradient: gradients.get(cell)! }));
    const norm = globalNorm(all.map(({ cell, gradient }) => (adaptive ? cell.abs().mul(gradient) : gradient)));
    const scale = div(this.maximizes ? -rho : rho, norm.add(1e-12));
    const way = (cell: Parameter, gradient: Tensor) => (adaptive ? cell.mul(cell).mul(gradient) : gradient);
    return new Map(
      all.map(({ cell, gradient }) => [cell, stopGradient(cell.add(way(cell, gradient).mul(scale)))] as const),
    );
  }
}

/** Another optimizer's steps with the gradients at the weights' worst neighbour, for minima that are flat (sharpness-aware minimisation, Foret et al. 2020): two forward and backward passes a step. */
export const sam = named(
  optionsOf("SAM", {
    /** The optimizer whose steps they are, by its own name and options. */
    optimizer: innerOptimizer,
    ...fields,
  }),
  (...given: ConstructorParameters<typeof SAM>): SAM => new SAM(...given),
  ({ optimizer, ...options }) => new SAM(optimizer, options),
);
