// What a callback may hook into, in call order, and the one place where hooks are called. A hook watches: what it throws stops the run
// under the names of its class and hook, and only `onTrace` may add to a graph.
import { SeedgradError, TrainingError } from "../core/errors.ts";
import { unknownKey } from "../core/keys.ts";
import { atOnce } from "../core/promise.ts";
import type { DataLoader, LoadedBatch } from "../data/loader.ts";
import type { Batch, Module } from "../nn/module.ts";
import type { Variable } from "../program/variable.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Histogram } from "./histogram.ts";
import type { Trainer } from "./trainer.ts";

/** What hooks of a fit are told. */
export interface FitContext {
  readonly trainer: Trainer;
  /** Optimizer steps in the whole run. */
  readonly totalSteps: number;
  /** What it trains on. */
  readonly loader: DataLoader;
  /** What it validates on, if anything; of several loaders the first. */
  readonly validation?: DataLoader;
  /** All loaders that it validates on. */
  readonly validations: readonly DataLoader[];
}

/** What hooks of one optimizer step are told. */
export interface StepContext extends FitContext {
  /** The number of this optimizer step, from 1. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  /** With accumulation: the micro-batches of the step, one after another. Its memory is used again after `onTrainBatchEnd`: copy what is to be kept. */
  readonly batch: LoadedBatch;
  /** The first parameter group's. */
  readonly learningRate: number;
}

/** What hooks from `onBeforeForward` on are told: the step has run by then, whole. */
export interface StepResult extends StepContext {
  readonly loss: number;
  /** What `watch` was given while the step was traced, by name. */
  readonly watched: Readonly<Record<string, Tensor>>;
  /** Whether this step's numbers are logged: every `logSteps` steps, and at the last. */
  readonly logged: boolean;
  /** For `onTrainBatchEnd`: the values of the validation that followed this step, if one did. */
  readonly validated?: Metrics;
}

/** What hooks of a validation are told. */
export interface ValidateContext {
  readonly trainer: Trainer;
  /** Optimizer steps taken when it runs. */
  readonly step: number;
  /**
   * Whether it is one of the run's own validations, at the loop's frequency: what decides about the run by validated numbers (EarlyStopping, ReduceOnPlateau) takes these alone.
   * Not one that a hook or a program asked for, nor one that is made only because the run ends there.
   */
  readonly decides: boolean;
}

export interface ValidateBatchContext extends ValidateContext {
  /** From 0. */
  readonly index: number;
  readonly batch: LoadedBatch;
}

/** What hooks are told once a validation batch has run. */
export interface ValidateStepResult extends ValidateBatchContext {
  /** What `watch` was given while the evaluation step was traced, by name. */
  readonly watched: Readonly<Record<string, Tensor>>;
}

/** The values of a validation: `loss` and each metric by name. */
export type Metrics = Readonly<Record<string, number>>;

/** What `onTrace` is given: the tensors of a step in the making. */
export interface TraceContext {
  readonly trainer: Trainer;
  readonly role: "train" | "eval";
  readonly model: Module;
  /** Where gradients are accumulated, batch and outputs are those of the first micro-batch; loss and gradients are those of the whole group. */
  readonly batch: Batch;
  readonly outputs?: Tensor;
  readonly loss?: Tensor;
  /** Gradients by the paths of their parameters, before clipping; empty in an evaluation. */
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** What a checkpoint is about to hold, or held. */
export interface CheckpointContext {
  readonly trainer: Trainer;
  readonly step: number;
  /** The file. */
  readonly path: string;
}

type Hook<C extends unknown[]> = (...args: C) => void | Promise<void>;

/** Any of the hooks, listed in call order. Those of the constructor and `onTrace` are synchronous. */
export interface Callback {
  /** What its state is called in checkpoints, and it in errors; its class's name unless given. */
  readonly name?: string;
  /** Whether training depends on it. `false`: it only watches, a replay leaves it out, and a run may go on without it. */
  readonly changesTraining?: boolean;
  /** Whether the numbers of a validation depend on it, as on an average in the weights' place: a replay that validates keeps it, and where a schedule goes by validation it belongs to the run as what changes training does. */
  readonly changesValidation?: boolean;
  /** Whether the run's end depends on it and on validation, as on EarlyStopping: a replay that validates keeps it. */
  readonly endsRun?: boolean;
  /** What it was made with, as JSON. A run that is made in code records numbers, flags and words of those that change training, and isn't gone on with under others. */
  describe?(): unknown;
  /** Variables of its own: in checkpoints as `callback/<name>/<variable>`, not in the digest. */
  namedVariables?(): Iterable<readonly [string, Variable]>;
  /** What else it needs to go on from a checkpoint, as JSON. */
  saveState?(): unknown;
  /** Takes over what `saveState` gave, of a checkpoint. */
  loadState?(state: unknown): void;
  /** The seed is set; there is no model yet. */
  preSetup?(trainer: Trainer): void;
  /** The model is there; its optimizer isn't yet. */
  setup?(trainer: Trainer): void;
  /** All is there. */
  postSetup?(trainer: Trainer): void;
  onFitStart?: Hook<[FitContext]>;
  onBeforeLoadCheckpoint?: Hook<[{ trainer: Trainer; path: string }]>;
  /** Sees the state of a checkpoint before it is taken over. */
  preprocessCheckpoint?: Hook<[CheckpointContext]>;
  onLoadCheckpoint?: Hook<[CheckpointContext]>;
  onTrainStart?: Hook<[FitContext]>;
  onTrainBatchStart?: Hook<[StepContext]>;
  onTrainStepStart?: Hook<[StepContext]>;
  /** The one hook that may add nodes, through `watch`: called when a step is traced, before its first execution. */
  onTrace?(context: TraceContext): void;
  /** Called when the training step is traced, after its update: what is assigned here is part of training. */
  onTraceUpdate?(context: TraceContext): void;
  onBeforeForward?: Hook<[StepResult]>;
  onAfterForward?: Hook<[StepResult]>;
  onBeforeBackward?: Hook<[StepResult]>;
  onAfterBackward?: Hook<[StepResult]>;
  onBeforeOptimizerStep?: Hook<[StepResult]>;
  onAfterOptimizerStep?: Hook<[StepResult]>;
  onBeforeSchedulerStep?: Hook<[StepResult]>;
  onAfterSchedulerStep?: Hook<[StepResult]>;
  onTrainStepEnd?: Hook<[StepResult]>;
  onTrainBatchEnd?: Hook<[StepResult]>;
  onSaveCheckpoint?: Hook<[CheckpointContext]>;
  postprocessCheckpoint?: Hook<[CheckpointContext]>;
  onAfterSaveCheckpoint?: Hook<[CheckpointContext]>;
  onValidateStart?: Hook<[ValidateContext]>;
  onValidateBatchStart?: Hook<[ValidateBatchContext]>;
  onValidateStepStart?: Hook<[ValidateBatchContext]>;
  onValidateStepEnd?: Hook<[ValidateStepResult]>;
  onValidateBatchEnd?: Hook<[ValidateStepResult]>;
  onValidateEnd?: Hook<[ValidateContext, Metrics]>;
  onTrainEnd?: Hook<[FitContext]>;
  onFitEnd?: Hook<[FitContext]>;
  onTrainException?: Hook<[FitContext, unknown]>;
  onValidateException?: Hook<[ValidateContext, unknown]>;
  onFitException?: Hook<[FitContext, unknown]>;
  /** After everything, whether it went well or not. */
  finalize?: Hook<[{ trainer: Trainer }]>;
}

/** A callback that is told numbers to record, and messages to show. */
export interface Logger extends Callback {
  /** `step`: optimizer steps taken. */
  logMetrics?: Hook<[Metrics, number]>;
  /** As `logMetrics`, of whole tensors' elements by name. */
  logHistograms?: Hook<[Readonly<Record<string, Histogram>>, number]>;
  /** Puts on the disk what it was told: called before a checkpoint is named, and before the run is called finished. */
  flush?: Hook<[]>;
  /** Shows a message to people; the first logger that can does it. */
  logMessage?(level: "debug" | "info" | "warn" | "error", message: string): void;
}

export type HookName = {
  [K in keyof Logger]-?: K extends "describe" | "namedVariables" | "saveState" | "loadState"
    ? never
    : NonNullable<Logger[K]> extends (...args: never[]) => unknown
      ? K
      : never;
}[keyof Logger];

/** Every hook; the compiler holds it to the two interfaces. */
const hookNames: Readonly<Record<HookName, true>> = {
  preSetup: true,
  setup: true,
  postSetup: true,
  onFitStart: true,
  onBeforeLoadCheckpoint: true,
  preprocessCheckpoint: true,
  onLoadCheckpoint: true,
  onTrainStart: true,
  onTrainBatchStart: true,
  onTrainStepStart: true,
  onTrace: true,
  onTraceUpdate: true,
  onBeforeForward: true,
  onAfterForward: true,
  onBeforeBackward: true,
  onAfterBackward: true,
  onBeforeOptimizerStep: true,
  onAfterOptimizerStep: true,
  onBeforeSchedulerStep: true,
  onAfterSchedulerStep: true,
  onTrainStepEnd: true,
  onTrainBatchEnd: true,
  onSaveCheckpoint: true,
  postprocessCheckpoint: true,
  onAfterSaveCheckpoint: true,
  onValidateStart: true,
  onValidateBatchStart: true,
  onValidateStepStart: true,
  onValidateStepEnd: true,
  onValidateBatchEnd: true,
  onValidateEnd: true,
  onTrainEnd: true,
  onFitEnd: true,
  onTrainException: true,
  onValidateException: true,
  onFitException: true,
  finalize: true,
  logMetrics: true,
  logHistograms: true,
  flush: true,
  logMessage: true,
};

/** Throws ConfigError for a method whose name is a hook's in form, as `onTrainStpe`, and is none: it would never be called. */
function checkHookNames(callback: Callback): void {
  for (let at: object | null = callback; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value !== "function" || !/^(on|pre|post)[A-Z]/.test(name) || Object.hasOwn(hookNames, name)) continue;
      throw unknownKey(`${callbackName(callback)}.${name}`, name, Object.keys(hookNames), {
        problem: "no hook has this name, so it would never be called",
        hint: "a method of your own is named otherwise than on…, pre… or post…, or is #private",
      });
    }
  }
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
    let found = this.#having.get(hook);
    if (!found) {
      found = this.callbacks.filter((callback) => callback[hook] !== undefined);
      this.#having.set(hook, found);
    }
    return found;
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
export async function tell(trainer: Trainer, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    trainer.message("error", String(error));
  }
}
