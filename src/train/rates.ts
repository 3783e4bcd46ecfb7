// The learning rates of a step under the names that they are logged by.
import type { ParameterGroup } from "../optim/optimizer.ts";
import type { TrainerView } from "./contract.ts";
import type { Metrics } from "./run.ts";

/**
 * `learning_rate` where all parameter groups have the same one in the whole run; otherwise `learning_rate/<group>` of each, by its number from 0. The names don't depend on
 * the step, so a warmup that begins at 0 everywhere doesn't change them.
 */
export function learningRates(trainer: TrainerView): Metrics {
  const { groups } = trainer.needOptimizer();
  const { schedules } = trainer;
  const [first] = groups;
  const likeFirst = (group: ParameterGroup) =>
    group.learningRate === first.learningRate &&
    group.adjustLearningRate === first.adjustLearningRate &&
    schedules?.of(group, "learningRate") === schedules?.of(first, "learningRate");
  if (groups.every(likeFirst)) return { learning_rate: first.learningRate };
  return Object.fromEntries(groups.map(({ learningRate }, i) => [`learning_rate/${i}`, learningRate]));
}
