// Verification of a run's folder: its program is made again from its config, or as the caller says, and replayed.
import { ReproError } from "../core/errors.ts";
import { readManifest } from "../run/manifest.ts";
import { buildTrainer, trainerOptions } from "../train/config/build.ts";
import { loadConfig } from "../train/config/parse.ts";
import { type Rebuild, type ReplayOptions, replayed, replayRun, type Verification } from "../train/replay.ts";

export interface VerifyOptions extends ReplayOptions {
  /** How a run that was made in code is made again: `(changes) => ({ trainer: new Trainer({ ...options, ...changes }), train })`. A YAML run needs none. */
  readonly rebuild?: Rebuild;
}

/** Replays a run from its folder: see `replayRun`. Throws ReproError for a run made in code without `rebuild`. */
export async function verifyRun(folder: string, { rebuild, ...options }: VerifyOptions = {}): Promise<Verification> {
  return replayRun(folder, rebuild ?? rebuildFromConfig(folder), options);
}

/** How a YAML run is made again: from the config in its folder. Throws CheckpointError where there is no manifest, ReproError for a run made in code. */
export function rebuildFromConfig(folder: string): Rebuild {
  const { config } = readManifest(`${folder}/manifest.json`);
  if (config === null) {
    throw new ReproError({
      where: folder,
      problem: "the run was made in code, and no file holds its program",
      hint: `in the program that made it, with its trainer: await trainer.verify(${JSON.stringify(folder)})`,
    });
  }
  const parsed = loadConfig(`${folder}/config.yaml`);
  return ({ callbacks = [], ...changes }) =>
    buildTrainer(parsed, { ...changes, callbacks: [...replayed(trainerOptions(parsed).callbacks!), ...callbacks] });
}
