// What callbacks keep in a checkpoint: a value each, and variables. A callback that says it only
// watches may come and go between two fits of a run.
import { CheckpointError, refuse } from "../../core/errors.ts";
import { ownValue } from "../../core/keys.ts";
import { atOnce } from "../../core/promise.ts";
import { sameShape, typeText } from "../../core/shape.ts";
import type { Checkpoint } from "../../run/checkpoint.ts";
import { decodePlain, encodePlain } from "../../run/plain.ts";
import type { Callback, TrainerView } from "../contract.ts";
import { belongsToRun } from "../validations.ts";
import { WeightAverage } from "./weight-average.ts";

/** What each callback's `saveState` gives, as JSON by name; undefined where none has one. Throws CheckpointError for what couldn't come back. */
export function saveCallbacks({ callbacks }: TrainerView): Record<string, unknown> | undefined {
  const states = [...callbacks].flatMap(([name, callback]) => {
    const state = atOnce(`${name}.saveState`, callback.saveState?.());
    return state === undefined ? [] : [[name, encodePlain(`${name}.saveState`, state)] as const];
  });
  return states.length > 0 ? Object.fromEntries(states) : undefined;
}

/** Gives callbacks what a checkpoint has of them. One that isn't in it begins anew, with a warning; throws CheckpointError where training depends on it, or a variable has another shape. */
export function loadCallbacks(trainer: TrainerView, checkpoint: Checkpoint): void {
  const { path } = checkpoint;
  for (const [name, callback] of trainer.callbacks) {
    if (loadCallback(checkpoint, name, callback)) continue;
    const details = {
      where: path,
      problem: `nothing of the callback ${name} is in it`,
      expected: "a checkpoint of a run that had it",
    };
    if (belongsToRun(trainer, callback)) throw new CheckpointError(details);
    trainer.message("warn", `${new CheckpointError(details).message}: it begins anew`);
    if (callback instanceof WeightAverage) callback.forget();
  }
}

/** As `loadCallbacks`, of averages of weights alone, and without a warning: what a validation needs. Those that it hasn't begin anew: none is of the weights that there are now. */
export function loadAverages({ callbacks }: TrainerView, checkpoint: Checkpoint | undefined): void {
  for (const [name, callback] of callbacks)
    if (callback instanceof WeightAverage && !(checkpoint && loadCallback(checkpoint, name, callback)))
      callback.forget();
}

/** Whether a checkpoint has all that a callback keeps; then it is given it. */
function loadCallback({ path, state, tensors }: Checkpoint, name: string, callback: Callback): boolean {
  const variables = [...atOnce(`${name}.namedVariables`, callback.namedVariables?.() ?? [])];
  if (!callback.loadState && variables.length === 0) return true;
  const own = ownValue(state.callbacks, name);
  const found = variables.map(([variable]) => tensors.get(`callback/${name}/${variable}`));
  if ((callback.loadState && own === undefined) || found.includes(undefined)) return false;
  for (const [i, [variable, cell]] of variables.entries()) {
    const kept = found[i]!;
    if (kept.dtype !== cell.dtype || !sameShape(kept.shape, cell.shape)) {
      const problem = "it has another shape or dtype than the callback's";
      refuse(CheckpointError, `${path}: callback/${name}/${variable}`, problem, typeText(kept), typeText(cell));
    }
    cell.load(kept.data);
  }
  atOnce(`${name}.loadState`, callback.loadState?.(decodePlain(`${path}: ${name}`, own)));
  return true;
}
