// Kernels as GPU.js source strings: flat arrays, literal bounds, generated names, indices that stay below 2²⁴, where float32 holds them exactly.
import { type KernelInput, type LoopKernel, withIndices } from "../../../kernels/kernel.ts";
import { isContiguous, type View } from "../../../kernels/view.ts";
import { type Shape, sizeOf, stridesOf } from "../../core/shape.ts";
import { exactIntegers, type InputText, isPrintable, type PrintedBody, printBody } from "./expression.ts";

/** A kernel's source, and what its arguments are beside the inputs: `k`, then `p` where it is used, then the arrays `a0`, `a1` … (a uint32 one as `a0h`, `a0l`). */
export interface PrintedKernel {
  readonly source: string;
  readonly constants: Float32Array;
  readonly usesPowers: boolean;
}

/** No element that an input reads lies further on. */
export const reach = ({ view: { shape, strides, offset }, index }: Pick<KernelInput, "view" | "index">): number =>
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
