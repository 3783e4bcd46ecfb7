// The axes of charts, as SVG text: where a value lies, ticks at round numbers, and the grid.
import { log } from "../core/real.ts";
import { formatNumber } from "./html.ts";

/** A chart's size in user units; on a page a chart is about as wide, so that text stays readable. */
export const size = { width: 380, height: 210 };
/** Where the plot lies in it. */
export const plot = { left: 46, right: 364, top: 10, bottom: 184 };

/** One axis of a chart. */
export interface Axis {
  /** From a value to [0, 1]. */
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** The exponent of a number's decimal form. */
const exponentOf = (value: number) => Number(value.toExponential().split("e")[1]);

/** A linear axis with about `count` ticks at 1, 2 or 5 times a power of ten. */
export function linearAxis(low: number, high: number, count: number): Axis {
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

/** An axis for values, those that aren't finite aside: logarithmic where all are positive and two powers of ten apart. */
export function valueAxis(all: readonly number[]): Axis {
  const values = all.filter(Number.isFinite);
  const [low, high] = [minimum(values), maximum(values)];
  if (values.length === 0) return linearAxis(0, 1, 4);
  if (low > 0 && high / low >= 100) return logAxis(low, high);
  const margin = (high - low) * 0.04;
  return linearAxis(low - margin, high + margin, 4);
}

/** The greatest; −∞ of none. */
export const maximum = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
/** The least; ∞ of none. */
export const minimum = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
/** A coordinate, to a tenth. */
export const round = (value: number) => String(Math.round(value * 10) / 10);

/** Where a step and a value lie in the plot. */
export interface Places {
  readonly x: (step: number) => number;
  readonly y: (value: number) => number;
}

/** The places that two axes give. */
export const placesOf = (steps: Axis, values: Axis): Places => ({
  x: (step) => plot.left + steps.place(step) * (plot.right - plot.left),
  y: (value) => plot.bottom - values.place(value) * (plot.bottom - plot.top),
});

/** Grid lines and numbers: steps below, values at the left. */
export function gridOf(steps: Axis, values: Axis): string {
  const { x, y } = placesOf(steps, values);
  const lines = values.ticks.map((tick) => {
    const at = round(y(tick));
    return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${at}" y2="${at}"/><text x="${plot.left - 5}" y="${round(y(tick) + 4)}" text-anchor="end">${formatNumber(tick)}</text>`;
  });
  const below = steps.ticks
    .filter((tick) => Number.isInteger(tick))
    .map(
      (tick) => `<text x="${round(x(tick))}" y="${plot.bottom + 16}" text-anchor="middle">${formatNumber(tick)}</text>`,
    );
  return `<g class="axis">${lines.join("")}${below.join("")}</g>`;
}

/** The line that a script moves to the step that it shows. */
export const cursor = `<line class="cursor" y1="${plot.top}" y2="${plot.bottom}" x1="0" x2="0"/>`;
