// Weights and optimizer state put aside and back: what tries steps out before a run must leave no trace.

import type { TypedArray } from "../../core/dtype.ts";
import type { Variable } from "../../program/variable.ts";
import type { TrainerView } from "../contract.ts";

/** Runs `body`, and then gives every variable, the optimizer's count of steps and its groups' numbers what they were before. */
export async function withStateRestored<T>(trainer: TrainerView, body: () => Promise<T>): Promise<T> {
  const kept: (readonly [Variable, TypedArray])[] = [];
  for (const [, variable] of [...trainer.variables(), ...trainer.callbackVariables()])
    kept.push([variable, await variable.data()]);
  const optimizer = trainer.needOptimizer();
  const { steps } = optimizer;
  const groups = optimizer.groups.map(({ learningRate, weightDecay }) => ({ learningRate, weightDecay }));
  try {
    return await body();
  } finally {
    for (const [variable, data] of kept) variable.load(data);
    optimizer.seek(steps);
    optimizer.groups.forEach((group, i) => Object.assign(group, groups[i]));
  }
}
