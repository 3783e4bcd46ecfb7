// Values over seeds as a drawing: for each group of runs a bar from the lower to the upper quartile, a stroke at the median, and a dot per run.
import { linearAxis, maximum, minimum, round, valueAxis } from "./axes.ts";
import { escapeHtml, formatNumber } from "./html.ts";
import type { Spread } from "./results.ts";

const width = 380;
const left = 12;
/** Where the axis ends, and where dots of values lie that are infinite: steps that weren't reached. */
const ends = { finite: { right: 362, beyond: 362 }, infinite: { right: 286, beyond: 336 } };
const rowHeight = 40;
/** Groups more than this are in the table alone. */
const mostRows = 24;

/** A group of runs. */
export interface SpreadRow {
  readonly label: string;
  /** The class of its colour. */
  readonly colour: string;
  readonly spread?: Spread;
  readonly values: readonly { readonly run: number; readonly name: string; readonly value: number }[];
}

/** The drawing of a metric's rows, in their order. `title`: what the values are. */
export function renderSpread(title: string, rows: readonly SpreadRow[]): string {
  const shown = rows.slice(0, mostRows);
  const finite = shown.flatMap(({ values }) => values.map(({ value }) => value)).filter(Number.isFinite);
  const axis = finite.length > 0 ? valueAxis(finite) : linearAxis(0, 1, 4);
  const hasBeyond = shown.some(({ values }) => values.some(({ value }) => value === Number.POSITIVE_INFINITY));
  const { right, beyond } = hasBeyond ? ends.infinite : ends.finite;
  const x = (value: number) => (Number.isFinite(value) ? left + axis.place(value) * (right - left) : beyond);
  const height = rowHeight * shown.length + 26;
  const below = height - 8;
  const grid = axis.ticks.map(
    (tick) =>
      `<line class="grid" x1="${round(x(tick))}" x2="${round(x(tick))}" y1="2" y2="${height - 22}"/><text x="${round(x(tick))}" y="${below}" text-anchor="middle">${formatNumber(tick)}</text>`,
  );
  const drawn = shown.map(({ label, colour, spread, values }, i) => {
    const middle = i * rowHeight + 28;
    const box = spread
      ? `<line class="box" x1="${round(x(spread.lowerQuartile))}" x2="${round(x(spread.upperQuartile))}" y1="${middle}" y2="${middle}"/><line class="median" x1="${round(x(spread.median))}" x2="${round(x(spread.median))}" y1="${middle - 9}" y2="${middle + 9}"/>`
      : "";
    const dots = values.map(
      ({ run, name, value }) =>
        `<circle data-run="${run}" cx="${round(x(value))}" cy="${middle}" r="3.4"><title>${escapeHtml(name)}: ${Number.isFinite(value) ? value : "not reached"}</title></circle>`,
    );
    return `<g class="${colour}"><text class="label" x="${left}" y="${middle - 12}">${escapeHtml(clipped(label))}</text>${box}${dots.join("")}</g>`;
  });
  const far = hasBeyond ? `<text x="${beyond}" y="${below}" text-anchor="middle">not reached</text>` : "";
  const more = rows.length > mostRows ? `<p class="keys">and ${rows.length - mostRows} more in the table</p>` : "";
  const range = finite.length > 0 ? `, ${formatNumber(minimum(finite))} to ${formatNumber(maximum(finite))}` : "";
  return `<figure class="chart spread"><figcaption><h3>${escapeHtml(title)}</h3></figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)} of ${rows.length} groups${range}">${grid.join("")}${far}${drawn.join("")}</svg>${more}</figure>`;
}

const clipped = (text: string): string => (text.length > 56 ? `${text.slice(0, 55)}…` : text);
