// The product over axes.
import { otherAxes, sizeOf } from "../core/shape.ts";
import { numbersOf, numeric } from "./define.ts";
import { mul } from "./elementwise.ts";
import { reshape, transpose } from "./movement.ts";
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
    const kept = otherAxes(x.shape.length, axes);
    const order = [...kept, ...axes];
    const moved = transpose(x, order);
    const line = kept.length;
    const lines = reshape(moved, [...moved.shape.slice(0, line), sizeOf(moved.shape.slice(line))]);
    const others = mul(...productsAround(lines, line));
    const back = order.map((_, axis) => order.indexOf(axis));
    return [transpose(reshape(mul(reshape(grad, [...grad.shape, 1]), others), moved.shape), back)];
  },
});
