// The hooks in the order in which they are called, and the one place where they are. A hook watches: what it throws stops the run under the names of its class and hook,
// and only the tracing ones may add to a graph. The loop that calls them, with what is called when something fails left out:
//
//   new Trainer:              preSetup; make the model; setup; make optimizer and schedules; postSetup
//   fit:                      onFitStart
//                             trace the step: onTrace, onTraceUpdate
//     from a checkpoint:      onBeforeLoadCheckpoint; read it; preprocessCheckpoint; take it over; onLoadCheckpoint
//                             onTrainStart
//     each epoch:             onTrainEpochStart
//     each step:              onTrainBatchStart; onTrainStepStart
//                             run the compiled step: forward, backward, clipping, update; add it to the chain
//                             onAfterOptimizerStep
//                             onBeforeSchedulerStep; set the next rates; onAfterSchedulerStep
//                             onTrainStepEnd; logMetrics, logHistograms
//       validation, if due:   onValidateStart
//         each loader:        onValidateEpochStart
//           each batch:       onValidateBatchStart; onValidateStepStart; run the compiled step; onValidateStepEnd; onValidateBatchEnd
//                             onValidateEpochEnd
//                             onValidateEnd; logMetrics
//       if the epoch ends:    onTrainEpochEnd
//                             onTrainBatchEnd
//       a checkpoint, if due: onSaveCheckpoint; read the tensors; postprocessCheckpoint; flush; write it; onAfterSaveCheckpoint
//     at the end:             onTrainEnd; flush; write the digest down; onFitEnd; finalize
import { ConfigError, refuse, SeedgradError, TrainingError } from "../core/errors.ts";
import { unknownKey } from "../core/keys.ts";
import { atOnce } from "../core/promise.ts";
import { remembered } from "../core/remembered.ts";
import type { Callback, HookName, Logger, TrainerView } from "./contract.ts";

/** Every hook, in order, with what it is part of. The compiler holds it to what a callback and a logger may have; docs/callbacks.md shows it. */
export const hookParts: Readonly<Record<HookName, string>> = {
  preSetup: "construction",
  setup: "construction",
  postSetup: "construction",
  onFitStart: "a fit",
  onTrace: "tracing",
  onTraceUpdate: "tracing",
  onBeforeLoadCheckpoint: "loading",
  preprocessCheckpoint: "loading",
  onLoadCheckpoint: "loading",
  onTrainStart: "a fit",
  onTrainEpochStart: "each epoch",
  onTrainBatchStart: "each step",
  onTrainStepStart: "each step",
  onAfterOptimizerStep: "each step",
  onBeforeSchedulerStep: "each step",
  onAfterSchedulerStep: "each step",
  onTrainStepEnd: "each step",
  onValidateStart: "validation",
  onValidateEpochStart: "validation",
  onValidateBatchStart: "validation",
  onValidateStepStart: "validation",
  onValidateStepEnd: "validation",
  onValidateBatchEnd: "validation",
  onValidateEpochEnd: "validation",
  onValidateEnd: "validation",
  onTrainEpochEnd: "each epoch",
  onTrainBatchEnd: "each step",
  onSaveCheckpoint: "saving",
  postprocessCheckpoint: "saving",
  onAfterSaveCheckpoint: "saving",
  onTrainEnd: "a fit",
  onFitEnd: "a fit",
  onValidateException: "failure",
  onTrainException: "failure",
  onFitException: "failure",
  finalize: "a fit",
  logMetrics: "logging",
  logHistograms: "logging",
  logSample: "logging",
  flush: "logging",
  logMessage: "logging",
};

/** Hooks that others have, and that would lie here: forward, backward and update are one compiled step, and nothing can be called inside it. */
const insideStep = /^on(Before|After)(Forward|Backward|OptimizerStep|ZeroGrad)$/;

/** Throws ConfigError for a method whose name is a hook's in form, as `onTrainStpe`, and is none: it would never be called. */
function checkHookNames(callback: Callback): void {
  for (let at: object | null = callback; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value !== "function" || !/^(on|pre|post)[A-Z]/.test(name) || Object.hasOwn(hookParts, name)) continue;
      const where = `${callbackName(callback)}.${name}`;
      if (insideStep.test(name)) {
        const expected = "onTrace, to watch a tensor of the step, and onAfterOptimizerStep, to read it";
        refuse(ConfigError, where, "the compiled step runs whole, and nothing is called inside it", name, expected);
      }
      throw unknownKey(where, name, Object.keys(hookParts), {
        problem: "no hook has this name, so it would never be called",
        hint: "a method of your own is named otherwise than on…, pre… or post…, or is #private",
      });
    }
  }
}

/** Whether a callback keeps something of the Trainer that it was set up for: state, variables, or where it logs to. */
const keeps = ({ saveState, namedVariables, postSetup, logMetrics }: Logger): boolean =>
  saveState !== undefined || namedVariables !== undefined || (postSetup !== undefined && logMetrics !== undefined);

/** The Trainer that a callback was set up for last, and whether it is in a fit. */
const owners = new WeakMap<Callback, { readonly trainer: TrainerView; isFitting: boolean }>();

function refuseShared(callback: Callback, got: string): never {
  const name = callbackName(callback);
  const hint = `make one for each Trainer: callbacks: [new ${name}(…)]`;
  refuse(ConfigError, name, "what it keeps is another Trainer's", got, "a callback of the Trainer's own", hint);
}

/** Throws ConfigError where another Trainer was made with the callback since. */
export function checkOwn(trainer: TrainerView, callback: Callback): void {
  const owner = owners.get(callback);
  if (owner && owner.trainer !== trainer) refuseShared(callback, "a Trainer that was made later has it");
}

/** Callbacks in the order in which they are called. */
export class Hooks {
  readonly callbacks: readonly Logger[];
  /** Callbacks by name; the second of a name is `name.1`. */
  readonly named: ReadonlyMap<string, Logger>;
  readonly #having = new Map<HookName, readonly Logger[]>();
  #calling = 0;

  constructor(callbacks: readonly Logger[]) {
    this.callbacks = callbacks;
    const named = new Map<string, Logger>();
    for (const callback of callbacks) {
      checkHookNames(callback);
      if (keeps(callback) && owners.get(callback)?.isFitting) refuseShared(callback, "a fit in progress has it");
      const name = callbackName(callback);
      let unique = name;
      for (let i = 1; named.has(unique); i++) unique = `${name}.${i}`;
      named.set(unique, callback);
    }
    this.named = named;
  }

  /** Whether a hook is being called. */
  get calling(): boolean {
    return this.#calling > 0;
  }

  /** The callbacks that have a hook. */
  having(hook: HookName): readonly Logger[] {
    return remembered(this.#having, hook, () => this.callbacks.filter((callback) => callback[hook] !== undefined));
  }

  /** Tells callbacks that all of their Trainer is there. */
  setUp(trainer: TrainerView): void {
    this.callNow("postSetup", trainer);
    for (const callback of this.callbacks) owners.set(callback, { trainer, isFitting: false });
  }

  /**
   * Runs `body`, a fit, in which callbacks that keep something are its Trainer's alone. Where a Trainer that was made later has one too, a run that begins sets it up anew. Throws
   * ConfigError where another fit has it, and where the run goes on: what it kept is lost.
   */
  async during<T>(trainer: TrainerView, body: () => Promise<T>): Promise<T> {
    const kept = this.callbacks.filter(keeps);
    for (const callback of kept) {
      const owner = owners.get(callback);
      if (owner?.isFitting) refuseShared(callback, "a fit in progress has it");
      if (!owner || owner.trainer === trainer) continue;
      if (trainer.step > 0) checkOwn(trainer, callback);
      callback.postSetup?.(trainer);
    }
    for (const callback of kept) owners.set(callback, { trainer, isFitting: true });
    try {
      return await body();
    } finally {
      for (const callback of kept) owners.set(callback, { trainer, isFitting: false });
    }
  }

  /** Calls a hook of each callback, one after another. Throws what a hook throws, named. */
  async call<H extends HookName>(hook: H, ...args: Parameters<NonNullable<Logger[H]>>): Promise<void> {
    for (const callback of this.having(hook)) {
      this.#calling++;
      try {
        await (callback[hook] as (...args: unknown[]) => unknown)(...args);
      } catch (cause) {
        throw hookError(callback, hook, cause);
      } finally {
        this.#calling--;
      }
    }
  }

  /** As `call`, for hooks that are synchronous: throws ConfigError for a promise, since nobody would wait for it. */
  callNow<H extends HookName>(hook: H, ...args: Parameters<NonNullable<Logger[H]>>): void {
    for (const callback of this.having(hook)) {
      let given: unknown;
      try {
        given = (callback[hook] as (...args: unknown[]) => unknown)(...args);
      } catch (cause) {
        throw hookError(callback, hook, cause);
      }
      atOnce(`${callbackName(callback)}.${hook}`, given);
    }
  }
}

function callbackName(callback: Callback): string {
  return callback.name ?? (callback.constructor === Object ? "callback" : callback.constructor.name);
}

function hookError(callback: Callback, hook: HookName, cause: unknown): SeedgradError {
  const where = `${callbackName(callback)}.${hook}`;
  if (!(cause instanceof SeedgradError)) {
    return new TrainingError({ where, problem: "the hook failed", got: String(cause), cause });
  }
  const Kind = cause.constructor as new (details: ConstructorParameters<typeof SeedgradError>[0]) => SeedgradError;
  const { problem, got, expected, hint } = cause;
  return new Kind({ where: `${where}: ${cause.where}`, problem, got, expected, hint, cause });
}

/** Does something on the way out of an error: if it fails too, that is said, and the first error stands. */
export async function reportSecondaryError(trainer: TrainerView, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    trainer.message("error", String(error));
  }
}
