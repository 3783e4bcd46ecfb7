// Sorting along an axis: the order in which elements ascend or descend, stable.
import { sizeOf } from "../src/core/shape.ts";
import type { Kind } from "./kernel.ts";
import { type LineKernel, linesOf } from "./line.ts";

/** Where along the axis the elements are that ascend, or descend: NaN last in either, equal ones (−0 and 0 too) in their own order. One input, float32 or int32. */
export interface SortKernel extends LineKernel {
  readonly kind: "sort";
  readonly isDescending: boolean;
  /** How many of each line are read, the first ones: what is behind them need not be written. All unless given. */
  readonly kept?: number;
}

export const sort: Kind<SortKernel> = {
  compute({ shape, axis, isDescending }) {
    const { starts, step } = linesOf(shape, axis);
    const sign = isDescending ? -1 : 1;
    return ([x], out) => {
      for (const start of starts) {
        const before = (i: number, j: number) => {
          const [a, b] = [x[start + i * step], x[start + j * step]];
          if (a !== a || b !== b) return Number(a !== a) - Number(b !== b) || i - j;
          return a < b ? -sign : a > b ? sign : i - j;
        };
        const order = Int32Array.from({ length: shape[axis] }, (_, i) => i).sort(before);
        for (let i = 0; i < order.length; i++) out[start + i * step] = order[i];
      }
    };
  },
  work: ({ shape, axis }) => 2 * sizeOf(shape) * (32 - Math.clz32(Math.max(2, shape[axis]) - 1)),
  text: ({ axis, isDescending, kept }) =>
    `out = where the ${kept === undefined ? "" : `first ${kept} `}elements of a are that ${isDescending ? "descend" : "ascend"} along axis ${axis}: stable, NaN last`,
};
