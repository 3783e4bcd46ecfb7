// Prefixes of a fold along an axis: element i is what elements 0 … i combine to, one after another from the first, which is copied. The order is
// the written one, so it can't be divided; lines are independent.
import { sizeOf } from "../src/core/shape.ts";
import type { Compute, Kind } from "./kernel.ts";
import { type LineKernel, linesOf } from "./line.ts";

/**
 * `sum` and `prod` (inputs: x): s = s ∘ x. `argmax` and `argmin`: where the best of those so far is, as a fold's: NaN wins, ties to the lowest. `linear`
 * (inputs: a, b): s = a·s + b, product and sum each rounded, from s = b; a's first element isn't read.
 */
export type PrefixCombine = "sum" | "prod" | "argmax" | "argmin" | "linear";

/** Inputs: one, or `linear`'s two, of the output's shape; float32 or int32. */
export interface PrefixKernel extends LineKernel {
  readonly kind: "prefix";
  readonly combine: PrefixCombine;
}

/** What a kernel computes of the elements from `at` on, `step` apart. */
type Line = (
  inputs: Parameters<Compute>[0],
  out: Parameters<Compute>[1],
  at: number,
  step: number,
  end: number,
) => void;

const better = { argmax: (a: number, b: number) => a > b, argmin: (a: number, b: number) => a < b };

const arg =
  (wins: (a: number, b: number) => boolean): Line =>
  ([x], out, at, step, end) => {
    let best = x[at];
    let place = 0;
    for (let i = at, k = 0; i < end; i += step, k++) {
      if (best === best && (x[i] !== x[i] || wins(x[i], best))) [best, place] = [x[i], k];
      out[i] = place;
    }
  };

// Storing rounds to float32, or wraps to int32.
const lines: Readonly<Record<PrefixCombine, Line>> = {
  sum([x], out, at, step, end) {
    out[at] = x[at];
    for (let i = at + step; i < end; i += step) out[i] = out[i - step] + x[i];
  },
  prod([x], out, at, step, end) {
    out[at] = x[at];
    const isInteger = out instanceof Int32Array;
    for (let i = at + step; i < end; i += step)
      out[i] = isInteger ? Math.imul(out[i - step], x[i]) : out[i - step] * x[i];
  },
  linear([a, b], out, at, step, end) {
    out[at] = b[at];
    for (let i = at + step; i < end; i += step) {
      out[i] = out[i - step] * a[i];
      out[i] += b[i];
    }
  },
  argmax: arg(better.argmax),
  argmin: arg(better.argmin),
};

const texts: Readonly<Record<PrefixCombine, string>> = {
  sum: "s + a, from a",
  prod: "s · a, from a",
  argmax: "where the largest a so far is",
  argmin: "where the smallest a so far is",
  linear: "a·s + b, from b",
};

const flops = { sum: 1, prod: 1, linear: 2, argmax: 0, argmin: 0 };

export const prefix: Kind<PrefixKernel> = {
  compute({ shape, axis, combine }) {
    const { starts, step } = linesOf(shape, axis);
    const line = lines[combine];
    return (inputs, out) => {
      for (const at of starts) line(inputs, out, at, step, at + step * shape[axis]);
    };
  },
  work: ({ shape }) => 2 * sizeOf(shape),
  flops: ({ shape, combine }) => flops[combine] * sizeOf(shape),
  text: ({ axis, combine }) => `out = s = ${texts[combine]}, ascending along axis ${axis}`,
};
