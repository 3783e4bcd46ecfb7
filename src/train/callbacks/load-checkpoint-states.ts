// Begins a run with some of what another one's checkpoint holds: its weights, or its optimizer's state too. The file's SHA-256 is in the run's
// manifest and chain, as data is; a run that goes on from its own checkpoint takes everything from there.

import { read } from "#files";
import {
  boolean,
  checkArguments,
  listOf,
  oneOf,
  options as optionsOf,
  signature,
  string,
} from "../../core/arguments.ts";
import { sha256Hex } from "../../core/canonical.ts";
import { CheckpointError, ConfigError } from "../../core/errors.ts";
import { load, loadVariables, noteWeights } from "../../nn/load.ts";
import { loadCheckpoint } from "../../run/checkpoint.ts";
import type { Callback, TrainerView } from "../contract.ts";

export interface LoadCheckpointStatesOptions {
  /** A checkpoint; for `model` alone any safetensors file of weights. */
  readonly path: string;
  /** Default `["model"]`. `model`: parameters and buffers. `optimizer`: its slots and the steps it counts. */
  readonly states?: readonly ("model" | "optimizer")[];
  /** Whether names and shapes must be the same on both sides; otherwise what fits is taken. Default true. */
  readonly strict?: boolean;
}

const call = signature("LoadCheckpointStates", {
  options: optionsOf<LoadCheckpointStatesOptions>({
    path: string,
    "states?": listOf(oneOf(["model", "optimizer"]), "a list of model and optimizer"),
    "strict?": boolean,
  }),
});

/** Loads parts of a checkpoint once model and optimizer are there. Throws CheckpointError for a file that is missing, damaged, or doesn't fit. */
export class LoadCheckpointStates implements Callback {
  readonly name = "LoadCheckpointStates";
  readonly changesTraining = true;
  readonly #options: LoadCheckpointStatesOptions;

  constructor(options: LoadCheckpointStatesOptions) {
    checkArguments(call, arguments);
    this.#options = options;
  }

  /** Without the path: the file's content is in the digests of the run's data, and where it lies is nothing to a bit. */
  describe(): unknown {
    const { states = ["model"], strict = true } = this.#options;
    return { states, strict };
  }

  postSetup({ model, optimizer }: TrainerView): void {
    const { path, states = ["model"], strict } = this.#options;
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
