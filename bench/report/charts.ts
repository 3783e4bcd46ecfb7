// Bar charts as SVG text: no script, no dependency, colours that follow the reader's light or dark mode.

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Written behind the bar. */
  readonly text: string;
  /** What it belongs to; bars of one kind have one colour. */
  readonly kind: Kind;
}

export type Kind = "wasm" | "other" | "pytorch" | "peer" | "host";

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** Colours on light and on dark ground. */
const colours: Readonly<Record<Kind, readonly [string, string]>> = {
  wasm: ["#0b6e4f", "#3ecf9a"],
  other: ["#7a8b99", "#8fa3b3"],
  pytorch: ["#c2501a", "#ff8f57"],
  peer: ["#4a5fc1", "#93a5ff"],
  host: ["#8a6d1d", "#e0b84c"],
};

export const kindNames: Readonly<Record<Kind, string>> = {
  wasm: "seedgrad wasm",
  other: "seedgrad, other backends",
  pytorch: "PyTorch",
  peer: "tfjs, jax-js, gpu.js",
  host: "host",
};

/** Text that is safe inside markup. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]!);
}

/** Style rules for the charts' classes, for light and dark. */
export function chartStyle(): string {
  const kinds = Object.entries(colours);
  const rules = (side: 0 | 1, ink: string, faint: string) =>
    `text{fill:${ink}}.faint{fill:${faint}}${kinds.map(([kind, pair]) => `.${kind}{fill:${pair[side]}}`).join("")}`;
  return `text{font:12px system-ui,sans-serif}.title{font-weight:600}${rules(0, "#1c2126", "#5b6670")}@media (prefers-color-scheme:dark){${rules(1, "#e6e9ec", "#9aa6b1")}}`;
}

const width = 440;
const labelWidth = 116;
const textWidth = 64;
const barHeight = 14;
const rowHeight = 18;
const titleHeight = 24;
const gap = 10;

/** Groups of horizontal bars, each group with a scale of its own from 0. `alone`: a file of its own, with its style inside. */
export function barChart(title: string, groups: readonly BarGroup[], { alone = false } = {}): string {
  const parts: string[] = [];
  let y = 4;
  for (const { title: heading, bars } of groups) {
    const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
    parts.push(`<text class="title" x="0" y="${y + 14}">${escapeMarkup(heading)}</text>`);
    y += titleHeight;
    for (const { label, value, text, kind } of bars) {
      const length = Math.max(1, (value / most) * (width - labelWidth - textWidth));
      const middle = y + barHeight - 3;
      parts.push(
        `<text x="${labelWidth - 6}" y="${middle}" text-anchor="end">${escapeMarkup(label)}</text>`,
        `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
        `<text class="faint" x="${(labelWidth + length + 6).toFixed(1)}" y="${middle}">${escapeMarkup(text)}</text>`,
      );
      y += rowHeight;
    }
    y += gap;
  }
  const style = alone ? `<style>${chartStyle()}</style>` : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" role="img" aria-label="${escapeMarkup(title)}">${style}${parts.join("")}</svg>`;
}
