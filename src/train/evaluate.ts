// Validation: the model in evaluation mode over one loader or several, once. It draws from the watching part of the stream, anew each time, and leaves
// the stream, the weights and the model's flags as they were.
import { DataError } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import type { DataLoader } from "../data/loader.ts";
import { withTerms } from "../nn/metrics/metric.ts";
import type { Module } from "../nn/module.ts";
import { namedModules } from "../nn/naming.ts";
import { watchOffset } from "../rng/regions.ts";
import { Stream } from "../rng/stream.ts";
import { checkpointPaths, refuseAbsent, takeWeights } from "./checkpoint.ts";
import { breathe } from "./clock.ts";
import { byName } from "./columns.ts";
import type { EvalStep, EvaluateOptions, Metrics, ValidateContext, WeightsChoice, WeightsOptions } from "./contract.ts";
import { Hooks, tell } from "./hooks.ts";
import { placeOf } from "./numbers.ts";
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

/** Validates with the weights as they are, logs what came out as `val_<name>`, and gives it. `decides`: as hooks are told. */
export async function evaluate(
  session: Session,
  loaders: readonly DataLoader[],
  { steps, silent = false, decides = false, weights }: EvaluateOptions & { readonly decides?: boolean } = {},
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
  for (const metrics of silent ? [] : found) await trainer.logMetrics(valued(metrics));
  return Object.assign({}, ...found);
}

/**
 * The loss over all samples and each metric, in float64 from the batches' float32 terms, added in the loader's order; a record for each loader. Names of the second and
 * later ones begin with the loader's: `mnist/test/accuracy`. `onValidateStart` comes before all of them, and `onValidateEnd`, with all values, after them.
 */
async function passes(given: Evaluation): Promise<Metrics[]> {
  const { session, loaders, hooks, decides } = given;
  const { trainer } = session;
  const { model, step } = trainer;
  for (const loader of loaders) checkVocabulary(trainer, loader);
  const context: ValidateContext = { trainer, step, decides };
  try {
    return await inEvaluation(model, async () => {
      await hooks.call("onValidateStart", context);
      const found: Metrics[] = [];
      for (const [i, loader] of loaders.entries()) {
        const metrics = await pass(given, context, {
          loader: byName(session, loader),
          hooks: i === 0 ? hooks : new Hooks([]),
        });
        found.push(i === 0 ? metrics : prefixed(placeOf(loaders, i), metrics));
      }
      await hooks.call("onValidateEnd", context, Object.assign({}, ...found));
      return found;
    });
  } catch (error) {
    await tell(trainer, () => hooks.call("onValidateException", context, error));
    throw error;
  }
}

async function pass(
  { session, evalStep, evalSteps }: Evaluation,
  context: ValidateContext,
  { loader, hooks }: { readonly loader: DataLoader; readonly hooks: Hooks },
): Promise<Metrics> {
  const { graphs } = session;
  const { options, seed } = session.trainer;
  const stream = new Stream(seed, watchOffset);
  const totals = new Map<string, number[]>();
  const batches = loader.batches({ seed, offset: stream.reserve(loader.drawsPerEpoch) }, 0, { whole: true });
  let index = 0;
  for await (const batch of batches) {
    if (index === evalSteps) break;
    const batchContext = { ...context, index, batch };
    await hooks.call("onValidateBatchStart", batchContext);
    await hooks.call("onValidateStepStart", batchContext);
    const { result, watched, draws, graphHash } = await evalStep.execute([batch.tensors], { base: stream.position });
    stream.reserve(draws);
    graphs.eval ??= graphHash;
    if (graphHash !== graphs.eval) graphs.evalLast = graphHash;
    for (const [name, terms] of Object.entries(result)) {
      const metric = options.metrics.find((other) => other.name === name)?.metric ?? {};
      totals.set(name, withTerms(metric, totals.get(name) ?? [], await terms.data()));
      terms.dispose();
    }
    await hooks.call("onValidateStepEnd", { ...batchContext, watched });
    await hooks.call("onValidateBatchEnd", { ...batchContext, watched });
    for (const tensor of Object.values(watched)) tensor.dispose();
    index++;
    await breathe();
  }
  if (index === 0) throw noBatches("validate", loader);
  const metrics: Record<string, number> = {};
  const loss = totals.get("loss");
  if (loss) metrics.loss = loss[0] / loss[1];
  for (const { name, metric } of options.metrics) {
    const total = totals.get(name);
    if (!total) continue;
    const value = atOnce(`metrics.${name}.value`, metric.value(total));
    Object.assign(metrics, typeof value === "number" ? { [name]: value } : prefixed(name, value));
  }
  return metrics;
}

/** The error for a loader that gives nothing to look at. */
export const noBatches = (where: string, { name, batchSize }: DataLoader) =>
  new DataError({
    where: `${where}: loader ${name}`,
    problem: "it gives no batches",
    got: `batches of ${batchSize}`,
    expected: "at least one",
    hint: "dropLast: true leaves out a batch that isn't full",
  });

const prefixed = (prefix: string, metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}/${name}`, value]));

/** Validated numbers under the names that they are logged by: `val_<name>`. */
export const valued = (metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`val_${name}`, value]));

/** One loader or several as a list. */
export const listOf = (loaders: DataLoader | readonly DataLoader[] | undefined): readonly DataLoader[] =>
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

/** Models in evaluation mode: what puts each back, and how many bodies are still running in it. */
const evaluating = new WeakMap<Module, { readonly restore: () => void; running: number }>();

/** Runs `body` with the whole tree in evaluation mode; once the last of several such bodies has ended, each module is what it was. */
export async function inEvaluation<T>(model: Module, body: () => Promise<T>): Promise<T> {
  let mode = evaluating.get(model);
  if (!mode) {
    const flags = namedModules(model).map(([, module]) => [module, module.training] as const);
    const restore = () => {
      for (const [module, training] of flags) module.training = training;
    };
    mode = { restore, running: 0 };
    evaluating.set(model, mode);
    model.eval();
  }
  mode.running++;
  try {
    return await body();
  } finally {
    mode.running--;
    if (mode.running === 0) {
      evaluating.delete(model);
      mode.restore();
    }
  }
}
