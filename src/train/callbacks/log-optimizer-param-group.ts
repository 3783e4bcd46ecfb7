// The numbers of the optimizer's parameter groups, as the step that is logged used them.

import { checkArguments, options as optionsOf, signature, strings } from "../../core/arguments.ts";
import { ConfigError } from "../../core/errors.ts";
import type { ParameterGroup } from "../../optim/optimizer.ts";
import type { Callback, Metrics, StepContext, StepResult, TrainerView } from "../contract.ts";

export interface LogOptimizerParamGroupOptions {
  /** Which numbers, in camelCase or snake_case: `learningRate`, `weightDecay` … All of a group by default. */
  readonly keys?: readonly string[];
}

const toSnake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const numbersOf = (group: ParameterGroup): [string, number][] =>
  Object.entries(group).filter((entry): entry is [string, number] => typeof entry[1] === "number");

const call = signature("LogOptimizerParamGroup", {
  "options?": optionsOf<LogOptimizerParamGroupOptions>({ "keys?": strings }),
});

/** Logs `optimizer/<group>/<key>`: learning rate, weight decay and what else the groups hold. */
export class LogOptimizerParamGroup implements Callback {
  readonly name = "LogOptimizerParamGroup";
  readonly changesTraining = false;
  readonly #keys: readonly string[] | undefined;
  #used: Metrics = {};

  constructor(options: LogOptimizerParamGroupOptions = {}) {
    checkArguments(call, arguments);
    const { keys } = options;
    this.#keys = keys?.map(toSnake);
  }

  postSetup(trainer: TrainerView): void {
    const known = new Set(trainer.optimizer?.groups.flatMap(numbersOf).map(([key]) => toSnake(key)));
    const unknown = this.#keys?.find((key) => !known.has(key));
    if (unknown === undefined) return;
    throw new ConfigError({
      where: "LogOptimizerParamGroup.keys",
      problem: "the optimizer's groups have no such number",
      got: unknown,
      expected: `some of ${[...known].join(", ") || "none: there is no optimizer"}`,
    });
  }

  onTrainStepStart({ trainer }: StepContext): void {
    const entries = trainer.needOptimizer().groups.flatMap((group, i) =>
      numbersOf(group)
        .map(([key, value]) => [toSnake(key), value] as const)
        .filter(([key]) => this.#keys?.includes(key) ?? true)
        .map(([key, value]) => [`optimizer/${i}/${key}`, value] as const),
    );
    this.#used = Object.fromEntries(entries);
  }

  async onTrainStepEnd({ trainer, step, logged }: StepResult): Promise<void> {
    if (logged) await trainer.logMetrics(this.#used, step);
  }
}
