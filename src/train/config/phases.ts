// The phases of a config, trained one after the other.
import { ConfigError, refuse } from "../../core/errors.ts";
import { missingKey } from "../../core/keys.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import type { Run } from "../run.ts";
import { continuePhase } from "./parse.ts";
import type { Config } from "./schema.ts";

/** Throws ConfigError where a phase has nothing to be fitted to. `file`: as errors call the config. */
export function checkPhases(file: string, phases: readonly Config[]): void {
  for (const [i, { trainer }] of phases.entries())
    if (!trainer.fit) throw missingKey(`${file}: trainer${phases.length > 1 ? `[${i}]` : ""}.fit`, "train_dataloader");
}

/** Trains each phase by `train`, from the last weights of the one before. Rejects with ConfigError where a phase keeps none for the next. */
export async function trainPhases(
  phases: readonly Config[],
  train: (config: Config, phase: number) => Promise<Run>,
): Promise<Run[]> {
  const runs: Run[] = [];
  let weights: string | undefined;
  for (const [i, phase] of phases.entries()) {
    runs.push(await train(weights === undefined ? phase : continuePhase(phase, weights), i));
    if (i === phases.length - 1) break;
    weights = latestCheckpoint(`${phase.trainer.init.modelDir}/checkpoints`);
    if (weights !== undefined) continue;
    const problem = "the next phase begins with this one's weights, and none were saved";
    refuse(ConfigError, `trainer[${i}].init.checkpoint`, problem, "null", "checkpoint: {}");
  }
  return runs;
}
