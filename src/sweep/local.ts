// A sweep on one machine: its runs in processes of their own, so many at a time. What is known of a run is what its folder tells, so that a sweep which was stopped, however, goes on
// where it was: finished runs are there, those of an earlier sweep that still go on are waited for, and the others are begun or resumed.
import { exists, list, modifiedAt } from "#files";
import { CheckpointError } from "../core/errors.ts";
import { now } from "../runtime/clock.ts";
import { type PlannedRun, runFolders, type SweepPlan } from "./plan.ts";
import { PhasesWatch, type Progress, RunWatch, secondsLeft, type Watch } from "./progress.ts";

/** `waiting` for its turn; `running` here; `held`: in another process, which this sweep waits for; `stopped`: to be resumed. */
export type RunState = "waiting" | "running" | "held" | "stopped" | "finished" | "failed";

/** How a run of the sweep stands. */
export interface RunStatus extends Progress {
  readonly run: PlannedRun;
  readonly state: RunState;
  /** Whether it was finished before this sweep began. */
  readonly before: boolean;
  /** Seconds to its end, as fast as it has gone since this sweep watches it; undefined where nothing is known. */
  readonly secondsLeft?: number;
  /** Seconds since this sweep had it begun, until it ended: with the start of its process. What its training took is in its manifest. */
  readonly elapsed?: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** How a run's process ended. */
export interface Ended {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly signal?: string;
  /** What it said of its failure. */
  readonly error?: string;
}

/** A run's process. */
export interface Started {
  readonly ended: Promise<Ended>;
  /** Passes a signal on: the first has it save and end. */
  stop(signal: string): void;
}

/** What a sweep is run with. */
export interface LocalOptions {
  /** Processes at once. */
  readonly jobs: number;
  readonly start: (run: PlannedRun) => Started;
  /** Is told of every change of a run's state. */
  readonly changed: (status: RunStatus) => void;
  /** Aborted: nothing more is begun, what runs is stopped by the signal that is the reason, and saved. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks at a run that another process holds. */
const lookEvery = 500;
/** Seconds after which a lock that nobody has written again is left to the run itself to judge. */
const silence = 130;

interface Entry {
  readonly run: PlannedRun;
  readonly watch: Watch;
  state: RunState;
  /** As it was when its state last changed, or it was last looked at while it ran. */
  progress: Progress;
  readonly before: boolean;
  reason?: string;
  /** When its process began; its first known step there, and when that was seen. */
  begun?: { readonly at: number; seen?: { readonly step: number; readonly at: number } };
  elapsed?: number;
}

/** Looks at a planned run's folder, or those of its phases. */
export function watchOf(plan: SweepPlan, run: PlannedRun): Watch {
  const [only, ...others] = runFolders(plan, run).map((folder) => new RunWatch(folder));
  return others.length === 0 ? only : new PhasesWatch([only, ...others]);
}

/** How a run of a plan stands when a sweep begins. */
export function standing(plan: SweepPlan, run: PlannedRun) {
  const watch = watchOf(plan, run);
  const progress = watch.look();
  const before = progress.result !== undefined;
  const state: RunState = before ? "finished" : "waiting";
  return { run, watch, progress, before, state };
}

/** A run's status. `at`: when what is going on was begun, undefined where nothing is; `seen`: a step of it, and when that was known. */
export function statusOf(
  entry: Pick<RunStatus, "run" | "state" | "before" | "reason" | "elapsed"> & { readonly progress: Progress },
  at: number | undefined,
  seen: { readonly step: number; readonly at: number } | undefined,
): RunStatus {
  const { run, state, before, reason, progress, elapsed } = entry;
  const since = at === undefined ? elapsed : now() - at;
  return { ...progress, run, state, before, reason, secondsLeft: secondsLeft(progress, seen), elapsed: since };
}

/** The runs of a plan. */
export class LocalSweep {
  readonly #entries: readonly Entry[];

  constructor(plan: SweepPlan) {
    this.#entries = plan.runs.map((run) => standing(plan, run));
  }

  /** How every run stands now, in the plan's order. */
  statuses(): RunStatus[] {
    return this.#entries.map((entry) => this.#status(entry));
  }

  /** Makes the runs that aren't finished, in their order. Whether all are finished in the end. */
  async run(options: LocalOptions): Promise<boolean> {
    const waiting = this.#entries.filter(({ state }) => state === "waiting");
    const worker = async () => {
      while (!options.signal.aborted) {
        const entry = waiting.shift();
        if (!entry) return;
        await this.#make(entry, options);
      }
    };
    await Promise.all(Array.from({ length: options.jobs }, worker));
    return this.#entries.every(({ state }) => state === "finished");
  }

  async #make(entry: Entry, options: LocalOptions): Promise<void> {
    const { run, watch } = entry;
    const set = (state: RunState, reason?: string) => {
      entry.state = state;
      entry.reason = reason;
      entry.progress = watch.look();
      options.changed(this.#status(entry));
    };
    if (watch.held) {
      set("held");
      await untilFree(watch, options.signal);
      if (options.signal.aborted) return set("waiting");
      if (watch.look().result) return set("finished");
      set("waiting");
    }
    entry.begun = { at: now() };
    const process = options.start(run);
    const stop = () => process.stop(String(options.signal.reason));
    options.signal.addEventListener("abort", stop);
    set("running");
    const { code, signal, error } = await process.ended;
    options.signal.removeEventListener("abort", stop);
    entry.elapsed = now() - entry.begun.at;
    entry.begun = undefined;
    if (watch.look().result && code === 0) return set("finished");
    if (options.signal.aborted) return set("stopped");
    set("failed", error ?? (signal ? `its process was ended by ${signal}` : `its process exited with code ${code}`));
  }

  #status(entry: Entry): RunStatus {
    const { watch, state, begun } = entry;
    if (state === "running" || state === "held") entry.progress = watch.look();
    const { progress } = entry;
    const isSeen = begun && state === "running" && progress.step > 0;
    if (isSeen) begun.seen ??= { step: progress.step, at: now() };
    return statusOf(entry, begun?.at, isSeen ? begun.seen : undefined);
  }
}

/** Folders of runs beside those of the plan: left alone. */
export function strangersIn({ folder, runs }: SweepPlan): string[] {
  if (!exists(folder)) return [];
  const planned = new Set(runs.map(({ name }) => name));
  return list(folder, CheckpointError).filter(
    (name) => !planned.has(name) && ["", "/phase-1"].some((phase) => exists(`${folder}/${name}${phase}/manifest.json`)),
  );
}

/** Waits until nobody holds a run, or whoever did has been silent so long that the run's own process should say. */
export async function untilFree(watch: Watch, signal?: AbortSignal): Promise<void> {
  const lock = () => `${watch.folder}/lock`;
  let written = modifiedAt(lock());
  let since = now();
  while (watch.held && !signal?.aborted) {
    await new Promise((resolve) => setTimeout(resolve, lookEvery));
    const at = modifiedAt(lock());
    if (at === written && now() - since > silence) return;
    if (at !== written) since = now();
    written = at;
  }
}
