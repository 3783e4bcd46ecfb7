// The GPU.js backends: float32 kernels printed as GPU.js source, integer work and what an index can't reach on the interpreter, words filled on
// the host. Class A in modes webasm and cpu; in mode webgpu B, as far as the device was found to give the same.
import { input } from "../../../kernels/expr.ts";
import {
  type Draws,
  type FoldKernel,
  isDraws,
  isFold,
  type KernelInput,
  kernelInputs,
  type LoopKernel,
  loopShape,
} from "../../../kernels/kernel.ts";
import { type Kernel, kernelIndices, type SpecialKernel, type SpecialKind } from "../../../kernels/kinds.ts";
import { contiguousView, type View } from "../../../kernels/view.ts";
import type { Backend } from "../../compile/contract.ts";
import type { Plan } from "../../compile/plan.ts";
import type { DType, TypedArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Audit } from "../audit.ts";
import { Certifier, relying } from "../certificate.ts";
import { hostBackend, type KernelCall, type KernelRunner } from "../host.ts";
import { interpretKernel, wordReader } from "../interpret.ts";
import { powerOfTwo } from "./expression.ts";
import { type Facade, type Mode, openGpu, webgpuArrays } from "./facade.ts";
import { canPrintFold, printFold } from "./fold.ts";
import { printScatter, rangeCheck } from "./indexed.ts";
import { canPrintMap, type PrintedKernel, printMap } from "./printer.ts";

/** 2ⁿ for n from −126 to 127. */
const powers = Float32Array.from({ length: 254 }, (_, i) => powerOfTwo(i - 126));

/** The backend of a mode of class A. Throws BackendError on its first kernel when gpu.js runs another mode. */
export async function gpujsBackend(mode: Exclude<Mode, "webgpu">): Promise<Backend> {
  return gpujsOver(await openGpu(mode), mode);
}

/**
 * The backend `gpujs:webgpu`: each kernel that gpu.js's WebGPU mode was found to give class A's bits for runs on the device, what it reads and writes being copied there and
 * back; the others run on the interpreter. `against`, of class A, says which are right; `share` of what the device runs is audited. Throws BackendError where there is no device.
 */
export async function gpujsWebgpu(against: Backend, share?: number): Promise<Backend> {
  return gpujsCertified(await openGpu("webgpu"), against, share);
}

/** As `gpujsWebgpu`, over an open facade of a device. */
export async function gpujsCertified(gpu: Facade, against: Backend, share?: number): Promise<Backend> {
  const mode = "webgpu";
  const certifier = await Certifier.open(gpujsOver(gpu, mode), against, gpu.device!);
  const backend = hostBackend({
    name: `gpujs:${mode}`,
    class: "B",
    prepare(kernel, plan) {
      const fault = certifier.faultOf(kernel);
      return fault === undefined ? prepare(gpu, mode, kernel, plan) : { ...interpretKernel(kernel, plan), fault };
    },
    dispose: () => gpu.destroy(),
  });
  const load = async (plan: Plan, audit: Audit) => {
    await certifier.try(plan);
    return audit.over(await backend.load(plan));
  };
  return relying(backend, certifier, against, load, share);
}

/** The backend over an open facade, not certified in webgpu mode. */
export function gpujsOver(gpu: Facade, mode: Mode): Backend {
  return hostBackend({
    name: `gpujs:${mode}`,
    class: mode === "webgpu" ? "B" : "A",
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
  // gpu.js takes no empty arrays. Two arrays of its own may stand before a kernel's.
  const fits = mode !== "webgpu" || arraysOf(kernel) <= webgpuArrays - 2;
  if (!sizes.includes(0) && total < elementLimit && fits) {
    const runner =
      kernel.kind === "loop" ? loopRunner(gpu, mode, kernel, plan) : specialRunner(gpu, mode, kernel, plan);
    if (runner) return checked(kernel, runner, plan);
  }
  return interpretKernel(kernel, plan);
}

/** How many arrays a kernel is given for what it reads: a word is two. */
const arraysOf = (kernel: Kernel): number =>
  kernelInputs(kernel).reduce(
    (sum, { source, dtype }) => sum + (source === "coordinate" ? 0 : dtype === "uint32" ? 2 : 1),
    0,
  );

/** Sources of kernels that aren't loops, by their kind; undefined where one can't be printed. The interpreter has the other kinds. */
const printers: { readonly [K in SpecialKind]?: (kernel: SpecialKernel<K>) => PrintedKernel | undefined } = {
  scatter: printScatter,
};

function specialRunner(gpu: Facade, mode: Mode, kernel: SpecialKernel, plan: Plan): KernelRunner | undefined {
  const source = (printers[kernel.kind] as ((kernel: SpecialKernel) => PrintedKernel | undefined) | undefined)?.(
    kernel,
  );
  return source && printed(gpu, mode, source, kernel, plan);
}

/** A loop's runner, where it can be printed. */
function loopRunner(gpu: Facade, mode: Mode, kernel: LoopKernel, plan: Plan): KernelRunner | undefined {
  if (isFold(kernel)) {
    if (canPrintFold(kernel)) return printed(gpu, mode, printFold(kernel), kernel, plan);
    return foldRunner(gpu, mode, kernel, plan);
  }
  return canPrintMap(kernel) ? printed(gpu, mode, printMap(kernel), kernel, plan) : undefined;
}

/** A printed kernel's runner: what it reads as float32 arrays, the result into the output's own. */
function printed(
  gpu: Facade,
  mode: Mode,
  { source, constants, usesPowers }: PrintedKernel,
  reads: Kernel,
  plan: Plan,
): KernelRunner {
  const { output, shape } = reads;
  const arrays = kernelInputs(reads).flatMap(({ source, dtype, view }) =>
    source === "coordinate" ? [] : [{ source, dtype, size: sourceSize(source, view, plan) }],
  );
  const fixed = usesPowers ? [constants, powers] : [constants];
  const sizes = arrays.flatMap(({ dtype, size }) => (dtype === "uint32" ? [size, size] : [size]));
  const kernel = gpu.kernel(source, sizeOf(shape), [...fixed.map(({ length }) => length), ...sizes]);
  const readers = arrays.map(arrayReader);
  return {
    where: `gpujs:${mode}`,
    source,
    run(call) {
      const result = kernel.run(...fixed, ...readers.flatMap((read) => read(call)));
      if (!(result instanceof Promise)) return call.array(output).set(result);
      return result.then((elements) => call.array(output).set(elements));
    },
    dispose: () => kernel.release(),
  };
}

/** A printed kernel with its indices checked before, if it has any: the interpreter says which one is out of range. */
function checked(kernel: Kernel, runner: KernelRunner, plan: Plan): KernelRunner {
  const checks = kernelIndices(kernel).map(({ at, extent }) => {
    const inRange = rangeCheck(at.view, extent);
    return (call: KernelCall) => inRange(call.array(at.source as number));
  });
  if (checks.length === 0) return runner;
  const interpreted = interpretKernel(kernel, plan);
  return { ...runner, run: (call) => (checks.every((holds) => holds(call)) ? runner : interpreted).run(call) };
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

/** A fold in two kernels: its body as a map over all its points, and the fold of those. Undefined where the map can't be printed. */
function foldRunner(gpu: Facade, mode: Mode, kernel: FoldKernel, plan: Plan): KernelRunner | undefined {
  const shape = loopShape(kernel);
  const size = sizeOf(shape);
  // The body's values: one more value, behind the plan's own.
  const at = plan.values.length;
  const { body } = kernel;
  const values: LoopKernel = { ...kernel, fold: undefined, dtype: body.type, shape, output: at };
  const source: KernelInput = { source: at, dtype: body.type, view: contiguousView(shape) };
  const rest: FoldKernel = { ...kernel, inputs: [source], body: input(0, body.type) };
  if (!canPrintMap(values) || !canPrintFold(rest)) return undefined;
  const staged: Plan = {
    ...plan,
    values: [...plan.values, { dtype: body.type, shape, size, place: { kind: "temporary" } }],
  };
  const points = new Float32Array(size);
  const map = printed(gpu, mode, printMap(values), values, staged);
  const reduce = printed(gpu, mode, printFold(rest), rest, staged);
  return {
    where: map.where,
    source: `${map.source}\n${reduce.source}`,
    run(call) {
      const inner = { ...call, array: (value: number) => (value === at ? points : call.array(value)) };
      const pending = map.run(inner);
      return pending ? pending.then(() => reduce.run(inner)) : reduce.run(inner);
    },
    dispose() {
      map.dispose?.();
      reduce.dispose?.();
    },
  };
}
