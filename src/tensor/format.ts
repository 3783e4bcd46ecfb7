// Arrays as text, as NumPy prints them: rows in brackets, columns aligned, long axes cut in the middle, floats with what digits they need.
import type { DType, TypedArray } from "../core/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../core/shape.ts";

/** NumPy's print options: digits after the point, a line's width, and the size from which axes are cut to three at either end. */
const precision = 8;
const lineWidth = 75;
const threshold = 1000;
const edge = 3;

/** `array` text: `[[1. 2.]\n [3. 4.]]`, a scalar as its number. data: row-major elements of `shape`. */
export function formatArray(data: TypedArray, shape: Shape, dtype: DType): string {
  const cut = sizeOf(shape) > threshold;
  const strides = stridesOf(shape);
  const shown: number[] = [];
  const indices = (axis: number): (number | null)[] => {
    const all = Array.from({ length: shape[axis] }, (_, i) => i);
    return cut && shape[axis] > 2 * edge ? [...all.slice(0, edge), null, ...all.slice(-edge)] : all;
  };
  const collect = (axis: number, offset: number) => {
    if (axis === shape.length) shown.push(data[offset]);
    else for (const i of indices(axis)) if (i !== null) collect(axis + 1, offset + i * strides[axis]);
  };
  if (sizeOf(shape) > 0) collect(0, 0);
  const texts = formatElements(shown, dtype);
  const width = Math.max(0, ...texts.map((text) => text.length));
  let at = 0;
  const nest = (axis: number): string => {
    if (axis === shape.length) return shape.length === 0 ? texts[at++].trim() : texts[at++].padStart(width);
    const last = axis === shape.length - 1;
    const items =
      sizeOf(shape.slice(axis)) === 0 ? [] : indices(axis).map((i) => (i === null ? "..." : nest(axis + 1)));
    const indent = " ".repeat(axis + 1);
    return `[${last ? brokenRow(items, indent) : items.join(`${"\n".repeat(shape.length - 1 - axis)}${indent}`)}]`;
  };
  return nest(0);
}

/** A row's elements, in as many lines as they take. */
function brokenRow(items: readonly string[], indent: string): string {
  const lines: string[] = [];
  for (const item of items) {
    const line = lines.at(-1);
    // Each axis takes a bracket at either end.
    if (line === undefined || 2 * indent.length + line.length + 1 + item.length > lineWidth) lines.push(item);
    else lines[lines.length - 1] = `${line} ${item}`;
  }
  return lines.map((line, i) => (i < lines.length - 1 ? line.trimEnd() : line)).join(`\n${indent}`);
}

function formatElements(values: readonly number[], dtype: DType): string[] {
  if (dtype === "bool") return values.map((value) => (value ? "True" : "False"));
  if (dtype !== "float32") return values.map(String);
  const finite = values
    .filter(Number.isFinite)
    .map(Math.abs)
    .filter((value) => value > 0);
  const [low, high] = [Math.min(...finite, Infinity), Math.max(...finite, 0)];
  const scientific = finite.length > 0 && (high >= 1e6 || low < 1e-4 || high / low > 1000);
  const text = (value: number, least = 0) =>
    Number.isFinite(value) ? (scientific ? scientificText(value, least) : decimalText(value)) : special(value);
  const parts = values.map((value) => text(value));
  const places = Math.max(0, ...parts.map((text) => fraction(text).length));
  return scientific ? values.map((value) => text(value, places)) : parts.map((text) => padBlanks(text, places));
}

const special = (value: number) => (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");

/** The shortest decimal that reads back as the same float32, with at most `precision` digits after the point. */
function decimalText(value: number): string {
  const text = shortest(value, (digits) => value.toFixed(digits), precision);
  return text.includes(".") ? text : `${text}.`;
}

/** With all digits up to `least` after the point: none is a zero that isn't the number's own. */
function scientificText(value: number, least: number): string {
  const [mantissa, exponent] = shortest(value, (digits) => value.toExponential(digits), precision, least).split("e");
  const power = Number(exponent);
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.`}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

function shortest(value: number, print: (digits: number) => string, most: number, least = 0): string {
  const sign = Object.is(value, -0) ? "-" : "";
  for (let digits = least; digits < most; digits++)
    if (Math.fround(Number(print(digits))) === value) return sign + print(digits);
  return sign + (least === most ? print(most) : print(most).replace(/\.?0+(?=$|e)/, ""));
}

const fraction = (text: string) => text.match(/\.(\d*)/)?.[1] ?? "";

/** Blank-padded to the longest fraction: NumPy's alignment at the point. Of powers of ten all have as many digits. */
const padBlanks = (text: string, places: number) =>
  text.includes(".") ? text + " ".repeat(places - fraction(text).length) : text;
