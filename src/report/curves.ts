// One chart of logged numbers as SVG text: axes, grid, one line per series. It needs no script; a script may add the readout.
import { cursor, gridOf, linearAxis, maximum, minimum, placesOf, plot, round, size, valueAxis } from "./axes.ts";
import { escapeHtml, formatNumber } from "./html.ts";
import { isNoisy, pathOf, reduced, smoothed } from "./line.ts";
import type { ChartGroup, Series } from "./series.ts";

/** Lines more than this are told of, not drawn. */
const mostLines = 8;

/** A chart with its legend, as HTML. `number`: its own on the page. */
export function renderChart({ title, series: all }: ChartGroup, number: number): string {
  const series = all.slice(0, mostLines);
  const steps = series.flatMap((one) => one.steps);
  const [firstStep, lastStep] = [minimum(steps), maximum(steps)];
  const xAxis = linearAxis(firstStep, lastStep, 5);
  const yAxis = valueAxis(series.flatMap(({ values }) => values));
  const places = placesOf(xAxis, yAxis);
  const { x, y } = places;
  const path = (one: Series, kind: string) => {
    const points = reduced(one, x);
    const dots =
      points.length <= 30
        ? points.map(([step, value]) => `<circle cx="${round(x(step))}" cy="${round(y(value))}" r="2.2"/>`).join("")
        : "";
    return `<path class="${kind}" d="${pathOf(points, places)}"/>${kind === "noise" ? "" : dots}`;
  };
  const lines = series.map((one, i) => {
    const noisy = isNoisy(one);
    return `<g class="s${i}">${noisy ? path(one, "noise") : ""}${path(noisy ? smoothed(one) : one, "line")}</g>`;
  });
  const keys = series.map((one, i) => {
    const value = one.values[one.values.length - 1];
    return `<span class="key s${i}"><i></i>${escapeHtml(shortName(one.name, title))} <b>${formatNumber(value)}</b></span>`;
  });
  const more =
    all.length > mostLines ? `<span class="key">and ${all.length - mostLines} more in metrics.csv</span>` : "";
  const label = `${title}: ${series.map((one) => `${one.name} ${formatNumber(one.values[one.values.length - 1])}`).join(", ")} at step ${lastStep}`;
  return `<figure class="chart" data-chart="${number}" data-names="${escapeHtml(JSON.stringify(series.map((one) => one.name)))}" data-from="${firstStep}" data-to="${lastStep}">
<figcaption><h3>${escapeHtml(title)}</h3><span class="at">step ${lastStep}</span></figcaption>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(label)}">${gridOf(xAxis, yAxis)}${lines.join("")}${cursor}</svg>
<p class="keys">${keys.join("")}${more}</p>
</figure>`;
}

/** Where the plot lies in the drawing, for the script that shows values. */
export const plotBox = { width: size.width, left: plot.left, right: plot.right };

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
