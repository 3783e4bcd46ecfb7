// Kernels that take a whole line at a time. A prefix is an invocation a line, which takes its elements in order. In a sort each element finds its own rank by
// looking at all others of its line.
import { add, input, mul } from "../../../kernels/expr.ts";
import { isArgument } from "../../../kernels/kernel.ts";
import { type LineKernel, withAxisLast } from "../../../kernels/line.ts";
import type { PrefixKernel } from "../../../kernels/prefix.ts";
import type { SortKernel } from "../../../kernels/sort.ts";
import { sizeOf } from "../../core/shape.ts";
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
  const x = read(shader, last, "k", "x");
  const [before, value] = [input(0, dtype), input(1, dtype)];
  const next = (): string[] => {
    if (isIndex) {
      const better = isBetter(shader, combine, dtype === "float32", "x", "s");
      return [`if (k == 0u || (${better})) { s = x; at = k; }`];
    }
    const factor = combine === "linear" ? read(shader, 0, "k", "a") : undefined;
    const body =
      combine === "linear" ? add(mul(before, input(2, dtype)), value) : (combine === "sum" ? add : mul)(before, value);
    const joined = printExpression(shader, body, ["s", "x", "a"]);
    return [
      "if (k == 0u) { s = x; } else {",
      ...[...(factor?.lines ?? []), ...joined.lines].map((line) => `  ${line}`),
      `  s = ${joined.result};`,
      "}",
    ];
  };
  const body = [
    "let line = flat;",
    ...outer.lines,
    `var s: ${type};`,
    ...(isIndex ? ["var at = 0u;"] : []),
    `for (var k = 0u; k < ${count}u; k++) {`,
    ...[...x.lines, ...next(), shader.store(place(shader, "k"), isIndex ? "at" : toWord(dtype, "s"))].map(
      (line) => `  ${line}`,
    ),
    "}",
  ];
  return [shader.points(body, lines)];
}

export function printSort(kernel: SortKernel, isGuarded: boolean): Dispatch[] {
  if (sizeOf(kernel.shape) === 0) return [];
  const shader = new Shader({ isGuarded });
  const { count, lines, outer, read, place } = linesIn(kernel);
  const isFloat = kernel.inputs[0].dtype === "float32";
  /** Statements that make a key whose integers ascend as the elements should: −0 is 0, of negative numbers the other bits descend, and NaN is last. */
  const keyed = (name: string): string[] => {
    const flip = kernel.isDescending ? "~" : "";
    if (!isFloat) return [`let ${name}_key = ${flip}${name};`];
    return [
      `let ${name}_bits = bitcast<i32>(select(${name}, 0u, (${name} << 1u) == 0u));`,
      `let ${name}_way = ${flip}(${name}_bits ^ ((${name}_bits >> 31u) & 0x7fffffff));`,
      `let ${name}_key = select(${name}_way, 0x7fffffff, (${name} & 0x7fffffffu) > 0x7f800000u);`,
    ];
  };
  const body = [
    `let line = flat / ${count}u;`,
    `let k = flat % ${count}u;`,
    ...outer.lines,
    ...read(shader, 0, "k", "x").lines,
    ...keyed("x"),
    "var rank = 0u;",
    `for (var j = 0u; j < ${count}u; j++) {`,
    ...[...read(shader, 0, "j", "y").lines, ...keyed("y")].map((line) => `  ${line}`),
    "  rank += select(0u, 1u, y_key < x_key || (y_key == x_key && j < k));",
    "}",
    shader.store(place(shader, "rank"), "k"),
  ];
  return [shader.points(body, lines * count)];
}
