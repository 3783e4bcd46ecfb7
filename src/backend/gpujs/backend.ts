// The GPU.js backends: float32 kernels printed as GPU.js source, integer work and what an index can't reach on the interpreter, words filled on
// the host. Class A in modes webasm and cpu.
import {
  type Draws,
  type GatherKernel,
  isDraws,
  type Kernel,
  type KernelInput,
  kernelInputs,
  type MapKernel,
  type ReduceKernel,
  type ScatterKernel,
} from "../../../kernels/kernel.ts";
import { contiguousView, isContiguous, type View } from "../../../kernels/view.ts";
import type { Backend } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import type { DType, TypedArray } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { hostBackend, type KernelCall, type KernelRunner } from "../host.ts";
import { interpretKernel, wordReader } from "../interpret.ts";
import { exactIntegers, powerOfTwo } from "./expression.ts";
import { type Facade, type Mode, openGpu } from "./facade.ts";
import { canPrintGather, canPrintScatter, printGather, printScatter, rangeCheck } from "./indexed.ts";
import {
  canPrintMap,
  canPrintMatmul,
  type PrintedKernel,
  printArgument,
  printMap,
  printMatmul,
  printReduce,
} from "./printer.ts";

/** 2ⁿ for n from −126 to 127. */
const powers = Float32Array.from({ length: 254 }, (_, i) => powerOfTwo(i - 126));

/** The backend `gpujs:webasm` or `gpujs:cpu`. Throws BackendError on its first kernel when gpu.js runs another mode. */
export async function gpujsBackend(mode: Mode): Promise<Backend> {
  return gpujsOver(await openGpu(mode), mode);
}

/** The backend over an open facade. */
export function gpujsOver(gpu: Facade, mode: Mode): Backend {
  return hostBackend({
    name: `gpujs:${mode}`,
    class: "A",
    prepare: (kernel, plan) => prepare(gpu, mode, kernel, plan),
    dispose: () => gpu.destroy(),
  });
}

/** A kernel's arguments and its output together stay below this many elements: gpu.js copies them into one memory of at most 4 GiB. */
const elementLimit = 2 ** 29;

function prepare(gpu: Facade, mode: Mode, kernel: Kernel, plan: Plan): KernelRunner {
  const sizes = kernelInputs(kernel).flatMap(({ source, dtype, view }) =>
    source === "coordinate" ? [] : [sourceSize(source, view, plan) * (dtype === "uint32" ? 2 : 1)],
  );
  const total = sizes.reduce((sum, size) => sum + size, sizeOf(kernel.shape));
  // gpu.js takes no empty arrays.
  if (!sizes.includes(0) && total < elementLimit) {
    if (kernel.kind === "map" && canPrintMap(kernel))
      return printed(gpu, mode, printMap(kernel), kernel.inputs, sizeOf(kernel.shape), kernel.output, plan);
    if (kernel.kind === "matmul" && canPrintMatmul(kernel))
      return printed(gpu, mode, printMatmul(kernel), [kernel.a, kernel.b], sizeOf(kernel.shape), kernel.output, plan);
    if (kernel.kind === "reduce" && canPrintReduce(kernel)) return reduceRunner(gpu, mode, kernel, plan);
    if (kernel.kind === "gather" && canPrintGather(kernel))
      return indexedRunner(gpu, mode, kernel, printGather(kernel), kernel.x.view.shape[kernel.axis], plan);
    if (kernel.kind === "scatter" && canPrintScatter(kernel))
      return indexedRunner(gpu, mode, kernel, printScatter(kernel), kernel.shape[kernel.axis], plan);
  }
  return interpretKernel(kernel, plan);
}

/** A printed kernel's runner: inputs as float32 arrays, the result into the output's own. */
function printed(
  gpu: Facade,
  mode: Mode,
  { source, constants, usesPowers }: PrintedKernel,
  inputs: readonly KernelInput[],
  size: number,
  output: number,
  plan: Plan,
): KernelRunner {
  const arrays = inputs.flatMap(({ source, dtype, view }) =>
    source === "coordinate" ? [] : [{ source, dtype, size: sourceSize(source, view, plan) }],
  );
  const fixed = usesPowers ? [constants, powers] : [constants];
  const sizes = arrays.flatMap(({ dtype, size }) => (dtype === "uint32" ? [size, size] : [size]));
  const kernel = gpu.kernel(source, size, [...fixed.map(({ length }) => length), ...sizes]);
  const readers = arrays.map(arrayReader);
  return {
    where: `gpujs:${mode}`,
    source,
    run(call) {
      call.array(output).set(kernel.run(...fixed, ...readers.flatMap((read) => read(call))));
    },
    dispose: () => kernel.release(),
  };
}

/** A gather or scatter: printed, with its indices checked before; the interpreter says which one is out of range. */
function indexedRunner(
  gpu: Facade,
  mode: Mode,
  kernel: GatherKernel | ScatterKernel,
  source: PrintedKernel,
  extent: number,
  plan: Plan,
): KernelRunner {
  const runner = printed(gpu, mode, source, kernelInputs(kernel), sizeOf(kernel.shape), kernel.output, plan);
  const inRange = rangeCheck(kernel.indices.view, extent);
  const interpreted = interpretKernel(kernel, plan);
  const indices = kernel.indices.source as number;
  return {
    ...runner,
    run: (call) => (inRange(call.array(indices)) ? runner.run(call) : interpreted.run(call)),
  };
}

/** Elements of a source: a value's, or a word a point. */
const sourceSize = (source: number | Draws, view: View, plan: Plan): number =>
  isDraws(source) ? sizeOf(view.shape) : plan.values[source].size;

interface ArraySource {
  readonly source: number | Draws;
  readonly dtype: DType;
  readonly size: number;
}

/** A source's elements as float32: themselves, 0 and 1 of a bool, the two halves of a word. */
function arrayReader({ source, dtype, size }: ArraySource): (call: KernelCall) => Float32Array[] {
  const elements = isDraws(source) ? wordReader(source, size) : (call: KernelCall): TypedArray => call.array(source);
  if (dtype === "float32") return (call) => [elements(call) as Float32Array];
  if (dtype !== "uint32") {
    const floats = new Float32Array(size);
    return (call) => {
      floats.set(elements(call));
      return [floats];
    };
  }
  const [high, low] = [new Float32Array(size), new Float32Array(size)];
  return (call) => {
    const words = elements(call);
    for (let i = 0; i < size; i++) {
      high[i] = words[i] >>> 16;
      low[i] = words[i] & 0xffff;
    }
    return [high, low];
  };
}

/** The body of a reduction as a map over all its points. */
function bodyOf({ body, inputs, shape, reduced, dtype }: ReduceKernel): MapKernel & { shape: Shape } {
  return { kind: "map", output: -1, dtype, shape: [...shape, ...reduced], inputs, body };
}

function canPrintReduce(kernel: ReduceKernel): boolean {
  const { body, shape, reduced } = kernel;
  const whole = sizeOf(shape) * sizeOf(reduced);
  return body.type === "float32" && whole > 0 && whole < exactIntegers && canPrintMap(bodyOf(kernel));
}

/** A reduction in two kernels: its body, unless that is an array as it lies, and the sum in the written order. */
function reduceRunner(gpu: Facade, mode: Mode, kernel: ReduceKernel, plan: Plan): KernelRunner {
  const { combine, order, shape, reduced, inputs, body, output } = kernel;
  const count = sizeOf(reduced);
  const reduction =
    combine === "argmax" || combine === "argmin" ? printArgument(combine, count) : printReduce(combine, order, count);
  const whole = sizeOf(shape) * count;
  const only = body.kind === "input" ? inputs[body.index] : undefined;
  const direct =
    only && typeof only.source === "number" && isContiguous(only.view) && whole === plan.values[only.source].size;
  if (direct) return printed(gpu, mode, reduction, [only], sizeOf(shape), output, plan);
  // The body's values: one more value, behind the plan's own.
  const at = plan.values.length;
  const staged: Plan = {
    ...plan,
    values: [...plan.values, { dtype: "float32", shape: [whole], size: whole, place: { kind: "temporary" } }],
  };
  const all: KernelInput = { source: at, dtype: "float32", view: contiguousView([whole]) };
  const points = new Float32Array(whole);
  const map = printed(gpu, mode, printMap(bodyOf(kernel)), inputs, whole, at, staged);
  const reduce = printed(gpu, mode, reduction, [all], sizeOf(shape), output, staged);
  return {
    where: map.where,
    source: `${map.source}\n${reduce.source}`,
    run(call) {
      const inner = { ...call, array: (value: number) => (value === at ? points : call.array(value)) };
      void map.run(inner);
      void reduce.run(inner);
    },
    dispose() {
      map.dispose?.();
      reduce.dispose?.();
    },
  };
}
