// A step of a run made again: the run is replayed from a checkpoint before it, each link held to the chain, and what went into the step's graph and came out
// of it is kept, with all that its link is the hash of.
import { loadBackend, type Threads } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { fromHex, toHex } from "../core/canonical.ts";
import { ConfigError, DataError, ReproError } from "../core/errors.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { encodeBatch, encodeNumbers, type LinkParts, linkHash } from "../run/chain.ts";
import { listCheckpoints } from "../run/checkpoint.ts";
import { compareLinks } from "../run/compare.ts";
import type { StepContext, StepResult } from "../train/contract.ts";
import type { Rebuild } from "../train/replay.ts";
import { validationDecides } from "../train/validations.ts";
import { readRecorded } from "./folder.ts";
import { latestStep, type RunRecord, recording } from "./record.ts";
import { remake } from "./remake.ts";
import { changesOf } from "./replay.ts";
import { rebuildFromConfig } from "./verify.ts";

/** How a step is made again. */
export interface ProveOptions {
  /** The run's own unless given. */
  readonly backend?: string | Backend;
  readonly threads?: Threads;
  /** For a run made in code. */
  readonly rebuild?: Rebuild;
  /** The run's checkpoint that the replay begins from; the latest before the step unless given. */
  readonly from?: number;
  /** Whether the replay's own step is meant, whatever the run's is: what two who disagree have to show. */
  readonly own?: boolean;
}

/** A step of a run, made again. */
export interface ReplayedStep {
  readonly folder: string;
  readonly record: RunRecord;
  readonly backend: Backend;
  readonly link: LinkParts;
  /** hₜ. */
  readonly hash: Uint8Array;
}

class Ended extends ReproError {}

/** Makes a step of a run again. Throws ConfigError for a run that has no such step, DataError for one whose step isn't one graph, ReproError where the replay isn't the run at a step up to there. */
export async function replayStep(folder: string, step: number, options: ProveOptions = {}): Promise<ReplayedStep> {
  const entries = listCheckpoints(`${folder}/checkpoints`);
  const latest = entries.reduce((latest, entry) => (entry.step < step ? Math.max(latest, entry.step) : latest), 0);
  const from = options.from ?? latest;
  const { manifest, links, checkpoint } = readRecorded(folder, { from, steps: step - from });
  if (step > links.length) {
    throw new ConfigError({
      where: folder,
      problem: "the run has no such step",
      got: `step ${step}`,
      expected: `at most ${links.length}`,
    });
  }
  const own = options.backend ?? String(manifest.environment.backend);
  const backend = typeof own === "string" ? await loadBackend(own, { threads: options.threads }) : own;
  let next = from + 1;
  let previous = "";
  const recorder = recording(backend, () => next === step);
  let made: ReplayedStep | undefined;
  const callback = {
    onTrainStepStart({ trainer, step: begun }: StepContext) {
      next = begun;
      if (begun === step) previous = trainer.runState().chain;
    },
    onTrainStepEnd({ trainer, step: taken, batch }: StepResult) {
      const last = trainer.lastLink!;
      const difference = options.own ? undefined : compareLinks(taken, last, links[taken - 1]);
      if (difference) {
        const { first, second } = difference;
        throw new ReproError({
          where: `${folder}: step ${taken}`,
          problem: "the replay isn't the run, so that nothing of it can be proved here",
          got: first,
          expected: second,
          hint: "verify says why",
        });
      }
      if (taken < step) return;
      const { record } = latestStep(recorder, trainer.graphs);
      const numbers = Object.entries(last.numbers).sort(([a], [b]) => compareUtf8(a, b));
      const link = {
        previous: fromHex(previous),
        step,
        graphHash: record.plan.graphHash,
        position: last.position,
        batch: encodeBatch(step, batch),
        given: encodeNumbers(numbers),
        lossBits: last.lossBits,
      };
      made = { folder, record, backend, link, hash: last.hash };
      throw new Ended({ where: `step ${step}`, problem: "the step to prove" });
    },
  };
  const { trainer, train, validations } = remake(folder, options.rebuild ?? rebuildFromConfig(folder), {
    ...changesOf(manifest),
    logging: { logLevel: "error" },
    backend: recorder,
    callbacks: [callback],
  });
  try {
    await trainer.fit(train, validationDecides(trainer) ? validations : [], { ckptPath: checkpoint });
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  if (
    made &&
    toHex(linkHash(made.link)) === toHex(made.hash) &&
    made.record.base + made.record.plan.graph.draws === made.link.position
  )
    return made;
  throw new DataError({
    where: folder,
    problem: "the step isn't one graph run once, whose link says all that it was given",
    got: `step ${step}`,
  });
}
