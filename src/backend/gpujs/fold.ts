// Kernels with a fold as GPU.js source: the terms of a short body over plain views, as a product's are, computed where they join.
import {
  blockSize,
  chunkSize,
  type FoldKernel,
  isArgument,
  type Join,
  laneCount,
  neutral,
} from "../../../kernels/kernel.ts";
import { reshapeView, type View } from "../../../kernels/view.ts";
import { sizeOf } from "../../core/shape.ts";
import { exactIntegers, isPrintable, type PrintedBody, printBody } from "./expression.ts";
import { assemble, coordinates, indexText, type PrintedKernel, reach } from "./printer.ts";

/** Lines of a body that is computed where its values join: of more, a shader's compiler takes minutes. */
const shortBody = 12;

/** Whether a fold can be printed. No number of all terms is needed, only of outputs, of an output's terms and of each view's elements. */
export function canPrintFold({ shape, inputs, body, fold: { reduced } }: FoldKernel): boolean {
  return (
    body.type === "float32" &&
    isPrintable(body, new Set()) &&
    [shape, reduced].every((each) => sizeOf(each) > 0 && sizeOf(each) < exactIntegers) &&
    inputs.every((input) => {
      const { source, dtype, view, index } = input;
      const isPlain = typeof source === "number" && dtype === "float32" && !index && !view.bounds.some(Boolean);
      return isPlain && reach(input) < exactIntegers;
    }) &&
    printBody(
      body,
      inputs.map(() => ({ value: "" })),
    ).lines.length <= shortBody
  );
}

/** The term of a number, in names that end in a suffix. */
type Term = (at: string, suffix: string) => PrintedBody;

/** out[x] = the body's values combined in the written order. The last constant is what changes nothing. */
export function printFold({ shape, inputs, body, fold: { combine, order, reduced } }: FoldKernel): PrintedKernel {
  const { lines, names } = coordinates("this.thread.x", shape, "i");
  const axes = (view: View, from: number, to?: number) => ({
    ...view,
    shape: view.shape.slice(from, to),
    strides: view.strides.slice(from, to),
  });
  // Where a view is for the output is found once.
  const places = inputs.map(({ view }, i) => `let p${i} = ${indexText(axes(view, 0, shape.length), names)};`);
  const count = sizeOf(reduced);
  const rests = inputs.map(({ view }) => ({ ...axes(view, shape.length), offset: 0 }));
  const straight = rests.map((view) => reshapeView(view, [count]));
  const [extents, views] = straight.every((view) => view !== null) ? [[count], straight] : [reduced, rests];
  const term: Term = (at, suffix) => {
    const { lines, names } = coordinates(at, extents, `d${suffix}`);
    const texts = views.map((view, i) => ({ value: `a${i}[p${i} + ${indexText(view, names)}]` }));
    const printed = printBody(body, texts, `v${suffix}`);
    return { ...printed, lines: [...lines, ...printed.lines] };
  };
  const { constants, usesPowers } = term("0", "");
  const nothing = `k[${constants.length}]`;
  const all = isArgument(combine)
    ? argument(combine === "argmax" ? ">" : "<", count, term, constants.length)
    : [
        `let total = ${nothing};`,
        ...(order === "lanes" ? inLanes : inChunks)(count, nothing, joins[combine], term),
        "return total;",
      ];
  const own = isArgument(combine) ? [1, 0.5] : [neutral(combine, "float32")];
  return assemble(inputs, [...lines, ...places, ...all], { constants: [...constants, ...own], usesPowers });
}

const joins: Record<Join, (a: string, b: string) => string> = {
  sum: (a, b) => `Math.fround(${a} + ${b})`,
  prod: (a, b) => `Math.fround(${a} * ${b})`,
  max: (a, b) => `${a} >= ${b} ? ${a} : (${a} !== ${a} ? ${a} : ${b})`,
  min: (a, b) => `${a} <= ${b} ? ${a} : (${a} !== ${a} ? ${a} : ${b})`,
};

type Terms = (count: number, nothing: string, join: (a: string, b: string) => string, term: Term) => string[];

const inChunks: Terms = (count, nothing, join, term) => {
  const chunk = (from: string, length: number, suffix: string) => {
    const { lines, result } = term(`at${suffix}`, suffix);
    return [
      `let s${suffix} = ${nothing};`,
      `for (let c${suffix} = 0; c${suffix} < ${length}; c${suffix}++) {`,
      `  let at${suffix} = ${from} + c${suffix};`,
      ...lines.map((line) => `  ${line}`),
      `  s${suffix} = ${join(`s${suffix}`, result)};`,
      "}",
      `total = ${join("total", `s${suffix}`)};`,
    ];
  };
  const [full, rest] = [Math.floor(count / chunkSize), count % chunkSize];
  const whole = chunk(`n * ${chunkSize}`, chunkSize, "f").map((line) => `  ${line}`);
  return [
    ...(full > 0 ? [`for (let n = 0; n < ${full}; n++) {`, ...whole, "}"] : []),
    ...(rest > 0 ? chunk(String(full * chunkSize), rest, "t") : []),
  ];
};

const inLanes: Terms = (count, nothing, join, term) => {
  const lanes = Array.from({ length: laneCount }, (_, lane) => lane);
  const rounds = Math.ceil(Math.min(blockSize, count) / laneCount);
  const isWhole = count % blockSize === 0;
  const joined = lanes.flatMap((lane) => {
    const at = `at${lane}`;
    // Every side of a ternary is computed: beyond the last term the first is read.
    const { lines, result } = term(isWhole ? at : `in${lane}`, `l${lane}x`);
    return [
      `let ${at} = b * ${blockSize} + r * ${laneCount} + ${lane};`,
      ...(isWhole ? [] : [`let in${lane} = ${at} < ${count} ? ${at} : 0;`]),
      ...lines,
      `let x${lane} = ${isWhole ? result : `${at} < ${count} ? ${result} : ${nothing}`};`,
      `s${lane} = ${join(`s${lane}`, `x${lane}`)};`,
    ];
  });
  const halves = [8, 4, 2, 1].flatMap((half) => lanes.slice(0, half).map((lane) => [lane, lane + half]));
  return [
    `for (let b = 0; b < ${Math.ceil(count / blockSize)}; b++) {`,
    ...lanes.map((lane) => `  let s${lane} = ${nothing};`),
    `  for (let r = 0; r < ${rounds}; r++) {`,
    ...joined.map((line) => `    ${line}`),
    "  }",
    ...halves.map(([a, b]) => `  s${a} = ${join(`s${a}`, `s${b}`)};`),
    `  total = ${join("total", "s0")};`,
    "}",
  ];
};

/** Where the best is: the first NaN, else the first of equals. `k[0]` is 0; 1 and ½ are the constants from `one` on. */
function argument(sign: string, count: number, term: Term, one: number): string[] {
  const [first, next] = [term("0", "f"), term("c", "n")];
  return [
    ...first.lines,
    `let best = ${first.result};`,
    "let found = k[0];",
    "let place = k[0];",
    `for (let c = 1; c < ${count}; c++) {`,
    ...next.lines.map((line) => `  ${line}`),
    `  let x = ${next.result};`,
    `  place = Math.fround(place + k[${one}]);`,
    `  let better = x ${sign} best ? k[${one}] : (x !== x ? (best === best ? k[${one}] : k[0]) : k[0]);`,
    `  best = better > k[${one + 1}] ? x : best;`,
    `  found = better > k[${one + 1}] ? place : found;`,
    "}",
    "return found;",
  ];
}
