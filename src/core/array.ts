// A tensor's elements on the host, as data comes in and results go out. It owns nothing of a backend and knows no graph.
import type { DType, TypedArray } from "./dtype.ts";
import type { Shape } from "./shape.ts";

/** Elements in row-major order with their shape and type; `data` holds exactly the product of the extents. */
export interface HostArray {
  readonly data: TypedArray;
  readonly shape: Shape;
  readonly dtype: DType;
}
