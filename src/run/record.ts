// Runs a loop of one's own and records it. The loop is a function that is given a recorder, and is called when the seed is set: so the same function can be run again, to go on after a
// checkpoint or to verify what somebody else recorded.

import { backendKind, chosenBackend, threadsKind } from "../backend/load.ts";
import {
  anything,
  callable,
  checkArguments,
  count,
  options as optionsOf,
  signature,
  string,
} from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { currentBackend, setDefaultBackend } from "../runtime/backends.ts";
import { RunRecorder } from "./recorder.ts";
import type { RecordedRun, RecordOptions, Replay } from "./recording.ts";

/** A loop of one's own. */
export type Loop = (run: RunRecorder) => Promise<unknown>;

const recordCall = signature("recordRun", {
  options: optionsOf<RecordOptions>({
    "seed?": anything,
    "modelDir?": string,
    "checkpointSteps?": count,
    "backend?": backendKind,
    "threads?": threadsKind,
  }),
  loop: callable,
});

let recording = false;

/**
 * Runs a loop of one's own and records it: `await recordRun({ seed: 7, modelDir: "runs/gan" }, async (run) => { … })`. The seed's stream is the ambient one (as after
 * `manualSeed`) and the backend the default one while it runs. Throws ConfigError where another recording runs, CheckpointError where the folder is in use or holds another run, and what the loop
 * throws: the folder then says so, and the same call goes on from its newest checkpoint.
 */
export async function recordRun(options: RecordOptions, loop: Loop): Promise<RecordedRun> {
  checkArguments(recordCall, arguments);
  return runLoop(options, loop);
}

/** As `recordRun`; `replay`: watched, and from a given place. */
export async function runLoop(options: RecordOptions, loop: Loop, replay?: Replay): Promise<RecordedRun> {
  if (recording) {
    throw new ConfigError({
      where: "recordRun",
      problem: "another run is being recorded, and both would draw from one ambient stream",
      hint: "await the one before",
    });
  }
  recording = true;
  const before = currentBackend();
  let recorder: RunRecorder | undefined;
  try {
    const backend = await chosenBackend(options, () => before);
    await setDefaultBackend(backend);
    recorder = new RunRecorder(options, backend, replay);
    await loop(recorder);
    return await recorder.finish();
  } catch (error) {
    recorder?.fail();
    throw error;
  } finally {
    recorder?.close();
    await setDefaultBackend(await before);
    recording = false;
  }
}
