// Pictures of the validation data with what the model says they are, for the report. The model is asked in a program of its own: nothing of the run's is touched.
import type { HostArray } from "../../core/array.ts";
import { configured } from "../../core/configured.ts";
import { refuse, ShapeError } from "../../core/errors.ts";
import { count, countUpTo, type Given, options, tuple } from "../../core/options.ts";
import { formatShape } from "../../core/shape.ts";
import { type Compiled, compile } from "../../program/compiled.ts";
import { lightened } from "../../report/samples.ts";
import { watchOffset } from "../../rng/regions.ts";
import { argmax } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, TrainerView, ValidateEpochContext, ValidateStepResult } from "../contract.ts";

const record = options("SamplePredictions", {
  /** Height and width of a picture. */
  size: tuple("two counts: height, width", count, count),
  /** How many, at most 256; no more than a validation batch has. */
  count: countUpTo("pictures", 256, "more pictures than a page shows with their labels").default(24),
});
export type SamplePredictionsOptions = Given<typeof record>;

/** Shows the first `count` pictures of the validation data in the report with the model's answers, as the last validation found them. The model gives [batch, classes]. */
export class SamplePredictions extends configured(record) implements Callback {
  readonly changesTraining = false;
  #classes: readonly string[] | undefined;
  #answer: Compiled<[HostArray], Tensor> | undefined;

  postSetup(): void {
    this.#answer = undefined;
  }

  onValidateEpochStart({ loader, number }: ValidateEpochContext): void {
    if (number === 0) this.#classes = loader.classes;
  }

  async onValidateBatchEnd({ trainer, step, index, batch }: ValidateStepResult): Promise<void> {
    if (index > 0) return;
    const { inputs, targets } = batch.tensors;
    const pictures = Math.min(this.options.count, inputs.shape[0]);
    const rowSize = inputs.data.length / inputs.shape[0];
    const shape = [pictures, ...this.options.size];
    if (rowSize !== shape[1] * shape[2]) {
      const got = formatShape(this.options.size);
      const expected = `as many numbers as an input of ${formatShape(inputs.shape.slice(1))} has`;
      refuse(ShapeError, "SamplePredictions.size", "not the size of the validation data's inputs", got, expected);
    }
    const { dtype } = inputs;
    const data = inputs.data.slice(0, pictures * rowSize);
    const answers = await this.#answers(trainer, { data, dtype, shape: [pictures, ...inputs.shape.slice(1)] });
    const nameOf = (number: number) => this.#classes?.[number] ?? String(number);
    const labels = Array.from(answers, (answer, i) => {
      const truth = targets === undefined ? answer : Number(targets.data[i]);
      const wrong = answer !== truth;
      return { text: wrong ? `${nameOf(answer)}, is ${nameOf(truth)}` : nameOf(answer), wrong };
    });
    const images: HostArray = { data: lightened(data), dtype: "float32", shape };
    await trainer.logSample("predictions", { images, labels }, step);
  }

  async #answers(trainer: TrainerView, inputs: HostArray): Promise<ArrayLike<number>> {
    const { model, stream } = trainer;
    const backend = await trainer.backend();
    const answer = (given: unknown) => argmax(model.forward(given as Tensor) as Tensor, { axis: -1 });
    this.#answer ??= compile(answer, { name: "predictions", state: model, stream, backend });
    const { result } = await this.#answer.execute([inputs], { base: watchOffset });
    try {
      if (result.shape.length === 1) return Int32Array.from(await result.data());
      const problem = "the model doesn't give one answer for each picture";
      const got = `answers of ${formatShape(result.shape)}`;
      refuse(ShapeError, "SamplePredictions", problem, got, "outputs of [batch, classes]");
    } finally {
      result.dispose();
    }
  }
}
