// Loss scaling for 16-bit gradients: the loss is multiplied by a power of two before the backward pass and the gradients by its reciprocal after, both
// exact but for over- and underflow. A dynamic scale is state of the step: it halves where a gradient overflowed, and that step changes no weight.
import { ConfigError, refuse } from "../core/errors.ts";
import { clipByGlobalNorm, clipByValue } from "../optim/clip.ts";
import type { Objective } from "../optim/objective.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { OptimizerSet, partsDue } from "../optim/set.ts";
import { watch } from "../program/trace.ts";
import { type Parameter, type Stateful, Variable } from "../program/variable.ts";
import { tensor } from "../tensor/creation.ts";
import { abs, equal, less, max, maximum, minimum, where } from "../tensor/families/basic.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { ResolvedSettings } from "./config/options.ts";

type Precision = ResolvedSettings["precision"];

/** The state of a dynamic scale: `optimizer/scaler/scale`, `…/good_steps` since it last changed, `…/skipped_steps` in all. */
class DynamicScale {
  readonly scale: Variable;
  readonly goodSteps = new Variable(tensor(0, { dtype: "int32" }));
  readonly skippedSteps = new Variable(tensor(0, { dtype: "int32" }));
  readonly #precision: Precision;

  constructor(precision: Precision) {
    const { initialLossScale: initial, minLossScale: low, maxLossScale: high } = precision;
    if (!(low <= initial && initial <= high)) {
      const problem = "not between minLossScale and maxLossScale";
      refuse(ConfigError, "precision.initialLossScale", problem, initial, `a number in [${low}, ${high}]`);
    }
    this.#precision = precision;
    this.scale = new Variable(tensor(initial));
  }

  /** The state after a step whose gradients were all finite, or weren't. */
  advance(finite: Tensor): void {
    const { minLossScale, maxLossScale, stepsPerIncrease } = this.#precision;
    const good = where(finite, this.goodSteps.add(1), 0);
    const grows = equal(good, stepsPerIncrease);
    const larger = where(grows, minimum(this.scale.mul(2), maxLossScale), this.scale);
    const next = where(finite, larger, maximum(this.scale.mul(0.5), minLossScale));
    this.skippedSteps.assign(this.skippedSteps.add(where(finite, tensor(0, { dtype: "int32" }), 1)));
    this.goodSteps.assign(where(grows, 0, good));
    this.scale.assign(next);
  }
}

/** What a Trainer's precision does to gradients: scaling, clipping, and skipping a step. */
export class GradientScaler implements Stateful {
  readonly #precision: Precision;
  readonly #dynamic: DynamicScale | undefined;

  /** Throws ConfigError for scales that don't fit each other, for a dynamic one where a step evaluates the loss elsewhere too (an overflow would lead it to nowhere), and for clipping under a line search, whose slopes are the loss's own. */
  constructor(precision: Precision, optimizer?: Optimizer) {
    this.#precision = precision;
    const passes = optimizer?.passes ?? "once";
    const clip = (["maxGradientNorm", "maxGradientValue"] as const).find((key) => precision[key] !== undefined);
    if (passes === "line" && clip) {
      const problem = "clipped gradients don't go with a line search, which holds the loss against its slope";
      const got = `${precision[clip]}, and ${optimizer!.constructor.name} with a line search`;
      refuse(ConfigError, `precision.${clip}`, problem, got, "one of the two");
    }
    if (precision.lossScalingFactor === "dynamic" && passes !== "once") {
      const problem = "a dynamic scale doesn't go with an optimizer that evaluates the loss at other weights";
      const expected = "a fixed factor, or another optimizer";
      const hint = "with bfloat16 no scaling is needed";
      refuse(ConfigError, "precision.lossScalingFactor", problem, optimizer!.constructor.name, expected, hint);
    }
    this.#dynamic = precision.lossScalingFactor === "dynamic" ? new DynamicScale(precision) : undefined;
  }

  namedVariables(): [string, Variable][] {
    if (!this.#dynamic) return [];
    const { scale, goodSteps, skippedSteps } = this.#dynamic;
    return [
      ["optimizer/scaler/good_steps", goodSteps],
      ["optimizer/scaler/scale", scale],
      ["optimizer/scaler/skipped_steps", skippedSteps],
    ];
  }

  /** The scale that the next step is given, where it is dynamic. */
  async dynamicScale(): Promise<number | undefined> {
    return (await this.#dynamic?.scale.data())?.[0];
  }

  /** How many steps a dynamic scale has skipped in all. */
  async skipped(): Promise<number | undefined> {
    return (await this.#dynamic?.skippedSteps.data())?.[0];
  }

  /** The loss that is differentiated. */
  scaled(loss: Tensor): Tensor {
    const { lossScalingFactor: factor } = this.#precision;
    if (factor === "dynamic") return loss.mul(this.#dynamic!.scale);
    return factor === 1 ? loss : loss.mul(factor);
  }

  /** The gradients of the loss itself. */
  unscaled(gradients: readonly Tensor[]): readonly Tensor[] {
    const { lossScalingFactor: factor } = this.#precision;
    if (factor === 1) return gradients;
    const reciprocal = factor === "dynamic" ? tensor(1).div(this.#dynamic!.scale) : 1 / factor;
    return gradients.map((gradient) => gradient.mul(reciprocal));
  }

  /** The optimizer's step with clipped gradients, of two passes the second's; under a dynamic scale only where all of them are finite. */
  update(
    optimizer: Optimizer,
    gradients: readonly Tensor[],
    parameters: readonly Parameter[],
    objective: Objective,
  ): void {
    const dynamic = this.#dynamic;
    if (optimizer.passes !== "once") {
      const again: Objective["again"] = (draws) => {
        const { value, gradients } = objective.again(draws);
        return { value, gradients: this.#clip(optimizer, gradients) };
      };
      optimizer.update(gradients, parameters, { value: objective.value, again });
      return;
    }
    if (!dynamic) {
      optimizer.update(this.#clip(optimizer, gradients), parameters);
      return;
    }
    if (this.#precision.logLossScale) {
      watch("loss_scale", new Tensor(dynamic.scale.node));
      watch("skipped_steps", dynamic.skippedSteps.cast("float32"));
    }
    const largest = gradients.map((gradient) => max(abs(gradient))).reduce((a, b) => maximum(a, b));
    const finite = less(largest, Number.POSITIVE_INFINITY);
    const before = optimizer.namedVariables().map(([, variable]) => [variable, new Tensor(variable.node)] as const);
    optimizer.update(this.#clip(optimizer, gradients), parameters);
    for (const [variable, old] of before) variable.assign(where(finite, new Tensor(variable.node), old));
    dynamic.advance(finite);
  }

  /** Of several optimizers each one's gradients by their own norm. */
  #clip(optimizer: Optimizer, gradients: readonly Tensor[]): readonly Tensor[] {
    const { maxGradientNorm, maxGradientValue } = this.#precision;
    const bounded = maxGradientValue === undefined ? gradients : clipByValue(gradients, maxGradientValue);
    if (maxGradientNorm === undefined) return bounded;
    const all = optimizer instanceof OptimizerSet ? optimizer.parts : [];
    let from = 0;
    return partsDue(optimizer).flatMap((part) => {
      const to = from + part.optimizer.parameters.length;
      const clipped = clipByGlobalNorm(bounded.slice(from, to), maxGradientNorm);
      from = to;
      watch(all.length > 0 ? `gradient_norm/${all.indexOf(part)}` : "gradient_norm", clipped.norm);
      return clipped.gradients;
    });
  }
}
