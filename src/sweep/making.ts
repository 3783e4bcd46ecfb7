// How a job becomes a run in the store, whoever hands the job out: resumed from the newest snapshot, published whenever a checkpoint is whole, and not made again where it is finished.
import { makeDirectory } from "#files";
import { CheckpointError } from "../core/errors.ts";
import { removeFolder } from "./folders.node.ts";
import { foreignNumerics, type Job, type Unmade } from "./job.ts";
import { type Snapshot, StoredRun, type Writer } from "./snapshots.ts";
import type { Store } from "./store.ts";

/** Where a run is. */
export interface JobProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

/** How a run ended here: with its digest, or without. */
export type Ending = { readonly type: "finished"; readonly digest: string } | Unmade;

/** A run that is being made, in a process or wherever. */
export interface Making {
  readonly ended: Promise<Ending>;
  /** Has it save and end. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

export interface MakingEvents {
  progress(progress: JobProgress): void;
  /** A checkpoint is whole. */
  saved(): void;
}

/** Begins, or goes on with, a job's run in a folder. */
export type StartMaking = (job: Job, folder: string, events: MakingEvents) => Making;

/** What a job is made with. */
export interface Makes {
  readonly store: Store;
  readonly writer: Writer;
  /** Holds the runs' folders while they are made. */
  readonly scratch: string;
  readonly start: StartMaking;
  readonly progress: (progress: JobProgress) => void;
  readonly say: (text: string) => void;
  /** Aborted with `lost` the job is another's: what is made of it here is given up; else it is saved and published. */
  readonly signal: AbortSignal;
}

/** The reason to abort with where the job was given to another. */
export const lost = "lost";

/** Makes a job's run. Throws CheckpointError where the store fails, ReproError where another made the run and came to another digest. */
export async function makeRun(
  job: Job,
  { store, writer, scratch, start, progress, say, signal }: Makes,
): Promise<Ending> {
  const run = new StoredRun(store, job.name);
  const made = await run.digest();
  if (made !== undefined) return { type: "finished", digest: made };
  const foreign = foreignNumerics(job);
  if (foreign !== undefined) return { type: "unfit", why: foreign };
  const folder = `${scratch}/${job.name}`;
  try {
    const begun = await restoreNewest(run, folder, say);
    say(begun && begun.step > 0 ? `goes on from step ${begun.step}` : "begins");
    let due = false;
    let publishing: Promise<void> | undefined;
    let failure: unknown;
    const publish = async () => {
      while (due && failure === undefined && signal.reason !== lost) {
        due = false;
        await run.publish(folder, writer);
      }
    };
    const making = start(job, folder, {
      progress,
      saved() {
        due = true;
        publishing ??= publish()
          .catch((error) => {
            failure = error;
            making.kill();
          })
          .finally(() => {
            publishing = undefined;
          });
      },
    });
    const stop = () => (signal.reason === lost ? making.kill() : making.stop());
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    const ending = await making.ended;
    signal.removeEventListener("abort", stop);
    await publishing;
    if (failure !== undefined) throw failure;
    if (ending.type === "finished") await run.finish(folder, writer, ending.digest);
    return ending;
  } finally {
    removeFolder(folder);
  }
}

/** Has the folder hold the newest snapshot that is whole; undefined, and an empty folder, where there is none. */
async function restoreNewest(
  run: StoredRun,
  folder: string,
  say: (text: string) => void,
): Promise<Snapshot | undefined> {
  for (const snapshot of await run.snapshots()) {
    removeFolder(folder);
    try {
      await run.restore(snapshot, folder);
      return snapshot;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      say(`warning: ${error.message}`);
    }
  }
  removeFolder(folder);
  makeDirectory(folder);
  return undefined;
}
