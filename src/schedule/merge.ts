// Axes that all views walk alike become one: fewer loops, and longer rows for the innermost one, where the vectors are. Axes of one point go.
import { elementBytes, type KernelBase, type KernelInput } from "../../kernels/kernel.ts";
import { contiguousView, repeatView } from "../../kernels/view.ts";
import type { Bounds, Nest } from "./nest.ts";

/**
 * Drops axes of extent 1 and merges neighbours that every view walks as one; axes before and after `border` stay apart, and either side
 * keeps at least one axis.
 */
export function mergeAxes(shape: readonly number[], inputs: readonly KernelInput[], border = 0): Nest {
  /** The last of the axes that an axis of the nest is made of; undefined: of none. */
  const merged: { extent: number; readonly before: boolean; last: number | undefined }[] = [];
  shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const before = axis < border;
    const outer = merged[merged.length - 1];
    const previous = outer?.before === before ? outer.last : undefined;
    const isOne = ({ view: { bounds, strides } }: KernelInput) =>
      !bounds[previous!] && !bounds[axis] && strides[previous!] === strides[axis] * extent;
    if (previous !== undefined && inputs.every(isOne)) {
      outer.extent *= extent;
      outer.last = axis;
    } else merged.push({ extent, before, last: axis });
  });
  const unit = { extent: 1, last: undefined };
  if (!merged.some(({ before }) => before)) merged.unshift({ ...unit, before: true });
  if (merged.every(({ before }) => before)) merged.push({ ...unit, before: false });
  const inner = merged.map(({ last }) => last);
  const outer = merged.filter(({ before }) => before).length;
  return {
    extents: merged.map(({ extent }) => extent),
    outer,
    inputs: inputs.map(({ source, dtype, storage, view }) => ({
      type: dtype,
      storage,
      source,
      scale: typeof source === "number" ? elementBytes({ dtype, storage }) : 1,
      offset: view.offset,
      strides: inner.map((axis) => (axis === undefined ? 0 : view.strides[axis])),
      bounds: inner.map((axis) => (axis === undefined ? null : tighten(view.bounds[axis], shape[axis]))),
      never: view.bounds.some((bound, axis) => bound && isEmpty(bound, shape[axis])),
    })),
  };
}

/** What a kernel writes, as an input of its nest; along the axes that it is folded over it stays. */
export function written(
  { output, dtype, storage, shape }: Pick<KernelBase, "output" | "dtype" | "storage" | "shape">,
  reduced: readonly number[] = [],
): KernelInput {
  const view = reduced.reduce((all, extent) => repeatView(all, all.shape.length, extent), contiguousView(shape));
  return { source: output, dtype, storage, view };
}

const isEmpty = ([low, high]: readonly [number, number], extent: number) => Math.max(low, 0) >= Math.min(high, extent);

function tighten(bound: Bounds, extent: number): Bounds {
  if (!bound || (bound[0] <= 0 && bound[1] >= extent)) return null;
  return [Math.max(bound[0], 0), Math.min(bound[1], extent)];
}
