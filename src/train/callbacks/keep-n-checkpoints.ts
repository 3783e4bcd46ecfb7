// Keeps only the newest checkpoints: the option `checkpoint: {keep: n}` as a callback, as the Cerebras Trainer has it.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { countOf, type Given, options } from "../../core/options.ts";
import type { Callback, TrainerView } from "../contract.ts";

const record = options("KeepNCheckpoints", {
  /** How many of the newest stay. */
  n: countOf("checkpoints"),
});
export type KeepNCheckpointsOptions = Given<typeof record>;

/** Drops all but the newest `n` checkpoints; those that `keepBest` keeps stay. */
export class KeepNCheckpoints extends configured(record) implements Callback {
  readonly changesTraining = false;
  readonly keepCheckpoints = this.options.n;

  setup({ options: { checkpoint } }: TrainerView): void {
    if (checkpoint?.keep !== undefined && checkpoint.keep !== this.keepCheckpoints) {
      const problem = "checkpoint.keep says otherwise";
      const got = this.keepCheckpoints;
      refuse(ConfigError, "KeepNCheckpoints.n", problem, got, String(checkpoint.keep), "give one of the two");
    }
  }
}
