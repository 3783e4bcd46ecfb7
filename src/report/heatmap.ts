// A confusion matrix as SVG text: a square for each pair of classes, as full as its share of the row's targets. Colours follow the page's light or dark mode.
import { escapeHtml, formatNumber } from "./html.ts";
import type { Series } from "./series.ts";

/** Counts by target and predicted class, as they were logged last. */
export interface Confusion {
  /** The metric's name, `val_confusion_matrix`. */
  readonly name: string;
  readonly step: number;
  /** A row for each target's class. */
  readonly counts: readonly (readonly number[])[];
}

const cellName = /^((?:.*_)?confusion_matrix)\/(\d+)\/(\d+)$/;

/** Whether a logged number is one of a confusion matrix's: drawn in it, and neither a curve nor a column of a table. */
export const isConfusionCell = (name: string): boolean => cellName.test(name);

/** The matrices among what was logged. */
export function confusionsOf(all: readonly Series[]): Confusion[] {
  const found = new Map<string, { step: number; counts: number[][] }>();
  for (const { name, steps, values } of all) {
    const [, matrix, target, predicted] = cellName.exec(name) ?? [];
    if (matrix === undefined) continue;
    const entry = found.get(matrix) ?? { step: 0, counts: [] };
    found.set(matrix, entry);
    entry.step = steps[steps.length - 1];
    entry.counts[Number(target)] ??= [];
    entry.counts[Number(target)][Number(predicted)] = values[values.length - 1];
  }
  return [...found].map(([name, entry]) => ({ name, ...entry }));
}

const size = 380;
const edge = 34;
/** Counts are written into the squares of at most so many classes. */
const mostWritten = 12;

/** One matrix as a figure: targets down, predictions across. */
export function renderConfusion({ name, step, counts }: Confusion): string {
  const classes = counts.length;
  const side = (size - edge) / classes;
  const every = Math.ceil(classes / 16);
  const parts: string[] = [];
  const text = (x: number, y: number, content: string, kind = "") =>
    parts.push(`<text class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(1)}">${escapeHtml(content)}</text>`);
  counts.forEach((row, target) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const y = edge + target * side;
    row.forEach((count, predicted) => {
      const share = total === 0 ? 0 : count / total;
      const x = edge + predicted * side;
      parts.push(
        `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${(side - 1).toFixed(1)}" height="${(side - 1).toFixed(1)}" fill-opacity="${(0.04 + 0.96 * share).toFixed(3)}"><title>target ${target}, predicted ${predicted}: ${formatNumber(count)} of ${formatNumber(total)}</title></rect>`,
      );
      if (classes <= mostWritten && count > 0)
        text(x + side / 2, y + side / 2 + 4, formatNumber(count), share > 0.5 ? "full" : "");
    });
    if (target % every === 0) {
      text(edge - 10, y + side / 2 + 4, String(target), "soft");
      text(edge + target * side + side / 2, edge - 8, String(target), "soft");
    }
  });
  text(edge + (size - edge) / 2, 12, "predicted", "soft");
  parts.push(
    `<text class="soft" transform="translate(10 ${(edge + (size - edge) / 2).toFixed(1)}) rotate(-90)">target</text>`,
  );
  const title = name.replace(/^val_/, "").replaceAll("_", " ");
  return `<figure class="chart confusion"><figcaption><h3>${escapeHtml(title)}</h3><span class="at">step ${step}</span></figcaption><svg viewBox="0 0 ${size} ${size}" role="img" aria-label="${escapeHtml(title)}">${parts.join("")}</svg></figure>`;
}

/** The rules of its squares and texts; colours are the report's. */
export const confusionStyle = `
.confusion rect { fill: var(--c0); } .confusion text { text-anchor: middle; fill: var(--ink); } .confusion .soft { fill: var(--soft); } .confusion .full { fill: var(--card); }
`;
