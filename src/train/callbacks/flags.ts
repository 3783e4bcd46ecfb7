// Settings that may change while a run goes on, for all of it or for a part: how much is logged and shown. No bit depends on them.

import { configured } from "../../core/configured.ts";
import { type Given, options, recordOf, word } from "../../core/options.ts";
import { duration } from "../../optim/duration.ts";
import { logLevels } from "../config/shared.ts";
import type { Callback } from "../contract.ts";

const globalRecord = options("GlobalFlags", {
  /** Which messages are shown from. */
  logLevel: word(...logLevels).optional(),
  /** Numbers are logged every so many steps. */
  logSteps: duration.optional(),
});
export type Flags = Given<typeof globalRecord>;

/** Sets flags for the whole run, over what `logging` says. */
export class GlobalFlags extends configured(globalRecord) implements Callback {
  readonly changesTraining = false;
  readonly logging: Callback["logging"] = { run: this.options };
}

const scopedRecord = options("ScopedFlags", {
  /** Flags while training steps run. */
  train: recordOf(globalRecord).optional(),
  /** Flags while validation runs. */
  validate: recordOf(globalRecord).optional(),
});
export type ScopedFlagsOptions = Given<typeof scopedRecord>;

/** Sets flags for a part of the run. */
export class ScopedFlags extends configured(scopedRecord) implements Callback {
  readonly changesTraining = false;
  readonly logging: Callback["logging"] = this.options;
}
