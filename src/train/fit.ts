// One fit, from the folder's lock to the digest: graphs, a checkpoint if there is one, the loop, and what is written down of it.
import { ConfigError, InterruptedError } from "../core/errors.ts";
import { checkKeys } from "../core/keys.ts";
import type { DataLoader } from "../data/loader.ts";
import { directionOf } from "../optim/monitored.ts";
import { listCheckpoints } from "../run/checkpoint.ts";
import { checkpointFolder, saveCheckpoint } from "./checkpoint.ts";
import { now } from "./clock.ts";
import { byName } from "./columns.ts";
import { evaluate } from "./evaluate.ts";
import { DataClock } from "./feed.ts";
import { firstGroup } from "./group.ts";
import { type FitContext, type Metrics, tell } from "./hooks.ts";
import { inputNames } from "./inputs.ts";
import { Journal } from "./journal.ts";
import { type EvaluationDue, evaluationDue, lengthOf } from "./length.ts";
import { train } from "./loop.ts";
import { numberNames } from "./numbers.ts";
import type { Trainer } from "./trainer.ts";
import { checkSameCharacters, checkVocabulary } from "./vocabulary.ts";

/** What a finished fit gives. */
export interface Run {
  /** 64 hex digits that another person compares; `warn:` before them where the run couldn't promise its bits. */
  readonly digest: string;
  /** The training step's, at the full batch. */
  readonly graphHash: string;
  readonly seed: bigint;
  /** Optimizer steps. */
  readonly steps: number;
  /** The last step's. */
  readonly loss: number;
  /** The last validation's, by name: `loss` and the metrics. */
  readonly metrics: Metrics;
  readonly seconds: number;
  /** The share of the steps' time in which they waited for data, in [0, 1]; undefined where no step was taken. */
  readonly dataShare?: number;
  readonly backend: string;
  readonly threads: number;
  readonly streamPosition: number;
  readonly directory?: string;
  /** Why it ended before the loop's limits did, if it did. */
  readonly stopped?: string;
}

/** Which checkpoint a fit or validation starts from: left out, the latest in the run's folder; null, none; else that file. */
export interface CheckpointChoice {
  readonly ckptPath?: string | null;
}

export interface FitOptions extends CheckpointChoice {
  /** Aborted: the fit finishes the step it is in, saves, and rejects with InterruptedError. */
  readonly signal?: AbortSignal;
}

/** Why nothing is validated in a run, or undefined. */
function unvalidated({ options }: Trainer, validations: readonly DataLoader[]): string | undefined {
  if (validations.length === 0) return "no validation data";
  return options.loop.evalFrequency === undefined ? "no evalFrequency" : undefined;
}

/** Has schedules that go by validation take their directions. Throws ConfigError where one goes by a number that no validation of the run can have. */
function aimSteering(trainer: Trainer, validations: readonly DataLoader[]): void {
  const got = unvalidated(trainer, validations);
  for (const steering of trainer.schedules?.steering ?? []) {
    if (got === undefined) steering.aim(numberNames(trainer.options, validations));
    else {
      throw new ConfigError({
        where: steering.name,
        problem: "nothing is validated in this run",
        got,
        expected: "validation for the schedule to go by",
        hint: 'fit(train, validation), and loop: { evalFrequency: "epoch" }',
      });
    }
  }
}

/** Settles by which direction of a number the best checkpoints are kept. Throws ConfigError where no validation of the run can have the number. */
function aimKeepBest(trainer: Trainer, validations: readonly DataLoader[]): void {
  const { keepBest } = trainer.options.checkpoint ?? {};
  if (!keepBest) return;
  const got = unvalidated(trainer, validations);
  if (got !== undefined) {
    throw new ConfigError({
      where: "checkpoint.keepBest",
      problem: "there is no validation to choose by",
      got,
      hint: 'loop: { evalFrequency: "epoch" }, and a validation loader for fit',
    });
  }
  const { metric, mode: given, k } = keepBest;
  const mode = directionOf("checkpoint.keepBest", metric, given, numberNames(trainer.options, validations));
  trainer.keepBest = { metric, mode, k };
}

/** Runs one fit of the trainer. Everything that is thrown is told to the hooks first. */
export async function runFit(
  trainer: Trainer,
  loader: DataLoader,
  validations: readonly DataLoader[],
  given: FitOptions,
): Promise<Run> {
  checkKeys("fit", given, ["ckptPath", "signal"]);
  const { signal, ...choice } = given;
  const { hooks, options } = trainer;
  const [validation] = validations as readonly (DataLoader | undefined)[];
  const { stepsPerEpoch, totalSteps } = lengthOf(options.loop, loader);
  aimKeepBest(trainer, validations);
  for (const each of [loader, ...validations]) checkVocabulary(trainer, each);
  trainer.columns = loader.columns;
  for (const each of validations) byName(trainer, each);
  for (const each of validations) checkSameCharacters(loader, each);
  if (!validation && options.loop.evalFrequency !== undefined && options.fastDevRun === undefined)
    trainer.message("info", "loop.evalFrequency is given, but no validation data: nothing is validated");
  const due: EvaluationDue = validation ? evaluationDue(options.loop, totalSteps) : () => undefined;
  const context: FitContext = { trainer, totalSteps, loader, validation, validations };
  const started = now();
  let failed = true;
  trainer.progress.stopped = undefined;
  trainer.settled = true;
  try {
    aimSteering(trainer, validations);
    await hooks.call("onFitStart", context);
    const backend = await trainer.initialize();
    const trainStep = await trainer.trainStep();
    const plan = await trainStep.plan((await firstGroup(trainer.seed, loader, options.loop.gradAccumSteps)).input);
    const { graph, graphHash } = plan;
    trainer.graphs.train = graphHash;
    const journal = Journal.open({
      trainer,
      loader,
      validations,
      backend,
      graph,
      graphHash,
      inputNames: await inputNames(trainer, plan),
      totalSteps,
    });
    trainer.journal = journal;
    const finished = await journal.finished(choice);
    if (finished) {
      failed = false;
      return finished;
    }
    await journal.restore(choice);

    await hooks.call("onTrainStart", context);
    const clock = new DataClock();
    const begun = trainer.step;
    let dataShare: number | undefined;
    try {
      await train({
        trainer,
        loader,
        validations,
        stepsPerEpoch,
        totalSteps,
        gradAccumSteps: options.loop.gradAccumSteps,
        stream: trainer.stream,
        optimizer: trainer.needOptimizer(),
        schedules: trainer.schedules,
        trainStep,
        hooks,
        progress: trainer.progress,
        link: (step) => journal.link(step),
        evaluationDue: due,
        validate: (how) => evaluate(trainer, validations, how),
        clock,
        signal,
      });
      if (trainer.step > begun) dataShare = clock.share;
      if (trainer.step < totalSteps && trainer.progress.stopped === undefined)
        throw await interruption(trainer, signal);
    } catch (error) {
      await tell(trainer, () => hooks.call("onTrainException", context, error));
      throw error;
    }
    await hooks.call("onTrainEnd", context);
    trainer.occupancy.refuseUnawaited("fit");
    await hooks.call("flush");
    const run = await journal.finish({ seconds: now() - started, dataShare });
    await hooks.call("onFitEnd", context);
    failed = false;
    return run;
  } catch (error) {
    await tell(trainer, () => trainer.journal?.stop(error instanceof InterruptedError ? "interrupted" : "failed"));
    await tell(trainer, () => hooks.call("onFitException", context, error));
    throw error;
  } finally {
    // The folder is given back last: what finalize writes there is still this run's.
    const { journal } = trainer;
    trainer.journal = undefined;
    try {
      const finalize = () => hooks.call("finalize", { trainer });
      await (failed ? tell(trainer, finalize) : finalize());
    } finally {
      journal?.close();
    }
  }
}

/** What a fit ends with that was asked to stop: its step is saved, unless nothing is or it has been already. */
async function interruption(trainer: Trainer, signal: AbortSignal | undefined): Promise<InterruptedError> {
  const { step, options } = trainer;
  const folder = options.checkpoint ? checkpointFolder(trainer) : undefined;
  let checkpoint: string | undefined;
  if (folder !== undefined && step > 0) {
    const latest = listCheckpoints(folder).find((entry) => entry.step === step);
    checkpoint = latest ? `${folder}/${latest.file}` : await saveCheckpoint(trainer);
  }
  const { reason } = signal!;
  return new InterruptedError({
    where: "fit",
    problem: `stopped after step ${step}`,
    got: String(reason instanceof Error ? reason.message : reason),
    hint: checkpoint
      ? `saved as ${checkpoint}: the same fit goes on from there`
      : "nothing was saved: the run begins anew",
    cause: reason,
    step,
    checkpoint,
  });
}
