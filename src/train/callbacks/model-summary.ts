// A table of a model's modules: what they give, and how many numbers they hold.

import { checkArguments, kind, signature } from "../../core/arguments.ts";
import { countOf, type Given, options } from "../../core/options.ts";
import { sizeOf } from "../../core/shape.ts";
import { configured } from "../../core/things.ts";
import { Module } from "../../nn/module.ts";
import { namedModules } from "../../nn/naming.ts";
import { Parameter } from "../../program/variable.ts";
import type { Callback, FitContext, TraceContext, TrainerView } from "../contract.ts";
import { ModuleObserver } from "./observe.ts";

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

/** Shows a table of modules at the start: path, class, output shape, parameters. */
export class ModelSummary extends configured(record) implements Callback {
  readonly changesTraining = false;
  readonly #depth = this.options.depth ?? Number.POSITIVE_INFINITY;
  readonly #shapes = new Map<string, string>();
  #observer: ModuleObserver | undefined;

  postSetup({ model }: TrainerView): void {
    this.#observer = new ModuleObserver(model);
  }

  onTrace({ role }: TraceContext): void {
    const calls = this.#observer!.take();
    if (role !== "train" || this.#shapes.size > 0) return;
    for (const { path, outputs } of calls)
      this.#shapes.set(path, outputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" "));
  }

  onTrainStart({ trainer }: FitContext): void {
    trainer.message("info", `the model:\n${this.text(trainer)}`);
  }

  /** The table as text. Output shapes are there once a step has been traced. */
  text(trainer: TrainerView): string {
    checkArguments(textCall, arguments);
    const modules = namedModules(trainer.model).filter(
      ([path]) => path === "model" || path.split(".").length <= this.#depth,
    );
    const rows = modules.map(([path, module]) => [
      path,
      module.constructor.name,
      this.#shapes.get(path) ?? "",
      String(ownSize(module, path === "model" || path.split(".").length < this.#depth)),
    ]);
    const { total, trainable } = countParameters(trainer);
    const head = ["module", "class", "output", "parameters"];
    const table = [head, ...rows];
    const widths = head.map((_, column) => Math.max(...table.map((row) => row[column].length)));
    const line = (row: string[]) =>
      row
        .map((cell, i) => (i === 3 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join("  ")
        .trimEnd();
    const bytes = 4 * total;
    return [
      ...table.map(line),
      `${total} parameters (${bytes} bytes as float32), ${trainable} trained, ${total - trainable} frozen`,
    ].join("\n");
  }
}

/** The numbers that a module holds itself; of its children too where they have no row. */
function ownSize(module: Module, childrenShown: boolean): number {
  const own = childrenShown
    ? Object.values(module).filter((value): value is Parameter => value instanceof Parameter)
    : module.namedParameters().map(([, parameter]) => parameter);
  return own.reduce((total, { shape }) => total + sizeOf(shape), 0);
}
