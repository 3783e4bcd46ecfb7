// What a Trainer's run is given, in the form in which a manifest says it of a run that there was: see run/facts.

import type { DataLoader } from "../data/loader.ts";
import { weightsDigests } from "../nn/load.ts";
import type { RunLength } from "../optim/duration.ts";
import type { RunFacts } from "../run/facts.ts";
import { hyperparameter } from "../run/manifest.ts";
import { recordedImports } from "../run/programs.ts";
import type { TrainerView } from "./contract.ts";
import { describeOptions, optimizerNumbers } from "./describe.ts";
import { lengthOf, limited, periodOf } from "./length.ts";
import { recordedValidation } from "./validations.ts";

/** The facts of a run on these loaders, as they are now: a callback may move numbers later. Graphs: those that are known by now. */
export function programFacts(trainer: TrainerView, train: DataLoader, validations: readonly DataLoader[]): RunFacts {
  const { options, seed, model, graphs } = trainer;
  const loader = limited(train, options.loop);
  const { shuffleSeed, digests } = loader;
  const numbers = Object.entries(numbersOf(trainer, loader));
  return {
    seed: seed.toString(),
    shuffleSeeds: shuffleSeed === undefined ? undefined : [shuffleSeed.toString()],
    graphs,
    data: { ...digests, ...weightsDigests(model) },
    hyperparameters: Object.fromEntries(numbers.map(([name, value]) => [name, hyperparameter(value)])),
    validation: recordedValidation(trainer, validations),
    config: describeOptions(trainer).config,
    imports: recordedImports(options.config ?? {}, options.modelDir ?? "."),
  };
}

/** Numbers that reach the step from the host, and the loader's. */
function numbersOf(trainer: TrainerView, loader: DataLoader): Record<string, number> {
  const { batchSize, drawsPerEpoch } = loader;
  const { stepsPerEpoch, totalSteps } = lengthOf(trainer.options.loop, loader);
  return {
    ...optimizerNumbers(trainer, { stepsPerEpoch, totalSteps }),
    ...validationNumbers(trainer, { stepsPerEpoch, totalSteps }),
    "loader/batchSize": batchSize,
    "loader/drawsPerEpoch": drawsPerEpoch,
    stepsPerEpoch,
  };
}

/** Where a schedule goes by validation: when that happens, and on how much. */
function validationNumbers({ schedules, options }: TrainerView, length: RunLength): Record<string, number> {
  const { evalFrequency: every = "end", evalSteps } = options.loop;
  const { steering = [] } = schedules ?? {};
  if (steering.length === 0) return {};
  return {
    ...Object.fromEntries(steering.map(({ name, metric, mode }) => [`validation/${name}/${metric}/${mode}`, 1])),
    ...(every === "epoch" || every === "end"
      ? { [`validation/${every}`]: 1 }
      : { "validation/period": periodOf(every, length) }),
    ...(evalSteps !== undefined && { "validation/evalSteps": evalSteps }),
  };
}
