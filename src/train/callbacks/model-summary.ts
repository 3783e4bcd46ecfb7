// How many numbers a model holds, and the table of its modules.

import { checkArguments, kind, signature } from "../../core/arguments.ts";
import { configured } from "../../core/configured.ts";
import { countOf, type Given, options } from "../../core/options.ts";
import { sizeOf } from "../../core/shape.ts";
import { Module } from "../../nn/module.ts";
import type { ModuleCall } from "../../nn/naming.ts";
import { ModuleObserver } from "../../nn/observe.ts";
import { summaryOf } from "../../nn/summary.ts";
import type { Parameter } from "../../program/variable.ts";
import type { Callback, FitContext, TraceContext, TrainerView } from "../contract.ts";

const ofTrainer = {
  trainer: kind("a Trainer", (value) => (value as Partial<TrainerView> | null)?.model instanceof Module),
};
const countCall = signature("countParameters", ofTrainer);
const textCall = signature("ModelSummary.text", ofTrainer);

/** How many numbers a model's parameters are: all of them, and those that its optimizer moves. */
export function countParameters(trainer: TrainerView): { total: number; trainable: number } {
  checkArguments(countCall, arguments);
  const { model, optimizer } = trainer;
  const moved = new Set<Parameter>(optimizer?.parameters);
  const sizes = model.namedParameters().map(([, parameter]) => [parameter, sizeOf(parameter.shape)] as const);
  const sum = (entries: typeof sizes) => entries.reduce((total, [, size]) => total + size, 0);
  return { total: sum(sizes), trainable: sum(sizes.filter(([parameter]) => moved.has(parameter))) };
}

/** Says at the start how many parameters there are, and logs `parameters/total` and `parameters/trainable` once, at step 0. */
export class CountParams extends configured(options("CountParams", {})) implements Callback {
  readonly changesTraining = false;

  async onTrainStart({ trainer }: FitContext): Promise<void> {
    const { total, trainable } = countParameters(trainer);
    trainer.message("info", `parameters: ${total}, of which ${trainable} are trained`);
    if (trainer.step === 0) await trainer.logMetrics({ "parameters/total": total, "parameters/trainable": trainable });
  }
}

const record = options("ModelSummary", {
  /** How deep into the tree of modules; all of it unless given. */
  depth: countOf("levels").optional(),
});
export type ModelSummaryOptions = Given<typeof record>;

/** Shows `nn.summary`'s table of modules at the start: class, output shape, parameters, FLOPs. */
export class ModelSummary extends configured(record) implements Callback {
  readonly changesTraining = false;
  #calls: readonly ModuleCall[] | undefined;
  #observer: ModuleObserver | undefined;

  postSetup({ model }: TrainerView): void {
    this.#observer = new ModuleObserver(model);
  }

  onTrace({ role }: TraceContext): void {
    const calls = this.#observer!.take();
    if (role === "train") this.#calls ??= calls;
  }

  onTrainStart({ trainer }: FitContext): void {
    trainer.message("info", `the model:\n${this.text(trainer)}`);
  }

  /** The table as text. Its rows are there once a step has been traced. */
  text(trainer: TrainerView): string {
    checkArguments(textCall, arguments);
    const moved = new Set<Parameter>(trainer.optimizer?.parameters);
    const options = { isTrained: (parameter: Parameter) => moved.has(parameter), depth: this.options.depth };
    return summaryOf(trainer.model, this.#calls ?? [], options);
  }
}
