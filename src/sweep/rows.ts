// Results as files: one row per run in the order of the runs, numbers exact. A table of a sweep is the same on every machine but for its wall times.
import { writeAtomic } from "#files";
import { type Results, type RunResult, type Spread, settingText } from "../report/results.ts";
import { renderResults } from "../report/sweep.ts";
import { numberText } from "../run/fields.ts";
import { csvCell } from "../run/logged.ts";

const numberCell = (value: number | undefined): string => (value === undefined ? "" : String(numberText(value)));

/** A column's name and its cell of a run. */
type Column = readonly [name: string, cell: (run: RunResult) => string];

function columns({ settings, metrics, target }: Results): Column[] {
  return [
    ["run", ({ name }) => name],
    ["state", ({ state }) => state],
    ["seed", ({ seed = "" }) => seed],
    ...settings.map((key): Column => [key, (run) => settingText(run.settings[key])]),
    ["steps", ({ steps }) => String(steps)],
    ...metrics.flatMap((metric): Column[] => {
      const own: Column[] = [[metric, (run) => numberCell(run.metrics[metric]?.last)]];
      if (!metric.startsWith("val_")) return own;
      return [
        ...own,
        [`${metric}/best`, (run) => numberCell(run.metrics[metric]?.best)],
        [`${metric}/best_step`, (run) => numberCell(run.metrics[metric]?.bestStep)],
      ];
    }),
    ...(target ? ([["steps_to_target", ({ targetStep }) => numberCell(targetStep)]] satisfies Column[]) : []),
    ["seconds", ({ seconds }) => numberCell(seconds)],
    ["digest", ({ digest = "" }) => digest],
    ["folder", ({ folder }) => folder],
  ];
}

/** The results as CSV (RFC 4180): a header, and a row per run. What a run hasn't is an empty cell. */
export function resultsCsv(results: Results): string {
  const all = columns(results);
  const rows = [all.map(([name]) => name), ...results.runs.map((run) => all.map(([, cell]) => cell(run)))];
  return rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

/** A run's row as a record; NaN and infinities as text. What a run hasn't is left out, but for a target that it didn't reach: null. */
function runRow({ target }: Results, { series: _, targetStep, metrics, ...run }: RunResult): object {
  const { name, folder, state, reason, seed, settings, steps, digest, seconds, monitor } = run;
  return {
    run: name,
    folder,
    state,
    reason,
    seed,
    settings,
    steps,
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([metric, { last, lastStep, best, bestStep }]) => [
        metric,
        { last: numberText(last), lastStep, ...(best !== undefined && { best, bestStep }) },
      ]),
    ),
    ...(target && { stepsToTarget: targetStep ?? null }),
    monitor,
    seconds,
    digest,
  };
}

/** The results as one record of JSON: a row per run, and what groups of them came to. */
export function resultsJson(results: Results): Readonly<Record<string, unknown>> {
  const { settings, metrics, runs, groups, ranking, ranked, target, notes } = results;
  return {
    settings,
    metrics,
    target,
    ranking,
    notes,
    runs: runs.map((run) => runRow(results, run)),
    groups: groups.map(({ runs: places, metrics: own, target: reached, settings: values }) => ({
      settings: values,
      runs: places.map((i) => runs[i].name),
      metrics: Object.fromEntries(
        Object.entries(own).map(([metric, { values: each, spread }]) => [
          metric,
          { values: each.map((value) => (value === undefined ? null : numberText(value))), spread: spreadJson(spread) },
        ]),
      ),
      ...(reached && { target: { ...reached, spread: spreadJson(reached.spread) } }),
    })),
    ranked,
  };
}

const spreadJson = (spread: Spread | undefined) =>
  spread && Object.fromEntries(Object.entries(spread).map(([name, value]) => [name, numberText(value)]));

/** The results as JSON lines: a row per run. */
export function resultsJsonl(results: Results): string {
  return results.runs.map((run) => `${JSON.stringify(runRow(results, run))}\n`).join("");
}

/** What a sweep's results are written into. */
export const resultFiles = ["sweep.csv", "sweep.jsonl", "sweep.html"] as const;

/** Writes the results into a sweep's folder, each file all at once. Throws CheckpointError. */
export function writeResults(folder: string, results: Results, title: string): void {
  const texts = [resultsCsv(results), resultsJsonl(results), renderResults(results, title)];
  resultFiles.forEach((name, i) => {
    writeAtomic(`${folder}/${name}`, new TextEncoder().encode(texts[i]));
  });
}
