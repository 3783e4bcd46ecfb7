// Prediction: the model's outputs for a loader's batches, in its order, in evaluation mode. Like validation it leaves stream, weights and flags alone.
import type { HostArray } from "../core/array.ts";
import { TrainingError } from "../core/errors.ts";
import { noBatches } from "../data/groups.ts";
import type { DataLoader, LoadedBatch } from "../data/loader.ts";
import { byName } from "../data/named.ts";
import { inEvaluation } from "../nn/evaluation.ts";
import { watchOffset } from "../rng/regions.ts";
import { Stream } from "../rng/stream.ts";
import { yieldToEventLoop } from "../runtime/clock.ts";
import { takeChosen } from "./checkpoint.ts";
import type { ChosenWeights, WeightsChoice, WeightsOptions } from "./run.ts";
import type { Session } from "./session.ts";
import type { PredictStep } from "./step.ts";
import { checkVocabulary } from "./vocabulary.ts";
import { chosenAverage } from "./weights.ts";

/** A batch's outputs. */
export interface Prediction {
  readonly batch: LoadedBatch;
  /** What the model returns as outputs: [batch, ...]. */
  readonly outputs: HostArray;
  /** Which weights they are of. */
  readonly weights: WeightsChoice;
}

/** The outputs batch by batch. Throws ConfigError for a model that returns its loss alone. */
async function* predict(
  session: Session,
  step: PredictStep,
  loader: DataLoader,
  { weights: choice }: WeightsOptions,
): AsyncGenerator<Prediction> {
  const { trainer } = session;
  checkVocabulary(trainer, loader);
  const average = chosenAverage(trainer, choice);
  const weights = average ? "average" : "raw";
  session.weightsUsed = weights;
  const { model, seed } = trainer;
  const stream = new Stream(seed, watchOffset);
  let some = false;
  const draws = { seed, offset: stream.reserve(loader.drawsPerEpoch) };
  for await (const batch of byName(session, loader).batches(draws, 0, { whole: true })) {
    const outputs = await session.exchange.under(average, async () => {
      const { result, draws: taken } = await inEvaluation(model, () =>
        step.execute([batch.tensors], { base: stream.position }),
      );
      stream.reserve(taken);
      const { shape, dtype } = result;
      const data = (await result.data()).slice();
      result.dispose();
      return { data, shape, dtype };
    });
    yield { batch, outputs, weights };
    some = true;
    await yieldToEventLoop();
  }
  if (!some) throw noBatches("predict", loader);
}

/** As `predict`, with the weights of the chosen checkpoint, each batch in a turn of its own among the Trainer's calls. Throws TrainingError once the weights were replaced since the first. */
export async function* predictChosen(
  session: Session,
  makeStep: () => Promise<PredictStep>,
  loader: DataLoader,
  choice: ChosenWeights,
): AsyncGenerator<Prediction> {
  const { occupancy } = session;
  await occupancy.alone("predict", () => takeChosen(session, "predict", choice));
  const source = predict(session, await makeStep(), loader, choice);
  const { changes } = session;
  try {
    for (;;) {
      const next = await occupancy.alone("predict", () => {
        if (session.changes === changes) return source.next();
        throw new TrainingError({
          where: "trainer.predict",
          problem: "the weights were replaced since the first batch",
          hint: "take all batches before the next call of fit, validate, validateAll or loadCheckpoint",
        });
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await source.return(undefined);
  }
}
