// Curves that grow while a training runs: one chart, some series over steps.
import uPlot from "uplot";
import { formatNumber } from "../report/html.ts";

/** Each has its colour, a name in the page's style. */
type Label = "training" | "validation";

interface Series {
  readonly label: Label;
  readonly steps: number[];
  readonly values: number[];
}

/** More points than this are thinned, every other one: a chart isn't wider. */
const most = 4000;
const height = 210;

/** Colours as the page's style names them. */
const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The value under the pointer; the last one where it isn't on the chart. */
const shown = (value: number | null | undefined, values: readonly number[]) => formatNumber(value ?? values.at(-1)!);

/** What an axis shows. One point alone stands at the right end of the steps, in the middle of its height. */
const steps = ({ data: [all] }: uPlot, first: number, last: number): [number, number] =>
  all.length === 1 ? [0, all[0]] : [first, last];
function heights(_: uPlot, low: number, high: number): [number, number] {
  if (low !== high) return uPlot.rangeNum(low, high, 0.1, true) as [number, number];
  const around = Math.abs(low) / 20 || 1;
  return [low - around, low + around];
}

/** A chart in an element, as wide as that. Its series come with their first points. */
export class Curves {
  readonly #place: HTMLElement;
  readonly #title: string;
  readonly #series: Series[] = [];
  #plot: uPlot | undefined;
  #drawing = 0;

  constructor(place: HTMLElement, title: string) {
    this.#place = place;
    this.#title = title;
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#renew());
  }

  /** Forgets every point. */
  clear(): void {
    this.#series.length = 0;
    this.#renew();
  }

  /** Adds a point. Steps of one series ascend. */
  add(label: Label, step: number, value: number): void {
    let series = this.#series.find((one) => one.label === label);
    if (!series) {
      series = { label, steps: [], values: [] };
      this.#series.push(series);
      this.#renew();
    }
    const { steps, values } = series;
    if (steps.length >= most) {
      for (const list of [steps, values]) list.splice(0, list.length, ...list.filter((_, i) => i % 2 === 0));
    }
    steps.push(step);
    values.push(value);
    if (this.#drawing === 0) this.#drawing = requestAnimationFrame(() => this.#draw());
  }

  /** The last value of each series, for whoever can't see the chart. */
  #describe(): void {
    const last = this.#series.map(({ label, values }) => `${label} ${formatNumber(values.at(-1)!)}`);
    this.#place.setAttribute("aria-label", `${this.#title} over steps: ${last.join(", ") || "nothing yet"}`);
  }

  #draw(): void {
    this.#drawing = 0;
    this.#describe();
    this.#plot?.setData(this.#aligned());
  }

  #aligned(): uPlot.AlignedData {
    if (this.#series.length === 0) return [[]];
    return uPlot.join(this.#series.map(({ steps, values }) => [steps, values]));
  }

  #renew(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#describe();
    if (this.#series.length === 0) return;
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const numbers = (_: uPlot, splits: number[]) => splits.map(formatNumber);
    this.#plot = new uPlot(
      {
        width: this.#place.clientWidth,
        height,
        scales: { x: { time: false, range: steps }, y: { range: heights } },
        axes: [axis, { ...axis, size: 56, values: numbers }],
        legend: { live: true },
        cursor: { drag: { x: false, y: false } },
        series: [
          { label: "step", value: (_: uPlot, value: number | null) => shown(value, this.#series[0].steps) },
          ...this.#series.map(({ label, values }) => ({
            label,
            stroke: colour(`--${label}`),
            width: 1.5,
            spanGaps: true,
            // Validations are few: a line of one point is none.
            points: { show: label === "validation" },
            value: (_: uPlot, value: number | null) => shown(value, values),
          })),
        ],
      },
      this.#aligned(),
      this.#place,
    );
  }
}
