// The report as one HTML page that needs nothing else: curves, what the run was made of, its digest, and who drew which random numbers.
import { type LedgerRow, ledgerRange } from "../../../run/ledger.ts";
import type { Manifest } from "../../../run/manifest.ts";
import { script, style } from "./assets.ts";
import { escapeHtml, formatNumber, renderChart } from "./chart.ts";
import { groupSeries, type Series, type SeriesStore } from "./series.ts";

/** What a report is made from. */
export interface ReportParts {
  /** The run's folder, as given. */
  readonly directory: string;
  readonly manifest: Manifest;
  /** The config file's name and text. */
  readonly config: { readonly name: string; readonly text: string };
  readonly series: SeriesStore;
  readonly ledger: readonly LedgerRow[];
  readonly parameters: number;
  /** Optimizer steps taken, and in the whole run. */
  readonly step: number;
  readonly totalSteps: number;
}

/** Rows of a long table that are shown: so many first ones, and the last few. */
const mostRows = 24;
const lastRows = 4;

/** Where the series are in the page, for a run that goes on to read them back. */
const seriesTag = '<script type="application/json" id="series">';

/** The page's text. */
export function renderReport(parts: ReportParts): string {
  const { directory, manifest, config, series, step, totalSteps } = parts;
  const name = directory.split(/[/\\]/).filter(Boolean).at(-1) ?? directory;
  const charts = groupSeries(series.list()).map(renderChart);
  const { result, seed, seedGiven, graphs, data, environment } = manifest;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>${escapeHtml(name)} · seedgrad run</title><style>${style}</style></head>
<body><main>
<header><div class="head"><h1>${escapeHtml(name)}</h1><span class="pill ${manifest.status}">${manifest.status}</span></div>
<p class="soft">step ${step} of ${totalSteps}${result?.stopped ? ` · ${escapeHtml(result.stopped)}` : ""} · seed ${seed}${seedGiven ? "" : " (drawn)"} · ${escapeHtml(manifest.numericsId)}</p></header>
${digest(parts)}
<dl class="cards">${cards(parts)
    .map(([term, value]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd></div>`)
    .join("")}</dl>
<section><h2>Curves</h2>${charts.length > 0 ? `<div class="charts">${charts.join("\n")}</div>` : '<p class="soft">Nothing has been logged yet.</p>'}</section>
${validations(series.list())}
<section><h2>Config</h2><p class="soft">${escapeHtml(config.name)}, as it took effect, defaults included</p><pre>${escapeHtml(config.text)}</pre></section>
<section><h2>Ledger of draws</h2><p class="soft">Who owns which part of the seed's one stream of random numbers</p>${table(
    ["draws", "count", "owner"],
    shortened(parts.ledger).map((row) =>
      row ? [ledgerRange(row), String(row.count), row.owner] : ["…", "…", `${parts.ledger.length - mostRows} more`],
    ),
    [1],
  )}</section>
<section><h2>Graphs and data</h2>${table(
    ["what", "SHA-256"],
    [
      ...Object.entries(graphs).map(([role, hash]) => [`graph ${role}`, hash]),
      ...Object.entries(data).map(([field, hash]) => [`data ${field}`, hash]),
    ],
  )}</section>
<section><h2>Environment</h2><p class="soft">For information: no bit of the run depends on it</p>${table(
    ["what", "value"],
    Object.entries(environment).map(([key, value]) => [key, typeof value === "number" ? formatNumber(value) : value]),
  )}</section>
</main>
${seriesTag}${series.serialize()}</script>
<script>${script}</script>
</body></html>
`;
}

/** The series in a page that `renderReport` made, as text; undefined if it is none. */
export function seriesText(page: string): string | undefined {
  const start = page.indexOf(seriesTag);
  const end = page.indexOf("</script>", start);
  return start < 0 || end < 0 ? undefined : page.slice(start + seriesTag.length, end);
}

function digest({ manifest, directory }: ReportParts): string {
  const { result, config } = manifest;
  if (!result) {
    return '<p class="digest soft">The digest of a run stands here when it is finished: 64 hex digits that anyone who runs it again must get.</p>';
  }
  const how =
    config === null
      ? "run the program again and compare"
      : `<code>seedgrad verify ${escapeHtml(directory)}</code> makes the run again from this folder and compares every step`;
  return `<div class="digest"><div class="soft">digest</div><code>${result.digest}</code><p class="soft">The same on any machine: ${how}.</p></div>`;
}

function cards({ manifest, series, parameters, step }: ReportParts): [string, string][] {
  const latest = new Map(series.list().map(({ name, values }) => [name, values[values.length - 1]]));
  const named = (name: string, title: string): [string, string][] => {
    const value = latest.get(name);
    return value === undefined ? [] : [[title, formatNumber(value)]];
  };
  const validated = [...latest.keys()].filter((name) => name.startsWith("val_"));
  const { seconds, backend, threads } = manifest.environment;
  return [
    ["steps", String(step)],
    ...named("loss", "last loss"),
    ...validated.flatMap((name) => named(name, `validation ${name.slice(4).replaceAll("_", " ")}`)),
    ["parameters", String(parameters)],
    ["backend", threads === 1 ? String(backend) : `${backend}, ${threads} threads`],
    ...(seconds === undefined ? [] : [["seconds", formatNumber(Number(seconds))] as [string, string]]),
  ];
}

/** Each validation as a row. */
function validations(all: readonly Series[]): string {
  const validated = all.filter(({ name }) => name.startsWith("val_"));
  if (validated.length === 0) return "";
  const steps = [...new Set(validated.flatMap((series) => series.steps))].sort((a, b) => a - b);
  const rows = shortened(steps).map((step) => {
    if (step === undefined) return ["…", ...validated.map(() => "…")];
    const cell = ({ steps: own, values }: Series) => {
      const at = own.indexOf(step);
      return at < 0 ? "" : formatNumber(values[at]);
    };
    return [String(step), ...validated.map(cell)];
  });
  const head = ["step", ...validated.map(({ name }) => name.slice(4).replaceAll("_", " "))];
  return `<section><h2>Validations</h2>${table(head, rows, [...head.keys()])}</section>`;
}

/** A long list's first and last items; undefined stands for those between. */
function shortened<T>(items: readonly T[]): (T | undefined)[] {
  if (items.length <= mostRows + 1) return [...items];
  return [...items.slice(0, mostRows - lastRows), undefined, ...items.slice(-lastRows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[], numbers: readonly number[] = []): string {
  const kind = (i: number) => (numbers.includes(i) ? "number" : "break");
  const cells = (row: readonly string[], tag: "td" | "th") =>
    row.map((cell, i) => `<${tag} class="${kind(i)}">${escapeHtml(cell)}</${tag}>`).join("");
  return `<div class="wide"><table><thead><tr>${cells(head, "th")}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("")}</tbody></table></div>`;
}
