// Values that come from no tensor: constants, fills, coordinates, and the leaves that a run binds from outside.
import { type DType, dtypeOf, makeArray, type TypedArray } from "../core/dtype.ts";
import { DTypeError, refuse, ShapeError, showValue } from "../core/errors.ts";
import { checkShape, normalizeAxis, type Shape, sizeOf } from "../core/shape.ts";
import { Node } from "../graph/node.ts";
import { dtypeKind, either, number, oneOf, options, shapeKind, takes, tensor } from "./arguments.ts";
import { equal } from "./compare.ts";
import { attributeDType, checkIndexDType, checkNumber, defineOp, makeNode } from "./define.ts";
import { add, cast, mul } from "./elementwise.ts";

defineOp({ name: "full", kind: "full", version: 1, vjp: "none", dtype: attributeDType });
defineOp({ name: "coordinate", kind: "coordinate", version: 1, vjp: "none", dtype: () => "int32" });
for (const name of ["constant", "input", "variable"])
  defineOp({ name, kind: "leaf", version: 1, vjp: "none", dtype: attributeDType });

/** A leaf with its elements, row-major; the node owns the array from here on. Throws ShapeError when their number isn't the shape's. */
export function constant(data: TypedArray, shape: Shape, dtype: DType): Node {
  checkShape("tensor", shape);
  if (dtypeOf(data) !== dtype) refuse(DTypeError, "tensor", "an array of another type", dtypeOf(data), dtype);
  if (data.length !== sizeOf(shape)) {
    const problem = "the number of elements isn't the shape's";
    refuse(ShapeError, "tensor", problem, data.length, `${sizeOf(shape)} for [${shape}]`);
  }
  return new Node({ op: "constant", dtype, shape: Object.freeze([...shape]), attributes: { dtype }, data });
}

/** A leaf that each run of a compiled function binds anew. */
export function input(shape: Shape, dtype: DType, op = "input"): Node {
  return new Node({ op, dtype, shape: Object.freeze([...shape]), attributes: { dtype } });
}

/** A leaf that stands for one version of a variable's memory. */
export function variable(shape: Shape, dtype: DType): Node {
  return input(shape, dtype, "variable");
}

/** Elements as nested arrays, a flat typed array, or one number or boolean. */
export type ArrayLike = number | boolean | TypedArray | Float64Array | readonly ArrayLike[];

/** Axes that nested arrays may have: an array that holds itself has no end. */
const deepest = 64;

const arrays = [Float32Array, Int32Array, Uint32Array, Uint8Array];

/** Reads nested arrays: numbers give float32, booleans bool, typed arrays their own dtype, unless `dtype` says otherwise. Throws ShapeError on ragged nesting, DTypeError on values that the dtype can't hold. */
export function fromValues(values: ArrayLike, dtype?: DType): Node {
  if (arrays.some((Type) => values instanceof Type))
    return checked(values as TypedArray, [(values as TypedArray).length], dtype ?? dtypeOf(values as TypedArray));
  const shape: number[] = [];
  const flat: (number | boolean)[] = [];
  const visit = (value: ArrayLike, depth: number) => {
    if (typeof value === "number" || typeof value === "boolean") {
      if (depth !== shape.length) {
        const problem = "nesting isn't the same everywhere";
        refuse(ShapeError, "tensor", problem, `a number at depth ${depth}`, `depth ${shape.length}`);
      }
      flat.push(value);
      return;
    }
    const list = value as readonly ArrayLike[];
    if ((!Array.isArray(list) && !ArrayBuffer.isView(list)) || list instanceof DataView) refuseElement(value);
    if (depth > deepest) refuse(ShapeError, "tensor", "arrays nested too deep", undefined, `at most ${deepest} axes`);
    if (depth === shape.length) {
      if (flat.length > 0)
        refuse(ShapeError, "tensor", "nesting isn't the same everywhere", `an array at depth ${depth}`, "a number");
      shape.push(list.length);
    }
    if (list.length !== shape[depth])
      refuse(ShapeError, "tensor", "rows differ in length", list.length, `${shape[depth]} at depth ${depth}`);
    for (let i = 0; i < list.length; i++) visit(list[i], depth + 1);
  };
  visit(values, 0);
  return checked(flat, shape, dtype ?? (typeof flat[0] === "boolean" ? "bool" : "float32"));
}

function refuseElement(value: unknown): never {
  const int64 = "there is no int64: indices are int32, as in tensor(Int32Array.from(values, Number))";
  const hint = value instanceof Promise ? "await it first" : typeof value === "bigint" ? int64 : undefined;
  refuse(DTypeError, "tensor", "not an element", showValue(value), "numbers, booleans, or arrays of them", hint);
}

function checked(
  values: { readonly length: number; readonly [index: number]: number | boolean },
  shape: Shape,
  dtype: DType,
): Node {
  const data = makeArray(dtype, values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    data[i] = value;
    if ((dtype !== "float32" && data[i] !== value) || (dtype === "bool" && value > 1)) {
      const problem = `an element that ${dtype} can't hold`;
      const int64 = "there is no int64: float32 holds integers up to 16777216, uint32 up to 4294967295";
      const bytes = dtype === "bool" ? 'bytes are bool unless a dtype is given: tensor(bytes, "int32")' : undefined;
      const expected = dtype === "bool" ? "0, 1, true or false" : `an integer that fits ${dtype}`;
      const hint = dtype === "int32" && Number.isInteger(value) ? int64 : bytes;
      refuse(DTypeError, "tensor", problem, `${value} at ${i}`, expected, hint);
    }
  }
  return constant(data, shape, dtype);
}

/** The coordinate along `axis` at every point of `shape`, int32. @torch torch.arange, broadcast */
export function coordinate(shape: Shape, axis: number): Node {
  const at = normalizeAxis("coordinate", axis, shape.length);
  return makeNode("coordinate", [], checkShape("coordinate", shape), { axis: at });
}

export interface RangeOptions {
  /** From one value to the next; 1 unless given. */
  readonly step?: number;
  /** int32 where start and step are integers, else float32, unless given. */
  readonly dtype?: "int32" | "float32";
}

/** 0, 1, … count − 1: [count]. Or start, start + step, … below `stop`, each computed as start + i·step in the dtype: int32 where start and step are integers, else float32. A number in the options' place is the step. @torch torch.arange */
export function arange(start: number, stop?: number, options: number | RangeOptions = {}): Node {
  const { step = 1, dtype: given }: RangeOptions = typeof options === "number" ? { step: options } : options;
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    const got = `start ${from}, stop ${to}, step ${step}`;
    refuse(ShapeError, "arange", "not a range", got, "finite numbers and a step that isn't 0");
  }
  const dtype = given ?? (Number.isInteger(from) && Number.isInteger(step) ? "int32" : "float32");
  const count = Math.max(0, Math.ceil((to - from) / step));
  const points = add(mul(cast(coordinate([count], 0), dtype), step), from);
  checkNumber("arange", from + Math.max(0, count - 1) * step, dtype);
  return points;
}

export interface EyeOptions {
  /** As many as rows unless given. */
  readonly columns?: number;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/** The identity matrix: [rows, columns] with 1 on the diagonal. @torch torch.eye */
export function eye(rows: number, options: EyeOptions = {}): Node {
  const { columns = rows, dtype = "float32" } = options;
  return cast(equal(coordinate([rows, columns], 0), coordinate([rows, columns], 1)), dtype);
}

/** 1 where the last axis's coordinate is the index, else 0. indices: [...] int32 → [..., depth]. @torch torch.nn.functional.one_hot */
export function oneHot(indices: Node, depth: number, dtype: DType = "float32"): Node {
  checkIndexDType("oneHot", indices.dtype);
  const shape = [...indices.shape, depth];
  const column = makeNode("reshape", [indices], [...indices.shape, 1], { shape: [...indices.shape, 1] });
  return cast(equal(column, coordinate(shape, shape.length - 1)), dtype);
}

const range = options<RangeOptions>({ "step?": number, "dtype?": oneOf(["int32", "float32"]) });
takes({ arange }, { start: number, "stop?": number, "options?": either(number, range) }, "the dtype goes by name");
const matrix = options<EyeOptions>({ "columns?": number, "dtype?": dtypeKind });
takes({ eye }, { rows: number, "options?": matrix }, "the number of columns goes by name: { columns: 3 }");
takes({ oneHot }, { indices: tensor, depth: number, "dtype?": dtypeKind });
takes({ coordinate }, { shape: shapeKind, axis: number });
