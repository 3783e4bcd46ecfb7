// `seedgrad compare RUN RUN…`: what several runs' folders came to, in one table; and as CSV, JSON or a page.
import { resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { ConfigError } from "../core/errors.ts";
import { formatNumber } from "../report/html.ts";
import {
  groupText,
  moreSettings,
  type Results,
  reachedText,
  type Spread,
  shortNames,
  shownSetting,
  shownSettings,
  targetText,
  tiesOf,
  verifyCommands,
} from "../report/results.ts";
import { renderResults } from "../report/sweep.ts";
import { readOutcome } from "../sweep/outcome.ts";
import { type Aims, resultsOf } from "../sweep/results.ts";
import { resultsCsv, resultsJson } from "../sweep/rows.ts";
import { type Outcome, table, writeOutput } from "./command.ts";

/** The flags of `compare`. */
export interface CompareFlags extends Aims {
  readonly html?: string;
  readonly csv?: string;
  readonly json?: boolean;
}

/** `accuracy=0.97`, with `>=` or `<=` where nothing else says which values are better. */
export function parseTarget(text: string): NonNullable<Aims["target"]> {
  const [, name, sign, digits] = /^(.+?)\s*(>=|<=|≥|≤|=)\s*(\S+)$/.exec(text) ?? [];
  const value = Number(digits);
  if (name === undefined || !Number.isFinite(value))
    throw new InvalidArgumentError("expected NAME=VALUE, as in accuracy=0.97; or NAME>=VALUE, NAME<=VALUE");
  const mode = sign === "=" ? undefined : sign === ">=" || sign === "≥" ? "max" : "min";
  return { name, value, ...(mode && { mode }) };
}

/** `accuracy`, or with its direction: `bleu=max`. */
export function parseMetric(text: string): NonNullable<Aims["metric"]> {
  const [, name, mode] = /^([^=]+)(?:=(min|max))?$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("expected NAME, or NAME=min, NAME=max");
  return { name, ...(mode !== undefined && { mode: mode as "min" | "max" }) };
}

/** Compares runs. Throws ConfigError for fewer than two, and for one that is named twice; CheckpointError for a folder that holds no run or is damaged. */
export async function compare(folders: readonly string[], flags: CompareFlags): Promise<Outcome> {
  checkFolders(folders);
  const { metric, target, html, csv } = flags;
  const results = resultsOf(
    folders.map((folder) => ({ folder })),
    { metric, target },
  );
  if (csv !== undefined) writeOutput("--csv", csv, resultsCsv(results));
  if (html !== undefined) writeOutput("--html", html, renderResults(results, "Runs compared"));
  return { code: 0, json: resultsJson(results), lines: showResults(results) };
}

function checkFolders(folders: readonly string[]): void {
  const paths = folders.map((folder) => resolve(folder));
  const again = paths.findIndex((path, i) => paths.indexOf(path) < i);
  if (again >= 0)
    throw new ConfigError({ where: "compare", problem: "a folder that is named twice", got: folders[again] });
  if (folders.length >= 2) return;
  // Of a folder of runs the error names those.
  readOutcome(folders[0]);
  throw new ConfigError({
    where: "compare",
    problem: "there is nothing to compare with",
    got: "one run",
    expected: "the folders of two runs or more",
  });
}

const cell = (value: number | undefined) => (value === undefined ? "–" : formatNumber(value));
/** Steps to a target: a quartile among runs that didn't reach it is none. */
const stepsCell = (value: number) => (value === Number.POSITIVE_INFINITY ? "not reached" : formatNumber(value));

/** The results for a terminal: runs, groups over their seeds, the target, and the best settings. */
export function showResults(results: Results): string[] {
  const { groups, ranking, ranked, target, notes } = results;
  const seeds = groups.some(({ runs }) => runs.length > 1);
  return [
    ...showRuns(results),
    ...(ranking && (seeds || groups.length > 1) ? ["", ...showGroups(results, ranking)] : []),
    ...(target ? ["", ...showTarget(results)] : []),
    ...(ranking && ranked.length > 0 ? ["", ...showBest(results, ranking)] : []),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ];
}

/** So many numbers of each run are shown; all are in `--csv` and `--json`. */
const mostMetrics = 5;

function showRuns(results: Results): string[] {
  const { metrics: all, runs, target, ranking } = results;
  const shown = shownSettings(results);
  const settings = shown.keys;
  const first = [ranking?.metric, target?.metric, ...all].slice(0, mostMetrics + 2);
  const wanted = [...new Set(first)].slice(0, mostMetrics);
  const metrics = all.filter((metric) => wanted.includes(metric));
  const best = metrics.filter((metric) => runs.some((run) => run.metrics[metric]?.best !== undefined));
  const head = [
    "run",
    "state",
    ...shortNames(settings),
    "seed",
    "steps",
    ...metrics.flatMap((metric) => (best.includes(metric) ? [metric, "best (step)"] : [metric])),
    ...(target ? ["to target"] : []),
    "seconds",
    "digest",
  ];
  const rows = runs.map((run) => [
    run.name,
    run.reason === undefined ? run.state : `${run.state}: ${run.reason.replace(/\s+/g, " ")}`,
    ...settings.map((key) => shownSetting(run.settings[key])),
    run.seed ?? "–",
    String(run.steps),
    ...metrics.flatMap((metric) => {
      const { last, best: most, bestStep } = run.metrics[metric] ?? {};
      const at = most === undefined ? "–" : `${cell(most)} (${bestStep})`;
      return best.includes(metric) ? [cell(last), at] : [cell(last)];
    }),
    ...(target ? [cell(run.targetStep)] : []),
    cell(run.seconds),
    run.digest?.slice(0, 16) ?? "–",
  ]);
  const rest = all.length - metrics.length;
  const more = [...moreSettings(shown), ...(rest > 0 ? [`each has ${rest} more numbers`] : [])];
  return [...table([head, ...rows]), ...(more.length > 0 ? [`… ${more.join(", ")} (--csv, --json)`] : [])];
}

const quartiles = (spread: Spread | undefined, show: (value: number) => string): string[] =>
  spread
    ? [spread.median, spread.lowerQuartile, spread.upperQuartile, spread.least, spread.greatest].map(show)
    : ["–", "–", "–", "–", "–"];

function showGroups(results: Results, { metric }: NonNullable<Results["ranking"]>): string[] {
  const rows = results.groups.map((group) => [
    groupText(results, group),
    String(group.runs.length),
    ...quartiles(group.metrics[metric]?.spread, cell),
  ]);
  return [
    `# ${metric} over seeds`,
    ...table([["settings", "runs", "median", "lower quartile", "upper quartile", "least", "greatest"], ...rows]),
  ];
}

function showTarget(results: Results): string[] {
  const { target, groups, runs } = results;
  const rows = groups.map((group) => [
    groupText(results, group),
    reachedText(group.target!),
    ...quartiles(group.target!.spread, stepsCell).slice(0, 3),
    group.target!.score === undefined ? "–" : formatNumber(group.target!.score),
  ]);
  const reached = runs.filter(({ targetStep }) => targetStep !== undefined).length;
  return [
    `# steps to ${targetText(target!)}: reached by ${reached} of ${runs.length} runs`,
    ...table([["settings", "reached", "median", "lower quartile", "upper quartile", "mean (MLPerf)"], ...rows]),
  ];
}

function showBest(results: Results, { metric, mode }: NonNullable<Results["ranking"]>): string[] {
  const best = results.groups[results.ranked[0]];
  const most = mode === "max" ? "greatest" : "least";
  const ties = tiesOf(results);
  const shared = ties > 0 ? ` (${ties} more with the same)` : "";
  return [
    `# best settings by the ${most} median of ${metric}: ${groupText(results, best)}${shared}`,
    ...verifyCommands(results, best),
  ];
}
