// Kernels with a fold. In lanes: a row of a workgroup's invocations are a block's 16 lanes, which combine in its memory. In chunks: an invocation takes one
// after another. Parts of one output that invocations share wait in scratch memory for one that joins them in order.
import { constant } from "../../../kernels/expr.ts";
import {
  type Combine,
  type FoldKernel,
  type Join,
  laneCount,
  loopShape,
  neutral,
  withIndices,
} from "../../../kernels/kernel.ts";
import { type FoldGrid, foldGrid, groupSize } from "../../schedule/grid.ts";
import { mergeAxes, written } from "../../schedule/merge.ts";
import type { Nest } from "../../schedule/nest.ts";
import { placeOf, readInputs } from "./elements.ts";
import { printExpression } from "./expression.ts";
import { printPoints } from "./map.ts";
import { repairOf } from "./program.ts";
import { coordinates, type Dispatch, fromWord, literal, Shader, toWord, typeName } from "./shader.ts";

export function printFold(kernel: FoldKernel, isGuarded: boolean): Dispatch[] {
  const grid = foldGrid(kernel);
  if (grid.outputs === 0) return [];
  const read = [...withIndices(kernel.inputs), written(kernel, kernel.fold.reduced)];
  const nest = mergeAxes(loopShape(kernel), read, kernel.shape.length);
  const { combine, order } = kernel.fold;
  if (grid.count === 0) {
    const { type } = kernel.body;
    return printPoints(
      kernel.shape,
      [],
      constant(neutral(combine, type as "float32"), type),
      written(kernel),
      isGuarded,
    );
  }
  const list = grid.isSplit ? 2 * grid.outputs * grid.parts : 0;
  const repair = repairOf(kernel, isGuarded, list);
  const print =
    combine === "argmax" || combine === "argmin" ? printArgument : order === "lanes" ? printLanes : printChunks;
  const shader = new Shader({ isGuarded: isGuarded && !grid.isSplit, isQuick: repair !== null });
  const first = print(shader, kernel, nest, grid);
  const { hasDoubt } = shader;
  const all = [first];
  if (grid.isSplit)
    all.push(printJoin(new Shader({ isGuarded, isQuick: repair !== null }), kernel, nest, grid, hasDoubt));
  return repair && hasDoubt ? [...all, repair] : all;
}

/** a ∘ b. */
function joined(shader: Shader, combine: Join, { type }: FoldKernel["body"], a: string, b: string): string {
  const isFloat = type === "float32";
  if (combine === "sum") return isFloat ? shader.call("fadd", a, b) : `${a} + ${b}`;
  if (combine === "prod") return isFloat ? shader.call("fmul", a, b) : `${a} * ${b}`;
  if (!isFloat) return `${combine}(${a}, ${b})`;
  const wins = shader.call(combine === "max" ? "fge" : "fle", a, b);
  return `select(${b}, ${a}, ${wins} || ${nanTest(a)})`;
}

const nanTest = (x: string) => `((${x} & 0x7fffffffu) > 0x7f800000u)`;

/** Statements that compute the body at an output and a term, and what it is called. */
function termOf(shader: Shader, kernel: FoldKernel, nest: Nest, outer: readonly string[], grid: FoldGrid) {
  const inner = coordinates("term", nest.extents.slice(nest.outer), "k");
  const read = readInputs(shader, kernel, nest, [...outer, ...inner.names], `output * ${grid.count}u + term`);
  const value = printExpression(shader, kernel.body, read.values);
  return { lines: [...inner.lines, ...read.lines, ...value.lines], value: value.result };
}

const outerOf = ({ extents, outer }: Nest) => coordinates("output", extents.slice(0, outer), "i");

const targetOf = (shader: Shader, { inputs }: Nest, names: readonly string[]) =>
  placeOf(shader, inputs[inputs.length - 1], names);

/** Statement: a part goes to scratch memory and behind all of them whether it is in doubt, or, not split, the output to its place or on the list. */
function settle(
  shader: Shader,
  nest: Nest,
  names: readonly string[],
  grid: FoldGrid,
  value: string,
  doubt: string,
): string {
  const { isSplit, outputs, parts } = grid;
  const doubtful = shader.hasDoubt ? doubt : undefined;
  if (!isSplit) return shader.settle(targetOf(shader, nest, names), value, "output", doubtful, 0, outputs);
  const all = outputs * parts;
  const at = `${shader.scratch(2 * all)} + output * ${parts}u + part`;
  return `heap[${at}] = ${value};${doubtful ? ` heap[${at} + ${all}u] = u32(${doubtful});` : ""}`;
}

function printLanes(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid): Dispatch {
  const { count, width, parts, outputs, isSplit } = grid;
  const { body, fold } = kernel;
  const combine = fold.combine as Join;
  const type = typeName(body.type);
  const zero = literal(body.type, neutral(combine, body.type as "float32"));
  const outer = outerOf(nest);
  const term = termOf(shader, kernel, nest, outer.names, grid);
  const rows = groupSize / laneCount;
  shader.shared(`lanes: array<${type}, ${groupSize}>`);
  const join = joined(shader, combine, body, "sum", term.value);
  const { hasDoubt } = shader;
  if (hasDoubt) shader.shared(`doubts: array<atomic<u32>, ${rows}>`);
  const lines = [
    `let lane = local % ${laneCount}u;`,
    `let row = group * ${rows}u + local / ${laneCount}u;`,
    `let isRow = row < ${outputs * parts}u;`,
    ...(parts > 1 ? [`let output = row / ${parts}u;`, `let part = row % ${parts}u;`] : ["let output = row;"]),
    ...outer.lines,
    `var sum: ${type} = ${zero};`,
    parts > 1
      ? `let end = select(0u, min(${count}u, part * ${width}u + ${width}u), isRow);`
      : `let end = select(0u, ${count}u, isRow);`,
    `for (var term = ${parts > 1 ? `part * ${width}u + ` : ""}lane; term < end; term += ${laneCount}u) {`,
    ...term.lines.map((line) => `  ${line}`),
    `  sum = ${join};`,
    "}",
    "lanes[local] = sum;",
    `for (var half = ${laneCount / 2}u; half > 0u; half = half / 2u) {`,
    "  workgroupBarrier();",
    "  if (lane < half) {",
    "    let other = lanes[local + half];",
    `    sum = ${joined(shader, combine, body, "sum", "other")};`,
    "    lanes[local] = sum;",
    "  }",
    "}",
    ...(hasDoubt ? [`if (doubt) { atomicOr(&doubts[local / ${laneCount}u], 1u); }`, "workgroupBarrier();"] : []),
    "if (lane == 0u && isRow) {",
    ...(isSplit
      ? ["  let total = sum;"]
      : [`  var start: ${type} = ${zero};`, `  let total = ${joined(shader, combine, body, "start", "sum")};`]),
    `  ${settle(shader, nest, outer.names, grid, toWord(body.type, "total"), `doubt || atomicLoad(&doubts[local / ${laneCount}u]) != 0u`)}`,
    "}",
  ];
  return shader.dispatch(lines, Math.ceil((outputs * parts) / rows));
}

function printChunks(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid): Dispatch {
  const { count, width, parts, outputs, isSplit } = grid;
  const { body, fold } = kernel;
  const combine = fold.combine as Join;
  const type = typeName(body.type);
  const zero = literal(body.type, neutral(combine, body.type as "float32"));
  const outer = outerOf(nest);
  const term = termOf(shader, kernel, nest, outer.names, grid);
  const chunk = [
    `var sum: ${type} = ${zero};`,
    `for (var term = part * ${width}u; term < min(${count}u, part * ${width}u + ${width}u); term++) {`,
    ...term.lines.map((line) => `  ${line}`),
    `  sum = ${joined(shader, combine, body, "sum", term.value)};`,
    "}",
  ];
  // Neighbouring invocations take neighbouring outputs.
  const lines = isSplit
    ? [
        `let output = flat % ${outputs}u;`,
        `let part = flat / ${outputs}u;`,
        ...outer.lines,
        ...chunk,
        "let total = sum;",
      ]
    : [
        "let output = flat;",
        ...outer.lines,
        `var total: ${type} = ${zero};`,
        `for (var part = 0u; part < ${parts}u; part++) {`,
        ...chunk.map((line) => `  ${line}`),
        `  total = ${joined(shader, combine, body, "total", "sum")};`,
        "}",
      ];
  const store = settle(shader, nest, outer.names, grid, toWord(body.type, "total"), "doubt");
  return shader.points([...lines, store], isSplit ? outputs * parts : outputs);
}

/** The parts of each output, in order. `mayDoubt`: behind them stands which are in doubt. */
function printJoin(
  shader: Shader,
  { fold, body }: FoldKernel,
  nest: Nest,
  grid: FoldGrid,
  mayDoubt: boolean,
): Dispatch {
  const { outputs, parts } = grid;
  const combine = fold.combine as Join;
  const outer = outerOf(nest);
  const at = `${shader.scratch(2 * outputs * parts)} + output * ${parts}u + part`;
  const { type } = body;
  const join = joined(shader, combine, body, "total", "sum");
  const doubts = [...(mayDoubt ? ["isDoubtful"] : []), ...(shader.hasDoubt ? ["doubt"] : [])];
  const lines = [
    "let output = flat;",
    ...outer.lines,
    `var total: ${typeName(type)} = ${literal(type, neutral(combine, type as "float32"))};`,
    "var isDoubtful = false;",
    `for (var part = 0u; part < ${parts}u; part++) {`,
    `  let sum = ${fromWord(type, `heap[${at}]`)};`,
    ...(mayDoubt ? [`  isDoubtful |= heap[${at} + ${outputs * parts}u] != 0u;`] : []),
    `  total = ${join};`,
    "}",
    shader.settle(
      targetOf(shader, nest, outer.names),
      toWord(type, "total"),
      "output",
      doubts.length > 0 ? doubts.join(" || ") : undefined,
      2 * outputs * parts,
      outputs,
    ),
  ];
  return shader.points(lines, outputs);
}

/** Whether an element takes the place of the best so far: the first NaN does, else what is beyond it. */
export function isBetter(shader: Shader, combine: Combine, isFloat: boolean, x: string, best: string): string {
  const isLargest = combine === "argmax";
  if (!isFloat) return `${x} ${isLargest ? ">" : "<"} ${best}`;
  return `!${nanTest(best)} && (${nanTest(x)} || ${shader.call(isLargest ? "fgt" : "flt", x, best)})`;
}

function printArgument(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid): Dispatch {
  const { body, fold } = kernel;
  const outer = outerOf(nest);
  const term = termOf(shader, kernel, nest, outer.names, grid);
  const lines = [
    "let output = flat;",
    ...outer.lines,
    `var best: ${typeName(body.type)};`,
    "var at = 0u;",
    `for (var term = 0u; term < ${grid.count}u; term++) {`,
    ...term.lines.map((line) => `  ${line}`),
    `  let x = ${term.value};`,
    `  if (term == 0u || (${isBetter(shader, fold.combine, body.type === "float32", "x", "best")})) { best = x; at = term; }`,
    "}",
    settle(shader, nest, outer.names, { ...grid, isSplit: false }, "at", "doubt"),
  ];
  return shader.points(lines, grid.outputs);
}
