// `seedgrad sweep SWEEP.yaml`: the runs of a plan, each in a process of this command line that fits its config, so many at a time.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { writeAtomic } from "#files";
import type { Threads } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { ConfigError } from "../core/errors.ts";
import { monitoredName } from "../optim/monitored.ts";
import { isRecord, isText, tryJson } from "../run/fields.ts";
import { lockFolder } from "../run/lock.ts";
import { type Estimate, estimate } from "../sweep/estimate.ts";
import { type Ended, LocalSweep, type RunStatus, type Started, strangersIn, untilFree } from "../sweep/local.ts";
import { baseOf, loadSweep, type PlannedRun, type SweepPlan } from "../sweep/plan.ts";
import { RunWatch } from "../sweep/progress.ts";
import { resultsOf } from "../sweep/results.ts";
import { resultFiles, writeResults } from "../sweep/rows.ts";
import { countsText, durationText, eventLine, liveRows, settingsTexts, sweepSecondsLeft } from "../sweep/table.ts";
import { parseConfig } from "../train/config/parse.ts";
import { type ExitCode, messages, type Outcome, table } from "./command.ts";
import { showResults } from "./compare.ts";
import { checkPlan, kubernetesJob, planDigest, type Scheduler, slurmScript } from "./emit.ts";
import { callerWords, fitConfig } from "./fit.ts";
import type { ImportFlags } from "./flags.ts";
import { importFor } from "./imports.ts";
import { isTerminal, LiveLines, mostLines } from "./live.ts";
import { overQueue, type ReplicaFlags, type RunsInWork } from "./queue.ts";
import { shellCommand, stoppedCode, untilStopped } from "./signals.ts";

/** The flags of `sweep`. */
export interface SweepFlags extends ImportFlags, ReplicaFlags {
  readonly jobs?: number;
  readonly folder?: string;
  readonly only?: number;
  readonly plan?: string;
  readonly emit?: Scheduler;
  readonly image?: string;
  readonly claim?: string;
  readonly dryRun?: boolean;
  readonly queue?: string;
  readonly store?: string;
  readonly vectorWidth?: VectorWidth;
  readonly json?: boolean;
}

/** Plans a sweep, and makes the runs of it that aren't finished. Exit code 1 when a run failed, 129, 130 or 143 when a signal stopped it. */
export async function sweep(file: string, flags: SweepFlags): Promise<Outcome> {
  const imports = await importFor(baseOf(file), flags);
  const plan = loadSweep(file, { folder: flags.folder, imports });
  if (flags.plan !== undefined) checkPlan(plan, flags.plan);
  if (flags.only !== undefined) return fitOnly(plan, flags.only, flags);
  if (flags.emit !== undefined) return emitted(plan, flags.emit, flags);
  if (flags.dryRun) return showPlan(plan, flags);
  mkdirSync(plan.folder, { recursive: true });
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
  const watch = new RunWatch(`${plan.folder}/${run.name}`);
  if (watch.held) {
    messages.logMessage!("info", `${watch.folder} is in use by another process, which is waited for`);
    await untilFree(watch);
  }
  return fitConfig(writeConfig(plan, run), { json });
}

/** The plan's runs as jobs of a scheduler's. */
async function emitted(plan: SweepPlan, scheduler: Scheduler, flags: SweepFlags): Promise<Outcome> {
  const { jobs, image, claim } = flags;
  const own = ["sweep", plan.file, ...flagWords({ ...flags, jobs: undefined, json: undefined })];
  const threads = threadsOf(plan.runs[0], availableParallelism());
  const array = { plan, threads, jobs };
  const needed = (name: string, value: string | undefined): string => {
    if (value !== undefined) return value;
    throw new ConfigError({
      where: "--emit kubernetes",
      problem: "a required flag is missing",
      expected: `--${name}, which seedgrad sweep --help tells of`,
    });
  };
  const text =
    scheduler === "slurm"
      ? slurmScript({ ...array, command: [...callerWords(), ...own] })
      : kubernetesJob(
          { ...array, command: ["seedgrad", ...own] },
          { image: needed("image", image), claim: needed("claim", claim) },
        );
  return { code: 0, json: { scheduler, plan: planDigest(plan), text }, lines: text.split("\n") };
}

/** The plan, which runs are finished already, and an estimate of the time that the others take. */
async function showPlan(plan: SweepPlan, flags: SweepFlags): Promise<Outcome> {
  const { folder, runs, metric } = plan;
  const sweep = new LocalSweep(plan);
  const statuses = sweep.statuses();
  const jobs = jobsOf(plan, flags);
  const left = runs.filter((_, i) => statuses[i].state !== "finished");
  const found = left.length > 0 ? await estimate(left, jobs) : undefined;
  const settings = settingsTexts(plan);
  const rows = runs.map((run, i) => {
    const of = found?.runs[left.indexOf(run)];
    const time = of ? durationText(of.seconds) : "";
    return [String(run.index), run.name, statuses[i].state, of ? String(of.totalSteps) : "", time, settings(run)];
  });
  const json = runs.map(({ config: _, ...run }, i) => ({
    ...run,
    state: statuses[i].state,
    ...found?.runs[left.indexOf(runs[i])],
  }));
  return {
    code: 0,
    json: { folder, metric, runs: json, estimate: found && { ...found, runs: undefined } },
    lines: [
      ...shownRows([["run", "folder", "state", "steps", "time", "settings"], ...rows]),
      ...beginning(plan, statuses, `${jobs} at a time`),
      ...(found ? estimateLines(found) : []),
    ],
  };
}

/** How long it takes, and how that is known. */
function estimateLines({ seconds, jobs, timed, others }: Estimate): string[] {
  const milliseconds = (value: number) => `${(1000 * value).toPrecision(3)} ms`;
  const rates = timed.map(
    ({ index, steps, secondsPerStep, secondsToBegin, secondsPerValidation: validation }) =>
      `run ${index}: ${milliseconds(secondsPerStep)} a step (of ${steps}), ${milliseconds(secondsToBegin)} to the first${validation > 0 ? `, ${milliseconds(validation)} a validation` : ""}`,
  );
  return [
    `about ${durationText(seconds)}, ${jobs} at a time, if they don't slow each other down; without what starting a process, checkpoints and reports take`,
    `timed: ${rates.join("; ")}${others > 0 ? `; the ${others} runs of other settings by their mean` : ""}`,
  ];
}

/** Rows of a table that are printed; all are in `--json`. */
const mostRows = 100;

function shownRows(rows: readonly (readonly string[])[]): string[] {
  const more = rows.length - 1 - mostRows;
  return [...table(rows.slice(0, mostRows + 1)), ...(more > 0 ? [`… and ${more} more (--json)`] : [])];
}

/** The file that holds a run's config, beside its folder. */
function writeConfig({ folder }: SweepPlan, { name, config }: PlannedRun): string {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${name}.yaml`;
  if (!existsSync(path) || readFileSync(path, "utf8") !== config) writeAtomic(path, new TextEncoder().encode(config));
  return path;
}

/** What its process said, beside its folder. */
const logOf = ({ folder }: SweepPlan, { name }: PlannedRun): string => `${folder}/${name}.log`;

/** Threads of one run. */
function threadsOf({ config }: PlannedRun, cores: number): number {
  const threads: Threads = parseConfig(config, "config").trainer.init.threads ?? 1;
  return threads === "all" ? cores : threads;
}

/** As many processes as the cores carry. */
function jobsOf({ runs }: SweepPlan, { jobs }: SweepFlags): number {
  const cores = availableParallelism();
  return Math.min(runs.length, jobs ?? Math.max(1, Math.floor(cores / threadsOf(runs[0], cores))));
}

/** Makes the runs in processes of this machine. */
async function runHere(plan: SweepPlan, flags: SweepFlags, signal: AbortSignal): Promise<Outcome> {
  const sweep = new LocalSweep(plan);
  const jobs = jobsOf(plan, flags);
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

/** What is said before the first run. */
function beginning(plan: SweepPlan, statuses: readonly RunStatus[], where: string): string[] {
  const { folder, runs, repeated } = plan;
  const done = statuses.filter(({ state }) => state === "finished").length;
  const strangers = strangersIn(plan);
  return [
    `${runs.length} run${runs.length === 1 ? "" : "s"} in ${folder}, ${where}${done > 0 ? `; ${done} finished before` : ""}`,
    ...(repeated > 0
      ? [`${repeated} draw${repeated === 1 ? "" : "s"} of random came to settings that were there already`]
      : []),
    ...(strangers.length > 0
      ? [`not in the plan, and left alone: ${strangers.map((name) => `${folder}/${name}`).join(", ")}`]
      : []),
  ];
}

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

const here = import.meta.url;

/** Starts `seedgrad fit` of a run's config. It has a group of its own, so that a terminal's Ctrl-C reaches it through the sweep alone, once; what it says is in a file, so that it outlives a sweep that is killed. */
function startRun(plan: SweepPlan, run: PlannedRun, { vectorWidth }: SweepFlags, all: Set<ChildProcess>): Started {
  const config = writeConfig(plan, run);
  const path = logOf(plan, run);
  const log = openSync(path, "w");
  const main = fileURLToPath(new URL(here.endsWith(".ts") ? "./main.ts" : "./main.js", here));
  const width = vectorWidth === undefined ? [] : ["--vector-width", String(vectorWidth)];
  const child = spawn(process.execPath, [...process.execArgv, main, "fit", config, "--json", ...width], {
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  all.add(child);
  const ended = new Promise<Ended>((resolve) => {
    child.on("error", (error) => resolve({ code: null, error: String(error) }));
    child.on("exit", (code, signal) => resolve({ code, signal: signal ?? undefined, error: failureIn(path, code) }));
  }).finally(() => all.delete(child));
  return { ended, stop: (signal) => void child.kill(signal as NodeJS.Signals) };
}

/** What a run said of its failure: the last line of its log where it ended by itself; undefined where a signal ended it. */
function failureIn(path: string, code: number | null): string | undefined {
  if (code === null || code === 0) return undefined;
  const last = readFileSync(path, "utf8").trimEnd().split("\n").at(-1)!;
  const found = tryJson(last);
  const error = isRecord(found) && isRecord(found.error) ? found.error : {};
  return isText(error.message) ? error.message.split("\n")[0] : last || undefined;
}

function outcomeOf(plan: SweepPlan, statuses: readonly RunStatus[], flags: SweepFlags, signal: AbortSignal): Outcome {
  const { file, folder } = plan;
  const failed = statuses.filter(({ state }) => state === "failed");
  const finished = statuses.filter(({ state }) => state === "finished");
  const settings = settingsTexts(plan);
  const { lines, refused } = writtenResults(plan, statuses);
  const code: ExitCode = signal.aborted ? stoppedCode(signal) : refused ? 2 : failed.length > 0 ? 1 : 0;
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
    ...{ folder: `${folder}/${run.name}`, name: run.name, settings: run.settings, seed: run.seed },
    ...(state === "failed" && { state, reason }),
  }));
  try {
    const results = resultsOf(listed, {
      metric: name === undefined ? undefined : { name, mode: metric!.mode },
      target: metric?.target === undefined ? undefined : { name: name!, mode: metric.mode, value: metric.target },
    });
    writeResults(folder, results, `Sweep ${file}`);
    return { lines: [...showResults(results), "", ...resultFiles.map((each) => `${folder}/${each}`)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { lines: error.message.split("\n"), refused: error };
  }
}

/** The flags that a command which goes on is given again. */
function flagWords({
  jobs,
  folder,
  queue,
  store,
  replicas,
  share,
  shareSeed,
  replaySteps,
  vectorWidth,
  import: imports = [],
  json,
}: SweepFlags): string[] {
  const given = {
    jobs,
    folder,
    queue,
    store,
    replicas,
    share,
    "share-seed": shareSeed,
    "replay-steps": replaySteps,
    "vector-width": vectorWidth,
  };
  return [
    ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
    ...imports.flatMap((name) => ["--import", name]),
    ...(json ? ["--json"] : []),
  ];
}

/** A run as `--json` gives it. */
function statusJson({ run, state, before, step, totalSteps, result, seconds, reason }: RunStatus): object {
  const { index, name, settings, seed } = run;
  const { digest, loss, metrics } = result ?? {};
  return { index, name, settings, seed, state, before, step, totalSteps, digest, loss, metrics, seconds, reason };
}
