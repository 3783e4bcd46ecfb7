// The page of several runs: a table that sorts, curves over each other, settings and metric side by side, what groups came to over their seeds, steps to a target, the best settings.
import { type Column, escapeHtml, formatNumber, htmlPage, tableHtml } from "./html.ts";
import { type Overlaid, renderOverlaid } from "./overlaid.ts";
import { renderParallel } from "./parallel.ts";
import { pointsId, script } from "./picking.ts";
import {
  type GroupResult,
  groupText,
  isOver,
  moreSettings,
  type Results,
  type RunResult,
  reachedText,
  type Spread,
  settingText,
  shortNames,
  shownSetting,
  shownSettings,
  targetText,
  tiesOf,
  verifyCommands,
} from "./results.ts";
import { renderSpread, type SpreadRow } from "./spread.ts";
import { colourCount, runsStyle } from "./style.ts";

const style = `
.pill.stopped, .pill.missing { color: var(--soft); } .pill.running { color: var(--accent); }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; text-align: inherit; cursor: pointer; }
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
th button { font-weight: 600; white-space: nowrap; } th button::after { content: "↕"; opacity: .35; margin-left: 4px; }
th[aria-sort=ascending] button::after { content: "↑"; opacity: 1; } th[aria-sort=descending] button::after { content: "↓"; opacity: 1; }
.pick i { display: inline-block; width: 14px; height: 4px; border-radius: 2px; background: var(--c); margin-right: 6px; vertical-align: middle; }
.d1 i, .d2 i { background: repeating-linear-gradient(90deg, var(--c) 0 5px, transparent 5px 7px); } .d2 i { background: repeating-linear-gradient(90deg, var(--c) 0 2px, transparent 2px 4px); }
.d1 .line { stroke-dasharray: 7 3; } .d2 .line { stroke-dasharray: 2 3; }
.pick[aria-pressed=true] { text-decoration: underline; text-underline-offset: 3px; } .legend { gap: 4px 18px; margin: 0 0 12px; }
td.name { white-space: nowrap; } td.name button { max-width: 30em; overflow: hidden; text-overflow: ellipsis; } td .pill { padding: 0 8px; }
.overlaid .at { text-align: right; overflow-wrap: anywhere; min-height: 1.5em; }
.picked svg [data-run]:not(.on) { opacity: .1; } .picked svg .on .line { stroke-width: 2.6; } tr.on td { background: var(--code); }
.parallel { padding: 12px; } .parallel svg { max-width: none; margin: 0 auto; } .parallel .title { fill: var(--ink); font-size: 12px; font-weight: 600; } .parallel .line { opacity: .75; } .parallel text { font-size: 11px; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
.spread .label { fill: var(--ink); font-size: 11px; } .spread .box { stroke: var(--c); stroke-width: 9; opacity: .3; } .spread .median { stroke: var(--c); stroke-width: 2.4; }
.spread circle { fill-opacity: .75; stroke: var(--card); stroke-width: .8; } h3.table { margin-top: 18px; } .best pre { margin-top: 8px; } .notes { border-left: 3px solid var(--bad); padding-left: 12px; }
@media print { .chart { break-inside: avoid; } }
`;

/** Lines of at most so many runs are drawn, those of the best settings; at most so many settings have a key. */
const mostDrawn = 200;
const mostKeys = 24;

/** The page's text. `title`: what the runs are together. */
export function renderResults(results: Results, title: string): string {
  const { metrics, ranked, groups, notes } = results;
  const colours = coloursOf(results);
  const drawn = new Set(
    inOrder(results)
      .flatMap((i) => groups[i].runs)
      .slice(0, mostDrawn),
  );
  const colourOf = (run: number) => (drawn.has(run) ? colours.run[run] : undefined);
  const charts = metrics.flatMap((metric): [string, Overlaid][] => {
    const chart = renderOverlaid(results, metric, colourOf);
    return chart ? [[metric, chart]] : [];
  });
  const parallel = renderParallel(results, colourOf);
  const body = `<header><h1>${escapeHtml(title)}</h1><p class="soft">${escapeHtml(countsText(results))}</p></header>
${bestHtml(results)}
${notes.length > 0 ? `<div class="notes">${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join("")}</div>` : ""}
<section><h2>Runs</h2>${runsTable(results, colours)}</section>
<section><h2>Curves</h2>${drawn.size < results.runs.length ? `<p class="soft">Of the ${drawn.size} runs of the best settings</p>` : ""}${groups.length > 1 ? legend(results, colours) : ""}${charts.length > 0 ? `<div class="charts">${charts.map(([, { html }]) => html).join("\n")}</div>` : '<p class="soft">No run has taken a step yet.</p>'}</section>
${parallel ? `<section><h2>Settings and ${escapeHtml(results.ranking!.metric)}</h2>${parallel}</section>` : ""}
${ranked.length > 0 ? seedsHtml(results, colours) : ""}
${results.target ? targetHtml(results, colours) : ""}`;
  const points = Object.fromEntries(charts.map(([metric, chart]) => [metric, chart.points]));
  const data = JSON.stringify(points).replaceAll("<", "\\u003c");
  const scripts = `<script type="application/json" id="${pointsId}">${data}</script>\n<script>${script}</script>`;
  return htmlPage({ title: `${title} · seedgrad`, style: runsStyle + style, body, scripts });
}

/** Classes of lines: by run, and by group. The best groups have colours of their own; later ones share them, with other dashes. */
interface Colours {
  readonly run: readonly string[];
  readonly group: readonly string[];
}

/** The groups by rank, then those that have none. */
const inOrder = ({ groups, ranked }: Results): number[] => [
  ...ranked,
  ...[...groups.keys()].filter((i) => !ranked.includes(i)),
];

function coloursOf(results: Results): Colours {
  const group: string[] = [];
  inOrder(results).forEach((i, rank) => {
    group[i] = `s${rank % colourCount} d${Math.floor(rank / colourCount) % 3}`;
  });
  const run: string[] = [];
  results.groups.forEach(({ runs }, i) => {
    for (const each of runs) run[each] = group[i];
  });
  return { run, group };
}

function countsText({ runs, groups }: Results): string {
  const states = new Map<string, number>();
  for (const { state } of runs) states.set(state, (states.get(state) ?? 0) + 1);
  const most = groups.reduce((count, group) => Math.max(count, group.runs.length), 0);
  const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  return [
    plural(runs.length, "run"),
    `${plural(groups.length, "setting")}, ${most === 1 ? "one run each" : `up to ${most} seeds each`}`,
    ...[...states].map(([state, count]) => `${count} ${state}`),
  ].join(" · ");
}

function bestHtml(results: Results): string {
  const { ranking, ranked, groups } = results;
  if (!ranking || ranked.length === 0) return "";
  const best = groups[ranked[0]];
  const { median, lowerQuartile, upperQuartile, count } = best.metrics[ranking.metric].spread!;
  const commands = verifyCommands(results, best);
  const most = ranking.mode === "max" ? "greatest" : "least";
  const quartiles = `quartiles ${formatNumber(lowerQuartile)} to ${formatNumber(upperQuartile)}, of ${count} runs`;
  const ties = tiesOf(results);
  const shared = ties > 0 ? `; ${ties} other${ties === 1 ? " has" : "s have"} the same median` : "";
  const verified =
    commands.length > 0
      ? `<p class="soft">Made again, step by step, and compared:</p><pre>${escapeHtml(commands.join("\n"))}</pre>`
      : "";
  return `<div class="digest best"><div class="soft">best settings, by the ${most} median of ${escapeHtml(ranking.metric)}</div><code>${escapeHtml(groupText(results, best))}</code><p class="soft">${formatNumber(median)}, ${count === 1 ? "of one run" : quartiles}${shared}</p>${verified}</div>`;
}

/** A cell of the table that sorts: what it shows, and what it sorts by. */
interface Cell {
  readonly html: string;
  readonly value: string | number | undefined;
  readonly kind?: Column | "name";
}

const numberCell = (value: number | undefined): Cell => ({
  html: value === undefined ? "" : `<span title="${value}">${formatNumber(value)}</span>`,
  value,
  kind: "number",
});

/** A column's heading, and its cell of a run. */
type RunColumn = readonly [heading: string, cell: (run: RunResult, i: number) => Cell];

function runsTable(results: Results, colours: Colours): string {
  const { runs, metrics, target } = results;
  const shown = shownSettings(results);
  const settings = shown.keys;
  const names = shownNames(runs.map(({ name }) => name));
  const withBest = metrics.filter((metric) => runs.some((run) => run.metrics[metric]?.best !== undefined));
  const columns: RunColumn[] = [
    ["run", (run, i) => ({ html: runButton(names[i], run, i, colours.run[i]), value: names[i], kind: "name" })],
    ["state", ({ state, reason }) => ({ html: statePill(state, reason), value: state, kind: "text" })],
    ...shortNames(settings).map((heading, i): RunColumn => [heading, (run) => settingCell(run, settings[i])]),
    ["seed", ({ seed }) => ({ html: seed ?? "", value: seed, kind: "number" })],
    ["steps", ({ steps }) => numberCell(steps)],
    ...metrics.flatMap((metric): RunColumn[] => [
      [metric, (run) => numberCell(run.metrics[metric]?.last)],
      ...(withBest.includes(metric)
        ? ([
            ["best", (run) => numberCell(run.metrics[metric]?.best)],
            ["at step", (run) => numberCell(run.metrics[metric]?.bestStep)],
          ] satisfies RunColumn[])
        : []),
    ]),
    ...(target ? ([["to target", ({ targetStep }) => numberCell(targetStep)]] satisfies RunColumn[]) : []),
    ["seconds", ({ seconds }) => numberCell(seconds)],
    [
      "digest",
      ({ digest }) => ({
        html: digest ? `<span title="${digest}">${digest.slice(0, 16)}…</span>` : "",
        value: digest,
        kind: "code",
      }),
    ],
  ];
  const cells = runs.map((run, i) => columns.map(([, cell]) => cell(run, i)));
  const body = cells.map((row, i) => {
    const shown = row.map(
      ({ html, value, kind = "text" }) =>
        `<td class="${kind}" data-value="${escapeHtml(String(value ?? ""))}">${html}</td>`,
    );
    return `<tr data-run="${i}">${shown.join("")}</tr>`;
  });
  const head = columns.map(([heading], column) => {
    const isNumber = cells.some((row) => row[column].kind === "number");
    return `<th scope="col"${isNumber ? ' class="number"' : ""}><button type="button">${escapeHtml(heading)}</button></th>`;
  });
  return `<div class="wide" tabindex="0" role="region" aria-label="runs"><table class="sorts"><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>${moreSettings(
    shown,
  )
    .map((text) => `<p class="soft">${text}, which the CSV and JSON of these results have</p>`)
    .join("")}`;
}

const runButton = (shown: string, { folder }: RunResult, i: number, colour: string): string =>
  `<button type="button" class="pick ${colour}" aria-pressed="false" data-run="${i}" title="${escapeHtml(folder)}"><i></i>${escapeHtml(shown)}</button>`;

const statePill = (state: string, reason: string | undefined): string =>
  `<span class="pill ${state}"${reason === undefined ? "" : ` title="${escapeHtml(reason)}"`}>${state}</span>`;

function settingCell({ settings }: RunResult, key: string): Cell {
  const text = settingText(settings[key]);
  const short = shownSetting(settings[key]);
  const html =
    text.length > short.length ? `<span title="${escapeHtml(text)}">${escapeHtml(short)}</span>` : escapeHtml(text);
  return { html, value: text, kind: typeof settings[key] === "number" ? "number" : "text" };
}

/** Names without the folders that all of them are in. */
function shownNames(names: readonly string[]): string[] {
  const folders = names.map((name) => name.split("/").slice(0, -1));
  let common = 0;
  while (folders.every((folder) => common < folder.length && folder[common] === folders[0][common])) common++;
  return names.map((name) => name.split("/").slice(common).join("/"));
}

function legend(results: Results, colours: Colours): string {
  const order = inOrder(results);
  const more = order.length > mostKeys ? `<span>and ${order.length - mostKeys} more in the table</span>` : "";
  const keys = order.slice(0, mostKeys).map((i) => {
    const { runs } = results.groups[i];
    return `<button type="button" class="pick key ${colours.group[i]}" aria-pressed="false" data-runs="${escapeHtml(JSON.stringify(runs))}"><i></i>${escapeHtml(groupText(results, results.groups[i]))}</button>`;
  });
  return `<p class="keys legend">${keys.join("")}${more}</p>`;
}

const spreadCells = (spread: Spread | undefined, show: (value: number) => string): string[] =>
  spread
    ? [spread.median, spread.lowerQuartile, spread.upperQuartile, spread.least, spread.greatest].map(show)
    : ["", "", "", "", ""];
const quartileHeadings = ["median", "lower quartile", "upper quartile", "least", "greatest"];

/** A row of the drawing for a group, by the values of its runs. */
function spreadRow(
  results: Results,
  i: number,
  colours: Colours,
  spread: Spread | undefined,
  counted: (run: RunResult) => number | undefined,
): SpreadRow {
  const group = results.groups[i];
  const values = group.runs.flatMap((run) => {
    const value = counted(results.runs[run]);
    return value === undefined || Number.isNaN(value) ? [] : [{ run, name: results.runs[run].name, value }];
  });
  return { label: groupText(results, group), colour: colours.group[i], spread, values };
}

function seedsHtml(results: Results, colours: Colours): string {
  const { groups, metrics } = results;
  const { metric } = results.ranking!;
  const order = inOrder(results);
  const shown = [metric, ...metrics.filter((each) => each !== metric && each.startsWith("val_"))];
  const drawings = shown.map((each) =>
    renderSpread(
      each,
      order.map((i) => {
        const { values, spread } = groups[i].metrics[each];
        const byRun = new Map(groups[i].runs.map((run, at) => [results.runs[run], values[at]]));
        return spreadRow(results, i, colours, spread, (run) => finite(byRun.get(run)));
      }),
    ),
  );
  const rows = order.map((i) => {
    const { values, spread } = groups[i].metrics[metric];
    const each = values.map((value) => (value === undefined ? "–" : formatNumber(value))).join(", ");
    return [groupText(results, groups[i]), groups[i].runs.length, ...spreadCells(spread, formatNumber), each];
  });
  const head = ["settings", "runs", ...quartileHeadings, "of each run"];
  return `<section><h2>Over seeds</h2><p class="soft">Of each run its best validation, of a number without one its last value: bars from the lower to the upper quartile, a stroke at the median, a dot for each run. A quartile is at position (n − 1) · k ÷ 4 of the ascending values, on the straight line between two.</p>
<div class="charts">${drawings.join("\n")}</div><h3 class="table">${escapeHtml(metric)}</h3>${tableHtml(head, rows, groupColumns)}</section>`;
}

const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : undefined);
const groupColumns: Column[] = ["text", "number", "number", "number", "number", "number", "number", "text"];

function targetHtml(results: Results, colours: Colours): string {
  const { groups, runs, target } = results;
  const order = [...groups.keys()].sort((a, b) => medianSteps(groups[a]) - medianSteps(groups[b]) || a - b);
  const drawing = renderSpread(
    "steps",
    order.map((i) =>
      spreadRow(results, i, colours, groups[i].target!.spread, ({ targetStep, state }) => {
        if (targetStep !== undefined) return targetStep;
        return isOver(state) ? Number.POSITIVE_INFINITY : undefined;
      }),
    ),
  );
  const show = (value: number) => (value === Number.POSITIVE_INFINITY ? "not reached" : formatNumber(value));
  const rows = order.map((i) => {
    const { spread, score } = groups[i].target!;
    const cells = spreadCells(spread, show);
    return [
      groupText(results, groups[i]),
      reachedText(groups[i].target!),
      ...cells,
      score === undefined ? "–" : formatNumber(score),
    ];
  });
  const reached = runs.filter(({ targetStep }) => targetStep !== undefined).length;
  return `<section><h2>Steps to ${escapeHtml(targetText(target!))}</h2><p class="soft">Reached by ${reached} of ${runs.length} runs. The first validation at which it holds; a run that ended without it counts as infinitely slow. The mean, as MLPerf computes it, leaves out the fastest and the slowest run, and there is none where more than one missed the target.</p>
<div class="charts">${drawing}</div>${tableHtml(["settings", "reached", ...quartileHeadings, "mean (MLPerf)"], rows, targetColumns)}</section>`;
}

const targetColumns: Column[] = ["text", "text", "number", "number", "number", "number", "number", "number"];
const medianSteps = ({ target }: GroupResult): number => target?.spread?.median ?? Number.MAX_VALUE;
