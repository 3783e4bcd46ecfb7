// One chart of logged numbers as SVG text: axes, grid, one line per series. It needs no script; a script may add the readout.
import { log } from "../core/real.ts";
import { escapeHtml, formatNumber } from "./html.ts";
import type { ChartGroup, Series } from "./series.ts";

/** Size in user units; on a page a chart is about as wide, so that text stays readable. */
const width = 380;
const height = 210;
const plot = { left: 46, right: 364, top: 10, bottom: 184 };
/** Lines more than this are told of, not drawn. */
const mostLines = 8;

interface Axis {
  /** From a value to [0, 1]. */
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** The exponent of a number's decimal form. */
const exponentOf = (value: number) => Number(value.toExponential().split("e")[1]);

function linearAxis(low: number, high: number, count: number): Axis {
  const range = high - low || Math.abs(high) || 1;
  const [from, to] = high === low ? [low - range / 2, high + range / 2] : [low, high];
  const rough = (to - from) / count;
  const unit = Number(`1e${exponentOf(rough)}`);
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((size) => size >= rough * 0.999)!;
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to + step * 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return { place: (value) => (value - from) / (to - from), ticks };
}

function logAxis(low: number, high: number): Axis {
  const [from, to] = [log(low), log(high)];
  const ticks: number[] = [];
  const [first, last] = [exponentOf(low), exponentOf(high)];
  const every = Math.max(1, Math.ceil((last - first) / 4));
  for (let exponent = first; exponent <= last; exponent += every) {
    for (const factor of last - first <= 2 ? [1, 3] : [1]) {
      const tick = factor * Number(`1e${exponent}`);
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return { place: (value) => (log(value) - from) / (to - from), ticks };
}

/** A logarithmic axis where all values are positive and two powers of ten apart. */
function valueAxis(series: readonly Series[]): Axis {
  const values = series.flatMap((one) => one.values.filter(Number.isFinite));
  const [low, high] = [minimum(values), maximum(values)];
  if (values.length === 0) return linearAxis(0, 1, 4);
  if (low > 0 && high / low >= 100) return logAxis(low, high);
  const margin = (high - low) * 0.04;
  return linearAxis(low - margin, high + margin, 4);
}

const maximum = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
const minimum = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const round = (value: number) => String(Math.round(value * 10) / 10);

/** At most two points a pixel column, its least and its greatest: nothing that stands out is lost. */
function reduced({ steps, values }: Series, x: (step: number) => number): [number, number][] {
  const columns = new Map<number, [number, number][]>();
  steps.forEach((step, i) => {
    if (!Number.isFinite(values[i])) return;
    const column = Math.floor(x(step));
    const known = columns.get(column);
    if (known) known.push([step, values[i]]);
    else columns.set(column, [[step, values[i]]]);
  });
  return [...columns.values()].flatMap((points) => {
    if (points.length <= 2) return points;
    const least = points.reduce((a, b) => (b[1] < a[1] ? b : a));
    const greatest = points.reduce((a, b) => (b[1] > a[1] ? b : a));
    return least === greatest ? [least] : [least, greatest].sort((a, b) => a[0] - b[0]);
  });
}

/** Whether a long series goes up and down more than it goes anywhere. */
function isNoisy({ values }: Series): boolean {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 100) return false;
  const range = maximum(finite) - minimum(finite);
  const changes = finite.slice(1).reduce((sum, value, i) => sum + Math.abs(value - finite[i]), 0);
  return changes > 4 * range;
}

/** The mean over a window of a fiftieth of the points: where a number goes, under its noise. */
function smoothed(series: Series): Series {
  const kept = series.values.map(Number.isFinite);
  const steps = series.steps.filter((_, i) => kept[i]);
  const values = series.values.filter((_, i) => kept[i]);
  const half = Math.floor(values.length / 100);
  const sums = [0];
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  const means = values.map((_, i) => {
    const [from, to] = [Math.max(0, i - half), Math.min(values.length, i + half + 1)];
    return (sums[to] - sums[from]) / (to - from);
  });
  return { name: series.name, steps, values: means };
}

/** A chart with its legend, as HTML. `number`: its own on the page. */
export function renderChart({ title, series: all }: ChartGroup, number: number): string {
  const series = all.slice(0, mostLines);
  const steps = series.flatMap((one) => one.steps);
  const [firstStep, lastStep] = [minimum(steps), maximum(steps)];
  const xAxis = linearAxis(firstStep, lastStep, 5);
  const yAxis = valueAxis(series);
  const x = (step: number) => plot.left + xAxis.place(step) * (plot.right - plot.left);
  const y = (value: number) => plot.bottom - yAxis.place(value) * (plot.bottom - plot.top);
  const path = (one: Series, kind: string) => {
    const points = reduced(one, x);
    const d = points.map(([step, value], i) => `${i === 0 ? "M" : "L"}${round(x(step))} ${round(y(value))}`).join("");
    const dots =
      points.length <= 30
        ? points.map(([step, value]) => `<circle cx="${round(x(step))}" cy="${round(y(value))}" r="2.2"/>`).join("")
        : "";
    return `<path class="${kind}" d="${d}"/>${kind === "noise" ? "" : dots}`;
  };
  const lines = series.map((one, i) => {
    const noisy = isNoisy(one);
    return `<g class="s${i}">${noisy ? path(one, "noise") : ""}${path(noisy ? smoothed(one) : one, "line")}</g>`;
  });
  const grid = yAxis.ticks.map((tick) => {
    const at = round(y(tick));
    return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${at}" y2="${at}"/><text x="${plot.left - 5}" y="${round(y(tick) + 4)}" text-anchor="end">${formatNumber(tick)}</text>`;
  });
  const below = xAxis.ticks
    .filter((tick) => Number.isInteger(tick))
    .map(
      (tick) => `<text x="${round(x(tick))}" y="${plot.bottom + 16}" text-anchor="middle">${formatNumber(tick)}</text>`,
    );
  const keys = series.map((one, i) => {
    const value = one.values[one.values.length - 1];
    return `<span class="key s${i}"><i></i>${escapeHtml(shortName(one.name, title))} <b>${formatNumber(value)}</b></span>`;
  });
  const more =
    all.length > mostLines ? `<span class="key">and ${all.length - mostLines} more in metrics.csv</span>` : "";
  const label = `${title}: ${series.map((one) => `${one.name} ${formatNumber(one.values[one.values.length - 1])}`).join(", ")} at step ${lastStep}`;
  return `<figure class="chart" data-chart="${number}" data-names="${escapeHtml(JSON.stringify(series.map((one) => one.name)))}" data-from="${firstStep}" data-to="${lastStep}">
<figcaption><h3>${escapeHtml(title)}</h3><span class="at">step ${lastStep}</span></figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}"><g class="axis">${grid.join("")}${below.join("")}</g>${lines.join("")}<line class="cursor" y1="${plot.top}" y2="${plot.bottom}" x1="0" x2="0"/></svg>
<p class="keys">${keys.join("")}${more}</p>
</figure>`;
}

/** Where the plot lies in the drawing, for the script that shows values. */
export const plotBox = { width, left: plot.left, right: plot.right };

/** A series' name without what its chart's title says already. */
function shortName(name: string, title: string): string {
  const [kind, rest] = title.split(": ");
  const [head, second, ...more] = name.split("/");
  if (rest === undefined) {
    if (name.startsWith("val_")) return "validation";
    return name === "loss" ? "training" : name.replaceAll("_", " ");
  }
  if (kind === "optimizer") return `group ${second}`;
  if (name.endsWith("_average")) return "average";
  if (more.length > 0) return more.join("/");
  return head === kind ? second.replaceAll("_", " ") : name.replaceAll("_", " ");
}
