// Kernels in plain loops: every input copied through its view, the body evaluated an operation at a time, sums in the written orders. What a
// backend can't print runs here, and tests read here what a fused kernel means.
import { asGather, type Compute, type Draws, isDraws, type KernelInput, loopShape } from "../../kernels/kernel.ts";
import { type Kernel, kindOf } from "../../kernels/kinds.ts";
import { asProduct } from "../../kernels/product.ts";
import { isContiguous, placesOf } from "../../kernels/view.ts";
import type { Backend } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { makeArray, type TypedArray } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { fillWords } from "../rng/draws.ts";
import { hostBackend, type KernelCall, type KernelRunner } from "./host.ts";
import { evaluator } from "./reference/expression.ts";
import { gatherFrom } from "./reference/indexed.ts";
import { multiply } from "./reference/matmul.ts";
import { copyThrough } from "./reference/movement.ts";
import { reducer } from "./reference/reduce.ts";

/** A backend that interprets kernels: class A. For tests of fusion and plans; it isn't in the table of backends. */
export function interpretBackend(): Backend {
  return hostBackend({ name: "interpreter", class: "A", prepare: interpretKernel });
}

/** An input's elements over its view, row-major; the plan's own array where the view is all of it. */
export type Reader = (call: KernelCall) => TypedArray;

/** How a kernel's input is read in this plan. */
export function reader(input: KernelInput, plan: Plan): Reader {
  const { source, dtype, view, index } = input;
  const size = sizeOf(view.shape);
  if (source === "coordinate") {
    const coordinates = placesOf(view);
    return () => coordinates;
  }
  if (isDraws(source)) return wordReader(source, size);
  if (index) {
    const places = placesOf(view);
    const readIndex = reader(index.at, plan);
    const out = makeArray(dtype, size);
    return (call) => {
      gatherFrom(call.array(source), places, index, readIndex(call), out);
      return out;
    };
  }
  if (isContiguous(view) && size === plan.values[source].size) return (call) => call.array(source);
  return (call) => {
    const out = makeArray(dtype, size);
    copyThrough(view, call.array(source), 0, out);
    return out;
  };
}

/** What a kernel is computed from: its inputs; of a product the operands over their own axes; of a mere read by index all that is read from, as it lies, and the indices. */
export function readersOf(kernel: Kernel, plan: Plan): Reader[] {
  const product = asProduct(kernel);
  if (product) return [reader(product.a, plan), reader(product.b, plan)];
  const gather = asGather(kernel);
  if (gather) return [(call) => call.array(gather.source as number), reader(gather.index.at, plan)];
  return kernel.inputs.map((input) => reader(input, plan));
}

/** The first `size` words of a range of draws. */
export function wordReader({ firstDraw }: Draws, size: number): Reader {
  const words = new Uint32Array(size);
  return ({ seed, base }) => {
    fillWords(seed, base + firstDraw, words);
    return words;
  };
}

/** A kernel's runner in plain loops. */
export function interpretKernel(kernel: Kernel, plan: Plan): KernelRunner {
  const readers = readersOf(kernel, plan);
  const compute = computeOf(kernel);
  return {
    where: "interpreter",
    run(call) {
      compute(
        readers.map((read) => read(call)),
        call.array(kernel.output),
        call,
      );
    },
  };
}

function computeOf(kernel: Kernel): Compute {
  if (kernel.kind !== "loop") return kindOf(kernel).compute(kernel);
  const { shape, fold, body } = kernel;
  const product = asProduct(kernel);
  if (product) {
    const sizes = { ...product, batch: sizeOf(product.batch) };
    return ([a, b], out) => multiply(a, b, out, sizes);
  }
  const gather = asGather(kernel);
  if (gather) {
    const places = placesOf(gather.view);
    return ([x, indices], out) => gatherFrom(x, places, gather.index, indices, out);
  }
  if (!fold) return evaluator(body, sizeOf(shape));
  const whole = loopShape(kernel);
  const axes = fold.reduced.map((_, i) => shape.length + i);
  const values = makeArray(body.type, sizeOf(whole));
  const evaluate = evaluator(body, values.length);
  const reduce = reducer(fold.combine, whole, axes, kernel.dtype, fold.order);
  return (inputs, out) => {
    evaluate(inputs, values);
    reduce(values, out);
  };
}
