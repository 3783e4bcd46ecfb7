// The product over axes.
import { sizeOf } from "../core/shape.ts";
import { moveAxis } from "./axes.ts";
import { numbersOf, numeric } from "./define.ts";
import { mul } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { productsAround } from "./prefix.ts";
import { defineReduction } from "./reduction.ts";

/** Product over axes (all if left out), in the orders of sums; float32 or int32, which wraps; empty: 1. Its gradient divides by nothing: zeros are as good as any. @torch torch.prod */
export const prod = defineReduction({
  name: "prod",
  combine: "prod",
  empty: 1,
  dtype: numeric,
  vjp: ({ inputs: [x], grad, attributes }) => {
    const axes = numbersOf(attributes.axes);
    const rank = grad.shape.length;
    const last = axes.map((_, i) => rank + i);
    const moved = moveAxis(x, axes, last);
    const lines = reshape(moved, [...grad.shape, sizeOf(moved.shape.slice(rank))]);
    const others = mul(...productsAround(lines, rank));
    return [moveAxis(reshape(mul(reshape(grad, [...grad.shape, 1]), others), moved.shape), last, axes)];
  },
});
