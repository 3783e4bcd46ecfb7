// The graphs of a run: the training step (forward, backward, clipping, update), the evaluation step and the prediction step. The training graph's only result
// is the loss; whatever else is looked at goes through `watch`, so that looking never changes the graph's hash.
import type { Backend } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { ConfigError, refuse, showValue, TraceError } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import { typeText } from "../core/shape.ts";
import { reading } from "../data/batch-fields.ts";
import type { StepInput } from "../data/groups.ts";
import { currentTrace } from "../graph/scope.ts";
import { inPart } from "../graph/site.ts";
import { countOf, hasCounted } from "../nn/losses/reduction.ts";
import { meanTerms, termsOf } from "../nn/metrics/totals.ts";
import type { Batch, ModelOutput } from "../nn/module.ts";
import { namingModules } from "../nn/naming.ts";
import { autocast } from "../ops/autocast.ts";
import { OptimizerSet, partsDue, stepKinds } from "../optim/set.ts";
import { type Compiled, compile } from "../program/compiled.ts";
import { gradients as gradientsOf } from "../program/gradients.ts";
import { watch } from "../program/trace.ts";
import { rehearsing, repeatable } from "../program/variable.ts";
import { Tensor } from "../tensor/tensor.ts";
import { mixedFormat } from "./config/shared.ts";
import type { TraceContext, TrainerView } from "./contract.ts";
import type { EvalStep, MessageLevel, TracedBatch, TracedGroup, TrainStep } from "./run.ts";
import type { Session } from "./session.ts";
import { isZero, unreachedBy } from "./unreached.ts";

/** Gives the model's outputs. */
export type PredictStep = Compiled<[TracedBatch], Tensor>;

/** The training step's plan for an input; of several optimizers one for each kind of step, by what follows its role, the first step's first. */
export async function trainPlans(trainer: TrainerView, input: StepInput): Promise<{ suffix: string; plan: Plan }[]> {
  const trainStep = await trainer.trainStep();
  const optimizer = trainer.needOptimizer();
  const { steps } = optimizer;
  const plans: { suffix: string; plan: Plan }[] = [];
  try {
    for (const { suffix, step } of stepKinds(optimizer)) {
      optimizer.seek(step);
      plans.push({ suffix, plan: await trainStep.plan(input) });
    }
  } finally {
    optimizer.seek(steps);
  }
  return plans;
}

/** The compiled steps of one Trainer, each made when it is first asked for. */
export function stepsOf(session: Session) {
  const once = <S>(make: (session: Session, backend: Backend) => S): (() => Promise<S>) => {
    let made: S | undefined;
    return async () => {
      const backend = await session.trainer.backend();
      made ??= make(session, backend);
      return made;
    };
  };
  return { train: once(makeTrainStep), eval: once(makeEvalStep), predict: once(makePredictStep) };
}

const optionsOf = ({ trainer }: Session, backend: Backend) => ({
  stream: trainer.stream,
  backend,
  strict: true,
  log: (text: string, level: MessageLevel) => trainer.message(level, text),
});

/** A batch, or micro-batches, in, the (mean) loss out, parameters and optimizer state updated in place. */
function makeTrainStep(session: Session, backend: Backend): TrainStep {
  const { trainer, scaler, hooks } = session;
  const { model } = trainer;
  const optimizer = trainer.needOptimizer();
  const trained = () => partsDue(optimizer).flatMap((part) => part.optimizer.namedParameters);
  const warnUneven = warning(
    trainer,
    "gradAccumSteps: with ignoreIndex or classWeights a step isn't that of one large batch (docs/training.md)",
  );
  const warnUnweighed = warning(
    trainer,
    "the batch has sampleWeights, and the loss doesn't read them: all samples count alike (give the loss the batch itself)",
  );
  const unreached = unreachedBy(trainer);
  const backward = (batch: Batch, isPart = false): Backward => {
    const read = new Set<string>();
    const { outputs, loss, losses } = runModel(trainer, batch, read);
    const scalar = checkLoss(loss);
    if (batch.sampleWeights && !read.has("sampleWeights")) warnUnweighed();
    if (isPart && hasCounted(scalar)) warnUneven();
    const gradients = partsDue(optimizer).flatMap(({ optimizer: part, minimizes }) => {
      const { namedParameters } = part;
      const found = gradientsOf(
        scaler.scaled(losses[minimizes]),
        namedParameters.map(([, parameter]) => parameter),
      );
      unreached.tell(namedParameters.flatMap(([name], i) => (isZero(found[i]) ? [name] : [])));
      return found;
    });
    const several = Object.entries(losses).length > 1 ? losses : {};
    return { microBatches: [{ batch, outputs }], loss: scalar, losses: several, gradients };
  };
  const pass = (given: TracedBatch | TracedGroup): Backward => {
    const whole = isGroup(given) ? accumulate(given, (batch) => backward(batch, true)) : backward(given as Batch);
    return { ...whole, gradients: scaler.unscaled(whole.gradients) };
  };
  const step = (given: TracedBatch | TracedGroup): Tensor => {
    const { result, again } = repeatable(() => pass(given));
    const { microBatches, loss, losses, gradients } = result;
    const named = Object.fromEntries(trained().map(([name], i) => [name, gradients[i]]));
    const context = {
      trainer,
      role: "train",
      model,
      ...microBatches[0],
      loss,
      microBatches,
      gradients: named,
    } as const;
    traceHooks(session, context);
    for (const [name, value] of Object.entries(losses)) watch(`loss/${name}`, value);
    scaler.update(
      optimizer,
      gradients,
      trained().map(([, parameter]) => parameter),
      {
        value: loss,
        again(draws) {
          const { loss: value, gradients } = draws === "same" ? again() : rehearsing(() => pass(given));
          return { value, gradients };
        },
      },
    );
    hooks.callNow("onTraceUpdate", context);
    return loss;
  };
  const callbacks = { namedVariables: () => trainer.callbackVariables() };
  return compile(step, { ...optionsOf(session, backend), name: "train", state: [model, optimizer, scaler, callbacks] });
}

/** Warns once. */
function warning(trainer: TrainerView, text: string): () => void {
  let isTold = false;
  return () => {
    if (!isTold) trainer.message("warn", text);
    isTold = true;
  };
}

interface Backward {
  readonly microBatches: TraceContext["microBatches"];
  readonly loss: Tensor;
  /** Where optimizers minimise several, each by its name. */
  readonly losses: Ran["losses"];
  readonly gradients: readonly Tensor[];
}

/** A batch's values are tensors, never a list. */
const isGroup = (given: TracedBatch | TracedGroup): given is TracedGroup => Array.isArray(given.batches);

/**
 * Each micro-batch's loss and gradients, times its share of the group's samples, added in the order of the micro-batches: the shares are inputs of
 * the graph, which is the same for equal and unequal micro-batches.
 */
function accumulate({ batches, shares }: TracedGroup, backward: (batch: Batch) => Backward): Backward {
  const weighted = (i: number): Backward => {
    const part = backward(batches[i] as Batch);
    const losses = mapValues(part.losses, (loss) => loss.mul(shares[i]));
    const gradients = part.gradients.map((gradient) => gradient.mul(shares[i]));
    return { ...part, loss: part.loss.mul(shares[i]), losses, gradients };
  };
  let sum = weighted(0);
  for (let i = 1; i < batches.length; i++) {
    const next = weighted(i);
    const gradients = sum.gradients.map((gradient, j) => gradient.add(next.gradients[j]));
    const losses = mapValues(sum.losses, (loss, name) => loss.add(next.losses[name]));
    const microBatches = [...sum.microBatches, ...next.microBatches];
    sum = { microBatches, loss: sum.loss.add(next.loss), losses, gradients };
  }
  return sum;
}

const mapValues = (record: Ran["losses"], map: (loss: Tensor, name: string) => Tensor): Ran["losses"] =>
  Object.fromEntries(Object.entries(record).map(([name, loss]) => [name, map(loss, name)]));

/** Of a model that is in evaluation mode. */
function makeEvalStep(session: Session, backend: Backend): EvalStep {
  const { trainer } = session;
  const { model, options } = trainer;
  const warnBySamples = warning(
    trainer,
    "a loss with a part that is a mean over what counts (ignoreIndex, classWeights) is averaged by samples (docs/training.md)",
  );
  const step = (given: TracedBatch): Record<string, Tensor> => {
    const batch = given as Batch;
    const { outputs, loss, lossParts = {} } = runModel(trainer, batch);
    const isBySamples = (value: Tensor | undefined) => value && !countOf(value) && hasCounted(value);
    if ([loss, ...Object.values(lossParts)].some(isBySamples)) warnBySamples();
    const samples = Object.values(batch)[0]?.shape[0] ?? 1;
    const terms: Record<string, Tensor> = {};
    if (loss) terms.loss = meanTerms(checkLoss(loss), samples);
    for (const [name, part] of Object.entries(lossParts)) terms[name] = meanTerms(part, samples);
    for (const { name, metric } of options.metrics) terms[name] = termsOf(name, metric, outputs, batch);
    const microBatches = [{ batch, outputs }];
    traceHooks(session, { trainer, role: "eval", model, batch, outputs, loss, microBatches, gradients: {} });
    return terms;
  };
  return compile(step, { ...optionsOf(session, backend), name: "eval", state: [model] });
}

/** Of a model that is in evaluation mode: outputs alone, so that a batch needs no targets. */
function makePredictStep(session: Session, backend: Backend): PredictStep {
  const { trainer } = session;
  const step = (given: TracedBatch): Tensor => {
    const { outputs } = partsOf(trainer, callModel(trainer, given as Batch));
    if (outputs) return outputs;
    throw new ConfigError({
      where: "predict",
      problem: "the model returns its loss and no outputs",
      hint: "return [loss, outputs] or { loss, outputs } from forward, or give the Trainer a loss",
    });
  };
  return compile(step, { ...optionsOf(session, backend), name: "predict", state: [trainer.model] });
}

interface Parts {
  readonly loss?: Tensor;
  readonly outputs?: Tensor;
}

/** What `forward` returned, by what it is: outputs where the Trainer has a loss, else a loss; [loss, outputs]; or a record of them. */
function partsOf({ options }: TrainerView, result: ModelOutput): Parts {
  if (typeof result !== "object" || result === null) {
    const problem = "what it returns is no output";
    refuse(ConfigError, "model.forward", problem, showValue(result), "a tensor, [loss, outputs] or a record");
  }
  if (result instanceof Tensor) return options.loss ? { outputs: result } : { loss: result };
  return Array.isArray(result) ? { loss: result[0], outputs: result[1] } : (result as Parts);
}

interface Ran extends Parts {
  /** By the names that optimizers minimise them under. */
  readonly losses: Readonly<Record<string, Tensor>>;
  /** What else a model with a loss of its own says in numbers, as what its loss is made of. */
  readonly lossParts?: Readonly<Record<string, Tensor>>;
}

/** The scalars of a record beside its loss. Throws ConfigError for one of a metric's name. */
function lossPartsOf({ options: { metrics } }: TrainerView, result: ModelOutput): Record<string, Tensor> {
  if (result instanceof Tensor || Array.isArray(result)) return {};
  const isScalar = (value: unknown) => value instanceof Tensor && value.rank === 0 && value.dtype === "float32";
  const { loss: _, outputs: __, ...others } = result as Readonly<Record<string, Tensor>>;
  const parts = Object.fromEntries(Object.entries(others).filter(([, value]) => isScalar(value)));
  const taken = metrics.find(({ name }) => Object.hasOwn(parts, name));
  if (!taken) return parts;
  const problem = "the model says a number of this name itself";
  refuse(ConfigError, `metrics.${taken.name}`, problem, Object.keys(result).join(", "), "a name of its own for each");
}

/** Outputs, and the loss: the model's own, or the Trainer's of the outputs; where optimizers minimise several of the model's, the sum of these. */
function runModel(trainer: TrainerView, batch: Batch, read?: Set<string>): Ran {
  const { loss } = trainer.options;
  // Layers hand a whole batch on: where there is a loss beside the model, its reading counts.
  const result = callModel(trainer, batch, loss ? undefined : read);
  const { loss: own, outputs } = partsOf(trainer, result);
  if (!loss) return { ...minimised(trainer, { loss: own, outputs }, result), lossParts: lossPartsOf(trainer, result) };
  if (outputs && !own) {
    const ask = (given: Batch) => atOnce("loss", loss(outputs, given));
    const value = inPart("the loss", () => reading(batch, "the loss takes them", ask, read));
    return minimised(trainer, { outputs, loss: value }, result);
  }
  throw new ConfigError({
    where: "loss",
    problem: own ? "the model returns a loss of its own, and the Trainer has one too" : "the model returns no outputs",
    got: Array.isArray(result) ? "[loss, outputs]" : `a record of ${Object.keys(result).join(", ") || "nothing"}`,
    expected: "outputs, or { outputs }, where the Trainer has a loss",
    hint: own ? undefined : "a model of several outputs computes its loss in forward(inputs, batch): { loss, outputs }",
  });
}

/** The losses that the Trainer's optimizers minimise. Throws ConfigError where the model returns none of the name. */
function minimised({ optimizer }: TrainerView, { loss, outputs }: Parts, result: ModelOutput): Ran {
  if (!(optimizer instanceof OptimizerSet)) return { loss, outputs, losses: { loss: loss! } };
  const named = result instanceof Tensor || Array.isArray(result) ? {} : (result as Readonly<Record<string, Tensor>>);
  const given: Readonly<Record<string, Tensor>> = { ...named, ...(loss && { loss }) };
  const names = [...new Set(optimizer.parts.map(({ minimizes }) => minimizes))];
  const losses = names.map((name) => {
    if (Object.hasOwn(given, name)) return [name, checkLoss(given[name])] as const;
    const problem = "the model returns no loss of the name that an optimizer minimises";
    const hint = "return { generator, discriminator } from forward, and name them in minimizes";
    refuse(ConfigError, "optimizers", problem, name, `one of ${Object.keys(given).join(", ") || "none"}`, hint);
  });
  const sum = losses.map(([, value]) => value).reduce((total, value) => total.add(value));
  return { loss: sum, outputs, losses: Object.fromEntries(losses) };
}

/** What `forward` returns, its nodes named by the modules that made them. */
function callModel(
  { model, options: { precision, config } }: TrainerView,
  given: Batch,
  read?: Set<string>,
): ModelOutput {
  const forward = () =>
    autocast(mixedFormat(precision), () =>
      reading(
        given,
        "the model takes them",
        (batch) => atOnce("model.forward", model.forward(batch.inputs, batch)),
        read,
      ),
    );
  return namingModules(model, forward, config?.trainer.init.model.name);
}

function checkLoss(loss: unknown): Tensor {
  if (loss instanceof Tensor && loss.rank === 0 && loss.dtype === "float32") return loss;
  const got = loss instanceof Tensor ? typeText(loss) : String(loss ?? "nothing");
  const hint = "give a loss (loss: losses.crossEntropy), or return one from forward";
  refuse(ConfigError, "loss", "no scalar to minimise", got, "float32[]", hint);
}

/** Calls `onTrace`, and holds it to watching: a draw or an assignment there would be part of training. */
function traceHooks({ hooks }: Session, context: TraceContext): void {
  const scope = currentTrace()!;
  const { draws } = scope;
  const held = [...scope.cells.values()].map((cell) => [cell, cell.current] as const);
  hooks.callNow("onTrace", context);
  if (scope.draws !== draws || held.some(([cell, current]) => cell.current !== current)) {
    const expected = "nodes that only look, given to watch";
    const hint = "what changes training belongs into the model, the loss or the optimizer";
    refuse(TraceError, "onTrace", "a hook drew random numbers or assigned a variable", undefined, expected, hint);
  }
}
