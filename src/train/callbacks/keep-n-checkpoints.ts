// Keeps only the newest checkpoints: the option `checkpoint: {keep: n}` as a callback, as the Cerebras Trainer has it.

import { checkArguments, number, options as optionsOf, signature } from "../../core/arguments.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Callback, TrainerView } from "../contract.ts";
import { checkCount } from "./check.ts";

export interface KeepNCheckpointsOptions {
  readonly n: number;
}

const call = signature("KeepNCheckpoints", { options: optionsOf<KeepNCheckpointsOptions>({ n: number }) });

/** Drops all but the newest `n` checkpoints; those that `keepBest` keeps stay. */
export class KeepNCheckpoints implements Callback {
  readonly name = "KeepNCheckpoints";
  readonly changesTraining = false;
  readonly keepCheckpoints: number;

  constructor(options: KeepNCheckpointsOptions) {
    checkArguments(call, arguments);
    const { n } = options;
    checkCount("KeepNCheckpoints.n", n, "checkpoints");
    this.keepCheckpoints = n;
  }

  setup({ options: { checkpoint } }: TrainerView): void {
    if (checkpoint?.keep !== undefined && checkpoint.keep !== this.keepCheckpoints) {
      throw new ConfigError({
        where: "KeepNCheckpoints.n",
        problem: "checkpoint.keep says otherwise",
        got: String(this.keepCheckpoints),
        expected: String(checkpoint.keep),
        hint: "give one of the two",
      });
    }
  }
}
