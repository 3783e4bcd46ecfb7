// A run's report: curves, what the run was made of, its digest, and who drew which random numbers.
import { type LedgerRow, ledgerRange } from "../run/ledger.ts";
import type { Manifest } from "../run/manifest.ts";
import { renderChart } from "./curves.ts";
import { confusionStyle, confusionsOf, isConfusionCell, renderConfusion } from "./heatmap.ts";
import { escapeHtml, formatNumber, htmlPage, tableHtml } from "./html.ts";
import { script } from "./readout.ts";
import { type Figure, sampleStyle } from "./samples.ts";
import { groupSeries, type Series, type SeriesStore } from "./series.ts";
import { runsStyle } from "./style.ts";

/** What a report is made from. */
export interface ReportParts {
  /** The run's folder, as given. */
  readonly directory: string;
  readonly manifest: Manifest;
  /** The config file's name and text. */
  readonly config: { readonly name: string; readonly text: string };
  readonly series: SeriesStore;
  /** What the model made last, by name. */
  readonly samples: ReadonlyMap<string, Figure>;
  readonly ledger: readonly LedgerRow[];
  readonly parameters: number;
  /** Optimizer steps taken, and in the whole run. */
  readonly step: number;
  readonly totalSteps: number;
}

const style = `
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 10px; margin: 0; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 9px 13px; min-width: 0; }
.cards dt { color: var(--soft); font-size: .78rem; }
.cards dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.noise { fill: none; stroke: var(--c); stroke-width: 1; opacity: .28; }
@media print { .chart, .cards div { break-inside: avoid; } }
`;

/** Rows of a long table that are shown: so many first ones, and the last few. */
const mostRows = 24;
const lastRows = 4;

/** Where the series are in the page, for a run that goes on to read them back. */
const seriesTag = '<script type="application/json" id="series">';

/** The page's text. */
export function renderReport(parts: ReportParts): string {
  const { directory, manifest, config, series, samples, step, totalSteps } = parts;
  const name = directory.split(/[/\\]/).filter(Boolean).at(-1) ?? directory;
  const confusions = confusionsOf(series.list()).map(renderConfusion);
  const drawn = series.list().filter(({ name }) => !isConfusionCell(name));
  const charts = groupSeries(drawn).map(renderChart);
  const { result, seed, seedGiven, graphs, data, environment } = manifest;
  const body = `<header><div class="head"><h1>${escapeHtml(name)}</h1><span class="pill ${manifest.status}">${manifest.status}</span></div>
<p class="soft">step ${step} of ${totalSteps}${result?.stopped ? ` · ${escapeHtml(result.stopped)}` : ""} · seed ${seed}${seedGiven ? "" : " (drawn)"} · ${escapeHtml(manifest.numericsId)}</p></header>
${digest(parts)}
<dl class="cards">${cards(parts)
    .map(([term, value]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd></div>`)
    .join("")}</dl>
<section><h2>Curves</h2>${charts.length > 0 ? `<div class="charts">${charts.join("\n")}</div>` : '<p class="soft">Nothing has been logged yet.</p>'}</section>
${confusions.length > 0 ? `<section><h2>Confusion</h2><p class="soft">Targets down, predictions across; a square is as full as its share of the row</p><div class="charts">${confusions.join("\n")}</div></section>` : ""}
${samples.size > 0 ? `<section><h2>Samples</h2><p class="soft">What the model made</p><div class="charts">${[...samples.values()].map(({ html }) => html).join("\n")}</div></section>` : ""}
${validations(drawn)}
<section><h2>Config</h2><p class="soft">${escapeHtml(config.name)}, as it took effect, defaults included</p><pre>${escapeHtml(config.text)}</pre></section>
<section><h2>Ledger of draws</h2><p class="soft">Who owns which part of the seed's one stream of random numbers</p>${tableHtml(
    ["draws", "count", "owner"],
    shortened(parts.ledger).map((row) =>
      row ? [ledgerRange(row), String(row.count), row.owner] : ["…", "…", `${parts.ledger.length - mostRows} more`],
    ),
    ["wrap", "number"],
  )}</section>
<section><h2>Graphs and data</h2>${tableHtml(
    ["what", "SHA-256"],
    [
      ...Object.entries(graphs).map(([role, hash]) => [`graph ${role}`, hash]),
      ...Object.entries(data).map(([field, hash]) => [`data ${field}`, hash]),
    ],
  )}</section>
<section><h2>Environment</h2><p class="soft">For information: no bit of the run depends on it</p>${tableHtml(
    ["what", "value"],
    Object.entries(environment).map(([key, value]) => [key, typeof value === "number" ? formatNumber(value) : value]),
  )}</section>`;
  const scripts = `${seriesTag}${series.serialize()}</script>\n<script>${script}</script>`;
  return htmlPage({
    title: `${name} · seedgrad run`,
    style: runsStyle + style + confusionStyle + sampleStyle,
    body,
    scripts,
  });
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
  const validated = [...latest.keys()].filter((name) => name.startsWith("val_") && !isConfusionCell(name));
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
  return `<section><h2>Validations</h2>${tableHtml(
    head,
    rows,
    head.map(() => "number"),
  )}</section>`;
}

/** A long list's first and last items; undefined stands for those between. */
function shortened<T>(items: readonly T[]): (T | undefined)[] {
  if (items.length <= mostRows + 1) return [...items];
  return [...items.slice(0, mostRows - lastRows), undefined, ...items.slice(-lastRows)];
}
