// The numbers of the optimizer's parameter groups, as the step that is logged used them.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { type Given, list, options, text } from "../../core/options.ts";
import { groupNumbers } from "../../optim/groups.ts";
import type { Callback, StepContext, StepResult, TrainerView } from "../contract.ts";
import type { Metrics } from "../run.ts";

const record = options("LogOptimizerParamGroup", {
  /** Which numbers, in camelCase or snake_case: `learningRate`, `weightDecay` … All of a group unless given. */
  keys: list(text).optional(),
});
export type LogOptimizerParamGroupOptions = Given<typeof record>;

const toSnake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Logs `optimizer/<group>/<key>`: learning rate, weight decay and what else the groups hold. */
export class LogOptimizerParamGroup extends configured(record) implements Callback {
  readonly changesTraining = false;
  readonly #keys = this.options.keys?.map(toSnake);
  #used: Metrics = {};

  postSetup(trainer: TrainerView): void {
    const known = new Set(trainer.optimizer?.groups.flatMap((group) => Object.keys(groupNumbers(group)).map(toSnake)));
    const unknown = this.#keys?.find((key) => !known.has(key));
    if (unknown === undefined) return;
    const expected = `some of ${[...known].join(", ") || "none: there is no optimizer"}`;
    refuse(ConfigError, "LogOptimizerParamGroup.keys", "the optimizer's groups have no such number", unknown, expected);
  }

  onTrainStepStart({ trainer }: StepContext): void {
    const entries = trainer.needOptimizer().groups.flatMap((group, i) =>
      Object.entries(groupNumbers(group))
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
