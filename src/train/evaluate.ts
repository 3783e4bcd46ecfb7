// Validation: the model in evaluation mode over one loader or several, once. It draws from the watching part of the stream, anew each time, and leaves
// the stream, the weights and the model's flags as they were.
import { noBatches } from "../data/groups.ts";
import type { DataLoader } from "../data/loader.ts";
import { byName } from "../data/named.ts";
import { inEvaluation } from "../nn/evaluation.ts";
import { prefixed, Totals } from "../nn/metrics/totals.ts";
import { watchOffset } from "../rng/regions.ts";
import { Stream } from "../rng/stream.ts";
import { yieldToEventLoop } from "../runtime/clock.ts";
import { checkpointPaths, refuseAbsent, takeChosen, takeWeights } from "./checkpoint.ts";
import type { ValidateContext, ValidateEpochContext } from "./contract.ts";
import { Hooks, reportSecondaryError } from "./hooks.ts";
import { loaderLabel } from "./numbers.ts";
import type {
  ChosenWeights,
  EvalStep,
  EvaluateOptions,
  Loaders,
  Metrics,
  WeightsChoice,
  WeightsOptions,
} from "./run.ts";
import type { Session } from "./session.ts";
import { checkVocabulary } from "./vocabulary.ts";
import { chosenAverage } from "./weights.ts";

interface Evaluation {
  readonly session: Session;
  readonly evalStep: EvalStep;
  /** The first is the one that hooks are told the batches of. */
  readonly loaders: readonly DataLoader[];
  readonly evalSteps: number | undefined;
  readonly hooks: Hooks;
  readonly decides: boolean;
}

/** Validates with the weights as they are, logs what came out under `prefix`, and gives it. `decides`: as hooks are told. */
export async function evaluate(
  session: Session,
  loaders: readonly DataLoader[],
  {
    steps,
    silent = false,
    weights,
    decides = false,
    prefix = "val_",
  }: EvaluateOptions & { readonly decides?: boolean; readonly prefix?: string } = {},
): Promise<Metrics> {
  const { trainer } = session;
  refuseAbsent(session, "evaluate");
  const evalStep = await trainer.evalStep();
  const evalSteps = steps ?? trainer.options.loop.evalSteps;
  const hooks = silent ? new Hooks([]) : session.hooks;
  const average = chosenAverage(trainer, weights);
  const given: Evaluation = { session, evalStep, loaders, evalSteps, hooks, decides };
  const found = await session.exchange.under(average, () => session.during("validate", () => passes(given)));
  session.weightsUsed = average ? "average" : "raw";
  for (const metrics of silent ? [] : found) await trainer.logMetrics(prefixed(prefix, metrics));
  return Object.assign({}, ...found);
}

/**
 * The loss over all samples and each metric, in float64 from the batches' float32 terms, added in the loader's order; a record for each loader. Names of the second and
 * later ones begin with the loader's: `mnist/test/accuracy`. `onValidateStart` comes before all of them, and `onValidateEnd`, with all values, after them.
 */
async function passes(evaluation: Evaluation): Promise<Metrics[]> {
  const { session, loaders, hooks, decides } = evaluation;
  const { trainer } = session;
  const { model, step } = trainer;
  for (const loader of loaders) checkVocabulary(trainer, loader);
  const context: ValidateContext = { trainer, step, decides };
  try {
    return await inEvaluation(model, async () => {
      await hooks.call("onValidateStart", context);
      const found: Metrics[] = [];
      for (const [number, given] of loaders.entries()) {
        const loader = byName(session, given);
        const epoch = { ...context, loader, number };
        await hooks.call("onValidateEpochStart", epoch);
        const metrics = await pass(evaluation, epoch);
        await hooks.call("onValidateEpochEnd", epoch, metrics);
        found.push(number === 0 ? metrics : prefixed(`${loaderLabel(loaders, number)}/`, metrics));
      }
      await hooks.call("onValidateEnd", context, Object.assign({}, ...found));
      return found;
    });
  } catch (error) {
    await reportSecondaryError(trainer, () => hooks.call("onValidateException", context, error));
    throw error;
  }
}

async function pass(
  { session, evalStep, evalSteps, hooks: all }: Evaluation,
  { loader, number, ...context }: ValidateEpochContext,
): Promise<Metrics> {
  const { options, seed } = session.trainer;
  const hooks = number === 0 ? all : new Hooks([]);
  const stream = new Stream(seed, watchOffset);
  const totals = new Totals(options.metrics);
  const batches = loader.batches({ seed, offset: stream.reserve(loader.drawsPerEpoch) }, 0, { whole: true });
  let index = 0;
  for await (const batch of batches) {
    if (index === evalSteps) break;
    const batchContext = { ...context, index, batch };
    await hooks.call("onValidateBatchStart", batchContext);
    await hooks.call("onValidateStepStart", batchContext);
    const { result, watched, draws, graphHash } = await evalStep.execute([batch.tensors], { base: stream.position });
    stream.reserve(draws);
    session.noteGraph(graphHash, "eval", "evalLast");
    for (const [name, terms] of Object.entries(result)) {
      totals.add(name, await terms.data());
      terms.dispose();
    }
    await hooks.call("onValidateStepEnd", { ...batchContext, watched });
    await hooks.call("onValidateBatchEnd", { ...batchContext, watched });
    for (const tensor of Object.values(watched)) tensor.dispose();
    index++;
    await yieldToEventLoop();
  }
  if (index === 0) throw noBatches("validate", loader);
  return totals.values();
}

/** Validates with the weights of the chosen checkpoint. */
export function evaluateChosen(
  session: Session,
  method: "validate" | "test",
  loaders: Loaders,
  { weights, ...choice }: ChosenWeights,
): Promise<Metrics> {
  return session.occupancy.alone(method, async () => {
    await takeChosen(session, method, choice);
    return evaluate(session, listOf(loaders), { weights, prefix: method === "test" ? "test_" : "val_" });
  });
}

/** One loader or several as a list. */
export const listOf = (loaders: Loaders | undefined): readonly DataLoader[] =>
  loaders === undefined ? [] : Array.isArray(loaders) ? loaders : [loaders as DataLoader];

/** What the weights of one checkpoint come to. */
export interface CheckpointMetrics {
  readonly ckptPath: string;
  /** Optimizer steps taken when it was saved. */
  readonly step: number;
  readonly metrics: Metrics;
  /** Which of its weights. */
  readonly weights: WeightsChoice;
}

/** Each checkpoint's weights on each loader, by step. */
export async function validateAll(
  session: Session,
  loaders: readonly DataLoader[],
  ckptPaths: string | readonly string[] | undefined,
  { weights }: WeightsOptions,
): Promise<CheckpointMetrics[]> {
  const { trainer, progress } = session;
  await trainer.initialize();
  const found: CheckpointMetrics[] = [];
  for (const ckptPath of checkpointPaths(trainer, ckptPaths)) {
    await takeWeights(session, ckptPath, "validateAll");
    const metrics = await evaluate(session, loaders, { weights });
    found.push({ ckptPath, step: progress.step, metrics, weights: session.weightsUsed });
  }
  return found.sort((a, b) => a.step - b.step);
}
