// Parallel coordinates: an axis per setting and one for a metric, a line per run. Where lines of one colour end high and close together, settings are good and seeds matter little.
import { type Axis, linearAxis, round, valueAxis } from "./axes.ts";
import { escapeHtml, formatNumber } from "./html.ts";
import { countedValue, type Results, type Setting, settingText, shortNames, shownSettings } from "./results.ts";

const top = 52;
const bottom = 248;
const height = 266;
const margin = { left: 70, right: 90 };
/** Distance of two axes: they fill a page of some width, and keep apart. */
const widest = 1080;
const gaps = { least: 120, greatest: 260 };
/** How far apart lines are at most that go through one place. */
const beside = 20;
/** An axis has a place for each value where there are so few. */
const mostPlaces = 10;

interface Scale {
  readonly title: string;
  /** Whether many runs have one place. */
  readonly isShared: boolean;
  /** Height of a run's value in the drawing; undefined where it has none. */
  readonly y: (run: number) => number | undefined;
  readonly ticks: readonly (readonly [y: number, text: string])[];
}

const down = (place: number): number => bottom - place * (bottom - top);

/** Places one above the other: numbers ascending, then words in the order in which they come. */
function ordinal(title: string, values: readonly (Setting | undefined)[]): Scale {
  const texts = values.map((value) => settingText(value) || "–");
  const isNumber = new Map(texts.map((text, i) => [text, typeof values[i] === "number"]));
  const distinct = [...new Set(texts)];
  const numbers = distinct.filter((text) => isNumber.get(text)).sort((a, b) => Number(a) - Number(b));
  const places = [...numbers, ...distinct.filter((text) => !isNumber.get(text))];
  const y = (text: string) => down(places.length === 1 ? 0.5 : places.indexOf(text) / (places.length - 1));
  return { title, isShared: true, y: (run) => y(texts[run]), ticks: places.map((text) => [y(text), text]) };
}

function numeric(title: string, values: readonly (number | undefined)[], axis: Axis, isInverted = false): Scale {
  const place = (value: number) => down(isInverted ? 1 - axis.place(value) : axis.place(value));
  const y = (run: number) => {
    const value = values[run];
    return value === undefined || !Number.isFinite(value) ? undefined : place(value);
  };
  return { title, isShared: false, y, ticks: axis.ticks.map((tick) => [place(tick), formatNumber(tick)]) };
}

function settingScale(title: string, values: readonly (Setting | undefined)[]): Scale {
  const numbers = values.filter((value) => typeof value === "number");
  const isOrdinal = numbers.length < values.length || new Set(numbers).size <= mostPlaces;
  return isOrdinal ? ordinal(title, values) : numeric(title, numbers, valueAxis(numbers));
}

/** The drawing; undefined without settings or a number to rank by. `colourOf`: the class of a run's line; undefined of one that isn't drawn. */
export function renderParallel(results: Results, colourOf: (run: number) => string | undefined): string | undefined {
  const { runs, groups, ranking } = results;
  const { keys: settings } = shownSettings(results);
  if (!ranking || settings.length === 0) return undefined;
  const { metric, mode } = ranking;
  const names = shortNames(settings);
  const values = runs.map((run) => countedValue(run.metrics[metric]));
  const finite = values.filter((value) => value !== undefined && Number.isFinite(value)) as number[];
  const axis = finite.length > 0 ? valueAxis(finite) : linearAxis(0, 1, 4);
  // What is better is above.
  const scales = [
    ...settings.map((key, i) =>
      settingScale(
        names[i],
        runs.map((run) => run.settings[key]),
      ),
    ),
    numeric(`${metric}${mode === "min" ? " (less is better)" : ""}`, values, axis, mode === "min"),
  ];
  const gap = Math.min(
    gaps.greatest,
    Math.max(gaps.least, (widest - margin.left - margin.right) / (scales.length - 1)),
  );
  const x = (i: number) => margin.left + i * gap;
  const width = Math.ceil(x(scales.length - 1) + margin.right);
  const axes = scales.map(({ title, ticks }, i) => {
    const isLast = i === scales.length - 1;
    const texts = ticks.map(
      ([y, text]) =>
        `<text x="${x(i) + (isLast ? 8 : -8)}" y="${round(y + 4)}" text-anchor="${isLast ? "start" : "end"}">${escapeHtml(clipped(text))}</text>`,
    );
    return `<line class="grid" x1="${x(i)}" x2="${x(i)}" y1="${top}" y2="${bottom}"/><text class="title" x="${x(i)}" y="${top - 28}" text-anchor="middle">${escapeHtml(title)}</text>${texts.join("")}`;
  });
  const aside = asides(groups);
  const lines = runs.map((run, i) => {
    const colour = colourOf(i);
    if (colour === undefined) return "";
    const points = scales.flatMap(({ y, isShared }, at) => {
      const height = y(i);
      return height === undefined ? [] : [`${x(at)} ${round(isShared ? height + aside[i] : height)}`];
    });
    return `<g class="${colour}" data-run="${i}"><path class="line" d="M${points.join("L")}"><title>${escapeHtml(run.name)}</title></path></g>`;
  });
  return `<div class="wide chart parallel" tabindex="0" role="region" aria-label="settings and ${escapeHtml(metric)}"><svg viewBox="0 0 ${width} ${height}" style="width:${width}px" role="img" aria-label="settings and ${escapeHtml(metric)} of ${runs.length} runs">${lines.join("")}${axes.join("")}</svg></div>`;
}

/** How far each run's line is moved at a place that many share: lines of different settings lie beside each other. */
function asides(groups: Results["groups"]): number[] {
  const found: number[] = [];
  groups.forEach(({ runs }, i) => {
    for (const run of runs) found[run] = groups.length === 1 ? 0 : (i / (groups.length - 1) - 0.5) * beside;
  });
  return found;
}

const clipped = (text: string): string => (text.length > 12 ? `${text.slice(0, 11)}…` : text);
