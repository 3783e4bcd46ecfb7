// A sweep's plan for people, before anything runs: its runs, how they stand, and an estimate of their time (`seedgrad sweep --dry-run`).
import { availableParallelism } from "node:os";
import type { Threads } from "../backend/load.ts";
import { durationText } from "../report/duration.ts";
import { type Estimate, estimate } from "../sweep/estimate.ts";
import { LocalSweep, type RunStatus, strangersIn } from "../sweep/local.ts";
import type { PlannedRun, SweepPlan } from "../sweep/plan.ts";
import { settingsTexts } from "../sweep/table.ts";
import { parsePhases } from "../train/config/parse.ts";
import { type Outcome, table } from "./command.ts";

/** The plan, which runs are finished already, and an estimate of the time that the others take. */
export async function showPlan(plan: SweepPlan, given: number | undefined): Promise<Outcome> {
  const { folder, runs, metric } = plan;
  const sweep = new LocalSweep(plan);
  const statuses = sweep.statuses();
  const jobs = jobsOf(plan, given);
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
    ({ index, phase, steps, secondsPerStep, secondsToBegin, secondsPerValidation: validation }) =>
      `run ${index}${phase === undefined ? "" : `, phase ${phase}`}: ${milliseconds(secondsPerStep)} per step (median of ${steps}), ${milliseconds(secondsToBegin)} until the first is done${validation > 0 ? `, ${milliseconds(validation)} per validation` : ""}`,
  );
  return [
    `about ${durationText(seconds)} with ${jobs} run${jobs === 1 ? "" : "s"} at a time, if they don't slow each other down; starting processes, checkpoints and reports come on top`,
    `timed: ${rates.join("; ")}${others > 0 ? `; the ${others} run${others === 1 ? "" : "s"} of other settings are taken to be as fast as these on average` : ""}`,
  ];
}

/** Rows of a table that are printed; all are in `--json`. */
const mostRows = 100;

function shownRows(rows: readonly (readonly string[])[]): string[] {
  const more = rows.length - 1 - mostRows;
  return [...table(rows.slice(0, mostRows + 1)), ...(more > 0 ? [`… and ${more} more (--json)`] : [])];
}

/** Threads of one run. */
export function threadsOf({ config }: PlannedRun, cores: number): number {
  const threads: Threads = parsePhases(config, "config")[0].trainer.init.threads ?? 1;
  return threads === "all" ? cores : threads;
}

/** Processes at once: as many as are given, or as the cores carry. */
export function jobsOf({ runs }: SweepPlan, given: number | undefined): number {
  const cores = availableParallelism();
  return Math.min(runs.length, given ?? Math.max(1, Math.floor(cores / threadsOf(runs[0], cores))));
}

/** What is said before the first run. */
export function beginning(plan: SweepPlan, statuses: readonly RunStatus[], where: string): string[] {
  const { folder, runs, repeated } = plan;
  const done = statuses.filter(({ state }) => state === "finished").length;
  const strangers = strangersIn(plan);
  return [
    `${runs.length} run${runs.length === 1 ? "" : "s"} in ${folder}, ${where}${done > 0 ? `; ${done} finished before` : ""}`,
    ...(repeated > 0
      ? [
          `${repeated} draw${repeated === 1 ? "" : "s"} of random came to settings that were drawn or listed before, and make no run`,
        ]
      : []),
    ...(strangers.length > 0
      ? [`runs that aren't in the plan are left alone: ${strangers.map((name) => `${folder}/${name}`).join(", ")}`]
      : []),
  ];
}
