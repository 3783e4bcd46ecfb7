// Kernels for tests by themselves: a plan of one kernel over any views, and data with every kind of float in it.
import type { KernelInput } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { contiguousView, type View } from "../../kernels/view.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import { type DType, makeArray, type TypedArray } from "../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { testWords, traceGraph } from "./graphs.ts";

/** A kernel without the number of its output. */
export type Unplaced<K extends Kernel = Kernel> = K extends Kernel ? Omit<K, "output"> : never;

/** An array that a kernel reads. */
export interface Source {
  readonly dtype: DType;
  readonly size: number;
}

const scalar = { x: { dtype: "float32", shape: [] } } as const;
const trivial = lower(traceGraph(scalar, ({ x }) => ({ outputs: { x } })));

/** The plan that runs one kernel: inputs are the sources in order, the output is the kernel's. */
export function planOf(kernel: Unplaced, sources: readonly Source[]): Plan {
  const inputs = sources.map(({ dtype, size }, value) => ({ name: `x${value}`, dtype, shape: [size], value }));
  const output = sources.length;
  const { dtype, shape } = kernel;
  return {
    ...trivial,
    values: [
      ...sources.map(({ dtype, size }, index) => ({
        dtype,
        shape: [size],
        size,
        place: { kind: "input" as const, index },
      })),
      { dtype, shape, size: sizeOf(shape), place: { kind: "output", index: 0 } },
    ],
    kernels: [{ ...kernel, output } as Kernel],
    inputs,
    outputs: [{ name: "y", dtype, shape, value: output }],
    state: [],
    draws: 0,
  };
}

/** An input that reads the whole of source `source` under a shape. */
export function whole(source: number, shape: Shape, dtype: DType = "float32"): KernelInput {
  return { source, dtype, view: contiguousView(shape) };
}

/** Any affine view over a shape: strides of any sign, bounds, an offset that fits; and how many elements its source needs. */
export function anyView(shape: Shape, pick: (below: number) => number): { view: View; size: number } {
  const strides = shape.map(() => pick(13) - 5);
  const bounds = shape.map((extent): [number, number] | null => {
    if (pick(3) > 0) return null;
    const low = pick(extent + 1);
    return [low, low + pick(extent + 1 - low)];
  });
  const range = shape.map((extent, axis) => bounds[axis] ?? [0, extent]);
  if (range.some(([low, high]) => low >= high))
    return { view: { shape, strides, offset: pick(9) - 4, bounds }, size: 1 + pick(3) };
  const ends = range.map(([low, high], axis) => [low * strides[axis], (high - 1) * strides[axis]]);
  const least = ends.reduce((sum, pair) => sum + Math.min(...pair), 0);
  const most = ends.reduce((sum, pair) => sum + Math.max(...pair), 0);
  const offset = pick(3) - least;
  return { view: { shape, strides, offset, bounds }, size: offset + most + 1 + pick(2) };
}

/** Floats at every edge: zeros of both signs, infinities, NaN, subnormals, the ends of the normals, halves, the ends of the integers. */
export const edges: readonly number[] = [
  0,
  -0,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** -149,
  -(2 ** -149),
  2 ** -126 - 2 ** -149,
  2 ** -126,
  -(2 ** -126),
  1,
  -1,
  1 + 2 ** -23,
  0.5,
  -0.5,
  -1.5,
  2 ** 23 + 0.5,
  2 ** 24 - 1,
  2 ** 24,
  -(2 ** 31),
  2 ** 127,
  -(2 ** 128 - 2 ** 104),
];

/** Elements of a dtype. Floats are of mixed size, and one in four is an edge unless `plain`: then sums are finite, and show their order. */
export function anyData({ dtype, size }: Source, seed: number, { plain = false } = {}): TypedArray {
  const next = testWords(seed + 31 * size);
  const data = makeArray(dtype, size);
  for (let i = 0; i < size; i++) {
    const word = next();
    if (dtype === "bool") data[i] = word & 1;
    else if (dtype === "uint32" || dtype === "int32") data[i] = word;
    else if (!plain && (word & 3) === 0) data[i] = edges[(word >>> 2) % edges.length];
    else data[i] = ((next() / 2 ** 32) * 2 - 1) * 2 ** (((word >>> 8) % 41) - 20);
  }
  return data;
}
