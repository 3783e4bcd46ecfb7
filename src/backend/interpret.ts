// Kernels in plain loops: every input copied through its view, the body evaluated an operation at a time, sums in the written orders. What a
// backend can't print runs here, and tests read here what a fused kernel means.
import {
  type Draws,
  isDraws,
  type Kernel,
  type KernelInput,
  kernelInputs,
  placedPieces,
} from "../../kernels/kernel.ts";
import { isContiguous } from "../../kernels/view.ts";
import type { Backend } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { makeArray, type TypedArray } from "../core/dtype.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { permutation, randint } from "../rng/samplers.ts";
import { fillWords } from "../rng/stream.ts";
import { hostBackend, type KernelCall, type KernelRunner } from "./host.ts";
import { assembler } from "./reference/assemble.ts";
import { evaluator } from "./reference/expression.ts";
import { gatherAlong, scatterAlong } from "./reference/indexed.ts";
import { multiply } from "./reference/matmul.ts";
import { copyThrough, placesOf } from "./reference/movement.ts";
import { reducer } from "./reference/reduce.ts";

/** A backend that interprets kernels: class A. For tests of fusion and plans; it isn't in the table of backends. */
export function interpretBackend(): Backend {
  return hostBackend({ name: "interpreter", class: "A", prepare: interpretKernel });
}

/** An input's elements over its view, row-major; the plan's own array where the view is all of it. */
export type Reader = (call: KernelCall) => TypedArray;

/** How a kernel's input is read in this plan. */
export function reader({ source, dtype, view }: KernelInput, plan: Plan): Reader {
  const size = sizeOf(view.shape);
  if (source === "coordinate") {
    const coordinates = placesOf(view);
    return () => coordinates;
  }
  if (isDraws(source)) return wordReader(source, size);
  if (isContiguous(view) && size === plan.values[source].size) return (call) => call.array(source);
  return (call) => {
    const out = makeArray(dtype, size);
    copyThrough(view, call.array(source), 0, out);
    return out;
  };
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
  const readers = kernelInputs(kernel).map((input) => reader(input, plan));
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

type Compute = (inputs: readonly TypedArray[], out: TypedArray, call: KernelCall) => void;

function computeOf(kernel: Kernel): Compute {
  const { shape } = kernel;
  switch (kernel.kind) {
    case "map":
      return evaluator(kernel.body, sizeOf(shape));
    case "reduce": {
      const whole: Shape = [...shape, ...kernel.reduced];
      const axes = kernel.reduced.map((_, i) => shape.length + i);
      const body = makeArray(kernel.body.type, sizeOf(whole));
      const evaluate = evaluator(kernel.body, body.length);
      const reduce = reducer(kernel.combine, whole, axes, kernel.dtype, kernel.order);
      return (inputs, out) => {
        evaluate(inputs, body);
        reduce(body, out);
      };
    }
    case "matmul": {
      const [rows, columns] = shape.slice(-2);
      const sizes = { batch: sizeOf(shape.slice(0, -2)), rows, depth: kernel.depth, columns };
      return ([a, b], out) => multiply(a, b, out, sizes);
    }
    case "gather": {
      const along = { axis: kernel.axis, shape, extent: kernel.x.view.shape[kernel.axis], where: "gather" };
      return ([x, indices], out) => gatherAlong(along, x, indices, out);
    }
    case "scatter": {
      const along = {
        axis: kernel.axis,
        shape: kernel.indices.view.shape,
        extent: shape[kernel.axis],
        where: "scatterAdd",
      };
      return ([indices, updates], out) => scatterAlong(along, indices, updates, out.fill(0));
    }
    case "assemble":
      return assembler(shape, placedPieces(kernel));
    case "random": {
      const { sampler, offset, low, high } = kernel;
      return (_, out, { seed, base }) => {
        const at = base + offset;
        if (sampler === "randint") randint(seed, at, low!, high!, out as Int32Array);
        else out.set(permutation(seed, at, out.length));
      };
    }
  }
}
