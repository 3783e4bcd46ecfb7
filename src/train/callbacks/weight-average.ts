// Averages of the weights over a run, beside them: exponential (EMA) and equal (SWA). They are computed after each step by a program of their
// own, so that the training graph, its hash and its bits stay what they are.

import { makeDirectory } from "#files";
import type { HostArray } from "../../core/array.ts";
import { configured } from "../../core/configured.ts";
import { CheckpointError, ConfigError, refuse } from "../../core/errors.ts";
import { either, flag, fraction, type Given, options, type Read, share } from "../../core/options.ts";
import { portion } from "../../core/portion.ts";
import type { OptionsArguments } from "../../core/things.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { duration, stepsOf } from "../../optim/duration.ts";
import { type Compiled, compile } from "../../program/compiled.ts";
import { runtimeScalar } from "../../program/trace.ts";
import { type Parameter, Variable } from "../../program/variable.ts";
import { checkFields, type FieldCheck, isCount, isRecord } from "../../run/fields.ts";
import { zeros } from "../../tensor/creation.ts";
import { greaterEqual, where } from "../../tensor/families/basic.ts";
import type { Callback, FitContext, StepResult, TrainerView } from "../contract.ts";

const averageFields = {
  /** Takes the weights of every so many steps. */
  every: duration.default(1),
  /** Validates with the average in place of the weights. */
  validate: flag.default(true),
} as const;
const start = either(
  share,
  duration,
  "steps: an integer ≥ 1, a fraction of all steps in (0, 1), epochs as in 2ep, or a share as in 0.1dur",
);
const averageRecord = options("WeightAverage", { ...averageFields, start: start.default(1) });
export type WeightAverageOptions = Given<typeof averageRecord>;

/** What a checkpoint holds of an average beside its tensors. */
interface AverageState {
  readonly count: number;
  readonly firstStep: number;
  readonly options: Readonly<Record<string, number | boolean>>;
}

const stateChecks: Readonly<Record<keyof AverageState, FieldCheck>> = {
  count: ["a count", isCount],
  firstStep: ["a count", isCount],
  options: ["numbers and flags by name", isRecord],
};

/** Keeps an average of every parameter, saves it with checkpoints, and at the end as a file of weights. */
export abstract class WeightAverage extends configured(averageRecord) implements Callback {
  readonly changesTraining = false;
  readonly changesValidation = this.options.validate;
  /** The file of weights that is written in the end. */
  protected abstract readonly file: string;
  #cells: [string, Parameter, Variable][] = [];
  #update: Compiled<[], null> | undefined;
  #rate = 1;
  #firstStep = 1;
  #every = 1;
  /** What a checkpoint says of it, until the fit that goes on from there begins. */
  #restored: AverageState | undefined;
  /** How many steps' weights are in it. */
  count = 0;

  /** Whether validation sees the average. */
  get validates(): boolean {
    return this.options.validate;
  }

  /** What validated numbers depend on. */
  describe(): Readonly<Record<string, unknown>> {
    const { start, every } = this.options;
    return { start, every, ...this.#averagedBy };
  }

  /** What its weights are averaged by, beside `start` and `every`. */
  get #averagedBy(): Readonly<Record<string, number | boolean>> {
    const { start: _start, every: _every, validate: _validate, ...others } = this.options;
    return others;
  }

  /** How much of the difference between weights and average is added, when `count` weights are in it already. */
  protected abstract rate(count: number): number;

  postSetup({ model, callbacks }: TrainerView): void {
    const validated = [...callbacks.values()].filter(
      (callback) => callback instanceof WeightAverage && callback.validates,
    );
    if (validated.length > 1) {
      const problem = "two averages can't both take the weights' place in validation";
      const got = validated.map(({ name }) => name).join(", ");
      refuse(ConfigError, `${this.name}.validate`, problem, got, "one of them", "validate: false");
    }
    this.count = 0;
    this.#cells = model
      .namedParameters()
      .map(([path, parameter]) => [path, parameter, new Variable(zeros(parameter.shape, parameter.dtype))]);
  }

  namedVariables(): [string, Variable][] {
    return this.#cells.map(([path, , average]) => [path, average]);
  }

  saveState(): AverageState {
    const options = { every: this.#every, ...this.#averagedBy };
    return { count: this.count, firstStep: this.#firstStep, options };
  }

  loadState(state: unknown): void {
    checkFields(this.name, "the state of an average", state, stateChecks);
    this.#restored = state as AverageState;
    this.count = this.#restored.count;
  }

  /** Begins anew. */
  forget(): void {
    this.count = 0;
    this.#restored = undefined;
  }

  /** Throws CheckpointError where a checkpoint's average was begun otherwise, so that it would become one that no run from its beginning has. */
  #checkRestored({ step }: TrainerView): void {
    const restored = this.#restored;
    this.#restored = undefined;
    if (!restored) return;
    const { firstStep, options } = this.saveState();
    const begun = Math.min(firstStep, restored.firstStep) <= step;
    const facts = [
      ["start, in steps", restored.firstStep, firstStep] as const,
      ...Object.entries(options).map(([key, value]) => [key, restored.options[key], value] as const),
    ];
    for (const [what, got, expected] of begun ? facts : []) {
      if (got === expected) continue;
      throw new CheckpointError({
        where: this.name,
        problem: `the checkpoint's average was made with another ${what}`,
        got: String(got),
        expected: String(expected),
        hint: `give it as it was (a start that is a fraction is another step in a longer run: start: ${restored.firstStep} is this one), use another folder, or leave ${this.name} out`,
      });
    }
  }

  async onTrainStart(context: FitContext): Promise<void> {
    const { trainer, totalSteps } = context;
    const { start, every } = this.options;
    const isShare = typeof start === "number" && start < 1;
    this.#firstStep = isShare ? Math.max(1, Math.ceil(portion(start, totalSteps))) : stepsOf(start, context);
    this.#every = stepsOf(every, context);
    this.#checkRestored(trainer);
    if (this.#firstStep > totalSteps) {
      const text = `the run ends at step ${totalSteps}, and the average begins at step ${this.#firstStep}: none is made`;
      trainer.message("warn", `${this.name}.start: ${text}`);
    }
    this.#update = compile(
      () => {
        const rate = runtimeScalar(`${this.name}/rate`, () => this.#rate);
        for (const [, parameter, average] of this.#cells) {
          const next = average.add(parameter.sub(average).mul(rate));
          average.assign(where(greaterEqual(rate, 1), parameter, next));
        }
        return null;
      },
      {
        state: [trainer.model, this],
        name: this.name,
        backend: await trainer.backend(),
        stream: trainer.stream,
      },
    );
  }

  async onAfterOptimizerStep({ step }: StepResult): Promise<void> {
    if (step < this.#firstStep || (step - this.#firstStep) % this.#every !== 0) return;
    this.#rate = this.count === 0 ? 1 : this.rate(this.count);
    await this.#update!();
    this.count++;
  }

  /** The averaged parameters by path, on the host; the weights themselves before the first step that counts. */
  async weights(): Promise<[string, HostArray][]> {
    const found: [string, HostArray][] = [];
    for (const [path, parameter, average] of this.#cells) {
      const { shape, dtype } = parameter;
      found.push([path, { data: await (this.count > 0 ? average : parameter).data(), shape, dtype }]);
    }
    return found;
  }

  /** Puts the average in the weights' place, and gives what was there. */
  async replace(): Promise<readonly (readonly [Parameter, HostArray["data"]])[]> {
    const trained: (readonly [Parameter, HostArray["data"]])[] = [];
    for (const [, parameter] of this.#cells) trained.push([parameter, await parameter.data()]);
    const averages = await this.weights();
    this.#cells.forEach(([, parameter], i) => parameter.load(averages[i][1].data));
    return trained;
  }

  async onTrainEnd({ trainer }: FitContext): Promise<void> {
    const { modelDir } = trainer.options;
    if (modelDir === undefined || this.count === 0) return;
    makeDirectory(modelDir);
    const tensors = (await this.weights()).map(([path, array]): [string, HostArray] => [`parameter/${path}`, array]);
    for (const [name, buffer] of trainer.model.namedVariables()) {
      const { shape, dtype } = buffer;
      if (name.startsWith("buffer/")) tensors.push([name, { data: await buffer.data(), shape, dtype }]);
    }
    const metadata = { average: this.name, steps: String(this.count), step: String(trainer.step) };
    writeSafetensors(`${modelDir}/${this.file}`, tensors, metadata);
  }
}

const exponentialRecord = options("ExponentialMovingAverage", {
  /** How much of the average stays at each step. */
  decay: fraction.default(0.999),
  /** Begins with a smaller decay, (1 + n) ÷ (10 + n) after n steps, until that reaches `decay`. */
  warmup: flag.default(false),
  /** The first step whose weights are in it: a step, or a fraction of all in (0, 1). */
  start: start.default(1),
  ...averageFields,
});
export type ExponentialMovingAverageOptions = Given<typeof exponentialRecord>;

/** average ← average + (1 − decay)·(weights − average) after each step; the first step's weights begin it. `ema.safetensors` in the end. */
export class ExponentialMovingAverage extends WeightAverage {
  static override readonly options = exponentialRecord;
  declare readonly options: Read<typeof exponentialRecord>;
  protected override readonly file = "ema.safetensors";

  /** Takes options of its own, beside those of every average. */
  constructor(...given: OptionsArguments<typeof exponentialRecord>) {
    super(...given);
  }

  protected override rate(count: number): number {
    const { decay, warmup } = this.options;
    return 1 - (warmup ? Math.min(decay, (1 + count) / (10 + count)) : decay);
  }
}

/** The plain mean of the weights of all steps that count (Izmailov et al. 2018), from three quarters of the run on by default. `swa.safetensors` in the end. */
export class StochasticWeightAveraging extends WeightAverage {
  static override readonly options = options("StochasticWeightAveraging", {
    /** The first step whose weights are in it: a step, or a fraction of all in (0, 1). */
    start: start.default(0.75),
    ...averageFields,
  });
  protected override readonly file = "swa.safetensors";

  protected override rate(count: number): number {
    return 1 / (count + 1);
  }
}
