// Kernels as GPU.js source strings: flat arrays, literal bounds, generated names, indices that stay below 2²⁴, where float32 holds them exactly.
import {
  blockSize,
  chunkSize,
  type Join,
  type KernelInput,
  type LoopKernel,
  laneCount,
  neutral,
  type Order,
  withIndices,
} from "../../../kernels/kernel.ts";
import type { Product } from "../../../kernels/product.ts";
import { contiguousView, isContiguous, type View } from "../../../kernels/view.ts";
import { type Shape, sizeOf, stridesOf } from "../../core/shape.ts";
import { exactIntegers, type InputText, isPrintable, type PrintedBody, printBody } from "./expression.ts";

/** A kernel's source, and what its arguments are beside the inputs: `k`, then `p` where it is used, then the arrays `a0`, `a1` … (a uint32 one as `a0h`, `a0l`). */
export interface PrintedKernel {
  readonly source: string;
  readonly constants: Float32Array;
  readonly usesPowers: boolean;
}

/** No element that an input reads lies further on. */
const reach = ({ view: { shape, strides, offset }, index }: Pick<KernelInput, "view" | "index">): number =>
  shape.reduce(
    (sum, extent, axis) => sum + Math.abs(strides[axis]) * Math.max(0, extent - 1),
    Math.abs(offset) + (index ? Math.abs(index.stride) * index.extent : 0),
  );

/** Whether every index of a view, and every number of elements, is exact in float32. */
export const fits = (view: View): boolean => reach({ view }) < exactIntegers && sizeOf(view.shape) < exactIntegers;

/** Whether a map can be printed. What is read in order is read by `this.thread.x` itself, an integer, however large. */
export function canPrintMap({ body, inputs, shape }: Pick<LoopKernel, "body" | "inputs" | "shape">): boolean {
  const coordinates = new Set(inputs.flatMap(({ source }, i) => (source === "coordinate" ? [i] : [])));
  const plain = inputs.every((input) =>
    input.index
      ? fits(input.index.at.view) && reach(input) < exactIntegers && !input.view.bounds.some(Boolean)
      : fits(input.view) || (input.source !== "coordinate" && isContiguous(input.view)),
  );
  return plain && sizeOf(shape) > 0 && isPrintable(body, coordinates);
}

/** Coordinates of `flat` in a shape: statements, and a name or literal an axis. */
export function coordinates(flat: string, shape: Shape, prefix: string): { lines: string[]; names: string[] } {
  const strides = stridesOf(shape);
  const lines: string[] = [];
  let rest = flat;
  const names = shape.map((extent, axis) => {
    if (extent === 1) return "0";
    if (axis === shape.length - 1 || sizeOf(shape.slice(axis + 1)) === 1) return rest;
    const name = `${prefix}${axis}`;
    lines.push(`let ${name} = Math.floor(${rest} / ${strides[axis]});`);
    const remainder = `${prefix}${axis}r`;
    lines.push(`let ${remainder} = ${rest} - ${name} * ${strides[axis]};`);
    rest = remainder;
    return name;
  });
  return { lines, names };
}

/** The view's index at named coordinates. */
export function indexText({ shape, strides, offset }: View, names: readonly string[]): string {
  const terms = names.flatMap((name, axis) =>
    shape[axis] === 1 || strides[axis] === 0 ? [] : [strides[axis] === 1 ? name : `${name} * ${strides[axis]}`],
  );
  if (offset !== 0 || terms.length === 0) terms.push(String(offset));
  return terms.join(" + ");
}

/** How an element is read; `further` is added to its place. */
function inputText({ source, dtype, view }: KernelInput, i: number, names: readonly string[], further = ""): InputText {
  const index = !further && isContiguous(view) ? "this.thread.x" : `${indexText(view, names)}${further}`;
  if (source === "coordinate") return { value: index };
  const guards = view.bounds.flatMap((bound, axis) => {
    if (!bound) return [];
    return [
      ...(bound[0] > 0 ? [`${names[axis]} >= ${bound[0]}`] : []),
      ...(bound[1] < view.shape[axis] ? [`${names[axis]} < ${bound[1]}`] : []),
    ];
  });
  // Every side of a ternary is computed: what lies outside the bounds is read at index 0.
  const inside = guards.reduceRight((inner, guard) => `(${guard} ? ${inner} : 0)`, "1");
  const read = (array: string) =>
    guards.length ? `${inside} > 0.5 ? ${array}[${inside} > 0.5 ? ${index} : 0] : k[0]` : `${array}[${index}]`;
  return dtype === "uint32" ? { value: "", high: read(`a${i}h`), low: read(`a${i}l`) } : { value: read(`a${i}`) };
}

function parameters(inputs: readonly KernelInput[], usesPowers: boolean): string {
  const arrays = inputs.flatMap(({ source, dtype }, i) =>
    source === "coordinate" ? [] : dtype === "uint32" ? [`a${i}h`, `a${i}l`] : [`a${i}`],
  );
  return ["k", ...(usesPowers ? ["p"] : []), ...arrays].join(", ");
}

/** The whole source: parameters by the inputs, then the statements. */
export function assemble(
  inputs: readonly KernelInput[],
  lines: readonly string[],
  { constants, usesPowers }: Pick<PrintedBody, "constants" | "usesPowers">,
): PrintedKernel {
  const source = `function (${parameters(inputs, usesPowers)}) {\n  ${lines.join("\n  ")}\n}`;
  return { source, usesPowers, constants: Float32Array.from(constants) };
}

/** out[x] = body over `shape`. */
export function printMap({ inputs, shape, body }: Pick<LoopKernel, "inputs" | "shape" | "body">): PrintedKernel {
  const { lines, names } = coordinates("this.thread.x", shape, "i");
  const all = withIndices(inputs);
  const used = all.every(({ view, index }) => isContiguous(view) && !index) ? [] : lines;
  let place = inputs.length;
  const texts = inputs.map((input, i): InputText => {
    const { index } = input;
    if (!index) return inputText(input, i, names);
    used.push(`let at${i} = ${inputText(index.at, place++, names).value};`);
    return inputText(input, i, names, ` + at${i} * ${index.stride}`);
  });
  const printed = printBody(body, texts);
  return assemble(all, [...used, ...printed.lines, `return ${printed.result};`], printed);
}

const joins: Record<Join, (a: string, b: string) => string> = {
  sum: (a, b) => `Math.fround(${a} + ${b})`,
  prod: (a, b) => `Math.fround(${a} * ${b})`,
  max: (a, b) => `${a} >= ${b} ? ${a} : (${a} !== ${a} ? ${a} : ${b})`,
  min: (a, b) => `${a} <= ${b} ? ${a} : (${a} !== ${a} ? ${a} : ${b})`,
};

/** An argument that is an array as it lies. */
const plainArray: KernelInput = { source: 0, dtype: "float32", view: contiguousView([]) };

/** out[x] = the combination of a0[x·count] … in the written order. `k[0]` is what changes nothing. */
export function printReduce(combine: Join, order: Order, count: number): PrintedKernel {
  const join = joins[combine];
  const lines = [`let base = this.thread.x * ${count};`, "let total = k[0];"];
  const width = order === "lanes" ? blockSize : chunkSize;
  const blocks = Math.ceil(count / width);
  lines.push(`for (let b = 0; b < ${blocks}; b++) {`);
  const read = (index: string) =>
    count % width === 0
      ? `a0[base + ${index}]`
      : `${index} < ${count} ? a0[base + (${index} < ${count} ? ${index} : 0)] : k[0]`;
  if (order === "chunks") {
    lines.push(
      "  let part = k[0];",
      `  for (let c = 0; c < ${Math.min(width, count)}; c++) {`,
      `    let at = b * ${width} + c;`,
      `    let x = ${read("at")};`,
      `    part = ${join("part", "x")};`,
      "  }",
      `  total = ${join("total", "part")};`,
    );
  } else {
    const lanes = Array.from({ length: laneCount }, (_, lane) => lane);
    const rounds = Math.ceil(Math.min(width, count) / laneCount);
    for (const lane of lanes) lines.push(`  let s${lane} = k[0];`);
    lines.push(`  for (let r = 0; r < ${rounds}; r++) {`);
    for (const lane of lanes)
      lines.push(
        `    let at${lane} = b * ${width} + r * ${laneCount} + ${lane};`,
        `    let x${lane} = ${read(`at${lane}`)};`,
        `    s${lane} = ${join(`s${lane}`, `x${lane}`)};`,
      );
    lines.push("  }");
    for (let half = laneCount / 2; half >= 1; half /= 2) {
      for (let lane = 0; lane < half; lane++) lines.push(`  s${lane} = ${join(`s${lane}`, `s${lane + half}`)};`);
    }
    lines.push(`  total = ${join("total", "s0")};`);
  }
  lines.push("}", "return total;");
  return assemble([plainArray], lines, { constants: [neutral(combine, "float32")], usesPowers: false });
}

/** out[x] = where the largest or smallest of a0[x·count] … is: the first NaN, else the first of equals. */
export function printArgument(combine: "argmax" | "argmin", count: number): PrintedKernel {
  const sign = combine === "argmax" ? ">" : "<";
  const lines = [
    `let base = this.thread.x * ${count};`,
    "let best = a0[base];",
    "let at = k[0];",
    "let place = k[0];",
    `for (let c = 1; c < ${count}; c++) {`,
    "  let x = a0[base + c];",
    "  place = Math.fround(place + k[1]);",
    `  let better = x ${sign} best ? k[1] : (x !== x ? (best === best ? k[1] : k[0]) : k[0]);`,
    "  best = better > k[2] ? x : best;",
    "  at = better > k[2] ? place : at;",
    "}",
    "return at;",
  ];
  return assemble([plainArray], lines, { constants: [0, 1, 0.5], usesPowers: false });
}

/** Whether a product can be printed: both operands are plain views by contract. */
export function canPrintMatmul({ batch, rows, columns, depth, a, b }: Product): boolean {
  const size = sizeOf(batch) * rows * columns;
  return fits(a.view) && fits(b.view) && size < exactIntegers && depth > 0 && size > 0;
}

/** out[x] = Σₖ a·b in chunks of 256, both operands read through their views. */
export function printMatmul({ batch: lead, depth, axes, a, b }: Product): PrintedKernel {
  const border = lead.length + axes.rows;
  const terms = a.view.shape.slice(border);
  const shape = [...a.view.shape.slice(0, border), ...b.view.shape.slice(lead.length + axes.depth)];
  const { lines, names } = coordinates("this.thread.x", shape, "i");
  const [batch, rows, columns] = [names.slice(0, lead.length), names.slice(lead.length, border), names.slice(border)];
  const first = terms.map(() => "0");
  const along = ({ strides }: View, from: number): View => ({
    ...contiguousView(terms),
    strides: strides.slice(from, from + axes.depth),
  });
  const [aSteps, bSteps] = [along(a.view, border), along(b.view, lead.length)];
  const chunk = (from: string, length: number, suffix: string) => {
    const term = coordinates(`k0${suffix}`, terms, `d${suffix}`);
    const [left, right] = [aSteps, bSteps].map((view) => indexText(view, term.names));
    return [
      `let s${suffix} = k[0];`,
      `for (let c${suffix} = 0; c${suffix} < ${length}; c${suffix}++) {`,
      `  let k0${suffix} = ${from} + c${suffix};`,
      ...term.lines.map((line) => `  ${line}`),
      `  s${suffix} = Math.fround(s${suffix} + Math.fround(a0[at + ${left}] * a1[bt + ${right}]));`,
      "}",
      `total = Math.fround(total + s${suffix});`,
    ];
  };
  const [full, rest] = [Math.floor(depth / chunkSize), depth % chunkSize];
  lines.push(
    `let at = ${indexText(a.view, [...batch, ...rows, ...first])};`,
    `let bt = ${indexText(b.view, [...batch, ...first, ...columns])};`,
    "let total = k[0];",
  );
  if (full > 0)
    lines.push(
      `for (let n = 0; n < ${full}; n++) {`,
      ...chunk(`n * ${chunkSize}`, chunkSize, "f").map((line) => `  ${line}`),
      "}",
    );
  if (rest > 0) lines.push(...chunk(String(full * chunkSize), rest, "t"));
  lines.push("return total;");
  return assemble([a, b], lines, { constants: [0], usesPowers: false });
}
