// Begins a run later in its data, as if the samples before had been seen: for a run that goes on from another one's weights.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { countOf, type Given, options } from "../../core/options.ts";
import type { Callback, FitContext } from "../contract.ts";
import type { Place } from "../run.ts";

const record = options("SkipSamples", {
  /** How many samples are taken as seen: whole steps of them, epochs too. */
  samples: countOf("samples", 0),
});
export type SkipSamplesOptions = Given<typeof record>;

/** Changes training: skips the first samples of the data's order; each later epoch has the order it would have had. */
export class SkipSamples extends configured(record) implements Callback {
  readonly changesTraining = true;

  describe(): unknown {
    return this.options;
  }

  beginsAt({ trainer, loader }: FitContext): Place {
    const { options } = trainer;
    const { samplesPerEpoch, batchSize, batchesPerEpoch } = loader;
    const perStep = options.loop.gradAccumSteps;
    const limit = (options.loop.stepsPerEpoch ?? batchesPerEpoch) * perStep;
    // What an epoch trains on, of which `stepsPerEpoch` may leave a part out.
    const seen = Math.min(samplesPerEpoch, limit * batchSize);
    const epoch = Math.floor(this.options.samples / seen);
    const cursor = (this.options.samples - epoch * seen) / batchSize;
    if (!Number.isInteger(cursor / perStep) || cursor >= limit) {
      const problem = "the samples end inside a step, or past the epoch's last one";
      const expected = `a multiple of ${batchSize * perStep} in each epoch of ${seen}`;
      refuse(ConfigError, "SkipSamples.samples", problem, this.options.samples, expected);
    }
    return { epoch, cursor };
  }
}
