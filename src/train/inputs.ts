// The numbers that the host gives a training step, as its link in the chain holds them: learning rate and weight decay of each parameter group, a dynamic
// loss scale, and all runtime scalars of the graph, which are what an optimizer makes of the first two.
import type { Plan } from "../compile/plan.ts";
import type { ParameterGroup } from "../optim/optimizer.ts";
import type { TrainerView } from "./contract.ts";
import type { Metrics } from "./run.ts";
import type { Session } from "./session.ts";

/** Learning rates, weight decays and loss scale that the next step is given, by name: `groups/0/learningRate`, `lossScale`. A constant loss scale is in the graph. */
export async function stepNumbers(session: Session): Promise<Record<string, number>> {
  const numbers: Record<string, number> = {};
  for (const [i, { learningRate, weightDecay }] of session.trainer.needOptimizer().groups.entries()) {
    numbers[`groups/${i}/learningRate`] = learningRate;
    numbers[`groups/${i}/weightDecay`] = weightDecay;
  }
  const scale = await session.scaler.dynamicScale();
  return scale === undefined ? numbers : { ...numbers, lossScale: scale };
}

/** The names of all that a step is given: of `stepNumbers`, and of the plan's runtime scalars. */
export async function inputNames(session: Session, { inputs }: Plan): Promise<string[]> {
  const scalars = inputs.flatMap(({ name }) => (name.startsWith("scalar/") ? [name.slice("scalar/".length)] : []));
  return [...Object.keys(await stepNumbers(session)), ...scalars];
}

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
