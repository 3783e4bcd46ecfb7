// How long a sweep will take: the beginning, a few steps and a validation of some of its runs are made and timed, without a folder; how many steps each run has its loop says.
import type { RunLength } from "../optim/duration.ts";
import { now } from "../runtime/clock.ts";
import { buildTrainer } from "../train/config/build.ts";
import { loaders } from "../train/config/families.ts";
import { parsePhases } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import type { Logger } from "../train/contract.ts";
import { lengthOf, limited, periodOf } from "../train/length.ts";
import type { PlannedRun } from "./plan.ts";

/** Steps of a run that are timed at most, and seconds after which no further one is. */
const mostSteps = 200;
const enough = 2;
/** Runs of different settings that are timed; of more, those spread evenly over the plan. */
const mostTimed = 4;

/** What a run will take. */
export interface RunEstimate {
  readonly totalSteps: number;
  readonly seconds: number;
}

/** What was timed of a run. */
export interface Timing {
  /** How many were timed; a step takes what the middle one of them took. */
  readonly steps: number;
  readonly secondsPerStep: number;
  /** To the end of the first step: data are read, graphs compiled. */
  readonly secondsToBegin: number;
  readonly secondsPerValidation: number;
}

/** A run that was timed, or a phase of one. */
export interface TimedRun extends Timing {
  /** The run's, in the plan. */
  readonly index: number;
  /** Of several, from 1. */
  readonly phase?: number;
}

/** What a sweep will take. */
export interface Estimate {
  /** In the plan's order. */
  readonly runs: readonly RunEstimate[];
  /** With so many processes at a time, none of which slows another. */
  readonly seconds: number;
  readonly jobs: number;
  readonly timed: readonly TimedRun[];
  /** Runs of settings that weren't timed, which are taken to be as fast as the timed ones are on average. */
  readonly others: number;
}

/** Times a few steps of planned runs. Throws what the runs would throw at their beginning, of the first that does. */
export async function estimate(planned: readonly PlannedRun[], jobs: number): Promise<Estimate> {
  const configs = planned.map((run) => parsePhases(run.config, run.name));
  const firsts = [...new Map([...planned].reverse().map((run) => [textOf(run.settings), run])).values()].reverse();
  const count = Math.min(mostTimed, firsts.length);
  const timed = new Map<string, readonly TimedRun[]>();
  for (let i = 0; i < count; i++) {
    const run = firsts[Math.floor((i * firsts.length) / count)];
    const phases: TimedRun[] = [];
    for (const [at, config] of parsePhases(run.config, run.name).entries())
      phases.push({ index: run.index, ...(run.phases && { phase: at + 1 }), ...(await timeRun(config)) });
    timed.set(textOf(run.settings), phases);
  }
  const all = [...timed.values()];
  const secondsOf = (timing: Timing, length: RunLength, loop: Loop): number =>
    timing.secondsToBegin +
    length.totalSteps * timing.secondsPerStep +
    validations(loop, length) * timing.secondsPerValidation;
  const loaded = new Map<string, ReturnType<typeof loaders.make>>();
  const estimated = ({ trainer }: Config, like: readonly Timing[]): RunEstimate => {
    const key = textOf(trainer.fit!.trainDataloader);
    const loader = loaded.get(key) ?? loaders.make(trainer.fit!.trainDataloader);
    loaded.set(key, loader);
    const { loop } = trainer.init;
    const length = lengthOf(loop, limited(loader, loop));
    const seconds = like.reduce((sum, timing) => sum + secondsOf(timing, length, loop), 0) / like.length;
    return { totalSteps: length.totalSteps, seconds };
  };
  const runs = configs.map((phases, i): RunEstimate => {
    const own = timed.get(textOf(planned[i].settings));
    const parts = phases.map((phase, at) =>
      estimated(
        phase,
        (own ? [own] : all).map((timings) => timings[Math.min(at, timings.length - 1)]),
      ),
    );
    const sum = (of: keyof RunEstimate) => parts.reduce((total, part) => total + part[of], 0);
    return { totalSteps: sum("totalSteps"), seconds: sum("seconds") };
  });
  return {
    runs,
    seconds: makespan(runs, jobs),
    jobs,
    timed: all.flat(),
    others: planned.filter(({ settings }) => !timed.has(textOf(settings))).length,
  };
}

type Loop = Config["trainer"]["init"]["loop"];

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item));

/** When the last of so many processes is through, each taking the next run as it is free. */
function makespan(runs: readonly RunEstimate[], jobs: number): number {
  const free = Array.from({ length: jobs }, () => 0);
  for (const { seconds } of runs) {
    const first = free.indexOf(Math.min(...free));
    free[first] += seconds;
  }
  return Math.max(...free);
}

/** How many validations a run has. */
function validations({ evalFrequency: every }: Loop, length: RunLength): number {
  if (every === undefined) return 0;
  if (every === "end") return 1;
  return Math.ceil(length.totalSteps / (every === "epoch" ? length.stepsPerEpoch : periodOf(every, length)));
}

/** Times the beginning of a fit, the steps after it, and a validation. */
async function timeRun(config: Config): Promise<Timing> {
  const stop = new AbortController();
  const ends: number[] = [];
  const watch: Logger = {
    logMessage: () => {},
    onTrainBatchEnd: () => {
      ends.push(now());
      if (ends.length > mostSteps || now() - ends[0] > enough) stop.abort("timed");
    },
  };
  const { trainer, train, vals } = buildTrainer(config, {
    modelDir: undefined,
    checkpoint: null,
    loggers: [watch],
  });
  const begun = now();
  try {
    await trainer.fit(train!, vals, { signal: stop.signal, ckptPath: null });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  const validating = now();
  if (config.trainer.init.loop.evalFrequency !== undefined)
    for (const loader of vals) await trainer.validate(loader, { ckptPath: null });
  const validated = now();
  const times = ends.length > 1 ? ends.slice(1).map((end, i) => end - ends[i]) : [0];
  const sorted = times.sort((a, b) => a - b);
  return {
    steps: times.length,
    secondsPerStep: sorted[Math.floor(sorted.length / 2)],
    secondsToBegin: ends[0] - begun,
    secondsPerValidation: validated - validating,
  };
}
