// A sweep for people: a row a run, a line for what became of one, and how long it will all take.
import { monitoredName } from "../optim/monitored.ts";
import { durationText } from "../report/duration.ts";
import { formatNumber } from "../report/html.ts";
import { settingText, shortNames } from "../report/results.ts";
import type { RunState, RunStatus } from "./local.ts";
import type { PlannedRun, SweepPlan } from "./plan.ts";
import { settingOf } from "./settings.ts";

/** What a run is told by in a plan: its settings in short, and its seed. */
export function settingsTexts({ runs }: Pick<SweepPlan, "runs">): (run: PlannedRun) => string {
  const keys = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  const short = new Map(shortNames(keys).map((name, i) => [keys[i], name]));
  const text = (key: string, value: unknown) => `${short.get(key)} ${settingText(settingOf(value))}`;
  return ({ settings, seed }) =>
    [...Object.entries(settings).map(([key, value]) => text(key, value)), `seed ${seed}`].join(", ");
}

/** The number that a sweep shows of its runs: its metric, or the first that a run validates, or the loss. */
export function shownNumber(
  { metric }: Pick<SweepPlan, "metric">,
  { numbers }: Pick<RunStatus, "numbers">,
): [name: string, value: number] | undefined {
  const validated = Object.keys(numbers).filter((name) => name.startsWith("val_"));
  const name =
    metric === undefined
      ? (validated.find((each) => each !== "val_loss") ?? validated[0] ?? "loss")
      : `val_${monitoredName(metric.name)}`;
  return Object.hasOwn(numbers, name) ? [name, numbers[name]] : undefined;
}

const order: readonly RunState[] = ["running", "held", "waiting", "stopped", "failed", "finished"];

/** How many runs are in each state. */
export function countsText(statuses: readonly RunStatus[]): string {
  const counts = order.map((state) => [state, statuses.filter((each) => each.state === state).length] as const);
  return counts
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}

/** Seconds to the end of the sweep, if the runs that wait take as long as those that were made or run; undefined where nothing is known yet. */
export function sweepSecondsLeft(statuses: readonly RunStatus[], jobs: number): number | undefined {
  const running = statuses.filter(({ state }) => state === "running");
  const lengths = statuses.flatMap(({ state, before, elapsed, secondsLeft }) => {
    if (state === "finished" && !before && elapsed !== undefined) return [elapsed];
    return state === "running" && secondsLeft !== undefined ? [elapsed! + secondsLeft] : [];
  });
  if (lengths.length === 0) return undefined;
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const waiting = statuses.filter(({ state }) => state === "waiting").length;
  const left = running.map(({ elapsed, secondsLeft }) => secondsLeft ?? Math.max(0, mean - (elapsed ?? 0)));
  return Math.max(...left, (left.reduce((sum, each) => sum + each, 0) + waiting * mean) / jobs, 0);
}

/** What became of a run. */
export function eventLine(plan: SweepPlan, status: RunStatus, settings: (run: PlannedRun) => string): string {
  const { run, state, reason, result, secondsLeft: _, elapsed } = status;
  const shown = shownNumber(plan, status);
  const facts = [
    `run ${run.index} of ${plan.runs.length} (${run.name})`,
    state === "held" ? "goes on in another process, which is waited for" : state,
    ...(state === "running" ? [settings(run)] : []),
    ...(state === "finished" && shown ? [`${shown[0]} ${formatNumber(shown[1])}`] : []),
    ...(state === "finished" && elapsed !== undefined ? [durationText(elapsed)] : []),
    ...(state === "finished" && result ? [result.digest] : []),
    ...(reason === undefined ? [] : [reason]),
  ];
  return facts.join(" | ");
}

/** The rows of a sweep that goes on, the heading first: the runs that go on, then the rest while there is room for them. */
export function liveRows(
  plan: SweepPlan,
  statuses: readonly RunStatus[],
  settings: (run: PlannedRun) => string,
  most = Number.POSITIVE_INFINITY,
): string[][] {
  const sorted = [...statuses].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  const kept = new Set(sorted.slice(0, most));
  const rows = statuses
    .filter((status) => kept.has(status))
    .map((status) => {
      const { run, state, step, totalSteps, secondsLeft } = status;
      const shown = shownNumber(plan, status);
      return [
        String(run.index),
        run.name,
        state,
        step === 0 ? "" : totalSteps === undefined ? String(step) : `${step}/${totalSteps}`,
        shown ? `${shown[0]} ${formatNumber(shown[1])}` : "",
        secondsLeft === undefined ? "" : durationText(secondsLeft),
        settings(run),
      ];
    });
  return [["run", "folder", "state", "step", "metric", "left", "settings"], ...rows];
}
