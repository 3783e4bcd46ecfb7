// Beside a checkpoint, a file of some of its tensors alone: weights to hand on, without what only training needs.

import { checkArguments, number, options as optionsOf, signature, strings } from "../../core/arguments.ts";
import type { HostArray } from "../../core/array.ts";
import { ConfigError } from "../../core/errors.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { loadCheckpoint } from "../../run/checkpoint.ts";
import type { Callback, CheckpointContext } from "../contract.ts";
import { checkCount } from "./check.ts";

const prefixes = { model: ["parameter/", "buffer/"], optimizer: ["optimizer/"], callbacks: ["callback/"] } as const;

/** Parts of a checkpoint. */
export type CheckpointPart = keyof typeof prefixes;

export interface SaveCheckpointStateOptions {
  /** Which parts; `["model"]` by default. */
  readonly states?: readonly CheckpointPart[];
  /** Only beside checkpoints of steps that are multiples of it; 1 by default. */
  readonly every?: number;
}

const call = signature("SaveCheckpointState", {
  "options?": optionsOf<SaveCheckpointStateOptions>({ "states?": strings, "every?": number }),
});

/** Writes `<checkpoint>_<states>.safetensors` beside each checkpoint. It is no checkpoint: `nn.load` reads it, a run can't go on from it. */
export class SaveCheckpointState implements Callback {
  readonly name = "SaveCheckpointState";
  readonly changesTraining = false;
  readonly #states: readonly CheckpointPart[];
  readonly #every: number;

  constructor(options: SaveCheckpointStateOptions = {}) {
    checkArguments(call, arguments);
    const { states = ["model"], every = 1 } = options;
    checkCount("SaveCheckpointState.every", every);
    const unknown = states.find((state) => !Object.hasOwn(prefixes, state));
    if (unknown !== undefined || states.length === 0) {
      throw new ConfigError({
        where: "SaveCheckpointState.states",
        problem: "not a part of a checkpoint",
        got: unknown ?? "none",
        expected: `some of ${Object.keys(prefixes).join(", ")}`,
      });
    }
    this.#states = states;
    this.#every = every;
  }

  onAfterSaveCheckpoint({ step, path }: CheckpointContext): void {
    if (step % this.#every !== 0) return;
    const wanted = this.#states.flatMap((state) => prefixes[state]);
    const tensors: [string, HostArray][] = [...loadCheckpoint(path).tensors].filter(([name]) =>
      wanted.some((prefix) => name.startsWith(prefix)),
    );
    const file = `${path.replace(/\.safetensors$/, "")}_${this.#states.join("_")}.safetensors`;
    writeSafetensors(file, tensors, { step: String(step) });
  }
}
