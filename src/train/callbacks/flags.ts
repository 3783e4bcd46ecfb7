// Settings that may change while a run goes on, for all of it or for a part: how much is logged and shown. No bit depends on them.

import { checkArguments, number, oneOf, options as optionsOf, signature } from "../../core/arguments.ts";
import { type LogLevel, logLevels } from "../config/shared.ts";
import type { Callback, FitContext, ValidateContext } from "../hooks.ts";
import type { Trainer } from "../trainer.ts";
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
  readonly #flags: Flags;

  constructor(flags: Flags) {
    checkArguments(globalCall, arguments);
    this.#flags = checkedFlags("GlobalFlags", flags);
  }

  preSetup({ options }: Trainer): void {
    Object.assign(options.logging, this.#flags);
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

/** Sets flags for a part of the run, and puts them back after it. */
export class ScopedFlags implements Callback {
  readonly name = "ScopedFlags";
  readonly changesTraining = false;
  readonly #options: ScopedFlagsOptions;
  /** What the flags were before each part that goes on, by what its hooks are told. */
  readonly #before = new WeakMap<object, Flags>();

  constructor(options: ScopedFlagsOptions) {
    checkArguments(scopedCall, arguments);
    this.#options = {
      train: checkedFlags("ScopedFlags.train", options.train),
      validate: checkedFlags("ScopedFlags.validate", options.validate),
    };
  }

  #enter(context: { readonly trainer: Trainer }, flags: Flags = {}): void {
    const { logging } = context.trainer.options;
    this.#before.set(context, { ...logging });
    Object.assign(logging, flags);
  }

  /** Once for each part: an end that another callback's hook failed in is told again as an exception. */
  #leave(context: { readonly trainer: Trainer }): void {
    Object.assign(context.trainer.options.logging, this.#before.get(context));
    this.#before.delete(context);
  }

  onTrainStart(context: FitContext): void {
    this.#enter(context, this.#options.train);
  }

  onTrainEnd(context: FitContext): void {
    this.#leave(context);
  }

  onTrainException(context: FitContext): void {
    this.#leave(context);
  }

  onFitException(context: FitContext): void {
    this.#leave(context);
  }

  onValidateStart(context: ValidateContext): void {
    this.#enter(context, this.#options.validate);
  }

  onValidateEnd(context: ValidateContext): void {
    this.#leave(context);
  }

  onValidateException(context: ValidateContext): void {
    this.#leave(context);
  }
}
