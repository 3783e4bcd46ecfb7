// A series as a line: as many points as the drawing can show, without its noise where it has much.
import { maximum, minimum, type Places, round } from "./axes.ts";
import type { Series } from "./series.ts";

/** A step and a value. */
export type Point = readonly [step: number, value: number];

/** At most two points per column of the drawing so many units wide, its least and its greatest: nothing that stands out is lost. */
export function reduced({ steps, values }: Series, x: Places["x"], columnWidth = 1): Point[] {
  const columns = new Map<number, Point[]>();
  steps.forEach((step, i) => {
    if (!Number.isFinite(values[i])) return;
    const column = Math.floor(x(step) / columnWidth);
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
export function isNoisy({ values }: Series): boolean {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 100) return false;
  const range = maximum(finite) - minimum(finite);
  const changes = finite.slice(1).reduce((sum, value, i) => sum + Math.abs(value - finite[i]), 0);
  return changes > 4 * range;
}

/** The mean over a window of a fiftieth of the points: where a number goes, under its noise. */
export function smoothed(series: Series): Series {
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

/** A line through points, as a path's `d`. */
export const pathOf = (points: readonly Point[], { x, y }: Places): string =>
  points.map(([step, value], i) => `${i === 0 ? "M" : "L"}${round(x(step))} ${round(y(value))}`).join("");
