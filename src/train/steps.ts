// The compiled steps of one Trainer, each made when it is first asked for.
import {
  type EvalStep,
  makeEvalStep,
  makePredictStep,
  makeTrainStep,
  type PredictStep,
  type StepParts,
  type TrainStep,
} from "./step.ts";
import type { Trainer } from "./trainer.ts";

export class Steps {
  readonly #trainer: Trainer;
  #train: TrainStep | undefined;
  #eval: EvalStep | undefined;
  #predict: PredictStep | undefined;

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
  }

  async #parts(): Promise<StepParts> {
    const trainer = this.#trainer;
    const backend = await trainer.backend();
    const { model, optimizer, scaler, options, hooks, stream } = trainer;
    const log = (text: string) => trainer.message(text.startsWith("found") ? "info" : "debug", text);
    return { trainer, model, optimizer, scaler, options, hooks, stream, backend, log };
  }

  async train(): Promise<TrainStep> {
    this.#trainer.needOptimizer();
    this.#train ??= makeTrainStep(await this.#parts());
    return this.#train;
  }

  async eval(): Promise<EvalStep> {
    this.#eval ??= makeEvalStep(await this.#parts());
    return this.#eval;
  }

  async predict(): Promise<PredictStep> {
    this.#predict ??= makePredictStep(await this.#parts());
    return this.#predict;
  }
}
