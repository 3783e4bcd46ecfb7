// A loss and metrics over many batches: what a graph computes of each batch, added up on the host in float64, and the numbers out of it.
import { ConfigError, refuse } from "../../core/errors.ts";
import { ownValue } from "../../core/keys.ts";
import { atOnce } from "../../core/promise.ts";
import { tensor } from "../../tensor/creation.ts";
import { equal, stack, where } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { countOf } from "../losses/reduction.ts";
import type { Batch } from "../module.ts";
import { type Metric, ratio, withTerms } from "./metric.ts";

type Numbers = Readonly<Record<string, number>>;

interface Named {
  readonly name: string;
  readonly metric: Pick<Metric, "collects" | "value">;
}

/** [sum, count] → the mean: of the loss, and of what else a model says in numbers. */
const mean: Named["metric"] = { value: ratio };

/** What a batch adds to a mean: of a loss that was divided by what its targets count (where some are ignored, or classes weigh) its sum and that, and of any other [value · samples, samples]. */
export function meanTerms(value: Tensor, samples: number): Tensor {
  const count = countOf(value);
  // Of nothing counted the value is NaN, and adds nothing.
  if (count) return stack([where(equal(count, 0), 0, value.mul(count)), count]);
  return stack([value.mul(samples), tensor(samples)]);
}

/** Numbers under names that begin with another. */
export const prefixed = (prefix: string, metrics: Numbers): Numbers =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}${name}`, value]));

/** A metric's terms in a graph. Throws ConfigError for a model without outputs. */
export function termsOf(name: string, metric: Metric, outputs: Tensor | undefined, batch: Batch): Tensor {
  if (outputs) return atOnce(`metrics.${name}.terms`, metric.terms(outputs, batch));
  const hint = "return [loss, outputs] or { loss, outputs } from forward";
  refuse(ConfigError, `metrics.${name}`, "the model returns no outputs to measure", undefined, undefined, hint);
}

/** What was added up so far, by metric. */
export class Totals {
  readonly #metrics: readonly Named[];
  #totals: Readonly<Record<string, number[]>> = {};

  constructor(metrics: readonly Named[]) {
    this.#metrics = metrics;
  }

  /** Terms of a metric; under any other name the value · samples, and the samples, of a mean. */
  add(name: string, terms: ArrayLike<number>): void {
    this.#totals = {
      ...this.#totals,
      [name]: withTerms(this.#metricOf(name), ownValue(this.#totals, name) ?? [], terms),
    };
  }

  /** All that anything was added of: the loss, other means, metrics in their own order. */
  values(): Numbers {
    const found: Record<string, number> = {};
    const metrics = this.#metrics.map(({ name }) => name);
    const means = Object.keys(this.#totals).filter((name) => !metrics.includes(name));
    for (const name of new Set(["loss", ...means, ...metrics])) {
      if (!Object.hasOwn(this.#totals, name)) continue;
      const value = atOnce(`metrics.${name}.value`, this.#metricOf(name).value(this.#totals[name]));
      Object.assign(found, typeof value === "number" ? { [name]: value } : prefixed(`${name}/`, value));
    }
    return found;
  }

  #metricOf(name: string): Named["metric"] {
    return this.#metrics.find((other) => other.name === name)?.metric ?? mean;
  }

  get state(): Readonly<Record<string, number[]>> {
    return this.#totals;
  }

  set state(totals: Readonly<Record<string, number[]>>) {
    this.#totals = totals;
  }
}
