// Pictures that a model makes, after each validation, for the report. They are drawn from the watching part of the stream, each time from its beginning: the run's stream stays where it is, and
// two pictures in one place of the grid come of the same numbers.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse, ShapeError } from "../../core/errors.ts";
import { count, countUpTo, type Given, options, tuple } from "../../core/options.ts";
import { formatShape, sizeOf } from "../../core/shape.ts";
import { type Compiled, compile } from "../../program/compiled.ts";
import { watchOffset } from "../../rng/regions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, TrainerView, ValidateContext } from "../contract.ts";

const record = options("SampleImages", {
  /** Height and width of a picture. */
  size: tuple("two counts: height, width", count, count),
  /** How many, at most 1024. */
  count: countUpTo("pictures", 1024, "more pictures than a page shows").default(64),
});
export type SampleImagesOptions = Given<typeof record>;

/** A model that makes samples: [count, ...] in [0, 1]. */
type Sampling = { sample(count: number): Tensor };

/** Shows `count` pictures of the model's `sample(count)` in the report, as the last validation found it. */
export class SampleImages extends configured(record) implements Callback {
  readonly changesTraining = false;
  #sample: Compiled<[], Tensor> | undefined;

  postSetup({ model }: TrainerView): void {
    this.#sample = undefined;
    if (typeof (model as unknown as Partial<Sampling>).sample === "function") return;
    const expected = "a method sample(count) that gives them, as nn.vae has";
    refuse(ConfigError, "SampleImages", "the model makes no samples", model.constructor.name, expected);
  }

  async onValidateEnd({ trainer, step }: ValidateContext): Promise<void> {
    const { stream, model } = trainer;
    const { count: pictures, size } = this.options;
    const backend = await trainer.backend();
    const sample = () => (model as unknown as Sampling).sample(pictures);
    this.#sample ??= compile(sample, { name: "samples", state: model, stream, backend });
    const { result } = await this.#sample.execute([], { base: watchOffset });
    const shape = [pictures, ...size];
    if (result.size !== sizeOf(shape)) {
      const got = formatShape(size);
      const expected = `as many numbers as a sample of ${formatShape(result.shape)} has`;
      refuse(ShapeError, "SampleImages.size", "not the size of what the model's sample gives", got, expected);
    }
    await trainer.logSample("samples", { images: { data: await result.data(), dtype: result.dtype, shape } }, step);
    result.dispose();
  }
}
