// Writing by indices that are data: zeros, then an invocation a line of updates, which takes them in order.
import { add, constant, input } from "../../../kernels/expr.ts";
import { withAxisLast } from "../../../kernels/line.ts";
import type { ScatterKernel } from "../../../kernels/scatter.ts";
import { contiguousView } from "../../../kernels/view.ts";
import { sizeOf } from "../../core/shape.ts";
import { mergeAxes, written } from "../../schedule/merge.ts";
import { elementAt, placeOf, readElement } from "./elements.ts";
import { printExpression } from "./expression.ts";
import { printPoints } from "./map.ts";
import { coordinates, type Dispatch, fromWord, offset, Shader, toWord } from "./shader.ts";

export function printScatter(kernel: ScatterKernel, isGuarded: boolean): Dispatch[] {
  const { shape, axis, combine, inputs, dtype } = kernel;
  const [indices, updates] = inputs;
  const zeros = printPoints(shape, [], constant(0, dtype), written(kernel), isGuarded);
  const count = updates.view.shape[axis];
  const size = sizeOf(updates.view.shape);
  if (size === 0) return zeros;
  const shader = new Shader({ isGuarded });
  const view = contiguousView(shape);
  const strides = view.strides.map((stride, i) => (i === axis ? 0 : stride));
  const addressed = { ...written(kernel), view: { ...view, shape: updates.view.shape, strides } };
  const all = [indices, updates, addressed].map((each) => withAxisLast(each, axis));
  const nest = mergeAxes(all[0].view.shape, all, shape.length - 1);
  const { lines, names } = coordinates("line", nest.extents.slice(0, -1), "i");
  const at = [...names, "k"];
  const index = readElement(shader, nest.inputs[0], nest.extents, at, "index");
  const update = readElement(shader, nest.inputs[1], nest.extents, at, "x");
  const check = {
    value: indices.source as number,
    element: (point: number) => elementAt(nest.inputs[0], nest.extents, point),
  };
  const checked = shader.checked(`bitcast<u32>(${index.value})`, shape[axis], `line * ${count}u + k`, "n", check);
  const sum =
    combine === "sum" ? printExpression(shader, add(input(1, dtype), input(0, dtype)), ["x", "before"]) : undefined;
  const body = [
    "let line = flat;",
    ...lines,
    `for (var k = 0u; k < ${count}u; k++) {`,
    ...[
      ...index.lines,
      ...checked,
      ...update.lines,
      `let to = ${placeOf(shader, nest.inputs[2], at, ` + n * ${offset(view.strides[axis])}`)};`,
      ...(sum ? [`let before = ${fromWord(dtype, "heap[to]")};`, ...sum.lines] : []),
      shader.store("to", toWord(dtype, sum ? sum.result : "x")),
    ].map((line) => `  ${line}`),
    "}",
  ];
  return [...zeros, shader.points(body, size / count)];
}
