// Kernels that compute every point by itself: an invocation a point.
import type { Expr } from "../../../kernels/expr.ts";
import { type KernelInput, type LoopKernel, withIndices } from "../../../kernels/kernel.ts";
import type { Shape } from "../../core/shape.ts";
import { sizeOf } from "../../core/shape.ts";
import { mergeAxes, written } from "../../schedule/merge.ts";
import { placeOf, readInputs } from "./elements.ts";
import { printExpression } from "./expression.ts";
import { repairOf } from "./program.ts";
import { coordinates, type Dispatch, Shader, toWord } from "./shader.ts";

/** out = body at every point of the shape, where `target` says that the output lies. `repair`: what computes points again that are in doubt. */
export function printPoints(
  shape: Shape,
  inputs: readonly KernelInput[],
  body: Expr,
  target: KernelInput,
  isGuarded: boolean,
  repair: Dispatch | null = null,
): Dispatch[] {
  const count = sizeOf(shape);
  if (count === 0) return [];
  const shader = new Shader({ isGuarded, isQuick: repair !== null });
  const nest = mergeAxes(shape, [...withIndices(inputs), target]);
  const { lines, names } = coordinates("flat", nest.extents, "i");
  const read = readInputs(shader, { inputs }, nest, names, "flat");
  const value = printExpression(shader, body, read.values);
  const to = placeOf(shader, nest.inputs[nest.inputs.length - 1], names);
  const { hasDoubt } = shader;
  const store = shader.settle(to, toWord(body.type, value.result), "flat", hasDoubt ? "doubt" : undefined, 0, count);
  const dispatch = shader.points([...lines, ...read.lines, ...value.lines, store], count);
  return repair && hasDoubt ? [dispatch, repair] : [dispatch];
}

export const printMap = (kernel: LoopKernel, isGuarded: boolean): Dispatch[] =>
  printPoints(kernel.shape, kernel.inputs, kernel.body, written(kernel), isGuarded, repairOf(kernel, isGuarded));
