// The Trainer: a seed, a model made under it, and what is done with them. It owns the stream and the run's folder, and takes what it is called with; the loop
// itself is in loop.ts, and what moves is in the session.

import { chosenBackend } from "../backend/load.ts";
import { type Backend, isReliable } from "../compile/contract.ts";
import { checkArguments } from "../core/arguments.ts";
import { ConfigError, ReproError, refuse } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import type { DataLoader } from "../data/loader.ts";
import type { Histogram } from "../io/histogram.ts";
import { Module } from "../nn/module.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Schedules } from "../optim/schedules/index.ts";
import { settleVariables } from "../program/settle.ts";
import { listState } from "../program/trace.ts";
import type { Variable } from "../program/variable.ts";
import type { PlannedGraph } from "../report/graph.ts";
import type { Sample } from "../report/samples.ts";
import { drawSeed, parseSeed, Stream } from "../rng/stream.ts";
import type { ChainLink } from "../run/chain.ts";
import type { RunState } from "../run/checkpoint.ts";
import type { LedgerRow } from "../run/ledger.ts";
import type { Verification } from "../run/verification.ts";
import { defaultBackend } from "../runtime/backends.ts";
import { exclusive } from "../runtime/queue.ts";
import { call, checkCalls } from "./arguments.ts";
import { CheckLoss } from "./callbacks/check-loss.ts";
import { adoptedSeed, saveCheckpoint, stateOf, takeWeights } from "./checkpoint.ts";
import { Checkpointer } from "./checkpointer.ts";
import { type ResolvedSettings, resolveOptions } from "./config/options.ts";
import type { Logger, TrainerOptions, TrainerView } from "./contract.ts";
import { describeOptions } from "./describe.ts";
import { type CheckpointMetrics, evaluate, evaluateChosen, listOf, validateAll } from "./evaluate.ts";
import { explain, ledgerOf } from "./explain.ts";
import { runFit } from "./fit.ts";
import { checkMakeable, checkSeed, makeModel, makeTraining } from "./given.ts";
import { Hooks } from "./hooks.ts";
import { limited } from "./length.ts";
import { Logs } from "./logs.ts";
import { checkMemory } from "./memory.ts";
import { type Prediction, predictChosen } from "./predict.ts";
import { judge, type ReplayOptions, replayed } from "./replay.ts";
import type {
  ChosenWeights,
  EvalStep,
  EvaluateOptions,
  FitOptions,
  Loaders,
  MessageLevel,
  Metrics,
  Progress,
  Run,
  TrainStep,
  WeightsChoice,
  WeightsOptions,
} from "./run.ts";
import { GradientScaler } from "./scaler.ts";
import { Session } from "./session.ts";
import { stepsOf } from "./step.ts";
import { TrainMetrics } from "./train-metrics.ts";

/** Trains and validates one model under one seed. */
export class Trainer implements TrainerView {
  readonly options: ResolvedSettings;
  readonly #given: TrainerOptions;
  readonly seed: bigint;
  readonly seedGiven: boolean;
  readonly stream: Stream;
  readonly model: Module;
  readonly optimizer?: Optimizer;
  readonly schedules?: Schedules;
  readonly #session = new Session(this);
  readonly #logs = new Logs(this.#session);
  readonly #steps = stepsOf(this.#session);

  /** Throws ConfigError for an option that is wrong, ReproError for a finished module beside a seed under `strict`. */
  constructor(options: TrainerOptions) {
    checkArguments(call, arguments);
    const resolved = resolveOptions(options);
    this.options = { ...resolved, logging: this.#logs.settings(resolved.logging) };
    this.#given = options;
    const { checkpoint, model } = this.options;
    const { callbacks = [], loggers = [] } = options;
    const session = this.#session;
    const core = [
      ...(callbacks.some((callback) => callback instanceof CheckLoss) ? [] : [new CheckLoss()]),
      ...(this.options.logging.trainMetrics ? [new TrainMetrics(this.options.metrics)] : []),
    ];
    const saving = checkpoint ? [new Checkpointer(session)] : [];
    session.hooks = new Hooks([...core, ...callbacks, ...loggers, ...saving]);
    this.seedGiven = this.options.seed !== null;
    const adopted = this.seedGiven ? undefined : adoptedSeed(this.options);
    this.seed = this.seedGiven ? parseSeed("seed", this.options.seed) : (adopted ?? drawSeed());
    this.stream = new Stream(this.seed);
    session.hooks.callNow("preSetup", this);
    if (adopted !== undefined) this.message("info", `no seed was given: the run in the folder has ${adopted}`);
    else if (!this.seedGiven) {
      this.message(
        "warn",
        `no seed was given, so one was drawn: ${this.seed}. Determinism across runs is not ensured; to repeat this run give seed: ${this.seed}`,
      );
    }
    if (model instanceof Module && this.seedGiven) {
      this.#doubt({
        where: "model",
        problem: "a finished module beside a seed: its weights were drawn before the seed was set",
        got: "a Module",
        expected: "a callable that makes it",
        hint: 'write model: () => …; or deterministic: "warn", which marks the digest',
      });
    }
    this.model = makeModel(model, this.stream);
    session.hooks.callNow("setup", this);
    const { optimizer, schedules } = makeTraining(this.options, this.model);
    this.optimizer = optimizer;
    this.schedules = schedules;
    session.scaler = new GradientScaler(this.options.precision, this.optimizer);
    const steering = schedules?.steering ?? [];
    if (steering.length > 0) session.hooks = new Hooks([...core, ...callbacks, ...steering, ...loggers, ...saving]);
    session.initDraws = this.stream.position;
    session.hooks.setUp(this);
  }

  get callbacks(): ReadonlyMap<string, Logger> {
    return this.#session.hooks.named;
  }

  get graphs(): Readonly<Record<string, string>> {
    return { ...this.#session.graphs };
  }

  get progress(): Progress {
    return { ...this.#session.progress };
  }

  get step(): number {
    return this.#session.progress.step;
  }

  get lastLink(): ChainLink | undefined {
    return this.#session.chain?.last;
  }

  get lastRun(): Run | undefined {
    return this.#session.lastRun;
  }

  get weightsUsed(): WeightsChoice {
    return this.#session.weightsUsed;
  }

  get #strict(): boolean {
    return (this.options.deterministic ?? (this.seedGiven ? "strict" : "warn")) === "strict";
  }

  /** Throws ReproError under `strict`, and else warns, of what can't promise the run's bits. */
  #doubt(details: ConstructorParameters<typeof ReproError>[0]): void {
    const error = new ReproError(details);
    if (this.#strict) throw error;
    this.message("warn", error.message);
  }

  /** The optimizer. Throws ConfigError where there is none. */
  needOptimizer(): Optimizer {
    if (this.optimizer) return this.optimizer;
    const hint = "optimizer: (model) => optim.adamW(model.parameters(), { learningRate: 1e-3 })";
    refuse(ConfigError, "optimizer", "training needs one", "none", undefined, hint);
  }

  /** All variables by name: parameters, buffers, optimizer state. */
  variables(): [string, Variable][] {
    return listState(this.optimizer ? [this.model, this.optimizer, this.#session.scaler] : [this.model]);
  }

  /** What callbacks keep, by name: `callback/<name>/<variable>`. */
  callbackVariables(): [string, Variable][] {
    return [...this.callbacks].flatMap(([name, callback]) =>
      [...atOnce(`${name}.namedVariables`, callback.namedVariables?.() ?? [])].map(
        ([path, variable]): [string, Variable] => [`callback/${name}/${path}`, variable],
      ),
    );
  }

  /** Ends the fit that is going on after this step, as if it were the last: what `EarlyStopping` does. `reason` for a reader. */
  stop(reason: string): void {
    this.#session.progress.stopped ??= reason;
  }

  /** Shows a message, unless `logLevel` is above its level. */
  message(level: MessageLevel, text: string): void {
    this.#logs.message(level, text);
  }

  /** Records numbers under the steps taken so far, or under `step`; within `nameScope` under its names. */
  logMetrics(metrics: Metrics, step = this.step): Promise<void> {
    return this.#logs.metrics(metrics, step);
  }

  /** As `logMetrics`, of whole tensors: for the loggers that take histograms. */
  logHistograms(histograms: Readonly<Record<string, Histogram>>, step = this.step): Promise<void> {
    return this.#logs.histograms(histograms, step);
  }

  /** Shows something that the model made, pictures or a text, under a name: what was shown last stands in the report. */
  logSample(name: string, sample: Sample, step = this.step): Promise<void> {
    return this.#logs.sample(name, sample, step);
  }

  /** Runs `body`, in which every logged name begins with `name/`; scopes nest. Await it before the next. */
  nameScope<T>(name: string, body: () => T | Promise<T>): Promise<T> {
    return this.#logs.within(name, body);
  }

  /** The backend, loaded, and what it may promise. */
  async backend(): Promise<Backend> {
    const session = this.#session;
    if (session.backend) return session.backend;
    const backend = await chosenBackend(this.options, defaultBackend);
    if (!isReliable(backend)) {
      this.#doubt({
        where: `backend ${backend.name}`,
        problem: "it can't promise the same bits on every device",
        got: `class ${backend.class}`,
        expected: "class A, or B with a certificate of this device",
        hint: 'choose another (seedgrad doctor lists them); or deterministic: "warn", which marks the digest',
      });
    }
    session.backend = backend;
    return backend;
  }

  /** Gives the variables their first values, on the backend: the init graph. */
  async initialize(): Promise<Backend> {
    const backend = await this.backend();
    checkMemory(this, backend);
    const evaluation = await exclusive(() => settleVariables(backend, this.variables()));
    const session = this.#session;
    if (evaluation && !session.initGraph) {
      session.initGraph = evaluation.graph;
      session.graphs.init = evaluation.graphHash;
    }
    await exclusive(() => settleVariables(backend, this.callbackVariables()));
    return backend;
  }

  /** The compiled training step. */
  trainStep(): Promise<TrainStep> {
    return this.#steps.train();
  }

  /** The compiled evaluation step: call it with the model in evaluation mode. */
  evalStep(): Promise<EvalStep> {
    return this.#steps.eval();
  }

  /** Trains to the end of the loop's limits, from where the chosen checkpoint is. On a finished run: gives it again. Rejects with InterruptedError where `signal` stops it. Without validation data: validates on what the training loader sets aside (`validationSplit`), if it does; `[]` is none. Of several validation loaders the first is the one whose batches callbacks are told of. */
  async fit(train: DataLoader, validation?: Loaders, options: FitOptions = {}): Promise<Run> {
    const list = listOf(validation ?? train.validation);
    return this.#session.occupancy.alone("fit", () => {
      this.#session.lastLoaders = { train, val: list };
      this.#session.changes++;
      const loader = limited(train, this.options.loop);
      return this.#session.hooks.during(this, () => runFit(this.#session, loader, list, options));
    });
  }

  /** Validates with the weights of the chosen checkpoint. Throws CheckpointError where it is no checkpoint of this run, TrainingError during a fit: `evaluate` is for hooks. */
  async validate(loaders: Loaders, choice: ChosenWeights = {}): Promise<Metrics> {
    return evaluateChosen(this.#session, "validate", loaders, choice);
  }

  /** As `validate`, on data that nothing was chosen by: what comes out is logged as `test_<name>`. */
  async test(loaders: Loaders, choice: ChosenWeights = {}): Promise<Metrics> {
    return evaluateChosen(this.#session, "test", loaders, choice);
  }

  /**
   * Validates with the weights as they are, and logs what came out as `val_<name>`; names of a second loader and later ones begin with the loader's. `steps`: on so many batches in place of `evalSteps`; `silent`:
   * no hook is called and nothing is logged. During a fit: in a hook, awaited; nothing about the run depends on it. Throws TrainingError from elsewhere.
   */
  async evaluate(loaders: Loaders, how: EvaluateOptions = {}): Promise<Metrics> {
    return this.#session.occupancy.within("evaluate", this.#session.hooks.calling, () =>
      evaluate(this.#session, listOf(loaders), how),
    );
  }

  /** Validates the weights of every checkpoint (paths, or one pattern such as `runs/a/checkpoints/*.safetensors`; left out: all of the run's folder) on every loader, by step. Throws ConfigError where the paths lead to none, CheckpointError where the folder holds none, TrainingError during a fit. */
  async validateAll(
    loaders: Loaders,
    ckptPaths?: string | readonly string[],
    options: WeightsOptions = {},
  ): Promise<CheckpointMetrics[]> {
    const list = listOf(loaders);
    return this.#session.occupancy.alone("validateAll", () => validateAll(this.#session, list, ckptPaths, options));
  }

  /** The model's outputs for a loader's batches, in its order, with the weights of the chosen checkpoint. A batch needs no targets. Throws TrainingError during a fit, and once other weights were taken over since it began. */
  predict(loader: DataLoader, choice: ChosenWeights = {}): AsyncGenerator<Prediction> {
    return predictChosen(this.#session, this.#steps.predict, loader, choice);
  }

  /**
   * Writes a checkpoint of now into the run's folder, during a fit: call it in a hook, between two steps (`onTrainBatchEnd`). `name` without ending. Returns the file. Throws CheckpointError in a
   * step that isn't done with, TrainingError from outside a hook.
   */
  async saveCheckpoint(name?: string): Promise<string> {
    return this.#session.occupancy.within("saveCheckpoint", this.#session.hooks.calling, () =>
      saveCheckpoint(this.#session, name),
    );
  }

  /** Where the run that is going on stands, as a checkpoint of now would say: call it in a hook, between two steps. Throws CheckpointError in a step that isn't done with, and where no run is going on. */
  runState(): RunState {
    return stateOf(this.#session, "runState");
  }

  /** Takes over a checkpoint's weights, optimizer state, position in the stream and place in the data; a `fit` after it goes on from there, as with `ckptPath`. Throws CheckpointError for one of another model, TrainingError during a fit. */
  async loadCheckpoint(path: string): Promise<void> {
    await this.#session.occupancy.alone("loadCheckpoint", () => takeWeights(this.#session, path, "loadCheckpoint"));
  }

  /**
   * Replays this Trainer's program, in a new Trainer, against the run in a folder; `train` and `val` are the loaders of its last fit unless given. Throws ReproError
   * where model or optimizer is an instance, which a replay can't rebuild, and what `verifyRun` throws.
   */
  verify(
    directory: string,
    given: ReplayOptions & { readonly train?: DataLoader; readonly val?: Loaders } = {},
  ): Promise<Verification> {
    const { train, val, ...options } = { ...this.#session.lastLoaders, ...given };
    const validates = listOf(val).length > 0 && this.options.loop.evalFrequency !== undefined;
    return judge(directory, (changes) => ({ trainer: this.#again(changes, validates), train, val }), options);
  }

  #again(changes: Partial<TrainerOptions>, validates: boolean): Trainer {
    if (this.seedGiven) checkSeed(this.seed, changes.seed);
    const { model, optimizer, callbacks = [] } = this.#given;
    checkMakeable({ model, optimizer });
    return new Trainer({
      ...this.#given,
      ...changes,
      callbacks: [...replayed(callbacks, { validates }), ...(changes.callbacks ?? [])],
    });
  }

  /** The graphs of a run with their plans, by role; nothing is run but the init graph. */
  async explain(train: DataLoader, validation?: DataLoader): Promise<PlannedGraph[]> {
    return explain(this.#session, limited(train, this.options.loop), validation ?? train.validation);
  }

  /** Who owns which draws of a run on a loader, from draw 0 on. */
  async ledger(train: DataLoader): Promise<LedgerRow[]> {
    const loader = limited(train, this.options.loop);
    return ledgerOf(this, loader, await explain(this.#session, loader), this.#session.initDraws);
  }

  /** The effective config as it is saved with a run: its file's name and text. */
  describe(): { readonly name: string; readonly text: string } {
    return describeOptions(this);
  }
}

checkCalls(Trainer.prototype);
