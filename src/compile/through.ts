// A kernel with what another makes computed where it is read: the expression in place of the value, over views of what the value is made from.
import * as e from "../../kernels/expr.ts";
import { coordinateInput, type FoldKernel, type KernelInput, type LoopKernel } from "../../kernels/kernel.ts";
import type { View } from "../../kernels/view.ts";
import { remembered } from "../core/remembered.ts";
import { type Shape, sizeOf, stridesOf } from "../core/shape.ts";
import { keyOf, within } from "./fused.ts";

/** An expression that is computed where it is read has no more distinct operations. */
const mostOperations = 40;

const operationsOf = (body: e.Expr) => e.topological(body).filter((each) => e.children(each).length > 0);

/** Inputs of a kernel, equal ones once. */
class Inputs {
  readonly all: KernelInput[] = [];
  readonly #places = new Map<string, number>();

  leaf(input: KernelInput): e.Expr {
    const place = remembered(this.#places, keyOf(input), () => this.all.push(input) - 1);
    return e.input(place, input.dtype);
  }
}

/** The sum without its loop: +0, then one term after another. */
export function writtenOut({ fold, ...kernel }: FoldKernel): LoopKernel {
  const { shape, body } = kernel;
  const rank = shape.length;
  const inputs = new Inputs();
  const steps = stridesOf(fold.reduced);
  let sum = e.constant(0);
  for (let term = 0; term < sizeOf(fold.reduced); term++) {
    const at = fold.reduced.map((extent, axis) => Math.floor(term / steps[axis]) % extent);
    const own = ({ view, ...input }: KernelInput): KernelInput => {
      const isOut = at.some((i, axis) => view.bounds[rank + axis] && !isInside(view.bounds[rank + axis]!, i));
      const bounds = view.bounds.slice(0, rank);
      const offset = at.reduce((from, i, axis) => from + i * view.strides[rank + axis], view.offset);
      const strides = view.strides.slice(0, rank);
      return { ...input, view: { shape, strides, offset, bounds: isOut ? [[0, 0], ...bounds.slice(1)] : bounds } };
    };
    sum = e.add(
      sum,
      e.substitute(body, ({ index }) => inputs.leaf(own(kernel.inputs[index]))),
    );
  }
  return { ...kernel, inputs: inputs.all, body: sum };
}

const isInside = ([low, high]: readonly [number, number], at: number) => low <= at && at < high;

/** The kernel with what another makes computed where it is read; null where a view of it walks otherwise than along its axes, or too much would be computed. */
export function readThrough(kernel: LoopKernel, maker: LoopKernel): LoopKernel | null {
  const { shape } = kernel;
  const inputs = new Inputs();
  const own = (input: KernelInput, view: View): KernelInput => {
    const isElement = input.source !== "coordinate";
    return { ...input, view: isElement ? view : { ...view, bounds: view.bounds.map(() => null) } };
  };
  let possible = true;
  const body = e.substitute(kernel.body, ({ index }) => {
    const input = kernel.inputs[index];
    if (input.source !== maker.output) return inputs.leaf(input);
    const walk = walkOf(input.view, maker.shape);
    const views = walk ? maker.inputs.map(({ view }) => through(view, walk, input.view)) : [null];
    if (views.includes(null)) possible = false;
    if (!possible) return e.constant(0);
    const value = e.substitute(maker.body, (leaf) => inputs.leaf(own(maker.inputs[leaf.index], views[leaf.index]!)));
    // What is outside is 0.
    const covered = input.view.bounds.flatMap((bound, axis) => {
      return bound ? within(inputs.leaf(coordinateInput(shape, axis)), bound, shape[axis]) : [];
    });
    return covered.length > 0 ? e.select(covered.reduce(e.and), value, e.constant(0, maker.dtype)) : value;
  });
  const arithmetic = operationsOf(body).filter(({ kind }) => kind === "unary" || kind === "binary");
  if (!possible || arithmetic.filter(({ type }) => type !== "bool").length > mostOperations) return null;
  return { ...kernel, inputs: inputs.all, body };
}

/** How a view walks an array of some shape: where it begins along each axis, and for each axis of the view along which it goes, and how far. */
interface Walk {
  readonly starts: readonly number[];
  readonly axes: readonly (number | undefined)[];
  readonly steps: readonly number[];
}

/** How the view walks an array row-major of the shape, each axis along one of it; null where it doesn't. */
function walkOf({ shape, strides, offset, bounds }: View, whole: Shape): Walk | null {
  const sizes = stridesOf(whole);
  const [lows, highs] = [0, 1].map((end) => shape.map((extent, axis) => bounds[axis]?.[end] ?? end * extent));
  const axes = strides.map((stride, axis) =>
    stride === 0 || shape[axis] === 1 ? undefined : sizes.findIndex((size, at) => whole[at] > 1 && stride % size === 0),
  );
  if (strides.some((stride, axis) => stride < 0 || axes[axis] === -1 || lows[axis] >= highs[axis])) return null;
  const steps = strides.map((stride, axis) => (axes[axis] === undefined ? 0 : stride / sizes[axes[axis]]));
  let rest = strides.reduce((from, stride, axis) => from + stride * lows[axis], offset);
  if (rest < 0) return null;
  const starts = whole.map((extent, at) => {
    const first = at === 0 ? Math.floor(rest / sizes[at]) : Math.floor(rest / sizes[at]) % extent;
    const own = axes.flatMap((each, axis) => (each === at ? [axis] : []));
    const last = own.reduce((end, axis) => end + steps[axis] * (highs[axis] - 1 - lows[axis]), first);
    if (last >= extent) rest = Number.NaN;
    return own.reduce((start, axis) => start - steps[axis] * lows[axis], first);
  });
  return Number.isNaN(rest) ? null : { starts, axes, steps };
}

/** A view of what the walked array is made from, as the walk's own view goes; null where bounds can't say what is inside. */
function through(view: View, { starts, axes, steps }: Walk, by: View): View | null {
  const alone = (at: number) => axes.filter((each) => each === at).length <= 1;
  if (view.bounds.some((bound, at) => bound && !alone(at))) return null;
  const isOut = view.bounds.some((bound, at) => bound && !axes.includes(at) && !isInside(bound, starts[at]));
  const bounds = by.shape.map((extent, axis): readonly [number, number] | null => {
    const at = axes[axis];
    const bound = at === undefined ? null : view.bounds[at];
    const own = by.bounds[axis];
    if (isOut && axis === 0) return [0, 0];
    if (!bound) return own;
    const [low, high] = bound.map((end) => Math.ceil((end - starts[at!]) / steps[axis]));
    return [Math.max(low, own?.[0] ?? 0), Math.min(high, own?.[1] ?? extent)];
  });
  return {
    shape: by.shape,
    strides: axes.map((at, axis) => (at === undefined ? 0 : steps[axis] * view.strides[at])),
    offset: starts.reduce((from, start, at) => from + start * view.strides[at], view.offset),
    bounds,
  };
}
