// A program that is made to be run once and watched: on a backend that remembers, with a callback that is named when it runs.
import { loadBackend } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import type { Callback, TrainerOptions } from "../train/contract.ts";
import type { Rebuild } from "../train/replay.ts";
import { type RecordingBackend, recording } from "./record.ts";
import { type Remade, remake } from "./remake.ts";

/** What a replay watches of a run. */
export type Watcher = Pick<Callback, "onTrainStart" | "onTrainStepStart" | "onTrainStepEnd">;

/** A program that is made. */
export interface LiveProgram extends Remade {
  readonly backend: RecordingBackend;
  /** Has a callback see the run. */
  watchedBy(watcher: Watcher): void;
}

/** Makes a program. `backend`: a name is loaded. Throws what making it throws. */
export async function makeLive(
  rebuild: Rebuild,
  backend: string | Backend,
  changes: Partial<TrainerOptions> = {},
): Promise<LiveProgram> {
  const inner = typeof backend === "string" ? await loadBackend(backend, { threads: changes.threads }) : backend;
  const recorder = recording(inner);
  let watcher: Watcher = {};
  const callback: Watcher = {
    onTrainStart: (context) => watcher.onTrainStart?.(context),
    onTrainStepStart: (context) => watcher.onTrainStepStart?.(context),
    onTrainStepEnd: (result) => watcher.onTrainStepEnd?.(result),
  };
  const made = remake("rebuild", rebuild, {
    ...changes,
    logging: { logLevel: "error" },
    backend: recorder,
    callbacks: [callback],
  });
  return {
    ...made,
    backend: recorder,
    watchedBy(given) {
      watcher = given;
    },
  };
}
