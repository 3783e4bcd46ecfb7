// One fit, from the folder's lock to the digest: graphs, a checkpoint if there is one, the loop, and what is written down of it.
import { InterruptedError } from "../core/errors.ts";
import { checkSameCharacters, checkSameClasses } from "../data/alike.ts";
import { DataClock } from "../data/feed.ts";
import { firstGroup } from "../data/groups.ts";
import type { DataLoader } from "../data/loader.ts";
import { byName } from "../data/named.ts";
import { directionOf } from "../optim/monitored.ts";
import { listCheckpoints } from "../run/checkpoint.ts";
import { now } from "../runtime/clock.ts";
import { checkpointFolder, saveCheckpoint, takeFinalWeights } from "./checkpoint.ts";
import type { FitContext } from "./contract.ts";
import { reportSecondaryError } from "./hooks.ts";
import { inputNames } from "./inputs.ts";
import { Journal } from "./journal.ts";
import { lengthOf } from "./length.ts";
import { train } from "./loop.ts";
import { checkValidated, numberNames } from "./numbers.ts";
import type { FitOptions, Run } from "./run.ts";
import type { Session } from "./session.ts";
import { trainPlans } from "./step.ts";
import { checkVocabulary } from "./vocabulary.ts";

/** Settles the directions of what goes by validated numbers: schedules, and which checkpoints are the best. Throws ConfigError where no validation of the run can have the number. */
function aim(session: Session, { trainer, validations }: FitContext): void {
  const { options, schedules } = trainer;
  for (const steering of schedules?.steering ?? []) {
    checkValidated(steering.name, trainer, validations);
    steering.aim(numberNames(options, validations));
  }
  const { keepBest } = options.checkpoint ?? {};
  if (!keepBest) return;
  checkValidated("checkpoint.keepBest", trainer, validations, "there is no validation to choose by");
  const mode = directionOf("checkpoint.keepBest", keepBest.metric, keepBest.mode, numberNames(options, validations));
  session.keepBest = { ...keepBest, mode };
}

/** Throws ConfigError where model and data don't fit each other. */
function checkData(session: Session, { trainer, loader, validations }: FitContext): void {
  for (const each of [loader, ...validations]) checkVocabulary(trainer, each);
  session.columns = loader.columns;
  session.table = loader.table?.fit(session.trainer.seed);
  for (const each of validations) {
    byName(session, each);
    checkSameCharacters(loader, each);
    checkSameClasses(loader, each);
  }
}

/** Says where one of the two things that a validation takes is given alone. */
function sayUnvalidated({ trainer, validations }: FitContext): void {
  const { loop, fastDevRun } = trainer.options;
  const isAsked = loop.evalFrequency !== undefined;
  if (validations.length > 0 && !isAsked)
    trainer.message("warn", 'validation data is given, but no loop.evalFrequency ("epoch"): nothing is validated');
  if (validations.length === 0 && isAsked && fastDevRun === undefined)
    trainer.message("info", "loop.evalFrequency is given, but no validation data: nothing is validated");
}

/** Runs one fit of the trainer. Everything that is thrown is told to the hooks first. */
export async function runFit(
  session: Session,
  loader: DataLoader,
  validations: readonly DataLoader[],
  given: FitOptions,
): Promise<Run> {
  const { signal, ...choice } = given;
  const { trainer, hooks, progress } = session;
  const { options } = trainer;
  const { stepsPerEpoch, totalSteps } = lengthOf(options.loop, loader);
  trainer.schedules?.resolve({ stepsPerEpoch, totalSteps });
  const context: FitContext = { trainer, totalSteps, stepsPerEpoch, loader, validation: validations[0], validations };
  checkData(session, context);
  sayUnvalidated(context);
  const started = now();
  let failed = true;
  let journal: Journal | undefined;
  progress.stopped = undefined;
  session.settled = true;
  try {
    aim(session, context);
    await hooks.call("onFitStart", context);
    const backend = await trainer.initialize();
    const { input } = await firstGroup(trainer.seed, loader, options.loop.gradAccumSteps);
    const plans = await trainPlans(trainer, input);
    for (const { suffix, plan } of plans) session.graphs[`train${suffix}`] = plan.graphHash;
    const [{ plan }] = plans;
    journal = Journal.open(session, { context, backend, plan, inputNames: await inputNames(session, plan) });
    session.journal = journal;
    const finished = await journal.finished(choice);
    if (finished) {
      await takeFinalWeights(session);
      failed = false;
      return finished;
    }
    await journal.restore(choice);
    for (const callback of progress.step === 0 ? hooks.callbacks : [])
      Object.assign(progress, callback.beginsAt?.(context));

    session.history.cutBack(progress.step);
    await hooks.call("onTrainStart", context);
    if (progress.step > 0) session.readBack();
    const clock = new DataClock();
    const begun = progress.step;
    let dataShare: number | undefined;
    await session.during("train", async () => {
      try {
        const link = journal!.link.bind(journal);
        await train(session, { context, stepsPerEpoch, clock, link, signal });
        if (progress.step > begun) dataShare = clock.share;
        if (progress.step < totalSteps && progress.stopped === undefined) throw await interruption(session, signal);
      } catch (error) {
        await reportSecondaryError(trainer, () => hooks.call("onTrainException", context, error));
        throw error;
      }
    });
    await hooks.call("onTrainEnd", context);
    session.occupancy.refuseUnawaited("fit");
    await hooks.call("flush");
    const run = await journal.finish({ seconds: now() - started, dataShare });
    await hooks.call("onFitEnd", context);
    await takeFinalWeights(session);
    failed = false;
    return run;
  } catch (error) {
    await reportSecondaryError(trainer, () =>
      journal?.stop(error instanceof InterruptedError ? "interrupted" : "failed"),
    );
    await reportSecondaryError(trainer, () => hooks.call("onFitException", context, error));
    throw error;
  } finally {
    // The folder is given back last: what finalize writes there is still this run's.
    session.journal = undefined;
    try {
      const finalize = () => hooks.call("finalize", { trainer });
      await (failed ? reportSecondaryError(trainer, finalize) : finalize());
    } finally {
      journal?.close();
    }
  }
}

/** What a fit ends with that was asked to stop: its step is saved, unless nothing is or it has been already. */
async function interruption(session: Session, signal: AbortSignal | undefined): Promise<InterruptedError> {
  const { step, options } = session.trainer;
  const folder = options.checkpoint ? checkpointFolder(session.trainer) : undefined;
  let checkpoint: string | undefined;
  if (folder !== undefined && step > 0) {
    const latest = listCheckpoints(folder).find((entry) => entry.step === step);
    checkpoint = latest ? `${folder}/${latest.file}` : await saveCheckpoint(session);
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
