// Beside a checkpoint, a file of some of its tensors alone: weights to hand on, without what only training needs.

import type { HostArray } from "../../core/array.ts";
import { configured } from "../../core/configured.ts";
import { type Given, list, options, word } from "../../core/options.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { duration, stepsOf } from "../../optim/duration.ts";
import { loadCheckpoint } from "../../run/checkpoint.ts";
import type { Callback, CheckpointContext, FitContext } from "../contract.ts";

const prefixes = { model: ["parameter/", "buffer/"], optimizer: ["optimizer/"], callbacks: ["callback/"] } as const;

/** Parts of a checkpoint. */
export type CheckpointPart = keyof typeof prefixes;

const record = options("SaveCheckpointState", {
  /** Which parts. */
  states: list(word("model", "optimizer", "callbacks"), 1, "at least one part of a checkpoint").default(["model"]),
  /** Only beside checkpoints of steps that are multiples of it. */
  every: duration.default(1),
});
export type SaveCheckpointStateOptions = Given<typeof record>;

/** Writes `<checkpoint>_<states>.safetensors` beside each checkpoint. It is no checkpoint: `nn.load` reads it, a run can't go on from it. */
export class SaveCheckpointState extends configured(record) implements Callback {
  readonly changesTraining = false;
  #every = 1;

  onTrainStart(context: FitContext): void {
    this.#every = stepsOf(this.options.every, context);
  }

  onAfterSaveCheckpoint({ step, path }: CheckpointContext): void {
    if (step % this.#every !== 0) return;
    const wanted = this.options.states.flatMap((state) => prefixes[state]);
    const tensors: [string, HostArray][] = [...loadCheckpoint(path).tensors].filter(([name]) =>
      wanted.some((prefix) => name.startsWith(prefix)),
    );
    const file = `${path.replace(/\.safetensors$/, "")}_${this.options.states.join("_")}.safetensors`;
    writeSafetensors(file, tensors, { step: String(step) });
  }
}
