// How fast training is. It looks at the clock between steps; validation and saving don't count.

import { configured } from "../../core/configured.ts";
import { options } from "../../core/options.ts";
import { samplesOf } from "../../data/groups.ts";
import { now } from "../../runtime/clock.ts";
import type { Callback, StepResult } from "../contract.ts";

/** Logs `rate/samples_per_second` and `rate/steps_per_second` since the last logged step, and both as `…_average` over the fit. */
export class RateProfiler extends configured(options("RateProfiler", {})) implements Callback {
  readonly changesTraining = false;
  #whole = { seconds: 0, steps: 0, samples: 0 };
  #recent = { seconds: 0, steps: 0, samples: 0 };
  #since = 0;

  onTrainStart(): void {
    this.#whole = { seconds: 0, steps: 0, samples: 0 };
    this.#recent = { ...this.#whole };
    this.#since = now();
  }

  async onTrainStepEnd({ trainer, step, batch, logged }: StepResult): Promise<void> {
    this.#countTime();
    for (const total of [this.#whole, this.#recent]) {
      total.steps++;
      total.samples += samplesOf(batch);
    }
    if (!logged) return;
    const [recent, whole] = [this.#recent, this.#whole];
    this.#recent = { seconds: 0, steps: 0, samples: 0 };
    await trainer.logMetrics(
      {
        "rate/samples_per_second": recent.samples / recent.seconds,
        "rate/steps_per_second": recent.steps / recent.seconds,
        "rate/samples_per_second_average": whole.samples / whole.seconds,
        "rate/steps_per_second_average": whole.steps / whole.seconds,
      },
      step,
    );
  }

  /** The time up to here is training's. */
  #countTime(): void {
    const at = now();
    for (const total of [this.#whole, this.#recent]) total.seconds += at - this.#since;
    this.#since = at;
  }

  onValidateStart(): void {
    this.#countTime();
  }

  onValidateEnd(): void {
    this.#since = now();
  }

  onSaveCheckpoint(): void {
    this.#countTime();
  }

  onAfterSaveCheckpoint(): void {
    this.#since = now();
  }
}
