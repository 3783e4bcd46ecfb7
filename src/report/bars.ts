// Bar charts as SVG text, colours that follow the reader's light or dark mode.
import { escapeHtml } from "./html.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Written behind the bar. */
  readonly text: string;
  /** What it belongs to; bars of one kind have one colour. */
  readonly kind: string;
}

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** By kind: the colour on light and on dark ground. */
export type BarColours = Readonly<Record<string, readonly [string, string]>>;

/** Style rules for the charts' classes, for light and dark. */
export function barStyle(colours: BarColours): string {
  const rules = (side: 0 | 1, ink: string, soft: string) =>
    `.bars text{fill:${ink}}.bars .soft{fill:${soft}}${Object.entries(colours)
      .map(([kind, pair]) => `.${kind}{fill:${pair[side]}}`)
      .join("")}`;
  return `.bars text{font:12px system-ui,sans-serif}.bars .title{font-weight:600}${rules(0, "#1c1e21", "#60656e")}@media (prefers-color-scheme:dark){${rules(1, "#e7e9ec", "#9aa1ab")}}`;
}

const width = 440;
const labelWidth = 116;
const textWidth = 64;
const barHeight = 14;
const rowHeight = 18;
const titleHeight = 24;
const gap = 10;

/** Groups of horizontal bars, each group with a scale of its own from 0. `style`: rules inside it, for a file of its own. */
export function barChart(title: string, groups: readonly BarGroup[], style?: string): string {
  const parts: string[] = [];
  let y = 4;
  for (const { title: heading, bars } of groups) {
    const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
    parts.push(`<text class="title" x="0" y="${y + 14}">${escapeHtml(heading)}</text>`);
    y += titleHeight;
    for (const { label, value, text, kind } of bars) {
      const length = Math.max(1, (value / most) * (width - labelWidth - textWidth));
      const middle = y + barHeight - 3;
      parts.push(
        `<text x="${labelWidth - 6}" y="${middle}" text-anchor="end">${escapeHtml(label)}</text>`,
        `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
        `<text class="soft" x="${(labelWidth + length + 6).toFixed(1)}" y="${middle}">${escapeHtml(text)}</text>`,
      );
      y += rowHeight;
    }
    y += gap;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" class="bars" viewBox="0 0 ${width} ${y}" role="img" aria-label="${escapeHtml(title)}">${style === undefined ? "" : `<style>${style}</style>`}${parts.join("")}</svg>`;
}
