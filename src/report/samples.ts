// What a model made, as figures of a report: pictures in a grid, or a text. A figure says by itself whose it is and of which step, so that a run that goes on reads it back from the page.
import { isRecord } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { sizeOf } from "../core/shape.ts";
import { bitmap } from "./bitmap.ts";
import { escapeHtml } from "./html.ts";

/** What stands under a picture. */
export interface Label {
  readonly text: string;
  /** Whether it is a wrong answer. */
  readonly wrong: boolean;
}

/** Something to be looked at, made by a model or shown to it: pictures [count, height, width] in [0, 1], 0 black, perhaps with a label under each; or a text. */
export type Sample = { readonly images: HostArray; readonly labels?: readonly Label[] } | { readonly text: string };

const isLabels = (value: unknown): value is readonly Label[] =>
  Array.isArray(value) && value.every(({ text, wrong }) => typeof text === "string" && typeof wrong === "boolean");

/** Whether a value is a sample, labels and pictures alike in number. */
export function isSample(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { text, images, labels, ...others } = value as {
    text?: unknown;
    images?: Partial<HostArray>;
    labels?: unknown;
  };
  if (Object.keys(others).length > 0) return false;
  if (images === undefined) return typeof text === "string" && labels === undefined;
  if (text !== undefined || images.shape?.length !== 3 || images.data?.length !== sizeOf(images.shape)) return false;
  return labels === undefined || (isLabels(labels) && labels.length === images.shape[0]);
}

/** What was made last under a name. */
export interface Figure {
  readonly step: number;
  readonly html: string;
}

/** Pixels in [0, 1], from the darkest to the lightest of them all: data may be standardised. */
export function lightened(data: HostArray["data"]): Float32Array {
  const values = Float32Array.from(data, Number);
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const range = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - least;
  return values.map((value) => (range > 0 ? (value - least) / range : 0));
}

/** Between two pictures, in pixels. */
const gap = 2;

/** Pictures in a grid as nearly square as they fill, as a data URI. */
function gridUri({ data, shape: [count, height, width] }: HostArray): string {
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const [across, down] = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  const pixels = new Uint8Array(across * down).fill(128);
  for (let i = 0; i < data.length; i++) {
    const [image, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    const [row, column] = [Math.floor(image / columns), image % columns];
    const value = Math.round(255 * Number(data[i]));
    pixels[(row * (height + gap) + y) * across + column * (width + gap) + x] = Math.min(255, Math.max(0, value));
  }
  const bytes = bitmap(pixels, across, down);
  return `data:image/bmp;base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}

/** One picture of several. */
const picture = ({ data, dtype, shape: [, height, width] }: HostArray, i: number): HostArray => ({
  data: data.subarray(i * height * width, (i + 1) * height * width) as HostArray["data"],
  dtype,
  shape: [1, height, width],
});

/** Pictures with their labels. */
function labelled(images: HostArray, labels: readonly Label[]): string {
  const each = labels.map(({ text, wrong }, i) => {
    const image = `<img alt="" src="${gridUri(picture(images, i))}">`;
    return `<li${wrong ? ' class="wrong"' : ""}>${image}<span>${escapeHtml(text)}</span></li>`;
  });
  return `<ul class="labelled">${each.join("")}</ul>`;
}

/** A sample as a figure. */
export function renderSample(name: string, step: number, sample: Sample): Figure {
  const title = escapeHtml(name);
  const shown =
    "text" in sample
      ? `<pre class="wrap">${escapeHtml(sample.text)}</pre>`
      : sample.labels
        ? labelled(sample.images, sample.labels)
        : `<img alt="${title}" src="${gridUri(sample.images)}">`;
  const html = `<figure class="chart sample" data-sample="${title}" data-step="${step}"><figcaption><h3>${title}</h3><span class="at">step ${step}</span></figcaption>${shown}</figure>`;
  return { step, html };
}

/** The figures in a page, by name. */
export function samplesIn(page: string): Map<string, Figure> {
  const found = page.matchAll(
    /<figure class="chart sample" data-sample="([^"]*)" data-step="(\d+)">[\s\S]*?<\/figure>/g,
  );
  return new Map(Array.from(found, ([html, name, step]) => [name, { step: Number(step), html }]));
}

/** The rules of pictures and texts; colours are the report's. */
export const sampleStyle = `
.sample img { display: block; width: 100%; image-rendering: pixelated; border-radius: 6px; } .sample .wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
.labelled { display: grid; grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)); gap: 10px; margin: 0; padding: 0; list-style: none; }
.labelled li { display: flex; flex-direction: column; gap: 3px; font-size: .82rem; } .labelled .wrong span { font-weight: 700; text-decoration: underline wavy; }
`;
