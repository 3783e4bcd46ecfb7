// Validation: the model in evaluation mode over a loader, once. It draws from the watching part of the stream, anew each time, and leaves
// the stream, the weights and the model's flags as they were.
import { watchOffset } from "../core/numerics.ts";
import type { DataLoader } from "../data/loader.ts";
import type { Module } from "../nn/module.ts";
import { checkpointPaths, loadCheckpoint } from "./checkpoint.ts";
import { breathe } from "./clock.ts";
import type { ResolvedOptions } from "./config/options.ts";
import { type Hooks, type Metrics, tell, type ValidateContext } from "./hooks.ts";
import type { EvalStep } from "./step.ts";
import type { Trainer } from "./trainer.ts";
import { checkVocabulary } from "./vocabulary.ts";

export interface Evaluation {
  readonly trainer: Trainer;
  readonly model: Module;
  readonly evalStep: EvalStep;
  readonly loader: DataLoader;
  readonly options: ResolvedOptions;
  readonly hooks: Hooks;
  readonly seed: bigint;
  /** Optimizer steps taken. */
  readonly step: number;
  /** Told of each graph that ran. */
  readonly onGraph: (graphHash: string) => void;
}

/** The loss over all samples and each metric, in float64 from the batches' float32 terms, added in the loader's order. */
export async function evaluate(given: Evaluation): Promise<Metrics> {
  const { trainer, model, hooks, step } = given;
  checkVocabulary(trainer, given.loader);
  const context: ValidateContext = { trainer, step };
  try {
    return await inEvaluation(model, () => pass(given, context));
  } catch (error) {
    await tell(trainer, () => hooks.call("onValidateException", context, error));
    throw error;
  }
}

async function pass(
  { evalStep, loader, options, hooks, seed, onGraph }: Evaluation,
  context: ValidateContext,
): Promise<Metrics> {
  await hooks.call("onValidateStart", context);
  let offset = watchOffset + loader.drawsPerEpoch;
  const totals = new Map<string, number[]>();
  const batches = loader.batches({ seed, offset: watchOffset });
  let index = 0;
  for await (const batch of batches) {
    if (index === options.loop.evalSteps) break;
    const batchContext = { ...context, index, batch };
    await hooks.call("onValidateBatchStart", batchContext);
    await hooks.call("onValidateStepStart", batchContext);
    const { result, watched, draws, graphHash } = await evalStep.execute([batch.tensors], { base: offset });
    offset += draws;
    onGraph(graphHash);
    for (const [name, terms] of Object.entries(result)) {
      const values = await terms.data();
      terms.dispose();
      const total = totals.get(name) ?? new Array<number>(values.length).fill(0);
      totals.set(name, total);
      values.forEach((value, i) => {
        total[i] += value;
      });
    }
    await hooks.call("onValidateStepEnd", { ...batchContext, watched });
    await hooks.call("onValidateBatchEnd", { ...batchContext, watched });
    for (const tensor of Object.values(watched)) tensor.dispose();
    index++;
    await breathe();
  }
  const metrics: Record<string, number> = {};
  const loss = totals.get("loss");
  if (loss) metrics.loss = loss[0] / loss[1];
  for (const { name, metric } of options.metrics) {
    const total = totals.get(name);
    if (total) Object.assign(metrics, named(name, metric.value(total)));
  }
  await hooks.call("onValidateEnd", context, metrics);
  return metrics;
}

/** A metric's number under its name, or its numbers as `name/key`. */
function named(name: string, value: number | Metrics): Metrics {
  if (typeof value === "number") return { [name]: value };
  return Object.fromEntries(Object.entries(value).map(([key, number]) => [`${name}/${key}`, number]));
}

/** Evaluates on each loader; names of the second and later ones begin with the loader's: `mnist/test/accuracy`. Only the first has hooks. */
export async function evaluateAll(trainer: Trainer, [first, ...others]: readonly DataLoader[]): Promise<Metrics> {
  const all: Record<string, number> = { ...(await trainer.evaluate(first)) };
  for (const [i, loader] of others.entries()) {
    const metrics = await trainer.evaluate(loader, { silent: true });
    const same = [first, ...others.slice(0, i)].filter(({ name }) => name === loader.name).length;
    const place = same === 0 ? loader.name : `${loader.name}#${same + 1}`;
    const placed = Object.entries(metrics).map(([name, value]) => [`${place}/${name}`, value] as const);
    await trainer.logMetrics(Object.fromEntries(placed.map(([name, value]) => [`val_${name}`, value])));
    Object.assign(all, Object.fromEntries(placed));
  }
  return all;
}

/** What the weights of one checkpoint come to. */
export interface CheckpointMetrics {
  readonly ckptPath: string;
  /** Optimizer steps taken when it was saved. */
  readonly step: number;
  readonly metrics: Metrics;
}

/** Each checkpoint's weights on each loader, by step. */
export async function validateAll(
  trainer: Trainer,
  loaders: readonly DataLoader[],
  ckptPaths?: string | readonly string[],
): Promise<CheckpointMetrics[]> {
  await trainer.initialize();
  const found: CheckpointMetrics[] = [];
  for (const ckptPath of checkpointPaths(trainer, ckptPaths)) {
    const { state } = await loadCheckpoint(trainer, ckptPath, "weights");
    found.push({ ckptPath, step: state.step, metrics: await evaluateAll(trainer, loaders) });
  }
  return found.sort((a, b) => a.step - b.step);
}

/** Runs `body` with the whole tree in evaluation mode, and then puts each module back to what it was. */
export async function inEvaluation<T>(model: Module, body: () => Promise<T>): Promise<T> {
  const flags = new Map<Module, boolean>();
  const visit = (module: Module) => {
    flags.set(module, module.training);
    for (const [, child] of module.namedChildren()) visit(child);
  };
  visit(model);
  model.eval();
  try {
    return await body();
  } finally {
    for (const [module, training] of flags) module.training = training;
  }
}
