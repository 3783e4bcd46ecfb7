// Begins a run with some of what another one's checkpoint holds: its weights, or its optimizer's state too. The file's SHA-256 is in the run's
// manifest and chain, as data is; a run that goes on from its own checkpoint takes everything from there.

import { read } from "#files";
import { sha256Hex } from "../../core/canonical.ts";
import { configured } from "../../core/configured.ts";
import { CheckpointError, ConfigError } from "../../core/errors.ts";
import { flag, type Given, list, options, text, word } from "../../core/options.ts";
import { load, loadVariables, noteWeights } from "../../nn/load.ts";
import { loadCheckpoint } from "../../run/checkpoint.ts";
import type { Callback, TrainerView } from "../contract.ts";

const record = options("LoadCheckpointStates", {
  /** A checkpoint; for `model` alone any safetensors file of weights. */
  path: text,
  /** `model`: parameters and buffers. `optimizer`: its slots and the steps it counts. */
  states: list(word("model", "optimizer")).default(["model"]),
  /** Whether names and shapes must be the same on both sides; otherwise what fits is taken. */
  strict: flag.default(true),
});
export type LoadCheckpointStatesOptions = Given<typeof record>;

/** Loads parts of a checkpoint once model and optimizer are there. Throws CheckpointError for a file that is missing, damaged, or doesn't fit. */
export class LoadCheckpointStates extends configured(record) implements Callback {
  readonly changesTraining = true;

  /** Without the path: the file's content is in the digests of the run's data, and its path does not affect results. */
  describe(): unknown {
    const { states, strict } = this.options;
    return { states, strict };
  }

  postSetup({ model, optimizer }: TrainerView): void {
    const { path, states, strict } = this.options;
    if (states.includes("model")) load(model, path, { strict });
    if (!states.includes("optimizer")) return;
    if (!optimizer) throw new ConfigError({ where: "states", problem: "there is no optimizer", got: "optimizer" });
    noteWeights(model, path, sha256Hex(read(path, CheckpointError)));
    const { tensors, state } = loadCheckpoint(path);
    const isSlot = ([name]: readonly [string, unknown]) => /^optimizer\/(?!scaler\/)/.test(name);
    loadVariables(path, new Map([...tensors].filter(isSlot)), optimizer.namedVariables().filter(isSlot), { strict });
    optimizer.seek(state.optimizerSteps ?? state.step);
  }
}
