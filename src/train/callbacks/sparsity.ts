// Sparse weights: masks over parameters, drawn once or chosen by magnitude, once or along a schedule. Masked weights and their optimizer state are
// zero after every step.

import { configured } from "../../core/configured.ts";
import type { TypedArray } from "../../core/dtype.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { select } from "../../core/glob.ts";
import { countOf, fraction, type Given, list, options, recordOf, text, word } from "../../core/options.ts";
import { portion } from "../../core/portion.ts";
import type { OptionsArguments } from "../../core/things.ts";
import { duration, resolved } from "../../optim/duration.ts";
import { type Parameter, Variable } from "../../program/variable.ts";
import { withStream } from "../../rng/stream.ts";
import { ones } from "../../tensor/creation.ts";
import { uniform } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, FitContext, StepResult, TraceContext, TrainerView } from "../contract.ts";

const scheduleRecord = options("Sparsity.schedule", {
  /** The first step at which weights are pruned. */
  begin: duration.default(1),
  /** The last one. */
  end: duration,
  /** Steps from one pruning to the next. */
  every: duration.default(1),
});
const record = options("Sparsity", {
  /** The share of each chosen parameter that is zero in the end. */
  sparsity: fraction,
  /** Globs of parameters; all of two axes or more unless given. */
  parameters: list(text).optional(),
  /** Which elements are zero: the smallest in magnitude, or random ones, drawn from the run's stream. */
  method: word("magnitude", "random").default("magnitude"),
  /** A schedule of magnitude pruning (Zhu & Gupta 2017): from `begin` to `end` the share grows from 0 as 1 − (1 − x)³, every `every` steps. Without: static, from the first step. */
  schedule: recordOf(scheduleRecord).optional(),
});
export type SparsityOptions = Given<typeof record>;

interface Masked {
  readonly path: string;
  readonly parameter: Parameter;
  readonly mask: Variable;
  /** What random masks are chosen by. */
  readonly order?: Tensor;
}

/** Changes training: each chosen parameter has a share of zeros. The masks are part of the step's state, and in checkpoints. */
export class Sparsity extends configured(record) implements Callback {
  readonly changesTraining = true;
  readonly #given: SparsityOptions;
  #masked: Masked[] = [];

  constructor(...given: OptionsArguments<typeof record>) {
    super(...given);
    [this.#given] = given;
    const { method, schedule } = this.options;
    if (method === "random" && schedule) {
      refuse(ConfigError, "Sparsity.method", "a schedule goes by magnitude", method, "magnitude");
    }
    const { begin = 1, end } = schedule ?? {};
    if (typeof begin === "number" && typeof end === "number")
      countOf("steps", begin).check("Sparsity.schedule.end", end);
  }

  describe(): unknown {
    return this.#given;
  }

  setup({ model, stream }: TrainerView): void {
    const { parameters: globs, method } = this.options;
    const all = model.namedParameters().filter(([, { dtype }]) => dtype === "float32");
    const chosen = globs ? select("Sparsity.parameters", all, globs) : all.filter(([, { rank }]) => rank >= 2);
    this.#masked = chosen.map(([path, parameter]) => ({
      path,
      parameter,
      mask: new Variable(ones(parameter.shape)),
      ...(method === "random" && { order: withStream(stream, () => uniform(parameter.shape)) }),
    }));
    if (this.#masked.length === 0)
      refuse(ConfigError, "Sparsity.parameters", "there is nothing to make sparse", "no parameter");
  }

  namedVariables(): [string, Variable][] {
    return this.#masked.map(({ path, mask }) => [path, mask]);
  }

  /** In the step, after its update: what is masked is zero, in parameters and in the optimizer's state of them. */
  onTraceUpdate({ trainer }: TraceContext): void {
    const slots = trainer.needOptimizer().namedVariables();
    for (const { path, parameter, mask } of this.#masked) {
      parameter.assign(parameter.mul(mask));
      for (const [name, slot] of slots)
        if (name.startsWith("optimizer/") && name.endsWith(`/${path}`) && slot.shape.join() === mask.shape.join())
          slot.assign(slot.mul(mask));
    }
  }

  async onTrainStart({ trainer }: FitContext): Promise<void> {
    if (trainer.step === 0 && !this.options.schedule) await this.#prune(this.options.sparsity);
  }

  async onAfterOptimizerStep(context: StepResult): Promise<void> {
    const { schedule, sparsity } = this.options;
    if (!schedule) return;
    const { step } = context;
    const { begin, end, every } = resolved(schedule, context) as Record<keyof typeof schedule, number>;
    if (step < begin || step > end || ((step - begin) % every !== 0 && step !== end)) return;
    const left = 1 - (end === begin ? 1 : (step - begin) / (end - begin));
    await this.#prune(sparsity * (1 - left * left * left));
  }

  async onTrainStepEnd({ trainer, step, logged }: StepResult): Promise<void> {
    if (!logged) return;
    let zeros = 0;
    let all = 0;
    for (const { mask } of this.#masked) {
      const data = await mask.data();
      all += data.length;
      for (const value of data) if (value === 0) zeros++;
    }
    await trainer.logMetrics({ sparsity: zeros / all }, step);
  }

  /** Masks that share of each parameter: what is smallest, of equals the later elements. */
  async #prune(share: number): Promise<void> {
    for (const { parameter, mask, order } of this.#masked) {
      const weights = await parameter.data();
      const keys = order ? await order.data() : weights.map(Math.abs);
      const zeros = Math.floor(portion(share, keys.length));
      const next = smallestZeroed(keys, zeros);
      mask.load(next);
      parameter.load(weights.map((value, i) => value * next[i]));
    }
  }
}

/** Ones, and zeros at the places of the `count` smallest keys; of equal keys the later ones. */
function smallestZeroed(keys: TypedArray, count: number): Float32Array {
  const places = Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || b - a);
  const mask = new Float32Array(keys.length).fill(1);
  for (const place of places.slice(0, count)) mask[place] = 0;
  return mask;
}
