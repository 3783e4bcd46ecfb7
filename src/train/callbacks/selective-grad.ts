// Freezes parameters by glob, before the optimizer is made: it never gets them, and keeps no state for them.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { select } from "../../core/glob.ts";
import { type Given, list, options, type Read, text } from "../../core/options.ts";
import { Optimizer } from "../../optim/optimizer.ts";
import type { Callback, TrainerView } from "../contract.ts";

const record = options("SelectiveGrad", {
  /** Globs of parameters that are not trained: `0.*`. */
  freeze: list(text).optional(),
  /** Globs of the only parameters that are trained; all others are frozen. */
  train: list(text).optional(),
});
export type SelectiveGradOptions = Given<typeof record>;

const ambiguity = ({ freeze, train }: Read<typeof record>) =>
  (freeze === undefined) !== (train === undefined)
    ? undefined
    : {
        problem: "which parameters are trained isn't clear",
        got: freeze ? "freeze and train" : "neither freeze nor train",
        expected: "one of the two",
      };

/** Changes training: parameters matched by `freeze`, or not by `train`, keep their values. Throws ConfigError for a glob that matches none. */
export class SelectiveGrad extends configured(record, ambiguity) implements Callback {
  readonly changesTraining = true;

  describe(): unknown {
    return this.options;
  }

  setup({ model, options }: TrainerView): void {
    refuseFinishedOptimizer("SelectiveGrad", options.optimizer);
    const parameters = model.namedParameters();
    const { freeze, train } = this.options;
    const chosen = new Set(select(`SelectiveGrad.${freeze ? "freeze" : "train"}`, parameters, (freeze ?? train)!));
    for (const entry of parameters) if (chosen.has(entry) === (freeze !== undefined)) entry[1].requiresGrad = false;
  }
}

/** Throws ConfigError for an optimizer that was made before callbacks could say what it trains. */
export function refuseFinishedOptimizer(where: string, optimizer: unknown): void {
  if (!(optimizer instanceof Optimizer)) return;
  const expected = "a callable that makes it";
  const hint = "optimizer: (model) => optim.adamW(model.parameters(), …)";
  refuse(ConfigError, where, "the optimizer has its parameters already", "a finished optimizer", expected, hint);
}
