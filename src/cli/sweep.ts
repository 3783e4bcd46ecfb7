// `seedgrad sweep SWEEP.yaml`: the runs of a plan, each in a process of this command line that fits its config, so many at a time.
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { makeDirectory } from "#files";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { ConfigError } from "../core/errors.ts";
import { monitoredName } from "../optim/monitored.ts";
import { durationText } from "../report/duration.ts";
import { lockFolder } from "../run/lock.ts";
import { LocalSweep, type RunStatus, untilFree, watchOf } from "../sweep/local.ts";
import { baseOf, loadSweep, type PlannedRun, runFolders, type SweepPlan } from "../sweep/plan.ts";
import { resultsOf } from "../sweep/results.ts";
import { resultFiles, writeResults } from "../sweep/rows.ts";
import { countsText, eventLine, liveRows, settingsTexts, sweepSecondsLeft } from "../sweep/table.ts";
import { type ExitCode, messages, type Outcome, table } from "./command.ts";
import { showResults } from "./compare.ts";
import { checkPlan, type EmitFlags, emit, type Scheduler } from "./emit.ts";
import { callerWords, fitConfig } from "./fit.ts";
import { checkTogether, flagOf, type ImportFlags } from "./flags.ts";
import { importFor } from "./imports.ts";
import { isTerminal, LiveLines, mostLines } from "./live.ts";
import { beginning, jobsOf, showPlan, threadsOf } from "./plan.ts";
import { logOf, startRun, writeConfig } from "./processes.ts";
import { overQueue, type ReplicaFlags, type RunsInWork } from "./queue.ts";
import { shellCommand, stoppedCode, untilStopped } from "./signals.ts";

/** The flags of `sweep`. */
export interface SweepFlags extends EmitFlags, ImportFlags, ReplicaFlags {
  readonly jobs?: number;
  readonly folder?: string;
  readonly only?: number;
  readonly plan?: string;
  readonly emit?: Scheduler;
  readonly dryRun?: boolean;
  readonly queue?: string;
  readonly store?: string;
  readonly vectorWidth?: VectorWidth;
  readonly json?: boolean;
}

/** What a flag of `sweep` says nothing without, and which exclude each other. */
const needs = {
  store: "queue",
  replicas: "queue",
  share: "replicas",
  shareSeed: "share",
  replaySteps: "replicas",
  image: "emit",
  claim: "emit",
} as const;
const apart = [
  ["dryRun", "emit", "only"],
  ["queue", "emit"],
  ["queue", "only"],
  ["queue", "jobs"],
  ["queue", "vectorWidth"],
] as const;

/** Plans a sweep, and makes the runs of it that aren't finished. Exit code 1 when a run failed, 129, 130 or 143 when a signal stopped it. */
export async function sweep(file: string, flags: SweepFlags): Promise<Outcome> {
  checkTogether(flags, needs, apart);
  const imports = await importFor(baseOf(file), flags);
  const plan = loadSweep(file, { folder: flags.folder, imports });
  if (flags.plan !== undefined) checkPlan(plan, flags.plan);
  if (flags.only !== undefined) return fitOnly(plan, flags.only, flags);
  if (flags.emit !== undefined) {
    const command = ["sweep", file, ...flagWords({ ...flags, jobs: undefined, json: undefined })];
    return emit(
      { plan, command, threads: threadsOf(plan.runs[0], availableParallelism()), jobs: flags.jobs },
      flags.emit,
      flags,
    );
  }
  if (flags.dryRun) return showPlan(plan, flags.jobs);
  makeDirectory(plan.folder, ConfigError);
  const lock = lockFolder(plan.folder);
  const { queue } = flags;
  const ending = queue ? "the runs stay in the queue, and go on" : "the runs finish their steps and save";
  try {
    return await untilStopped(ending, (signal) =>
      queue
        ? overQueue(plan, queue, flags, signal, (runs) => follow(plan, flags, runs, signal))
        : runHere(plan, flags, signal),
    );
  } finally {
    lock.release();
  }
}

/** One run of a plan in this process, as a job of an array makes it. A job that is begun again while its node is thought alive, or its run is made elsewhere, waits. */
async function fitOnly(plan: SweepPlan, index: number, { json }: SweepFlags): Promise<Outcome> {
  const run = plan.runs[index];
  if (!run) {
    throw new ConfigError({
      where: "--only",
      problem: "the sweep has no such run",
      got: String(index),
      expected: `an index from 0 to ${plan.runs.length - 1}`,
    });
  }
  const watch = watchOf(plan, run);
  if (watch.held) {
    messages.logMessage!("info", `${watch.folder} is in use by another process, which is waited for`);
    await untilFree(watch);
  }
  return fitConfig(writeConfig(plan, run), { json });
}

/** Makes the runs in processes of this machine. */
async function runHere(plan: SweepPlan, flags: SweepFlags, signal: AbortSignal): Promise<Outcome> {
  const sweep = new LocalSweep(plan);
  const jobs = jobsOf(plan, flags.jobs);
  const processes = new Set<ChildProcess>();
  // A second signal ends this process at once, and the runs' with it.
  const endAll = () => {
    for (const child of processes) child.kill(signal.reason as NodeJS.Signals);
  };
  process.on("exit", endAll);
  const start = (run: PlannedRun) => startRun(plan, run, flags, processes);
  try {
    return await follow(
      plan,
      flags,
      {
        where: `${jobs} at a time`,
        statuses: () => sweep.statuses(),
        atOnce: () => jobs,
        run: (options) => sweep.run({ ...options, jobs, start }),
      },
      signal,
    );
  } finally {
    process.off("exit", endAll);
  }
}

/** Has the runs made, and shows how they stand. */
async function follow(plan: SweepPlan, flags: SweepFlags, runs: RunsInWork, signal: AbortSignal): Promise<Outcome> {
  const settings = settingsTexts(plan);
  const view = isTerminal() ? new LiveLines() : undefined;
  const say = (text: string) => (view ? view.line(text) : messages.logMessage!("info", text));
  const draw = () => view?.draw(liveTable(plan, runs.statuses(), runs.atOnce(), settings));
  for (const line of beginning(plan, runs.statuses(), runs.where)) say(line);
  const timer = setInterval(draw, drawEvery);
  try {
    await runs.run({
      signal,
      changed: (status) => {
        if (!view || status.state !== "running") say(eventLine(plan, status, settings));
        draw();
      },
    });
  } finally {
    clearInterval(timer);
    view?.draw([]);
  }
  return outcomeOf(plan, runs.statuses(), flags, signal);
}

/** Milliseconds between two drawings of the table. */
const drawEvery = 500;

/** The live table: the runs that there is room for, and how it goes as a whole. */
function liveTable(
  plan: SweepPlan,
  statuses: readonly RunStatus[],
  jobs: number,
  settings: (run: PlannedRun) => string,
): string[] {
  const left = sweepSecondsLeft(statuses, jobs);
  const rows = table(liveRows(plan, statuses, settings, mostLines() - 2));
  return [...rows, `${countsText(statuses)}${left === undefined ? "" : `; about ${durationText(left)} left`}`];
}

function outcomeOf(plan: SweepPlan, statuses: readonly RunStatus[], flags: SweepFlags, signal: AbortSignal): Outcome {
  const { file, folder } = plan;
  const failed = statuses.filter(({ state }) => state === "failed");
  const finished = statuses.filter(({ state }) => state === "finished");
  const settings = settingsTexts(plan);
  const { lines, refused } = writtenResults(plan, statuses);
  const code: ExitCode = signal.aborted ? stoppedCode(signal) : failed.length > 0 ? 1 : refused ? 2 : 0;
  const resume = shellCommand([...callerWords(), "sweep", file, ...flagWords(flags)]);
  const again = failed.length > 0 ? "the failed ones again" : "go on";
  return {
    code,
    json: {
      folder,
      runs: statuses.map(statusJson),
      finished: finished.length,
      failed: failed.length,
      ...(refused && { error: { name: refused.name, message: refused.message } }),
      ...(signal.aborted && { interrupted: signal.reason, resume }),
    },
    lines: [
      ...lines,
      "",
      ...failed.flatMap(({ run, reason }) => [
        `run ${run.index} (${run.name}) failed: ${settings(run)}: ${reason}`,
        ...(existsSync(logOf(plan, run)) ? [`  its log: ${logOf(plan, run)}`] : []),
      ]),
      `${countsText(statuses)}; ${folder}`,
      ...(finished.length < statuses.length ? [`${again} with: ${resume}`] : []),
    ],
  };
}

/** Writes what the runs came to so far into the sweep's folder, and gives it for people; or what of the sweep's metric can't be. */
function writtenResults(plan: SweepPlan, statuses: readonly RunStatus[]): { lines: string[]; refused?: ConfigError } {
  const { file, folder, metric } = plan;
  const name = metric && monitoredName(metric.name);
  const listed = statuses.map(({ run, state, reason }) => ({
    folder: runFolders(plan, run).at(-1)!,
    name: run.name,
    settings: run.settings,
    seed: run.seed,
    ...(state === "failed" && { state, reason }),
  }));
  const written = (options: Parameters<typeof resultsOf>[1]) => {
    const results = resultsOf(listed, options);
    writeResults(folder, results, `Sweep ${file}`);
    return [...showResults(results), "", ...resultFiles.map((each) => `${folder}/${each}`)];
  };
  try {
    const target = metric?.target === undefined ? undefined : { name: name!, mode: metric.mode, value: metric.target };
    return { lines: written({ metric: name === undefined ? undefined : { name, mode: metric!.mode }, target }) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What the runs came to is told all the same, as if the file named no metric.
    return { lines: [...written({}), "", ...error.message.split("\n")], refused: error };
  }
}

/** The flags that a command which goes on is given again, beside its programs and --json. */
const givenAgain = [
  "jobs",
  "folder",
  "queue",
  "store",
  "replicas",
  "share",
  "shareSeed",
  "replaySteps",
  "vectorWidth",
] as const;

function flagWords(flags: SweepFlags): string[] {
  const given = givenAgain.filter((name) => flags[name] !== undefined);
  return [
    ...given.flatMap((name) => [flagOf(name), String(flags[name])]),
    ...(flags.import ?? []).flatMap((name) => ["--import", name]),
    ...(flags.json ? ["--json"] : []),
  ];
}

/** A run as `--json` gives it. */
function statusJson({ run, state, before, step, totalSteps, result, elapsed, reason }: RunStatus): object {
  const { index, name, settings, seed } = run;
  const { digest, loss, metrics } = result ?? {};
  return { index, name, settings, seed, state, before, step, totalSteps, digest, loss, metrics, elapsed, reason };
}
