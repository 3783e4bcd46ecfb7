// What a loop of one's own is given: it makes compiled functions, keeps state, hands out steps and takes down what each came to, in a chain and a folder as a Trainer's run has them.
import { type Backend, isReliable } from "../compile/contract.ts";
import { checkArguments, count, isRecord, kind, signature } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { ConfigError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { epochDraws } from "../data/draws.ts";
import type { DataLoader } from "../data/loader.ts";
import { type Compiled, type CompileOptions, compile, type Execution, type Passed } from "../program/compiled.ts";
import { drawSeed, manualSeed, parseSeed, type Stream } from "../rng/stream.ts";
import { turn } from "../runtime/pressure.ts";
import { tensor } from "../tensor/creation.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Chain } from "./chain.ts";
import {
  checkLength,
  checkState,
  latestCheckpoint,
  loadCheckpoint,
  type RunState,
  saveCheckpoint,
} from "./checkpoint.ts";
import type { RunFacts } from "./facts.ts";
import { RunFolder } from "./folder.ts";
import { type Kept, KeptState, keptKind } from "./kept.ts";
import { type RunStatus, seedOfFolder } from "./manifest.ts";
import type { RecordedRun, RecordedStep, RecordOptions, Replay } from "./recording.ts";
import { OpenStep } from "./step.ts";

const isNumbers = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((item) => typeof item === "number" || item instanceof Tensor);

const calls = {
  keep: signature("run.keep", {
    things: keptKind,
  }),
  steps: signature("run.steps", {
    count,
    "loader?": kind("a data loader", (value) => typeof (value as Partial<DataLoader> | null)?.batches === "function"),
  }),
  record: signature("run.record", {
    numbers: kind("numbers or tensors of one element by name", isNumbers),
  }),
};

/** What a loop of one's own is given: it makes compiled functions, keeps state, hands out steps and takes down what each came to. */
export class RunRecorder {
  readonly seed: bigint;
  /** The run's stream, which is the ambient one: its draws are the program's. */
  readonly stream: Stream;
  readonly backend: Backend;
  readonly #options: RecordOptions;
  readonly #replay: Replay | undefined;
  readonly #folder: RunFolder | undefined;
  readonly #kept = new KeptState();
  #chain: Chain | undefined;
  /** Of the first step's graph. */
  #graphHash: string | undefined;
  /** What the run was given, as it was before the first step. */
  #given: RunFacts | undefined;
  #loader: DataLoader | undefined;
  #place = { step: 0, epoch: 0, cursor: 0, offset: null as number | null };
  #step = new OpenStep();
  /** Of the last step. */
  #numbers: Readonly<Record<string, number>> = {};
  /** The tensors as the step that was saved left them; undefined once another has ended. */
  #final: [string, HostArray][] | undefined;
  #walked = false;

  /** Takes the folder, and sets the seed. */
  constructor(options: RecordOptions, backend: Backend, replay?: Replay) {
    const { modelDir } = options;
    this.#options = options;
    this.#replay = replay;
    this.backend = backend;
    this.seed =
      options.seed === undefined
        ? ((modelDir === undefined ? undefined : seedOfFolder(modelDir)) ?? drawSeed())
        : parseSeed("recordRun: seed", options.seed);
    this.#folder =
      modelDir === undefined ? undefined : RunFolder.take(modelDir, { seed: this.seed.toString() }, ["seed"]);
    this.stream = manualSeed(this.seed);
  }

  /**
   * As `compile`, on the run's stream and backend, and with all that is kept as its state unless it has its own. The graphs that run in a step are in its link, and so are the numbers
   * that the host gives them (a learning rate).
   */
  compile<A extends readonly unknown[], R>(fn: (...args: A) => R, options: CompileOptions = {}): Compiled<A, R> {
    const compiled = compile(fn, { state: this.#kept, ...options, stream: this.stream, backend: this.backend });
    const execute = (args: Passed<A>, how?: { readonly base?: number }): Promise<Execution<R>> => {
      const execution = compiled.execute(args, how);
      this.#step.called(execution);
      return execution;
    };
    const call = async (...args: Passed<A>): Promise<R> => (await execute(args)).result;
    return Object.assign(call, { execute, trace: compiled.trace, peek: compiled.peek, plan: compiled.plan });
  }

  /** Says what the run's state is, by names of one's own: all that a later step depends on. Checkpoints and the digest hold it. */
  keep(things: Readonly<Record<string, Kept>>): void {
    checkArguments(calls.keep, arguments);
    if (this.#walked) {
      throw new ConfigError({
        where: "run.keep",
        problem: "the steps have begun",
        hint: "keep all of it before run.steps",
      });
    }
    this.#kept.add(things);
  }

  /** The steps from where the run stands to number `count`; with a loader each has its batch, epoch after epoch. What the body of the loop leaves kept at its end is what the step came to. */
  steps(count: number, loader?: DataLoader): AsyncGenerator<RecordedStep, void, undefined> {
    checkArguments(calls.steps, arguments);
    if (this.#walked) {
      throw new ConfigError({ where: "run.steps", problem: "a run has one walk of steps, and it was taken already" });
    }
    if (this.#kept.size === 0) {
      throw new ConfigError({
        where: "run.steps",
        problem: "nothing is kept, so no checkpoint and no digest could hold what the steps do",
        hint: "run.keep({ model, optimizer }) before it",
      });
    }
    this.#walked = true;
    this.#loader = loader;
    return this.#steps(count, loader);
  }

  async *#steps(count: number, loader: DataLoader | undefined): AsyncGenerator<RecordedStep, void, undefined> {
    this.#given = this.#facts();
    this.#folder?.check(this.#given, ["shuffle seed", "data", "numbers"]);
    this.#restore(count);
    const place = this.#place;
    // What the loop does after its steps is no part of a run that was finished before, either.
    if (place.step === count) this.#final = await this.#kept.tensors();
    while (place.step < count) {
      const draws = loader && epochDraws(loader, this.seed, place.epoch);
      place.offset = draws?.offset ?? null;
      const before = place.step;
      for await (const loaded of loader ? loader.batches(draws!, place.cursor) : [undefined]) {
        this.#step = new OpenStep(loaded);
        const { tensors = {}, indices = [] } = loaded ?? {};
        const batch = Object.fromEntries(
          Object.entries(tensors).map(([name, { data, shape, dtype }]) => [name, tensor(data, { shape, dtype })]),
        );
        yield { step: place.step + 1, epoch: place.epoch, batch, indices };
        await this.#end(count);
        for (const given of Object.values(batch)) given.dispose();
        if (loaded) loader?.release?.(loaded);
        await turn();
        if (place.step >= count || place.cursor === 0) break;
      }
      if (place.step > before) continue;
      throw new ConfigError({
        where: `loader ${loader!.name}`,
        problem: "it gave no batch",
        got: `epoch ${place.epoch}`,
      });
    }
  }

  /** What the step came to: `loss`, which is the link's, and other numbers by name, which its link holds too. A tensor of one element is read. Throws ConfigError where there is no step, or no loss. */
  async record(numbers: Readonly<Record<string, number | Tensor>>): Promise<void> {
    checkArguments(calls.record, arguments);
    await this.#step.record(numbers);
  }

  /** Ends the step: its link, and a checkpoint where one is due. */
  async #end(count: number): Promise<void> {
    const place = this.#place;
    const step = place.step + 1;
    const { graphHash, given, batch, numbers } = await this.#step.end(step);
    const chain = this.#begun(graphHash, Object.keys(given));
    const link = chain.link({ graphHash, position: this.stream.position, batch, given, loss: numbers.loss });
    this.#folder?.append(link);
    this.#numbers = numbers;
    this.#step = new OpenStep();
    this.#final = undefined;
    place.step = step;
    place.cursor = this.#loader ? (place.cursor + 1) % this.#loader.batchesPerEpoch : 0;
    if (this.#loader && place.cursor === 0) place.epoch++;
    const { checkpointSteps } = this.#options;
    if (step === count || (checkpointSteps !== undefined && step % checkpointSteps === 0)) await this.#save();
    await this.#replay?.onStep({
      link,
      backend: this.backend,
      facts: this.#now(),
      state: this.#progress(),
      tensors: () => this.#kept.tensors(),
    });
  }

  /** The chain, which begins with the first step's graph. */
  #begun(graphHash: string, names: readonly string[]): Chain {
    this.#graphHash ??= graphHash;
    if (this.#chain) {
      this.#folder?.widen(names);
      return this.#chain;
    }
    const facts = this.#now();
    this.#folder?.check(facts, ["graph"]);
    this.#chain = new Chain({
      graphHash,
      seed: this.seed,
      data: facts.data,
      shuffleSeeds: facts.shuffleSeeds?.map(BigInt),
    });
    this.#folder?.openChain(names);
    this.#folder?.cutBack(0, this.#chain.hash);
    this.#write("running");
    return this.#chain;
  }

  #now(): RunFacts {
    return { ...this.#given!, graphs: { train: this.#graphHash! } };
  }

  #facts(): RunFacts {
    const { shuffleSeed, digests = {} } = this.#loader ?? {};
    return {
      seed: this.seed.toString(),
      shuffleSeeds: shuffleSeed === undefined ? undefined : [shuffleSeed.toString()],
      graphs: {},
      data: digests,
      hyperparameters: this.#kept.hyperparameters(),
      config: null,
    };
  }

  /** Goes where the folder's newest checkpoint, or the replay's, is. */
  #restore(count: number): void {
    const folder = this.#folder;
    const path = this.#replay ? (this.#replay.checkpoint ?? undefined) : folder && latestCheckpoint(folder.checkpoints);
    if (path === undefined) return;
    const checkpoint = loadCheckpoint(path);
    const { state } = checkpoint;
    checkState(checkpoint, { seed: this.seed, graphHash: state.graphHash });
    checkLength(checkpoint, count);
    this.#kept.restore(checkpoint);
    const { epoch, cursor, offset } = state.loader;
    this.stream.seek(state.position);
    Object.assign(this.#place, { step: state.step, epoch, cursor, offset });
    this.#graphHash = state.graphHash;
    this.#numbers = state.metrics;
    this.#chain = new Chain({ graphHash: state.graphHash, seed: this.seed, data: {} });
    this.#chain.resume(state.step, state.chain);
    folder?.openChain([]);
    folder?.cutBack(state.step, state.chain, path);
    this.#write("running");
  }

  #progress(): RunState {
    const { step, epoch, offset, cursor } = this.#place;
    return {
      format: 1,
      numericsId,
      graphHash: this.#graphHash!,
      seed: this.seed.toString(),
      step,
      position: this.stream.position,
      loader: { epoch, offset: cursor === 0 ? null : offset, cursor },
      chain: this.#chain!.hash,
      loss: this.#numbers.loss,
      metrics: this.#numbers,
      optimizers: this.#kept.optimizerSteps(),
    };
  }

  async #save(): Promise<void> {
    const tensors = await this.#kept.tensors();
    this.#final = tensors;
    if (!this.#folder) return;
    this.#folder.flush();
    saveCheckpoint(this.#folder.checkpoints, `checkpoint_${this.#place.step}`, this.#progress(), tensors);
  }

  #write(status: RunStatus, run?: RecordedRun): void {
    this.#folder?.writeManifest(this.#now(), {
      backend: this.backend,
      seedGiven: this.#options.seed !== undefined,
      deterministic: this.#marked ? "warn" : "strict",
      status,
      ...(run && {
        result: {
          digest: run.digest,
          steps: run.steps,
          loss: run.numbers.loss,
          metrics: run.numbers,
          streamPosition: run.streamPosition,
        },
      }),
    });
  }

  get #marked(): boolean {
    return !isReliable(this.backend);
  }

  /** Ends a loop that returned: the digest, written down. A loop that left its steps early ends with the last one that recorded its numbers. Throws ConfigError where no step was made. */
  async finish(): Promise<RecordedRun> {
    if (this.#step.isRecorded) await this.#end(this.#place.step + 1);
    const chain = this.#chain;
    if (!chain) {
      throw new ConfigError({
        where: "recordRun",
        problem: "the loop made no step",
        expected: "for await (const { step } of run.steps(count)) { … await run.record({ loss }) }",
      });
    }
    const tensors = this.#final ?? (await this.#kept.tensors());
    const { step: steps } = this.#place;
    const { name, threads } = this.backend;
    const run: RecordedRun = {
      digest: chain.digest(tensors, { marked: this.#marked }),
      graphHash: this.#graphHash!,
      seed: this.seed,
      steps,
      numbers: this.#numbers,
      streamPosition: this.stream.position,
      backend: name,
      threads,
      modelDir: this.#options.modelDir,
    };
    this.#folder?.flush();
    this.#write("finished", run);
    return run;
  }

  /** Says in the folder that the loop failed, if it had begun. */
  fail(): void {
    if (!this.#folder || !this.#chain || this.#folder.lost) return;
    this.#folder.flush();
    this.#write("failed");
  }

  /** Gives the folder back. */
  close(): void {
    this.#folder?.close();
  }
}
