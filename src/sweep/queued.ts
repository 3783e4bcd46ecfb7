// A sweep on other machines: its runs as jobs of a queue, made by whatever runners take them, and fetched from the store when they are finished. Queue and store know how every run stands, so that a sweep which was
// stopped, however, follows them again when it is begun anew; a job that the queue has lost is put there again.
import { exists } from "#files";
import { CheckpointError, SeedgradError } from "../core/errors.ts";
import { now } from "../runtime/clock.ts";
import { moveFolder, removeFolder } from "./folders.node.ts";
import { type Job, jobsOf } from "./job.ts";
import { type RunState, type RunStatus, standing, statusOf } from "./local.ts";
import type { PlannedRun, SweepPlan } from "./plan.ts";
import type { Progress, Watch } from "./progress.ts";
import type { JobQueue, QueuedRun } from "./queue.ts";
import { StoredRun } from "./snapshots.ts";
import type { Store } from "./store.ts";

/** What a sweep on other machines is run with. */
export interface QueuedOptions {
  /** Is told of every change of a run's state. */
  readonly changed: (status: RunStatus) => void;
  /** Aborted: the runs are followed no longer, and go on. */
  readonly signal: AbortSignal;
}

interface Entry {
  readonly run: PlannedRun;
  readonly watch: Watch;
  readonly before: boolean;
  state: RunState;
  progress: Progress;
  reason?: string;
  /** Whether it was put into the queue again because the store had no result. */
  isAgain?: boolean;
  /** The first step that was heard of, and when. */
  begun?: { readonly step: number; readonly at: number };
  elapsed?: number;
}

/** Milliseconds between two looks at what the queue told of; seconds between two looks at all. */
const lookEvery = 200;
const lookAtAllEvery = 10;

/** The runs of a plan. */
export class QueuedSweep {
  readonly #plan: SweepPlan;
  readonly #queue: JobQueue;
  readonly #store: Store;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #jobs = new Map<string, Job>();

  constructor(plan: SweepPlan, queue: JobQueue, store: Store) {
    this.#plan = plan;
    this.#queue = queue;
    this.#store = store;
    this.#entries = new Map(plan.runs.map((run) => [run.name, standing(plan, run)]));
  }

  /** Holds what isn't whole yet. */
  get #fetching(): string {
    return `${this.#plan.folder}/fetching`;
  }

  /** How every run stands as far as was heard, in the plan's order. */
  statuses(): RunStatus[] {
    return [...this.#entries.values()].map((entry) => this.#status(entry));
  }

  /** Puts the runs that aren't finished into the queue, and follows them to their ends. Whether all are finished. Throws DataError where their data aren't here, so that nothing says which they are. */
  async run({ changed, signal }: QueuedOptions): Promise<boolean> {
    const open = [...this.#entries.values()].filter(({ state }) => state !== "finished");
    for (const job of jobsOf(open.map(({ run }) => run))) this.#jobs.set(job.name, job);
    const heard = new Set<string>();
    const stopListening = await this.#queue.listen((name) => heard.add(name));
    try {
      await this.#add(open);
      let all = Number.NEGATIVE_INFINITY;
      while (open.some(isOpen) && !signal.aborted) {
        const isTime = now() - all > lookAtAllEvery;
        if (isTime) all = now();
        const looked = open.filter((entry) => isOpen(entry) && (isTime || heard.has(entry.run.name)));
        heard.clear();
        for (const entry of looked) {
          if (signal.aborted) break;
          await this.#look(entry, changed);
        }
        if (open.some(isOpen)) await new Promise((resolve) => setTimeout(resolve, lookEvery));
      }
    } finally {
      await stopListening();
      removeFolder(this.#fetching);
    }
    return [...this.#entries.values()].every(({ state }) => state === "finished");
  }

  /** Puts jobs into the queue, but for those whose result is in the store. */
  async #add(entries: readonly Entry[]): Promise<void> {
    const wanted: Job[] = [];
    for (const { run } of entries)
      if ((await new StoredRun(this.#store, run.name).digest()) === undefined) wanted.push(this.#jobs.get(run.name)!);
    await this.#queue.add(wanted);
  }

  async #look(entry: Entry, changed: QueuedOptions["changed"]): Promise<void> {
    const { name } = entry.run;
    const set = (state: RunState, reason?: string) => {
      if (entry.state === state && entry.reason === reason) return;
      entry.state = state;
      entry.reason = reason;
      changed(this.#status(entry));
    };
    const { state, progress, result, why }: QueuedRun = await this.#queue.look(name);
    if (progress && "step" in progress) {
      const { step, steps: totalSteps, loss } = progress;
      entry.begun ??= { step, at: now() };
      entry.progress = { step, totalSteps, numbers: { loss } };
    }
    if (state === "active") return set("running");
    if (state === "waiting")
      return set(
        "waiting",
        progress && "why" in progress ? `${progress.refusedBy} can't make it: ${progress.why}` : undefined,
      );
    if (state === "failed") return set("failed", why);
    try {
      if (await this.#fetch(entry)) return set("finished");
    } catch (error) {
      if (!(error instanceof SeedgradError)) throw error;
      return set("failed", error.message);
    }
    if (state === "finished" && entry.isAgain)
      return set(
        "failed",
        `${result?.by ?? "a runner"} finished it, and its result isn't in ${this.#store.where}: is its --store another?`,
      );
    // The queue has lost it, or the store its result.
    entry.isAgain = state === "finished";
    await this.#add([entry]);
    set("waiting");
  }

  /** Has the run's folder hold the result that is in the store; false where there is none. Throws CheckpointError, ReproError. */
  async #fetch(entry: Entry): Promise<boolean> {
    const { run, watch } = entry;
    const stored = new StoredRun(this.#store, run.name);
    const [result] = await stored.snapshots();
    if (result?.digest === undefined) return false;
    if (watch.held) {
      throw new CheckpointError({
        where: watch.folder,
        problem: "the run is finished elsewhere, and a process here works on it too",
        hint: "let that one end, and begin the sweep again",
      });
    }
    const beside = `${this.#fetching}/${run.name}`;
    removeFolder(beside);
    await stored.restore(result, beside);
    if (exists(watch.folder)) removeFolder(watch.folder);
    moveFolder(beside, watch.folder);
    entry.progress = watch.look();
    entry.elapsed = entry.begun && now() - entry.begun.at;
    return true;
  }

  #status(entry: Entry): RunStatus {
    const begun = entry.state === "running" ? entry.begun : undefined;
    return statusOf(entry, begun?.at, begun);
  }
}

const isOpen = ({ state }: Entry): boolean => state !== "finished" && state !== "failed";
