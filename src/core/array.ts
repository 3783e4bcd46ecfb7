// A tensor's elements on the host, as data comes in and results go out. It owns nothing of a backend and knows no graph.
import { type DType, makeArray, type TypedArray } from "./dtype.ts";
import type { Shape } from "./shape.ts";

/** Elements in row-major order with their shape and type; `data` holds exactly the product of the extents. */
export interface HostArray {
  readonly data: TypedArray;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Arrays that differ in the extent of their first axis alone, one after another along it. */
export function joined(parts: readonly HostArray[]): HostArray {
  const [{ shape, dtype }] = parts;
  const total = (of: (part: HostArray) => number) => parts.reduce((sum, part) => sum + of(part), 0);
  const length = total((part) => part.data.length);
  const data = makeArray(dtype, length);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { data, dtype, shape: [total((part) => part.shape[0] ?? 0), ...shape.slice(1)] };
}
