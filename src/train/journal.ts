// What a fit writes down: the chain, and where there is a folder its lock, config, chain file and manifest. It decides whether what lies in
// the folder is this run; it never touches what it doesn't recognise.
import { type Backend, isReliable } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { CheckpointError, ConfigError, refuse } from "../core/errors.ts";
import { BytePairTokenizer } from "../data/tokenizer.ts";
import { lastSuffix } from "../optim/set.ts";
import { readVariables } from "../program/variable.ts";
import { Chain, type ChainStep } from "../run/chain.ts";
import { checkLength } from "../run/checkpoint.ts";
import type { RunFacts } from "../run/facts.ts";
import { RunFolder } from "../run/folder.ts";
import { recordGraph } from "../run/graph.ts";
import type { Manifest, RunStatus } from "../run/manifest.ts";
import { changedImports } from "../run/programs.ts";
import {
  bestCheckpoint,
  checkpointFolder,
  checkUnchanged,
  chosenCheckpoint,
  loadCheckpoint,
  newestCheckpoint,
} from "./checkpoint.ts";
import type { FitContext } from "./contract.ts";
import { describeOptions } from "./describe.ts";
import { programFacts } from "./facts.ts";
import type { CheckpointChoice, Run } from "./run.ts";
import type { Session } from "./session.ts";

/** What a journal is opened with. */
export interface JournalParts {
  readonly context: FitContext;
  readonly backend: Backend;
  /** The training step's, at the full batch. */
  readonly plan: Plan;
  /** Names of the numbers that the host gives a step, for the chain's file. */
  readonly inputNames: readonly string[];
}

/** How long a fit took, and where the time went: it informs, and proves nothing. */
type Times = Pick<Run, "seconds" | "dataShare">;

/** Whether the digest is marked, since something about the run can't promise its bits. */
const isMarked = ({ trainer, backend }: Session) =>
  trainer.options.deterministic === "warn" || (backend !== undefined && !isReliable(backend));

const past = "raise the limits of the loop; or use another folder (modelDir), or an earlier checkpoint (ckptPath)";

/** The record of one fit in progress. */
export class Journal {
  readonly chain: Chain;
  readonly #session: Session;
  readonly #parts: JournalParts;
  readonly #folder: RunFolder | undefined;
  readonly #facts: RunFacts;
  #begun = false;

  private constructor(session: Session, parts: JournalParts, facts: RunFacts, folder: RunFolder | undefined) {
    const { chain, progress, trainer } = session;
    this.#session = session;
    this.#parts = parts;
    this.#facts = facts;
    this.#folder = folder;
    this.chain =
      chain && progress.step > 0 && chain.step === progress.step
        ? chain
        : new Chain({
            graphHash: parts.plan.graphHash,
            furtherGraphs: Object.entries(session.graphs).flatMap(([role, hash]) =>
              role.startsWith("train/") ? [hash] : [],
            ),
            seed: trainer.seed,
            data: facts.data,
            shuffleSeeds: facts.shuffleSeeds?.map(BigInt),
          });
  }

  /** Takes the folder, if there is one. Throws CheckpointError when it is in use, or holds another run. */
  static open(session: Session, parts: JournalParts): Journal {
    const { trainer, loader, validations } = parts.context;
    const { modelDir } = trainer.options;
    const facts = programFacts(trainer, loader, validations);
    if (modelDir === undefined) return new Journal(session, parts, facts, undefined);
    const folder = RunFolder.take(modelDir, facts);
    try {
      folder.openChain(parts.inputNames);
      return new Journal(session, parts, facts, folder);
    } catch (error) {
      folder.close();
      throw error;
    }
  }

  /** The run that the folder, or the trainer, has finished already; its weights are loaded. */
  async finished({ ckptPath }: CheckpointChoice): Promise<Run | undefined> {
    const session = this.#session;
    const { trainer, totalSteps } = this.#parts.context;
    if (ckptPath !== undefined && ckptPath !== "last") return undefined;
    const { lastRun } = session;
    const own = !session.origin || session.origin.method === "finalWeights";
    if (lastRun && own && (lastRun.steps === totalSteps || lastRun.stopped !== undefined)) return lastRun;
    const folder = this.#folder;
    const { status, result, environment } = folder?.manifest ?? {};
    if (!folder || status !== "finished" || !result) return undefined;
    if (result.steps !== totalSteps && result.stopped === undefined) return undefined;
    if (!(trainer.options.checkpoint?.autoloadLastCheckpoint ?? true)) return undefined;
    const checkpoint = newestCheckpoint(checkpointFolder(trainer)!);
    session.origin = checkpoint === undefined ? { method: "fit", path: folder.path } : undefined;
    if (checkpoint !== undefined) await loadCheckpoint(session, checkpoint, "resume");
    trainer.message("info", `the run in ${folder.path} is finished: ${result.digest}`);
    session.readBack();
    const { seconds = 0, dataShare } = environment ?? {};
    return this.#run({
      ...result,
      // The manifest has them by name; the checkpoint, where there is one, in the order in which they came.
      metrics: { ...(checkpoint !== undefined && session.progress.metrics), ...result.metrics },
      seconds: Number(seconds),
      dataShare: dataShare === undefined ? undefined : Number(dataShare),
    });
  }

  /** Puts the trainer where the chosen checkpoint is, or at the beginning; what the folder holds of later steps goes. */
  async restore(choice: CheckpointChoice): Promise<void> {
    const session = this.#session;
    const { trainer, progress } = session;
    const path = await this.#beginning(choice);
    session.origin = undefined;
    if (path !== undefined) {
      const checkpoint = await loadCheckpoint(session, path, "resume");
      const { state } = checkpoint;
      checkLength(checkpoint, this.#parts.context.totalSteps, past);
      this.chain.resume(state.step, state.chain);
      if (state.step > 0) Object.assign(session.graphs, { ...this.#folder?.manifest?.graphs, ...session.graphs });
      trainer.message("info", `going on from ${path}, step ${state.step}`);
      for (const changed of changedImports(this.#folder?.manifest?.imports, this.#facts.imports))
        trainer.message("warn", `the run began with another program: ${changed}`);
    } else if (progress.step > 0 && (choice.ckptPath === null || this.chain.step !== progress.step)) {
      const problem = "this Trainer has trained already, and can't begin again";
      refuse(ConfigError, "fit", problem, `step ${progress.step}`, undefined, "make a new Trainer");
    }
    session.chain = this.chain;
    this.#folder?.cutBack(progress.step, this.chain.hash, path);
    this.#writeProgram();
    this.#writeManifest("running");
    this.#begun = true;
  }

  /** The checkpoint to go on from: the chosen one, or what `loadCheckpoint` took. Throws where the Trainer's weights are neither that nor what a run begins with. */
  async #beginning(choice: CheckpointChoice): Promise<string | undefined> {
    const { trainer, origin } = this.#session;
    const chosen = chosenCheckpoint(this.#session, choice);
    if (origin?.method === "loadCheckpoint" && choice.ckptPath === undefined) {
      if (chosen !== undefined && chosen !== origin.path) {
        const problem = "loadCheckpoint took one checkpoint, and the folder's newest is another";
        const got = `${origin.path} and ${chosen}`;
        refuse(CheckpointError, "fit", problem, got, undefined, "say which: fit(train, validation, { ckptPath })");
      }
      await checkUnchanged(trainer, origin.path);
      return origin.path;
    }
    if (!origin || origin.method === "fit" || chosen !== undefined) return chosen;
    throw new ConfigError({
      where: "fit",
      problem: `the weights are those that ${origin.method} took from a file, and no run begins with them`,
      got: origin.path,
      hint: `make a new Trainer; or go on from the file: fit(train, validation, { ckptPath: ${JSON.stringify(origin.path)} })`,
    });
  }

  /** The next step's link. */
  link(step: ChainStep): void {
    const suffix = lastSuffix(this.#session.trainer.needOptimizer());
    this.#session.noteGraph(step.graphHash, `train${suffix}`, `trainLast${suffix}`);
    const link = this.chain.link(step);
    this.#folder?.append(link);
  }

  /** Writes the links that wait, onto the disk: before a checkpoint is saved. */
  flush(): void {
    this.#folder?.flush();
  }

  /** The digest, written down: the run is finished. */
  async finish(times: Times): Promise<Run> {
    const session = this.#session;
    const { trainer } = session;
    const { step: steps, loss, metrics, stopped } = session.progress;
    const digest = this.chain.digest(await readVariables(trainer.variables()), { marked: isMarked(session) });
    const result = { digest, steps, loss: loss!, metrics, streamPosition: trainer.stream.position, stopped };
    this.flush();
    this.#writeManifest("finished", result, times);
    session.lastRun = this.#run({ ...result, ...times });
    return session.lastRun;
  }

  /** Says in the manifest that the run ended before its end, if it had begun; it can be resumed. */
  stop(status: "failed" | "interrupted"): void {
    // A folder that was lost is another run's to write.
    if (!this.#begun || this.#folder?.lost) return;
    this.flush();
    this.#writeManifest(status);
  }

  /** Gives the folder back. */
  close(): void {
    this.#folder?.close();
  }

  #run(result: Omit<Run, "graphHash" | "seed" | "backend" | "threads" | "directory" | "history" | "best">): Run {
    const { context, backend, plan } = this.#parts;
    const { name, threads } = backend;
    const { graphHash } = plan;
    const { seed } = context.trainer;
    const history = this.#session.history.all();
    const best = bestCheckpoint(this.#session);
    return {
      ...result,
      ...(best && { best }),
      history,
      graphHash,
      seed,
      backend: name,
      threads,
      directory: this.#folder?.path,
    };
  }

  /** The config, and the graph that it makes. */
  #writeProgram(): void {
    if (!this.#folder) return;
    this.#folder.write("graph.json", recordGraph(this.#parts.plan.graph));
    const { name, text } = describeOptions(this.#session.trainer);
    this.#folder.write(name, text);
    const { vocabulary } = this.#parts.context.loader;
    if (vocabulary instanceof BytePairTokenizer) this.#folder.write("tokenizer.json", vocabulary.json);
  }

  #writeManifest(status: RunStatus, result?: Manifest["result"], times?: Times): void {
    const session = this.#session;
    const facts = { ...this.#facts, graphs: { ...session.graphs } };
    this.#folder?.writeManifest(facts, {
      backend: this.#parts.backend,
      seedGiven: session.trainer.seedGiven,
      deterministic: isMarked(session) ? "warn" : "strict",
      status,
      totalSteps: this.#parts.context.totalSteps,
      result,
      times,
    });
  }
}
