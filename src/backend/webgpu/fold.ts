// Kernels with a fold: an invocation an output, or several whose sums wait in scratch memory for one that joins them in order.
import { constant, topological } from "../../../kernels/expr.ts";
import {
  type Combine,
  type FoldKernel,
  isArgument,
  type Join,
  laneCount,
  loopShape,
  neutral,
  withIndices,
} from "../../../kernels/kernel.ts";
import { type FoldGrid, foldGrid } from "../../schedule/grid.ts";
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
  const { combine } = kernel.fold;
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
  const list = grid.isSplit ? 2 * sumsOf(grid) : 0;
  const repair = repairOf(kernel, isGuarded, list);
  const print = isArgument(combine) ? printArgument : grid.isSplit ? printSums : printWhole;
  const make = () => new Shader({ isGuarded, isQuick: repair !== null });
  const shader = make();
  const all: Dispatch[] = [];
  let terms: Terms = (shader, outer) => termOf(shader, kernel, nest, outer, grid);
  if (topological(kernel.body).length > longBody) {
    const before = make();
    all.push(printTerms(before, kernel, nest, grid, list + grid.outputs));
    terms = (shader) => madeTerm(shader, kernel, grid, list + grid.outputs, before.hasDoubt);
  }
  all.push(print(shader, kernel, nest, grid, terms));
  const { hasDoubt } = shader;
  if (grid.isSplit) all.push(printJoin(make(), kernel, nest, grid, hasDoubt));
  return repair && hasDoubt ? [...all, repair] : all;
}

/** Sums of all outputs. */
const sumsOf = ({ outputs, parts, lanes }: FoldGrid) => outputs * parts * lanes;

/** a ∘ b. */
function joined(shader: Shader, combine: Join, { type }: FoldKernel["body"], a: string, b: string): string {
  const isFloat = type === "float32";
  if (combine === "sum") return isFloat ? shader.call("fadd", a, b) : `${a} + ${b}`;
  if (combine === "prod") return isFloat ? shader.call("fmul", a, b) : `${a} * ${b}`;
  if (!isFloat) return `${combine}(${a}, ${b})`;
  const wins = shader.call(combine === "max" ? "fge" : "fle", a, b);
  return `select(${b}, ${a}, ${wins} | ${nanTest(a)})`;
}

const nanTest = (x: string) => `((${x} & 0x7fffffffu) > 0x7f800000u)`;

/** Statements that compute the body at an output and a term, and what it is called. */
function termOf(shader: Shader, kernel: FoldKernel, nest: Nest, outer: readonly string[], grid: FoldGrid) {
  const inner = coordinates("term", nest.extents.slice(nest.outer), "k");
  const read = readInputs(shader, kernel, nest, [...outer, ...inner.names], `output * ${grid.count}u + term`);
  const value = printExpression(shader, kernel.body, read.values);
  return { lines: [...inner.lines, ...read.lines, ...value.lines], value: value.result };
}

/** Expressions from which a body is computed apart from its fold: SwiftShader takes minutes and gigabytes for a logarithm in a loop. */
const longBody = 24;

/** Statements that find the body's value at an output and a term, and what it is called. */
type Terms = (
  shader: Shader,
  outer: readonly string[],
) => { readonly lines: readonly string[]; readonly value: string };

/** The body at every point, `from` words into scratch memory, and behind all of them which are in doubt. */
function printTerms(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid, from: number): Dispatch {
  const { outputs, count } = grid;
  const points = outputs * count;
  const outer = outerOf(nest);
  const { lines, value } = termOf(shader, kernel, nest, outer.names, grid);
  const at = `${shader.scratch(from + 2 * points)} + ${from}u + flat`;
  return shader.points(
    [
      ...[`let output = flat / ${count}u;`, `let term = flat % ${count}u;`, ...outer.lines, ...lines],
      `heap[${at}] = ${toWord(kernel.body.type, value)};`,
      ...(shader.hasDoubt ? [`heap[${at} + ${points}u] = u32(doubt);`] : []),
    ],
    points,
  );
}

/** What `printTerms` made. `mayDoubt`: some are in doubt. */
function madeTerm(shader: Shader, { body }: FoldKernel, { outputs, count }: FoldGrid, from: number, mayDoubt: boolean) {
  const points = outputs * count;
  const at = `${shader.scratch(from + 2 * points)} + ${from}u + output * ${count}u + term`;
  const lines = [`let made = ${fromWord(body.type, `heap[${at}]`)};`];
  if (mayDoubt) lines.push(shader.doubts(`heap[${at} + ${points}u] != 0u`));
  return { lines, value: "made" };
}

const outerOf = ({ extents, outer }: Nest) => coordinates("output", extents.slice(0, outer), "i");

const targetOf = (shader: Shader, { inputs }: Nest, names: readonly string[]) =>
  placeOf(shader, inputs[inputs.length - 1], names);

/** What a sum begins with. */
const zeroOf = ({ fold, body: { type } }: FoldKernel) => literal(type, neutral(fold.combine, type as "float32"));

/** Statements that join the lanes in `sums`, 8, 4, 2, 1. */
function halved(shader: Shader, combine: Join, body: FoldKernel["body"]): string[] {
  const join = joined(shader, combine, body, "sums[lane]", "sums[lane + half]");
  return [
    `for (var half = ${laneCount / 2}u; half > 0u; half = half / 2u) {`,
    `  for (var lane = 0u; lane < half; lane++) { sums[lane] = ${join}; }`,
    "}",
  ];
}

/** An output by one invocation. */
function printWhole(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid, terms: Terms): Dispatch {
  const { count, width, parts, lanes, outputs } = grid;
  const { body, fold } = kernel;
  const combine = fold.combine as Join;
  const type = typeName(body.type);
  const zero = zeroOf(kernel);
  const outer = outerOf(nest);
  const term = terms(shader, outer.names);
  const isOne = lanes === 1 && fold.order === "chunks";
  const sum = isOne ? "sum" : `sums[term % ${laneCount}u]`;
  const lines = [
    "let output = flat;",
    ...outer.lines,
    `var total: ${type} = ${zero};`,
    `for (var part = 0u; part < ${parts}u; part++) {`,
    ...(isOne
      ? [`  var sum: ${type} = ${zero};`]
      : [
          `  var sums: array<${type}, ${laneCount}>;`,
          `  for (var lane = 0u; lane < ${laneCount}u; lane++) { sums[lane] = ${zero}; }`,
        ]),
    `  for (var term = part * ${width}u; term < min(${count}u, part * ${width}u + ${width}u); term++) {`,
    ...term.lines.map((line) => `    ${line}`),
    `    ${sum} = ${joined(shader, combine, body, sum, term.value)};`,
    "  }",
    ...(isOne ? [] : halved(shader, combine, body).map((line) => `  ${line}`)),
    `  total = ${joined(shader, combine, body, "total", isOne ? "sum" : "sums[0]")};`,
    "}",
  ];
  const value = toWord(body.type, "total");
  const doubt = shader.hasDoubt ? "doubt" : undefined;
  return shader.points(
    [...lines, shader.settle(targetOf(shader, nest, outer.names), value, "output", doubt, 0, outputs)],
    outputs,
  );
}

/** One sum by each invocation: a lane of a block, or a chunk. They lie part after part, and in a part lane after lane; behind all of them stands which are in doubt. */
function printSums(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid, terms: Terms): Dispatch {
  const { count, width, parts, lanes, outputs } = grid;
  const { body, fold } = kernel;
  const combine = fold.combine as Join;
  const outer = outerOf(nest);
  const term = terms(shader, outer.names);
  const join = joined(shader, combine, body, "sum", term.value);
  const all = sumsOf(grid);
  const at = `${shader.scratch(2 * all)} + (output * ${parts}u + part) * ${lanes}u + lane`;
  // Neighbouring invocations take neighbouring lanes, or of chunks neighbouring outputs.
  const place =
    fold.order === "lanes"
      ? [
          `let lane = flat % ${lanes}u;`,
          `let part = flat / ${lanes}u % ${parts}u;`,
          `let output = flat / ${lanes * parts}u;`,
        ]
      : ["let lane = 0u;", `let output = flat % ${outputs}u;`, `let part = flat / ${outputs}u;`];
  const step = fold.order === "lanes" ? laneCount : 1;
  const lines = [
    ...place,
    ...outer.lines,
    `var sum: ${typeName(body.type)} = ${zeroOf(kernel)};`,
    `for (var term = part * ${width}u + lane; term < min(${count}u, part * ${width}u + ${width}u); term += ${step}u) {`,
    ...term.lines.map((line) => `  ${line}`),
    `  sum = ${join};`,
    "}",
    `heap[${at}] = ${toWord(body.type, "sum")};`,
    ...(shader.hasDoubt ? [`heap[${at} + ${all}u] = u32(doubt);`] : []),
  ];
  return shader.points(lines, all);
}

/** The sums of each output, in order. `mayDoubt`: some are in doubt. */
function printJoin(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid, mayDoubt: boolean): Dispatch {
  const { fold, body } = kernel;
  const { outputs, parts, lanes } = grid;
  const { type } = body;
  const combine = fold.combine as Join;
  const outer = outerOf(nest);
  const all = sumsOf(grid);
  const at = `${shader.scratch(2 * all)} + (output * ${parts}u + part) * ${lanes}u + lane`;
  const [zero, isOne] = [zeroOf(kernel), fold.order === "chunks"];
  const join = joined(shader, combine, body, "total", isOne ? "sum" : "sums[0]");
  const tree = isOne ? [] : halved(shader, combine, body);
  const doubts = [...(mayDoubt ? ["isDoubtful"] : []), ...(shader.hasDoubt ? ["doubt"] : [])];
  const read = fromWord(type, `heap[${at}]`);
  const note = mayDoubt ? [`isDoubtful |= heap[${at} + ${all}u] != 0u;`] : [];
  const lines = [
    "let output = flat;",
    ...outer.lines,
    `var total: ${typeName(type)} = ${zero};`,
    "var isDoubtful = false;",
    `for (var part = 0u; part < ${parts}u; part++) {`,
    ...(isOne
      ? ["  let lane = 0u;", `  let sum = ${read};`, ...note.map((line) => `  ${line}`)]
      : [
          `  var sums: array<${typeName(type)}, ${laneCount}>;`,
          `  for (var lane = ${lanes}u; lane < ${laneCount}u; lane++) { sums[lane] = ${zero}; }`,
          `  for (var lane = 0u; lane < ${lanes}u; lane++) {`,
          ...[`sums[lane] = ${read};`, ...note].map((line) => `    ${line}`),
          "  }",
          ...tree.map((line) => `  ${line}`),
        ]),
    `  total = ${join};`,
    "}",
    shader.settle(
      targetOf(shader, nest, outer.names),
      toWord(type, "total"),
      "output",
      doubts.length > 0 ? doubts.join(" || ") : undefined,
      2 * all,
      outputs,
    ),
  ];
  return shader.points(lines, outputs);
}

/** Whether an element takes the place of the best so far: the first NaN does, else what is beyond it. */
export function isBetter(shader: Shader, combine: Combine, isFloat: boolean, x: string, best: string): string {
  const isLargest = combine === "argmax";
  if (!isFloat) return `${x} ${isLargest ? ">" : "<"} ${best}`;
  return `!${nanTest(best)} & (${nanTest(x)} | ${shader.call(isLargest ? "fgt" : "flt", x, best)})`;
}

function printArgument(shader: Shader, kernel: FoldKernel, nest: Nest, grid: FoldGrid, terms: Terms): Dispatch {
  const { body, fold } = kernel;
  const outer = outerOf(nest);
  const term = terms(shader, outer.names);
  const lines = [
    "let output = flat;",
    ...outer.lines,
    `var best: ${typeName(body.type)};`,
    "var at = 0u;",
    `for (var term = 0u; term < ${grid.count}u; term++) {`,
    ...term.lines.map((line) => `  ${line}`),
    `  let x = ${term.value};`,
    `  if ((term == 0u) | (${isBetter(shader, fold.combine, body.type === "float32", "x", "best")})) { best = x; at = term; }`,
    "}",
    shader.settle(
      targetOf(shader, nest, outer.names),
      "at",
      "output",
      shader.hasDoubt ? "doubt" : undefined,
      0,
      grid.outputs,
    ),
  ];
  return shader.points(lines, grid.outputs);
}
