// One number of several runs, over each other: a line per run, in the colour of its settings.
import { cursor, gridOf, linearAxis, maximum, minimum, placesOf, round, size, valueAxis } from "./axes.ts";
import { escapeHtml } from "./html.ts";
import { isNoisy, type Point, pathOf, reduced, smoothed } from "./line.ts";
import type { Results } from "./results.ts";
import type { Series } from "./series.ts";

/** Columns of the drawing, in user units, that have two points at most: lines of many runs needn't be finer. */
const columnWidth = 2;
/** Points are marked on lines of so few, among so few runs. */
const mostMarked = { points: 30, runs: 24 };

/** A chart, and the values at the points of its lines, by run, in the order of the points: for the script that shows them. */
export interface Overlaid {
  readonly html: string;
  readonly points: Readonly<Record<number, readonly Point[]>>;
}

/** The chart of a metric; undefined where no run has it. `colourOf`: the class of a run's line; undefined of one that isn't drawn. */
export function renderOverlaid(
  { runs }: Results,
  metric: string,
  colourOf: (run: number) => string | undefined,
): Overlaid | undefined {
  const own = runs.flatMap(({ series }, run): { run: number; one: Series; noisy: boolean }[] => {
    const found = series.find(({ name }) => name === metric);
    if (!found || colourOf(run) === undefined) return [];
    const noisy = isNoisy(found);
    return [{ run, one: noisy ? smoothed(found) : found, noisy }];
  });
  const steps = own.flatMap(({ one }) => one.steps);
  if (steps.length === 0) return undefined;
  const [first, last] = [minimum(steps), maximum(steps)];
  const xAxis = linearAxis(first, last, 5);
  const yAxis = valueAxis(own.flatMap(({ one }) => one.values));
  const places = placesOf(xAxis, yAxis);
  const points: Record<number, readonly Point[]> = {};
  const lines = own.map(({ run, one }) => {
    const kept = reduced(one, places.x, columnWidth);
    points[run] = kept.map(([step, value]) => [step, Number(value.toPrecision(7))]);
    const marked = kept.length === 1 || (kept.length <= mostMarked.points && own.length <= mostMarked.runs);
    const dots = marked
      ? kept.map(([step, value]) => `<circle cx="${round(places.x(step))}" cy="${round(places.y(value))}" r="2"/>`)
      : [];
    return `<g class="${colourOf(run)}" data-run="${run}"><path class="line" d="${pathOf(kept, places)}"/>${dots.join("")}</g>`;
  });
  const note = own.some(({ noisy }) => noisy) ? "means over a fiftieth of the steps" : `step ${last}`;
  const label = `${metric} of ${own.length} runs up to step ${last}`;
  const html = `<figure class="chart overlaid" data-metric="${escapeHtml(metric)}">
<figcaption><h3>${escapeHtml(metric)}</h3><span class="at">${note}</span></figcaption>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(label)}">${gridOf(xAxis, yAxis)}${lines.join("")}${cursor}</svg>
</figure>`;
  return { html, points };
}
