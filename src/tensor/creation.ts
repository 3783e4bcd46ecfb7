// Tensors of values that are given, and of one number.

import {
  anything,
  checkArguments,
  checkKind,
  dtype as dtypeKind,
  either,
  options,
  shape as shapeKind,
  signature,
} from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import type { DType } from "../core/dtype.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import { type ArrayLike, constant, fromValues } from "../ops/creation.ts";
import { full } from "./families/basic.ts";
import { Tensor } from "./tensor.ts";
import { isHostArray } from "./tree.ts";

/** What `tensor` makes of its values. */
export interface TensorOptions {
  readonly dtype?: DType;
  /** The extents, where values are flat. */
  readonly shape?: Shape;
}

const made = either(dtypeKind, either(shapeKind, options<TensorOptions>({ "dtype?": dtypeKind, "shape?": shapeKind })));
const tensorCall = signature(
  "tensor",
  { values: anything, "options?": { ...made, expected: "a dtype, a shape, or { dtype, shape }" } },
  'shape and dtype together go by name: { shape: [2, 1], dtype: "int32" }',
);

/** A tensor of given values: nested arrays, a typed array, one number, or a host array: an array with its shape and dtype, as a loader's batches hold. Numbers give float32, booleans bool, typed arrays their own dtype, Float64Array float32. The second argument may be the dtype or the shape alone: `tensor([1, 2], "int32")`. Throws ShapeError, DTypeError, ConfigError. */
export function tensor(values: ArrayLike | HostArray, options: DType | Shape | TensorOptions = {}): Tensor {
  checkArguments(tensorCall, arguments);
  const host = isHostArray(values) ? values : undefined;
  if (host?.dtype !== undefined) checkKind("tensor", "the array's dtype", dtypeKind, host.dtype);
  const { dtype = host?.dtype, shape = host?.shape }: TensorOptions =
    typeof options === "string"
      ? { dtype: options }
      : Array.isArray(options)
        ? { shape: options }
        : (options as TensorOptions);
  const flat = fromValues(host?.data ?? (values as ArrayLike), dtype);
  return new Tensor(shape ? constant(flat.data!, shape, flat.dtype) : flat);
}

const filled = { shape: shapeKind, "dtype?": dtypeKind };
const oneList = "the shape is one list: zeros([2, 3])";
const zerosCall = signature("zeros", filled, oneList);
const onesCall = signature("ones", filled, oneList);

/** Zeros: → [...shape], of the dtype, float32 unless given. Throws ShapeError, DTypeError. */
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  checkArguments(zerosCall, arguments);
  return full(checkShape("zeros", shape), 0, dtype);
}

/** Ones: → [...shape], of the dtype, float32 unless given. Throws ShapeError, DTypeError. */
export function ones(shape: Shape, dtype: DType = "float32"): Tensor {
  checkArguments(onesCall, arguments);
  return full(checkShape("ones", shape), 1, dtype);
}
