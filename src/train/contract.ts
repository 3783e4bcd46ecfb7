// What stands between a Trainer and all that hangs on it: callbacks, loggers, what their hooks are told, and the Trainer as they see it. Everyone may read a Trainer
// through `TrainerView`; only the spine (trainer, fit, loop, step and what these are made of) moves one.
import type { Backend } from "../compile/contract.ts";
import type { TypedArray } from "../core/dtype.ts";
import type { DataLoader, LoadedBatch } from "../data/loader.ts";
import type { Histogram } from "../io/histogram.ts";
import type { Batch, Module } from "../nn/module.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Schedules } from "../optim/schedules/index.ts";
import type { Variable } from "../program/variable.ts";
import type { Sample } from "../report/samples.ts";
import type { Stream } from "../rng/stream.ts";
import type { ChainLink } from "../run/chain.ts";
import type { RunState } from "../run/checkpoint.ts";
import type { LedgerRow } from "../run/ledger.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ResolvedSettings, TrainerSettings } from "./config/options.ts";
import type { LoggingOptions } from "./config/shared.ts";
import type {
  EvalStep,
  EvaluateOptions,
  Loaders,
  MessageLevel,
  Metrics,
  Place,
  Progress,
  Run,
  TrainStep,
  WeightsChoice,
} from "./run.ts";

/** A Trainer as callbacks, loggers and everyone else outside its spine see it: to be read, and asked. */
export interface TrainerView {
  readonly options: ResolvedSettings;
  /** In [0, 2⁶⁴). */
  readonly seed: bigint;
  /** Whether the seed was given, and not drawn. */
  readonly seedGiven: boolean;
  readonly stream: Stream;
  readonly model: Module;
  readonly optimizer?: Optimizer;
  readonly schedules?: Schedules;
  /** All callbacks and loggers by name, in the order in which their hooks are called; the second of a name is `name.1`. */
  readonly callbacks: ReadonlyMap<string, Logger>;
  /** Hashes of the graphs that ran, by role: `init`, `train`, `trainLast` (the short last batch), `eval`, `evalLast`; of batches of more shapes `trainLast#2` and so on. */
  readonly graphs: Readonly<Record<string, string>>;
  readonly progress: Progress;
  /** Optimizer steps taken. */
  readonly step: number;
  /** The chain's last link, once a step was taken. */
  readonly lastLink: ChainLink | undefined;
  /** What the last fit gave. */
  readonly lastRun: Run | undefined;
  /** Which weights the last validation or prediction was made with. */
  readonly weightsUsed: WeightsChoice;
  needOptimizer(): Optimizer;
  variables(): [string, Variable][];
  callbackVariables(): [string, Variable][];
  stop(reason: string): void;
  message(level: MessageLevel, text: string): void;
  logMetrics(metrics: Metrics, step?: number): Promise<void>;
  logHistograms(histograms: Readonly<Record<string, Histogram>>, step?: number): Promise<void>;
  logSample(name: string, sample: Sample, step?: number): Promise<void>;
  nameScope<T>(name: string, body: () => T | Promise<T>): Promise<T>;
  backend(): Promise<Backend>;
  initialize(): Promise<Backend>;
  trainStep(): Promise<TrainStep>;
  evalStep(): Promise<EvalStep>;
  evaluate(loaders: Loaders, how?: EvaluateOptions): Promise<Metrics>;
  saveCheckpoint(name?: string): Promise<string>;
  runState(): RunState;
  ledger(train: DataLoader): Promise<LedgerRow[]>;
  describe(): { readonly name: string; readonly text: string };
}

/** What hooks of a fit are told. */
export interface FitContext {
  readonly trainer: TrainerView;
  /** Optimizer steps in the whole run. */
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  /** What it trains on. */
  readonly loader: DataLoader;
  /** What it validates on, if anything; of several loaders the first. */
  readonly validation?: DataLoader;
  /** All loaders that it validates on. */
  readonly validations: readonly DataLoader[];
}

/** What hooks of an epoch of training are told. */
export interface EpochContext extends FitContext {
  /** From 0. */
  readonly epoch: number;
  /** Optimizer steps taken. */
  readonly step: number;
  /** For `onTrainEpochEnd`: the values of the validation that followed the epoch's last step, if one did. */
  readonly validated?: Metrics;
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

/** What hooks from `onAfterOptimizerStep` on are told: the step has run by then, whole. */
export interface StepResult extends StepContext {
  readonly loss: number;
  /** What `watch` was given while the step was traced, by name. */
  readonly watched: Readonly<Record<string, Tensor>>;
  /** How long the compiled step took, until its loss was there. */
  readonly seconds: number;
  /** Whether this step's numbers are logged: every `logSteps` steps, and at the last. */
  readonly logged: boolean;
  /** For `onTrainBatchEnd`: the values of the validation that followed this step, if one did. */
  readonly validated?: Metrics;
}

/** What hooks of a validation are told. */
export interface ValidateContext {
  readonly trainer: TrainerView;
  /** Optimizer steps taken when it runs. */
  readonly step: number;
  /**
   * Whether it is one of the run's own validations, at the loop's frequency: what decides about the run by validated numbers (EarlyStopping, ReduceOnPlateau) takes these alone.
   * Not one that a hook or a program asked for, nor one that is made only because the run ends there.
   */
  readonly decides: boolean;
}

/** What hooks of a validation's pass over one of its loaders are told. */
export interface ValidateEpochContext extends ValidateContext {
  readonly loader: DataLoader;
  /** Which of the loaders it is, from 0. */
  readonly number: number;
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

/** What `onTrace` is given: the tensors of a step in the making. */
export interface TraceContext {
  readonly trainer: TrainerView;
  readonly role: "train" | "eval";
  readonly model: Module;
  /** Where gradients are accumulated, batch and outputs are those of the first micro-batch; loss and gradients are those of the whole group. */
  readonly batch: Batch;
  readonly outputs?: Tensor;
  readonly loss?: Tensor;
  /** Every micro-batch with its outputs; without accumulation one. */
  readonly microBatches: readonly { readonly batch: Batch; readonly outputs?: Tensor }[];
  /** Gradients by the paths of their parameters, before clipping; empty in an evaluation. */
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** What a checkpoint is about to hold, or held. */
export interface CheckpointContext {
  readonly trainer: TrainerView;
  readonly step: number;
  /** The file. */
  readonly path: string;
}

type Hook<C extends unknown[]> = (...args: C) => void | Promise<void>;

/** What a callback is beside its hooks. */
interface CallbackFacts {
  /** What its state is called in checkpoints, and it in errors; its class's name unless given. */
  readonly name?: string;
  /** Whether training depends on it. `false`: it only watches, a replay leaves it out, and a run may go on without it. */
  readonly changesTraining?: boolean;
  /** Whether the numbers of a validation depend on it, as on an average in the weights' place: a replay that validates keeps it, and where a schedule goes by validation it belongs to the run as what changes training does. */
  readonly changesValidation?: boolean;
  /** Whether the run's end depends on it and on validation, as on EarlyStopping: a replay that validates keeps it. */
  readonly endsRun?: boolean;
  /** What is logged and shown while it is there, in the whole run or a part of it, over what the Trainer's `logging` says. */
  readonly logging?: Readonly<
    Partial<Record<"run" | "train" | "validate", Pick<LoggingOptions, "logSteps" | "logLevel">>>
  >;
  /** How many of the newest checkpoints stay, in place of what `checkpoint.keep` says. */
  readonly keepCheckpoints?: number;
  /** What it was made with, as JSON. A run that is made in code records numbers, flags and words of those that change training, and refuses to resume under others. */
  describe?(): unknown;
  /** Where in the data a run begins, if not with the first batch: asked once, of a run without steps. */
  beginsAt?(context: FitContext): Place;
  /** What the Trainer's variables are to be once a fit is over and its digest written down: undefined, as training left them. */
  finalWeights?(): Promise<readonly (readonly [Variable, TypedArray])[] | undefined>;
  /** Variables of its own: in checkpoints as `callback/<name>/<variable>`, not in the digest. */
  namedVariables?(): Iterable<readonly [string, Variable]>;
  /** What else it needs to go on from a checkpoint, as JSON. */
  saveState?(): unknown;
  /** Takes over what `saveState` gave, of a checkpoint. */
  loadState?(state: unknown): void;
}

/** Any of the hooks. Their order, and the loop that they are called in: hooks.ts. Those of the constructor and of tracing are synchronous. */
export interface Callback extends CallbackFacts {
  /** The seed is set; there is no model yet. */
  preSetup?(trainer: TrainerView): void;
  /** The model is there; its optimizer isn't yet. */
  setup?(trainer: TrainerView): void;
  /** All is there. */
  postSetup?(trainer: TrainerView): void;
  /** A fit begins. */
  onFitStart?: Hook<[FitContext]>;
  /** A step is traced, before its first execution: the one hook that may add nodes to it, through `watch`. */
  onTrace?(context: TraceContext): void;
  /** The training step is traced, after its update: what is assigned here is part of training. */
  onTraceUpdate?(context: TraceContext): void;
  /** A checkpoint is about to be read. */
  onBeforeLoadCheckpoint?: Hook<[{ trainer: TrainerView; path: string }]>;
  /** It is read, and nothing of it is taken over yet. */
  preprocessCheckpoint?: Hook<[CheckpointContext]>;
  /** The Trainer is where the checkpoint was. */
  onLoadCheckpoint?: Hook<[CheckpointContext]>;
  /** The first step of this fit comes next. */
  onTrainStart?: Hook<[FitContext]>;
  /** An epoch's first batch comes next; not where a run goes on inside an epoch. */
  onTrainEpochStart?: Hook<[EpochContext]>;
  /** A step's batch is there. */
  onTrainBatchStart?: Hook<[StepContext]>;
  /** The compiled step (forward, backward, clipping, update) comes next. */
  onTrainStepStart?: Hook<[StepContext]>;
  /** The compiled step has run, whole; what was watched in it is there. */
  onAfterOptimizerStep?: Hook<[StepResult]>;
  /** Schedules set the next step's rates next. */
  onBeforeSchedulerStep?: Hook<[StepResult]>;
  /** They have. */
  onAfterSchedulerStep?: Hook<[StepResult]>;
  /** The step is over; its numbers are logged next, where they are. */
  onTrainStepEnd?: Hook<[StepResult]>;
  /** A validation begins. */
  onValidateStart?: Hook<[ValidateContext]>;
  /** One of its loaders is gone through. */
  onValidateEpochStart?: Hook<[ValidateEpochContext]>;
  /** A batch of the first validation loader is there. */
  onValidateBatchStart?: Hook<[ValidateBatchContext]>;
  /** The compiled evaluation step comes next. */
  onValidateStepStart?: Hook<[ValidateBatchContext]>;
  /** It has run; what was watched in it is there. */
  onValidateStepEnd?: Hook<[ValidateStepResult]>;
  /** The batch is done with. */
  onValidateBatchEnd?: Hook<[ValidateStepResult]>;
  /** A loader was gone through: with its own numbers, by their plain names. */
  onValidateEpochEnd?: Hook<[ValidateEpochContext, Metrics]>;
  /** A validation is over: with all its numbers. */
  onValidateEnd?: Hook<[ValidateContext, Metrics]>;
  /** An epoch's last step, and the validation that followed it, are over; not where the run ends inside an epoch. */
  onTrainEpochEnd?: Hook<[EpochContext]>;
  /** The step, and the validation that followed it, are done with: what a checkpoint holds is settled. */
  onTrainBatchEnd?: Hook<[StepResult]>;
  /** A checkpoint is about to be made. */
  onSaveCheckpoint?: Hook<[CheckpointContext]>;
  /** Its tensors are read, and the file isn't written yet. */
  postprocessCheckpoint?: Hook<[CheckpointContext]>;
  /** It is on the disk, and in the index. */
  onAfterSaveCheckpoint?: Hook<[CheckpointContext]>;
  /** The last step of this fit was taken. */
  onTrainEnd?: Hook<[FitContext]>;
  /** The run is finished, and its digest written down. */
  onFitEnd?: Hook<[FitContext]>;
  /** A validation failed. */
  onValidateException?: Hook<[ValidateContext, unknown]>;
  /** Training failed, a validation in it too. */
  onTrainException?: Hook<[FitContext, unknown]>;
  /** The fit failed. */
  onFitException?: Hook<[FitContext, unknown]>;
  /** After everything, whether it went well or not. */
  finalize?: Hook<[{ trainer: TrainerView }]>;
}

/** A callback that is told numbers to record, and messages to show. */
export interface Logger extends Callback {
  /** Numbers are logged. `step`: optimizer steps taken. */
  logMetrics?: Hook<[Metrics, number]>;
  /** As `logMetrics`, of whole tensors' elements by name. */
  logHistograms?: Hook<[Readonly<Record<string, Histogram>>, number]>;
  /** The model made something to be looked at, under a name. */
  logSample?: Hook<[string, Sample, number]>;
  /** The numbers that it has on the disk of earlier processes, up to the step that the run goes on from: asked after `onTrainStart`. The first logger that can is. */
  readBack?(): Iterable<readonly [step: number, name: string, value: number]>;
  /** What was logged must be on the disk: a checkpoint is about to be named, or the run to be called finished. */
  flush?: Hook<[]>;
  /** A message is for people; the first logger that can shows it. */
  logMessage?(level: MessageLevel, message: string): void;
}

/** What is called of a callback or logger, and when: hooks.ts has each. */
export type HookName = Exclude<keyof Logger, keyof CallbackFacts | "readBack">;

/** What a Trainer is made with. */
export interface TrainerOptions extends TrainerSettings {
  readonly callbacks?: readonly Callback[];
  readonly loggers?: readonly Logger[];
}
