// Ranges along an axis, as slices and indexing write them: which points they pick.
import { refuse, ShapeError } from "../core/errors.ts";

/** A range along an axis: `[start, stop]` or `[start, stop, step]`, negatives counted from the end, undefined or null for all; a number picks one and drops the axis. */
export type SliceSpec = number | readonly [number, number] | readonly [number, number, number] | null | undefined;

/** Ranges that pick from one axis, and all of the others. */
export const alongAxis = (axis: number, spec: SliceSpec): SliceSpec[] => [...new Array<null>(axis).fill(null), spec];

/** `count` points from `start` on, each `step` further. */
export interface Picked {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** The points of an axis that a range picks, NumPy's rules. Throws ShapeError naming `where` on an index out of range or a step of 0. */
export function pickedBy(where: string, spec: SliceSpec, extent: number, axis: number): Picked {
  if (spec === undefined || spec === null) return { start: 0, step: 1, count: extent };
  if (typeof spec === "number") {
    if (!Number.isInteger(spec) || spec < -extent || spec >= extent) {
      const problem = `index out of range on axis ${axis}`;
      refuse(ShapeError, where, problem, spec, `an integer in [${-extent}, ${extent - 1}]`);
    }
    return { start: spec < 0 ? spec + extent : spec, step: 1, count: 1 };
  }
  const [from, to, step = 1] = spec;
  if (
    ![from, to].every((value) => Number.isInteger(value) || Math.abs(value) === Infinity) ||
    step === 0 ||
    !Number.isInteger(step)
  ) {
    const got = `[${spec.join(", ")}] on axis ${axis}`;
    refuse(ShapeError, where, "not a range", got, "integers and a step that isn't 0");
  }
  const clamp = (value: number, low: number, high: number) =>
    Math.min(Math.max(value < 0 ? value + extent : value, low), high);
  const [start, stop] =
    step > 0
      ? [clamp(from, 0, extent), clamp(to, 0, extent)]
      : [clamp(from, -1, extent - 1), to < -extent ? -1 : clamp(to, -1, extent - 1)];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  return { start: count === 0 ? 0 : start, step, count };
}
