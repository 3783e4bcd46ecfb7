// The two graphs of a run: the training step (forward, backward, clipping, update) and the evaluation step. The training graph's only result
// is the loss; whatever else is looked at goes through `watch`, so that looking never changes the graph's hash.
import type { Backend } from "../compile/contract.ts";
import { ConfigError, TraceError } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import { currentTrace } from "../graph/scope.ts";
import { inPart } from "../graph/site.ts";
import type { Batch, ModelOutput, Module } from "../nn/module.ts";
import { namingModules } from "../nn/naming.ts";
import { autocast } from "../ops/precision.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { type Compiled, compile } from "../program/compiled.ts";
import { gradients as gradientsOf } from "../program/gradients.ts";
import type { Stream } from "../rng/stream.ts";
import { stack, tensor } from "../tensor/functions.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { ResolvedOptions } from "./config/options.ts";
import { mixedFormat } from "./config/shared.ts";
import type { HostBatch, MicroBatches, StepInput } from "./group.ts";
import type { Hooks, TraceContext } from "./hooks.ts";
import { outputsOf } from "./predict.ts";
import type { GradientScaler } from "./scaler.ts";
import type { Trainer } from "./trainer.ts";

export type TrainStep = Compiled<[StepInput], Tensor>;
/** Gives terms that add up over batches, by metric; `loss` is [loss · samples, samples]. */
export type EvalStep = Compiled<[HostBatch], Record<string, Tensor>>;

/** Gives the model's outputs. */
export type PredictStep = Compiled<[HostBatch], Tensor>;

/** What the steps are made of. */
export interface StepParts {
  readonly trainer: Trainer;
  readonly model: Module;
  readonly optimizer?: Optimizer;
  readonly scaler: GradientScaler;
  readonly options: ResolvedOptions;
  readonly hooks: Hooks;
  readonly stream: Stream;
  readonly backend: Backend;
  readonly log: (message: string) => void;
}

/** The compiled training step: a batch, or micro-batches, in, the (mean) loss out, parameters and optimizer state updated in place. */
export function makeTrainStep({
  trainer,
  model,
  optimizer,
  scaler,
  options,
  hooks,
  stream,
  backend,
  log,
}: StepParts): TrainStep {
  if (!optimizer) {
    throw new ConfigError({
      where: "optimizer",
      problem: "training needs one",
      got: "none",
      hint: "optimizer: (model) => optim.adamW(model.parameters(), { learningRate: 1e-3 })",
    });
  }
  const names = optimizer.namedParameters.map(([name]) => name);
  const parameters = optimizer.namedParameters.map(([, parameter]) => parameter);
  const backward = (batch: Batch) => {
    const { outputs, loss } = runModel(model, options, batch);
    const scalar = checkLoss(loss);
    return { batch, outputs, loss: scalar, gradients: gradientsOf(scaler.scaled(scalar), parameters) };
  };
  const step = (given: StepInput): Tensor => {
    const {
      batch,
      outputs,
      loss,
      gradients: scaled,
    } = isGroup(given) ? accumulate(given, backward) : backward(given as unknown as Batch);
    const gradients = scaler.unscaled(scaled);
    const named = Object.fromEntries(gradients.map((gradient, i) => [names[i], gradient]));
    traceHooks(hooks, { trainer, role: "train", model, batch, outputs, loss, gradients: named });
    scaler.update(optimizer, gradients, parameters);
    hooks.callNow("onTraceUpdate", { trainer, role: "train", model, batch, outputs, loss, gradients: named });
    return loss;
  };
  const callbacks = { namedVariables: () => trainer.callbackVariables() };
  return compile(step, {
    state: [model, optimizer, scaler, callbacks],
    name: "train",
    stream,
    backend,
    strict: true,
    log,
  });
}

interface Backward {
  readonly batch: Batch;
  readonly outputs?: Tensor;
  readonly loss: Tensor;
  readonly gradients: readonly Tensor[];
}

/** A batch's values are tensors, never a list. */
const isGroup = (given: StepInput): given is MicroBatches => Array.isArray(given.batches);

/**
 * Each micro-batch's loss and gradients, times its share of the group's samples, added in the order of the micro-batches: the shares are inputs of
 * the graph, which is the same for equal and unequal micro-batches. Batch and outputs stay the first's.
 */
function accumulate({ batches, shares }: MicroBatches, backward: (batch: Batch) => Backward): Backward {
  const weighted = (i: number): Backward => {
    const part = backward(batches[i] as unknown as Batch);
    const share = shares[i] as unknown as Tensor;
    return { ...part, loss: part.loss.mul(share), gradients: part.gradients.map((gradient) => gradient.mul(share)) };
  };
  let sum = weighted(0);
  for (let i = 1; i < batches.length; i++) {
    const next = weighted(i);
    const gradients = sum.gradients.map((gradient, j) => gradient.add(next.gradients[j]));
    sum = { ...sum, loss: sum.loss.add(next.loss), gradients };
  }
  return sum;
}

/** The compiled evaluation step of a model that is in evaluation mode. */
export function makeEvalStep({ trainer, model, options, hooks, stream, backend, log }: StepParts): EvalStep {
  const step = (given: HostBatch): Record<string, Tensor> => {
    const batch = given as unknown as Batch;
    const { outputs, loss } = runModel(model, options, batch);
    const samples = Object.values(batch)[0]?.shape[0] ?? 1;
    const terms: Record<string, Tensor> = {};
    if (loss) terms.loss = stack([checkLoss(loss).mul(samples), tensor(samples)]);
    for (const { name, metric } of options.metrics) {
      if (!outputs) {
        throw new ConfigError({
          where: `metrics.${name}`,
          problem: "the model returns no outputs to measure",
          hint: "return [loss, outputs] or { loss, outputs } from forward",
        });
      }
      terms[name] = atOnce(`metrics.${name}.terms`, metric.terms(outputs, batch));
    }
    traceHooks(hooks, { trainer, role: "eval", model, batch, outputs, loss, gradients: {} });
    return terms;
  };
  return compile(step, { state: [model], name: "eval", stream, backend, strict: true, log });
}

/** The compiled prediction step of a model that is in evaluation mode: outputs alone, so that a batch needs no targets. */
export function makePredictStep({ model, options, stream, backend, log }: StepParts): PredictStep {
  const step = (given: HostBatch): Tensor => {
    const batch = given as unknown as Batch;
    const { loss } = options;
    const result = callModel(model, options, batch);
    if (result instanceof Tensor) return outputsOf(loss ? { outputs: result } : {});
    return outputsOf(Array.isArray(result) ? { outputs: result[1] } : (result as { outputs?: Tensor }));
  };
  return compile(step, { state: [model], name: "predict", stream, backend, strict: true, log });
}

/** Outputs and loss of what `forward` returned: outputs where there is a loss function, else a loss, [loss, outputs], or a record that holds a loss. */
function runModel(model: Module, options: ResolvedOptions, batch: Batch): { outputs?: Tensor; loss?: Tensor } {
  const { loss } = options;
  const lossOf = (outputs: Tensor) => inPart("the loss", () => atOnce("loss", loss!(outputs, batch)));
  const result = callModel(model, options, batch);
  if (result instanceof Tensor) return loss ? { outputs: result, loss: lossOf(result) } : { loss: result };
  const { loss: own, outputs } = Array.isArray(result)
    ? { loss: result[0] as Tensor, outputs: result[1] as Tensor }
    : (result as Readonly<{ loss?: Tensor; outputs?: Tensor }>);
  if (!loss) return { loss: own, outputs };
  if (outputs && !own) return { outputs, loss: lossOf(outputs) };
  throw new ConfigError({
    where: "loss",
    problem: own ? "the model returns a loss of its own, and the Trainer has one too" : "the model returns no outputs",
    got: Array.isArray(result) ? "[loss, outputs]" : `a record of ${Object.keys(result).join(", ") || "nothing"}`,
    expected: "outputs, or { outputs }, where the Trainer has a loss",
  });
}

/** What `forward` returns, its nodes named by the modules that made them. */
function callModel(model: Module, { precision, config }: ResolvedOptions, batch: Batch): ModelOutput {
  const forward = () =>
    autocast(mixedFormat(precision), () => atOnce("model.forward", model.forward(batch.inputs, batch)));
  try {
    return namingModules(model, forward, config?.trainer.init.model.name);
  } catch (cause) {
    // A model may take the batch itself; one that took inputs that aren't there fails at the first use of them.
    if (batch.inputs || !/undefined/.test(String(cause))) throw cause;
    throw new ConfigError({
      where: "batch",
      problem: "the batch has no inputs, and the model takes them",
      got: Object.keys(batch).join(", "),
      expected: "a tensor named inputs",
      hint: "a model that takes others has forward(inputs, batch)",
      cause,
    });
  }
}

function checkLoss(loss: unknown): Tensor {
  if (loss instanceof Tensor && loss.rank === 0 && loss.dtype === "float32") return loss;
  throw new ConfigError({
    where: "loss",
    problem: "no scalar to minimise",
    got:
      loss instanceof Tensor
        ? `${loss.dtype}[${loss.shape.join(", ")}]`
        : loss === undefined
          ? "nothing"
          : String(loss),
    expected: "float32[]",
    hint: "give a loss (loss: losses.crossEntropy), or return one from forward",
  });
}

/** Calls `onTrace`, and holds it to watching: a draw or an assignment there would be part of training. */
function traceHooks(hooks: Hooks, context: TraceContext): void {
  const scope = currentTrace()!;
  const { draws } = scope;
  const held = [...scope.cells.values()].map((cell) => [cell, cell.current] as const);
  hooks.callNow("onTrace", context);
  if (scope.draws !== draws || held.some(([cell, current]) => cell.current !== current)) {
    throw new TraceError({
      where: "onTrace",
      problem: "a hook drew random numbers or assigned a variable",
      expected: "nodes that only look, given to watch",
      hint: "what changes training belongs into the model, the loss or the optimizer",
    });
  }
}
