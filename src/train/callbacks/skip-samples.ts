// Begins a run later in its data, as if the samples before had been seen: for a run that goes on from another one's weights.

import { checkArguments, number, options as optionsOf, signature } from "../../core/arguments.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Callback, FitContext, Place } from "../contract.ts";
import { checkCount } from "./check.ts";

export interface SkipSamplesOptions {
  /** How many samples are taken as seen: whole steps of them, epochs too. */
  readonly samples: number;
}

const call = signature("SkipSamples", { options: optionsOf<SkipSamplesOptions>({ samples: number }) });

/** Changes training: skips the first samples of the data's order; each later epoch has the order it would have had. */
export class SkipSamples implements Callback {
  readonly name = "SkipSamples";
  readonly changesTraining = true;
  readonly #samples: number;

  constructor(options: SkipSamplesOptions) {
    checkArguments(call, arguments);
    const { samples } = options;
    checkCount("SkipSamples.samples", samples, "samples", 0);
    this.#samples = samples;
  }

  describe(): unknown {
    return { samples: this.#samples };
  }

  beginsAt({ trainer, loader }: FitContext): Place {
    const { options } = trainer;
    const { samplesPerEpoch, batchSize, batchesPerEpoch } = loader;
    const epoch = Math.floor(this.#samples / samplesPerEpoch);
    const cursor = (this.#samples - epoch * samplesPerEpoch) / batchSize;
    const perStep = options.loop.gradAccumSteps;
    const limit = (options.loop.stepsPerEpoch ?? batchesPerEpoch) * perStep;
    if (!Number.isInteger(cursor / perStep) || cursor >= limit) {
      throw new ConfigError({
        where: "SkipSamples.samples",
        problem: "the samples end inside a step, or past the epoch's last one",
        got: String(this.#samples),
        expected: `a multiple of ${batchSize * perStep} in each epoch of ${samplesPerEpoch}`,
      });
    }
    return { epoch, cursor };
  }
}
