// Kernels that take a whole line at a time. A prefix of floats is an invocation a line, which takes its elements in the written order; where the order is nothing to the bits a workgroup
// shares it out. A sort merges sorted runs.
import { add, input, mul } from "../../../kernels/expr.ts";
import { isArgument } from "../../../kernels/kernel.ts";
import { type LineKernel, withAxisLast } from "../../../kernels/line.ts";
import type { PrefixKernel } from "../../../kernels/prefix.ts";
import type { SortKernel } from "../../../kernels/sort.ts";
import { sizeOf } from "../../core/shape.ts";
import { groupSize, prefixGrid, sortGrid } from "../../schedule/grid.ts";
import { mergeAxes, written } from "../../schedule/merge.ts";
import type { NestInput } from "../../schedule/nest.ts";
import { placeOf, readElement } from "./elements.ts";
import { printExpression } from "./expression.ts";
import { isBetter } from "./fold.ts";
import { coordinates, type Dispatch, Shader, toWord, typeName } from "./shader.ts";

/** The kernel's nest with the line's axis last, and the coordinates of line `line`. */
function linesIn(kernel: LineKernel) {
  const { inputs, shape, axis } = kernel;
  const all = [...inputs, written(kernel)].map((each) => withAxisLast(each, axis));
  const nest = mergeAxes(all[0].view.shape, all, shape.length - 1);
  const count = shape[axis];
  const outer = coordinates("line", nest.extents.slice(0, -1), "i");
  const read = (shader: Shader, number: number, k: string, name: string) =>
    readElement(shader, nest.inputs[number], nest.extents, [...outer.names, k], name);
  const target: NestInput = nest.inputs[nest.inputs.length - 1];
  const place = (shader: Shader, k: string) => placeOf(shader, target, [...outer.names, k]);
  return { nest, count, lines: sizeOf(shape) / Math.max(1, count), outer, read, place };
}

export function printPrefix(kernel: PrefixKernel, isGuarded: boolean): Dispatch[] {
  if (sizeOf(kernel.shape) === 0) return [];
  const shader = new Shader({ isGuarded });
  const { count, lines, outer, read, place } = linesIn(kernel);
  const { combine, inputs } = kernel;
  const { dtype } = inputs[0];
  const type = typeName(dtype);
  const isIndex = isArgument(combine);
  const last = inputs.length - 1;
  const element = read(shader, last, "k", "x");
  const factor = combine === "linear" ? read(shader, 0, "k", "a") : undefined;
  const [before, value] = [input(0, dtype), input(1, dtype)];
  /** Statements that join `x`, of place `k`, to what stands before it. */
  const join = (x: string, k: string): string[] => {
    if (isIndex) return [`if (${isBetter(shader, combine, dtype === "float32", x, "s")}) { s = ${x}; at = ${k}; }`];
    const body =
      combine === "linear" ? add(mul(before, input(2, dtype)), value) : (combine === "sum" ? add : mul)(before, value);
    const joined = printExpression(shader, body, ["s", x, "a"]);
    return [...joined.lines, `s = ${joined.result};`];
  };
  const start = [`var s: ${type};`, ...(isIndex ? ["var at = 0u;"] : [])];
  /** Statements that join the elements from `from` to before `end`, of which the first that is ever joined is copied. */
  const through = (from: string, end: string, isFirst: string, each: readonly string[] = []) => [
    `for (var k = ${from}; k < ${end}; k++) {`,
    ...element.lines.map((line) => `  ${line}`),
    `  if (${isFirst}) { s = x;${isIndex ? " at = k;" : ""} } else {`,
    ...[...(factor?.lines ?? []), ...join("x", "k")].map((line) => `    ${line}`),
    "  }",
    ...each.map((line) => `  ${line}`),
    "}",
  ];
  const written = shader.store(place(shader, "k"), isIndex ? "at" : toWord(dtype, "s"));
  const { isShared, width } = prefixGrid(kernel);
  if (!isShared) {
    const body = ["let line = flat;", ...outer.lines, ...start, ...through("0u", `${count}u`, "k == 0u", [written])];
    return [shader.points(body, lines)];
  }
  shader.shared(`parts: array<${type}, ${groupSize}>`);
  if (isIndex) shader.shared(`places: array<u32, ${groupSize}>`);
  const body = [
    "let line = group;",
    ...outer.lines,
    `let first = min(${count}u, local * ${width}u);`,
    `let end = min(${count}u, first + ${width}u);`,
    ...start,
    ...through("first", "end", "k == first"),
    "parts[local] = s;",
    ...(isIndex ? ["places[local] = at;"] : []),
    "workgroupBarrier();",
    "s = parts[0];",
    ...(isIndex ? ["at = places[0];"] : []),
    "for (var part = 1u; part < local; part++) {",
    "  let x = parts[part];",
    ...join("x", "places[part]").map((line) => `  ${line}`),
    "}",
    ...through("first", "end", "k == 0u", [written]),
  ];
  return [shader.dispatch(body, lines)];
}

/** Statements that make an element's key, integers that ascend as the elements should: −0 is 0, of negative numbers the other bits descend, and NaN is last. */
function keyed({ inputs, isDescending }: SortKernel, name: string): string[] {
  const flip = isDescending ? "~" : "";
  if (inputs[0].dtype !== "float32") return [`let ${name}_key = ${flip}${name};`];
  return [
    `let ${name}_bits = bitcast<i32>(select(${name}, 0u, (${name} << 1u) == 0u));`,
    `let ${name}_way = ${flip}(${name}_bits ^ ((${name}_bits >> 31u) & 0x7fffffff));`,
    `let ${name}_key = select(${name}_way, 0x7fffffff, (${name} & 0x7fffffffu) > 0x7f800000u);`,
  ];
}

/** Runs of a line are sorted by themselves, and then merged two by two: in each dispatch an element finds its place by itself. */
export function printSort(kernel: SortKernel, isGuarded: boolean): Dispatch[] {
  const size = sizeOf(kernel.shape);
  if (size === 0) return [];
  const { run, merges } = sortGrid(kernel.shape[kernel.axis]);
  /** Where keys lie in scratch memory before a merge, and behind them the elements' places. The next ones lie behind both, or before. */
  const turn = (merge: number) => (merge % 2) * 2 * size;
  const runs = printRuns(kernel, new Shader({ isGuarded: isGuarded && merges === 0 }), run, merges === 0);
  return [
    runs,
    ...Array.from({ length: merges }, (_, merge) => {
      const isLast = merge === merges - 1;
      const told = Uint32Array.of(run << merge, turn(merge), turn(merge + 1));
      return printMerge(kernel, new Shader({ isGuarded: isGuarded && isLast }), told, isLast);
    }),
  ];
}

/** Each run sorted: an element counts those of its run that stand before it. `isWhole`: the run is the line. */
function printRuns(kernel: SortKernel, shader: Shader, run: number, isWhole: boolean): Dispatch {
  const { count, lines, outer, read, place } = linesIn(kernel);
  const size = lines * count;
  const to = () => `${shader.scratch(4 * size)} + line * ${count}u + rank`;
  const body = [
    `let line = flat / ${count}u;`,
    `let k = flat % ${count}u;`,
    `let first = k / ${run}u * ${run}u;`,
    ...outer.lines,
    ...read(shader, 0, "k", "x").lines,
    ...keyed(kernel, "x"),
    "var rank = first;",
    `for (var j = first; j < min(${count}u, first + ${run}u); j++) {`,
    ...[...read(shader, 0, "j", "y").lines, ...keyed(kernel, "y")].map((line) => `  ${line}`),
    "  rank += u32((y_key < x_key) | ((y_key == x_key) & (j < k)));",
    "}",
    ...(isWhole
      ? [shader.store(place(shader, "rank"), "k")]
      : [`heap[${to()}] = bitcast<u32>(x_key);`, `heap[${to()} + ${size}u] = k;`]),
  ];
  return shader.points(body, size);
}

/** Two neighbouring runs merged: an element looks for its place among the other run's, behind those of the left run that are equal. `told`: how long a run is, where they lie and where they go. */
function printMerge(kernel: SortKernel, shader: Shader, told: Uint32Array, isLast: boolean): Dispatch {
  const { count, lines, outer, place } = linesIn(kernel);
  const size = lines * count;
  const [program, scratch] = [shader.program(told), shader.scratch(4 * size)];
  const body = [
    `let line = flat / ${count}u;`,
    `let k = flat % ${count}u;`,
    ...(isLast ? outer.lines : []),
    `let width = heap[${program}];`,
    `let start = ${scratch} + heap[${program} + 1u] + line * ${count}u;`,
    "let middle = k / (2u * width) * 2u * width + width;",
    "let isRight = k >= middle;",
    "let key = bitcast<i32>(heap[start + k]);",
    `var low = min(${count}u, select(middle, middle - width, isRight));`,
    `var high = min(${count}u, select(middle + width, middle, isRight));`,
    "while (low < high) {",
    "  let other = (low + high) / 2u;",
    "  let other_key = bitcast<i32>(heap[start + other]);",
    "  if ((other_key < key) | (isRight & (other_key == key))) { low = other + 1u; } else { high = other; }",
    "}",
    // Of a left element `low` counts from the right run's beginning, of a right one from the left's.
    `let rank = k + low - min(${count}u, middle);`,
    `let at = heap[start + ${size}u + k];`,
    ...(isLast
      ? [shader.store(place(shader, "rank"), "at")]
      : [
          `let to = ${scratch} + heap[${program} + 2u] + line * ${count}u + rank;`,
          "heap[to] = bitcast<u32>(key);",
          `heap[to + ${size}u] = at;`,
        ]),
  ];
  return shader.points(body, size);
}
