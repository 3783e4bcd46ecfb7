// The results of several runs as plain data: what a table, a page and the files of a sweep are made from, and how they are worded. Who reads runs (src/sweep) fills it.
import { clipped, shellWord } from "../core/printable.ts";
import type { Mode } from "../optim/monitored.ts";
import type { Series } from "./series.ts";

/** A setting's value, as JSON has it. */
export type Setting = string | number | boolean | null | readonly Setting[] | { readonly [key: string]: Setting };

/** A setting as text: text as it stands, anything else as JSON; nothing for one that a run hasn't. */
export const settingText = (value: Setting | undefined): string =>
  value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);

/** How a run stands. `running`: a process works on it; `missing`: there is no folder yet. */
export type RunState = "finished" | "running" | "stopped" | "failed" | "missing";

/** A number of a run. */
export interface MetricResult {
  readonly last: number;
  readonly lastStep: number;
  /** Of validations, where it is known which values are better; the first of several equal ones. */
  readonly best?: number;
  readonly bestStep?: number;
}

/** What a group counts of a run's number. */
export const countedValue = (result: MetricResult | undefined): number | undefined => result?.best ?? result?.last;

/** Whether a run that hasn't reached a target won't: a failed one was begun, and did not. */
export const isOver = (state: RunState): boolean => state === "finished" || state === "failed";

/** One run. */
export interface RunResult {
  readonly name: string;
  readonly folder: string;
  readonly state: RunState;
  /** Why it ended early, failed, or can't be read. */
  readonly reason?: string;
  /** By `Results.settings`; a setting that the run hasn't is left out. */
  readonly settings: Readonly<Record<string, Setting>>;
  /** Decimal. */
  readonly seed?: string;
  /** Optimizer steps taken. */
  readonly steps: number;
  readonly digest?: string;
  /** Wall time of the process that finished it. */
  readonly seconds?: number;
  readonly metrics: Readonly<Record<string, MetricResult>>;
  /** What the run itself goes by (`checkpoint.keep_best`, EarlyStopping). */
  readonly monitor?: { readonly metric: string; readonly mode?: Mode };
  /** The first validation at which the target holds; undefined where none does, or there is no target. */
  readonly targetStep?: number;
  /** What there is to draw, by metric. */
  readonly series: readonly Series[];
}

/**
 * Values over seeds. A quartile is at position (count − 1) · k ÷ 4 of the ascending values from 0, and between two of them on the straight line
 * (Hyndman & Fan 1996, type 7). Infinity where steps to a target aren't reached.
 */
export interface Spread {
  readonly count: number;
  readonly least: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly greatest: number;
}

/** A metric over a group's runs. */
export interface GroupMetric {
  /** In the order of the group's runs; undefined where a run has none. */
  readonly values: readonly (number | undefined)[];
  /** Of the finite values; undefined where there is none. */
  readonly spread?: Spread;
}

/** How many steps a group's runs took to the target. */
export interface GroupTarget {
  readonly reached: number;
  /** Runs that ended and didn't reach it. */
  readonly missed: number;
  /** Runs that haven't reached it and haven't ended. */
  readonly open: number;
  /** Of the runs that reached or missed it; a run that missed it counts as Infinity. */
  readonly spread?: Spread;
  /**
   * The mean without the fastest and the slowest run; a single run that missed the target is the slowest (MLPerf Training rules, Benchmark results). Undefined where
   * more than one missed it, fewer than three ended, or one is open.
   */
  readonly score?: number;
}

/** Runs of the same settings: they differ in their seeds. */
export interface GroupResult {
  readonly settings: Readonly<Record<string, Setting>>;
  /** Places in `Results.runs`. */
  readonly runs: readonly number[];
  /** By metric: of validations their best where it is known which values are better, else their last. */
  readonly metrics: Readonly<Record<string, GroupMetric>>;
  readonly target?: GroupTarget;
}

/** A value to be reached. */
export interface Target {
  readonly metric: string;
  /** `max`: at least the value; `min`: at most. */
  readonly mode: Mode;
  readonly value: number;
}

/** What came of several runs. */
export interface Results {
  /** The settings in which the runs differ, seeds aside, by their paths in the config. */
  readonly settings: readonly string[];
  /** The numbers that the table has, as they are logged: `val_accuracy`; `loss` is the training loss. */
  readonly metrics: readonly string[];
  readonly runs: readonly RunResult[];
  /** In the order of their first runs. */
  readonly groups: readonly GroupResult[];
  /** The number that groups are ranked by, and which values are better; undefined where no run has any. */
  readonly ranking?: { readonly metric: string; readonly mode: Mode };
  /** Places in `groups`, by the median of the ranking's number, best first; groups without one are left out. */
  readonly ranked: readonly number[];
  readonly target?: Target;
  /** What a reader must know of the runs, line by line: same settings and seed with another digest, a log that is gone. */
  readonly notes: readonly string[];
}

/** Paths by the shortest of their endings that tell them apart: `trainer.init.optimizer.AdamW.learning_rate` → `learning_rate`. */
export function shortNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/(?<=[./])/));
  const ending = (own: readonly string[], count: number) => own.slice(-count).join("");
  return parts.map((own, i) => {
    let count = 1;
    while (count < own.length && parts.some((other, j) => j !== i && ending(other, count) === ending(own, count)))
      count++;
    return ending(own, count);
  });
}

/** So many settings are shown of runs that differ in more. */
const mostSettings = 12;
/** Letters of a setting's value in a text or cell. */
const widestSetting = 40;

/** A setting as text for people, cut short where it is long; `–` for one that a run hasn't. */
export const shownSetting = (value: Setting | undefined): string => clipped(settingText(value), widestSetting) || "–";

/** The settings that are shown, in the order of all, and how many there are beside them: of many those that most of the runs have, since what one kind of run alone has follows from its kind. */
export function shownSettings({ settings, runs }: Results): {
  readonly keys: readonly string[];
  readonly more: number;
} {
  const having = (key: string) => runs.filter((run) => run.settings[key] !== undefined).length;
  const counts = new Map(settings.map((key) => [key, having(key)]));
  const first = [...settings].sort((a, b) => counts.get(b)! - counts.get(a)!).slice(0, mostSettings);
  return { keys: settings.filter((key) => first.includes(key)), more: settings.length - first.length };
}

/** The target in words: `val_accuracy ≥ 0.97`. */
export const targetText = ({ metric, mode, value }: Target): string =>
  `${metric} ${mode === "max" ? "≥" : "≤"} ${value}`;

/** A group's settings in words, by their short names; where they are too many to be told, as those of its first run. */
export function groupText(results: Results, { settings, runs: [first] }: GroupResult): string {
  const { keys, more } = shownSettings(results);
  const names = shortNames(keys);
  if (more > 0) return `those of ${results.runs[first].name}`;
  return keys.map((key, i) => `${names[i]} ${shownSetting(settings[key])}`).join(", ") || "the same settings";
}

/** That there are settings which aren't shown, where that is so. */
export const moreSettings = ({ more }: ReturnType<typeof shownSettings>): string[] =>
  more > 0 ? [`the runs differ in ${more} more setting${more === 1 ? "" : "s"}`] : [];

/** How a target was met by a group, in words: `4 of 5`, and what the others did. */
export function reachedText({ reached, missed, open }: GroupTarget): string {
  const others = [...(missed > 0 ? [`${missed} missed it`] : []), ...(open > 0 ? [`${open} not there yet`] : [])];
  return `${reached} of ${reached + missed + open}${others.length > 0 ? ` (${others.join(", ")})` : ""}`;
}

/** How many other groups have the best group's median. */
export function tiesOf({ groups, ranked, ranking }: Results): number {
  const median = (i: number) => groups[i].metrics[ranking!.metric].spread!.median;
  return ranked.filter((i) => median(i) === median(ranked[0])).length - 1;
}

/** The commands that verify a group's finished runs. */
export const verifyCommands = ({ runs }: Results, { runs: places }: GroupResult): string[] =>
  places.flatMap((i) => (runs[i].digest === undefined ? [] : [`seedgrad verify ${shellWord(runs[i].folder)}`]));
