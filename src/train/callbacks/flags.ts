// Settings that may change while a run goes on, for all of it or for a part: how much is logged and shown. No bit depends on them.

import { checkArguments, number, oneOf, options as optionsOf, signature } from "../../core/arguments.ts";
import { type LogLevel, logLevels } from "../config/shared.ts";
import type { Callback } from "../contract.ts";
import { checkCount } from "./check.ts";

export interface Flags {
  /** Which messages are shown from. */
  readonly logLevel?: LogLevel;
  /** Numbers are logged every so many steps. */
  readonly logSteps?: number;
}

const flags = optionsOf<Flags>({ "logLevel?": oneOf(logLevels), "logSteps?": number });
const globalCall = signature("GlobalFlags", { flags });

/** The flags that are given. Throws ConfigError for one that is out of range. */
function checkedFlags(where: string, { logLevel, logSteps }: Flags = {}): Flags {
  if (logSteps !== undefined) checkCount(`${where}.logSteps`, logSteps);
  return { ...(logLevel !== undefined && { logLevel }), ...(logSteps !== undefined && { logSteps }) };
}

/** Sets flags for the whole run, over what `logging` says. */
export class GlobalFlags implements Callback {
  readonly name = "GlobalFlags";
  readonly changesTraining = false;
  readonly logging: Callback["logging"];

  constructor(flags: Flags) {
    checkArguments(globalCall, arguments);
    this.logging = { run: checkedFlags("GlobalFlags", flags) };
  }
}

export interface ScopedFlagsOptions {
  /** Flags while training steps run. */
  readonly train?: Flags;
  /** Flags while validation runs. */
  readonly validate?: Flags;
}

const scopedCall = signature("ScopedFlags", {
  options: optionsOf<ScopedFlagsOptions>({ "train?": flags, "validate?": flags }),
});

/** Sets flags for a part of the run. */
export class ScopedFlags implements Callback {
  readonly name = "ScopedFlags";
  readonly changesTraining = false;
  readonly logging: Callback["logging"];

  constructor(options: ScopedFlagsOptions) {
    checkArguments(scopedCall, arguments);
    this.logging = {
      train: checkedFlags("ScopedFlags.train", options.train),
      validate: checkedFlags("ScopedFlags.validate", options.validate),
    };
  }
}
