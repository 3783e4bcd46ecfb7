// What an optimizer minimises, for one that evaluates it elsewhere than at the weights.
import { ConfigError } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A loss and its gradients by an optimizer's parameters. */
export interface Evaluated {
  readonly value: Tensor;
  readonly gradients: readonly Tensor[];
}

/** What a step minimises. */
export interface Objective {
  /** The loss at the parameters. */
  readonly value: Tensor;
  /** What it is with what stands in the parameters' places: of the random numbers and buffers that it was computed with there, or of numbers drawn anew. */
  again(draws: "same" | "new"): Evaluated;
}

/** What a step evaluates: the gradients at the weights (`once`), those elsewhere too, which it takes (`twice`), or the loss along a line as well (`line`). */
export type Passes = "once" | "twice" | "line";

/** The objective. Throws ConfigError where a step was given none. */
export function needObjective(where: string, objective: Objective | undefined): Objective {
  if (objective) return objective;
  throw new ConfigError({
    where,
    problem: "a step evaluates the loss at other weights too",
    got: "its gradients at one place",
    expected: "the loss as a function, which is called more than once",
    hint: "optimizer.minimize(() => losses.crossEntropy(model.forward(x), y))",
  });
}
