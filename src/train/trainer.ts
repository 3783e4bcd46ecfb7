// The Trainer: a seed, a model made under it, and what is done with them. It owns the stream, the graphs and the run's folder; the loop
// itself is in loop.ts.

import { loadBackend, type Threads } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { checkArguments } from "../core/arguments.ts";
import { ConfigError, ReproError } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import type { DataLoader } from "../data/loader.ts";
import type { Graph } from "../graph/hash.ts";
import { Module } from "../nn/module.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { Schedules } from "../optim/schedules/index.ts";
import { listState } from "../program/trace.ts";
import { settleVariables, type Variable } from "../program/variable.ts";
import type { PlannedGraph } from "../report/graph.ts";
import { drawSeed, parseSeed, Stream, withStream } from "../rng/stream.ts";
import type { Chain } from "../run/chain.ts";
import type { KeepBest } from "../run/checkpoint.ts";
import type { LedgerRow } from "../run/ledger.ts";
import type { Verification } from "../run/verification.ts";
import { defaultBackend } from "../runtime/backends.ts";
import { exclusive } from "../runtime/queue.ts";
import { calls, takesNothing } from "./arguments.ts";
import { CheckLoss } from "./callbacks/check-loss.ts";
import { Checkpointer } from "./callbacks/checkpointer.ts";
import { type Origin, saveCheckpoint, seedOfFolder, takeChosen, takeWeights } from "./checkpoint.ts";
import { type ResolvedOptions, resolveOptions, type TrainerOptions } from "./config/options.ts";
import { describeOptions } from "./describe.ts";
import { type CheckpointMetrics, type EvaluateOptions, evaluate, listOf, validateAll } from "./evaluate.ts";
import { explain, ledgerOf } from "./explain.ts";
import { type CheckpointChoice, type FitOptions, type Run, runFit } from "./fit.ts";
import { checkMakeable, checkSeed, makeOptimizer, makeSchedules } from "./given.ts";
import type { Histogram } from "./histogram.ts";
import { Hooks, type Metrics } from "./hooks.ts";
import type { Journal } from "./journal.ts";
import { limited } from "./length.ts";
import { Logs, type MessageLevel } from "./logs.ts";
import type { Progress } from "./loop.ts";
import { checkMemory } from "./memory.ts";
import { Occupancy } from "./occupancy.ts";
import { type Prediction, predictInTurn } from "./predict.ts";
import { judge, type ReplayOptions, replayed } from "./replay.ts";
import { GradientScaler } from "./scaler.ts";
import type { EvalStep, TrainStep } from "./step.ts";
import { Steps } from "./steps.ts";
import { Exchange, type WeightsChoice, type WeightsOptions } from "./weights.ts";

/** The graphs of a run by role: `init`, `train`, `trainLast` (the short last batch), `eval`, `evalLast`. */
export type Graphs = Record<string, string>;

/** Trains and validates one model under one seed. */
export class Trainer {
  readonly options: ResolvedOptions;
  readonly #given: TrainerOptions;
  /** In [0, 2⁶⁴). */
  readonly seed: bigint;
  /** Whether the seed was given, and not drawn. */
  readonly seedGiven: boolean;
  readonly stream: Stream;
  readonly model: Module;
  readonly optimizer?: Optimizer;
  /** What precision does to gradients; a dynamic loss scale is its state. */
  readonly scaler: GradientScaler;
  readonly schedules?: Schedules;
  readonly hooks: Hooks;
  /** Hashes of the graphs that ran, by role. */
  readonly graphs: Graphs = {};
  readonly progress: Progress = { step: 0, epoch: 0, offset: null, cursor: 0, loss: null, metrics: {} };
  /** Draws of the model callable. */
  readonly #initDraws: number;
  #backend: Backend | undefined;
  /** What gave the variables their first values. */
  initGraph: Graph | undefined;
  readonly #logs = new Logs(this);
  readonly #steps = new Steps(this);
  /** The chain of the steps taken so far. */
  chain: Chain | undefined;
  /** How many of the newest checkpoints stay, over what `checkpoint.keep` says. */
  keepCheckpoints: number | undefined;
  /** What `checkpoint.keepBest` says, with its direction: from the beginning of a fit. */
  keepBest: KeepBest | undefined;
  /** What the last fit gave. */
  lastRun: Run | undefined;
  #lastLoaders: { readonly train?: DataLoader; readonly val?: readonly DataLoader[] } = {};
  /** What a fit in progress writes down: the folder, and the chain. */
  journal: Journal | undefined;
  readonly occupancy = new Occupancy();
  /** Whether the last step is done with, hooks, schedules and validation too: only then is there a state to save. */
  settled = true;
  /** Counts what changes the weights as a whole: a prediction goes on only under those it began with. */
  changes = 0;
  origin: Origin | undefined;
  readonly exchange = new Exchange();
  /** The names of the inputs' columns that the model was trained on, where they came from a table: of the last fit, or of a checkpoint. */
  columns: readonly string[] | undefined;
  /** Which weights the last validation or prediction was made with. */
  weightsUsed: WeightsChoice = "raw";

  /** Throws ConfigError for an option that is wrong, ReproError for a finished module beside a seed under `strict`. */
  constructor(options: TrainerOptions) {
    checkArguments(calls.Trainer, arguments);
    this.options = resolveOptions(options);
    this.#given = options;
    const { callbacks, loggers, checkpoint, model, optimizer, schedulers } = this.options;
    const core = callbacks.some((callback) => callback instanceof CheckLoss) ? [] : [new CheckLoss()];
    const saving = checkpoint ? [new Checkpointer(checkpoint)] : [];
    this.hooks = new Hooks([...core, ...callbacks, ...loggers, ...saving]);
    this.seedGiven = this.options.seed !== null;
    const adopted = this.seedGiven ? undefined : seedOfFolder(this.options);
    this.seed = this.seedGiven ? parseSeed("seed", this.options.seed) : (adopted ?? drawSeed());
    this.stream = new Stream(this.seed);
    this.hooks.callNow("preSetup", this);
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
    this.model = model instanceof Module ? model : withStream(this.stream, () => atOnce("model", model()));
    if (!(this.model instanceof Module)) {
      throw new ConfigError({
        where: "model",
        problem: "the callable didn't return a model",
        got: typeof this.model,
        expected: "a Module",
      });
    }
    this.hooks.callNow("setup", this);
    this.optimizer = makeOptimizer(optimizer, this.model);
    this.scaler = new GradientScaler(this.options.precision);
    const schedules = makeSchedules(schedulers, this.optimizer);
    this.schedules = this.optimizer && schedulers !== undefined ? new Schedules(schedules, this.optimizer) : undefined;
    const steering = this.schedules?.steering ?? [];
    if (steering.length > 0) this.hooks = new Hooks([...core, ...callbacks, ...steering, ...loggers, ...saving]);
    this.#initDraws = this.stream.position;
    this.hooks.callNow("postSetup", this);
  }

  /** Optimizer steps taken. */
  get step(): number {
    return this.progress.step;
  }

  /** Whether the digest is marked, since something about the run can't promise its bits. */
  get marked(): boolean {
    return this.options.deterministic === "warn" || (this.#backend !== undefined && this.#backend.class !== "A");
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
    throw new ConfigError({
      where: "optimizer",
      problem: "training needs one",
      got: "none",
      hint: "optimizer: (model) => optim.adamW(model.parameters(), { learningRate: 1e-3 })",
    });
  }

  /** All variables by name: parameters, buffers, optimizer state. */
  variables(): [string, Variable][] {
    return listState(this.optimizer ? [this.model, this.optimizer, this.scaler] : [this.model]);
  }

  /** What callbacks keep, by name: `callback/<name>/<variable>`. */
  callbackVariables(): [string, Variable][] {
    return [...this.hooks.named].flatMap(([name, callback]) =>
      [...atOnce(`${name}.namedVariables`, callback.namedVariables?.() ?? [])].map(
        ([path, variable]): [string, Variable] => [`callback/${name}/${path}`, variable],
      ),
    );
  }

  /** Ends the fit that is going on after this step, as if it were the last: what `EarlyStopping` does. `reason` for a reader. */
  stop(reason: string): void {
    checkArguments(calls.stop, arguments);
    this.progress.stopped ??= reason;
  }

  /** Shows a message, unless `logLevel` is above its level. */
  message(level: MessageLevel, text: string): void {
    checkArguments(calls.message, arguments);
    this.#logs.message(level, text);
  }

  /** Records numbers under the steps taken so far, or under `step`; within `nameScope` under its names. */
  logMetrics(metrics: Metrics, step = this.step): Promise<void> {
    checkArguments(calls.logMetrics, arguments);
    return this.#logs.metrics(metrics, step);
  }

  /** As `logMetrics`, of whole tensors: for the loggers that take histograms. */
  logHistograms(histograms: Readonly<Record<string, Histogram>>, step = this.step): Promise<void> {
    checkArguments(calls.logHistograms, arguments);
    return this.#logs.histograms(histograms, step);
  }

  /** Runs `body`, in which every logged name begins with `name/`; scopes nest. Await it before the next. */
  nameScope<T>(name: string, body: () => T | Promise<T>): Promise<T> {
    checkArguments(calls.nameScope, arguments);
    return this.#logs.within(name, body);
  }

  /** The backend, loaded, and what it may promise. */
  async backend(): Promise<Backend> {
    if (this.#backend) return this.#backend;
    const { backend: given, threads } = this.options;
    const backend =
      typeof given === "string"
        ? await loadBackend(given, { threads })
        : (given ?? (await this.#defaultBackend(threads)));
    if (backend.class !== "A") {
      this.#doubt({
        where: `backend ${backend.name}`,
        problem: "it can't promise the same bits on every device",
        got: `class ${backend.class}`,
        expected: "class A",
        hint: 'choose one of class A (seedgrad doctor lists them); or deterministic: "warn", which marks the digest',
      });
    }
    this.#backend = backend;
    return backend;
  }

  async #defaultBackend(threads: Threads | undefined): Promise<Backend> {
    const backend = await defaultBackend();
    return threads === undefined ? backend : loadBackend(backend.name, { threads });
  }

  /** Gives the variables their first values, on the backend: the init graph. */
  async initialize(): Promise<Backend> {
    const backend = await this.backend();
    checkMemory(this, backend);
    const evaluation = await exclusive(() => settleVariables(backend, this.variables()));
    if (evaluation && !this.initGraph) {
      this.initGraph = evaluation.graph;
      this.graphs.init = evaluation.graphHash;
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
  async fit(
    train: DataLoader,
    validation?: DataLoader | readonly DataLoader[],
    options: FitOptions = {},
  ): Promise<Run> {
    checkArguments(calls.fit, arguments);
    const list = listOf(validation ?? train.validation);
    return this.occupancy.alone("fit", () => {
      this.#lastLoaders = { train, val: list };
      this.changes++;
      return runFit(this, limited(train, this.options.loop), list, options);
    });
  }

  /** Validates with the weights of the chosen checkpoint. Throws CheckpointError where it is no checkpoint of this run, TrainingError during a fit: `evaluate` is for hooks. */
  async validate(
    loaders: DataLoader | readonly DataLoader[],
    choice: CheckpointChoice & WeightsOptions = {},
  ): Promise<Metrics> {
    checkArguments(calls.validate, arguments);
    return this.occupancy.alone("validate", async () => {
      await takeChosen(this, "validate", choice);
      return evaluate(this, listOf(loaders), choice);
    });
  }

  /**
   * Validates with the weights as they are, and logs what came out as `val_<name>`; names of a second loader and later ones begin with the loader's. `steps`: on so many batches in place of `evalSteps`; `silent`:
   * no hook is called and nothing is logged. During a fit: in a hook, awaited; nothing about the run depends on it. Throws TrainingError from elsewhere.
   */
  async evaluate(loaders: DataLoader | readonly DataLoader[], how: EvaluateOptions = {}): Promise<Metrics> {
    checkArguments(calls.evaluate, arguments);
    return this.occupancy.evaluating(this.hooks.calling, () => evaluate(this, listOf(loaders), how));
  }

  /** Validates the weights of every checkpoint (paths, or one pattern such as `runs/a/checkpoints/*.safetensors`; left out: all of the run's folder) on every loader, by step. Throws CheckpointError where there are none, TrainingError during a fit. */
  async validateAll(
    loaders: DataLoader | readonly DataLoader[],
    ckptPaths?: string | readonly string[],
    options: WeightsOptions = {},
  ): Promise<CheckpointMetrics[]> {
    checkArguments(calls.validateAll, arguments);
    const list = listOf(loaders);
    return this.occupancy.alone("validateAll", () => validateAll(this, list, ckptPaths, options));
  }

  /** The model's outputs for a loader's batches, in its order, with the weights of the chosen checkpoint. A batch needs no targets. Throws TrainingError during a fit, and once other weights were taken over since it began. */
  predict(loader: DataLoader, choice: CheckpointChoice & WeightsOptions = {}): AsyncGenerator<Prediction> {
    checkArguments(calls.predict, arguments);
    return this.#predictions(loader, choice);
  }

  async *#predictions(loader: DataLoader, choice: CheckpointChoice & WeightsOptions): AsyncGenerator<Prediction> {
    await this.occupancy.alone("predict", () => takeChosen(this, "predict", choice));
    yield* predictInTurn(this, await this.#steps.predict(), loader, choice);
  }

  /**
   * Writes a checkpoint of now into the run's folder, during a fit: call it in a hook, between two steps (`onTrainBatchEnd`). `name` without ending. Returns the file. Throws CheckpointError in a
   * step that isn't done with, TrainingError from outside a hook.
   */
  async saveCheckpoint(name?: string): Promise<string> {
    checkArguments(calls.saveCheckpoint, arguments);
    return this.occupancy.saving(this.hooks.calling, () => saveCheckpoint(this, name));
  }

  /** Takes over a checkpoint's weights, optimizer state, position in the stream and place in the data; a `fit` after it goes on from there, as with `ckptPath`. Throws CheckpointError for one of another model, TrainingError during a fit. */
  async loadCheckpoint(path: string): Promise<void> {
    checkArguments(calls.loadCheckpoint, arguments);
    await this.occupancy.alone("loadCheckpoint", () => takeWeights(this, path, "loadCheckpoint"));
  }

  /**
   * Replays this Trainer's program, in a new Trainer, against the run in a folder; `train` and `val` are the loaders of its last fit unless given. Throws ReproError
   * where model or optimizer is a finished object, which can't be made again, and what `verifyRun` throws.
   */
  verify(
    directory: string,
    given: ReplayOptions & { readonly train?: DataLoader; readonly val?: DataLoader | readonly DataLoader[] } = {},
  ): Promise<Verification> {
    checkArguments(calls.verify, arguments);
    const { train, val, ...options } = { ...this.#lastLoaders, ...given };
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
    checkArguments(calls.explain, arguments);
    return explain(this, limited(train, this.options.loop), validation ?? train.validation);
  }

  /** Who owns which draws of a run on a loader, from draw 0 on. */
  async ledger(train: DataLoader): Promise<LedgerRow[]> {
    checkArguments(calls.ledger, arguments);
    const loader = limited(train, this.options.loop);
    return ledgerOf(this, loader, await explain(this, loader), this.#initDraws);
  }

  /** The effective config as it is saved with a run: its file's name and text. */
  describe(): { readonly name: string; readonly text: string } {
    return describeOptions(this);
  }
}

takesNothing(Trainer);
