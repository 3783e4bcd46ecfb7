// How an op is declared: one record with its name, shape and dtype rules, meaning and gradient. Everything else (methods, lowering,
// conformance cases, gradient checks, the hash tag) reads the record; nothing outside src/ops asks for an op's name.
import type { Expr } from "../../kernels/expr.ts";
import type { View } from "../../kernels/view.ts";
import { type DType, dtypes, holdsNumber, limits } from "../core/dtype.ts";
import { DTypeError, refuse, ShapeError, TraceError } from "../core/errors.ts";
import { broadcastShapes, checkShape, type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { type Attributes, Node } from "../graph/node.ts";
import { reserveDraws } from "../graph/scope.ts";
import { dtypeKind, number, operand, shapeKind, takes, tensor } from "./arguments.ts";
import type { Batch, ElementwiseRecord, MovementRecord, OpRecord, RecordBase } from "./record.ts";
import type { Terms } from "./terms.ts";

/** A node, or a number that takes the other operand's dtype. */
export type NodeLike = Node | number;

const records = new Map<string, OpRecord>();

/** Registers a record and returns it. */
export function defineOp<R extends OpRecord>(record: R): R {
  if (records.has(record.name)) refuse(DTypeError, "defineOp", "an op of this name exists", record.name);
  records.set(record.name, record);
  return record;
}

/** Of the first operand's dtype. */
export const asGiven = ([dtype]: readonly DType[]) => dtype;

/** What movement has unless it says otherwise: any dtype, and all elements where they are. */
const staying = {
  kind: "movement",
  version: 1,
  dtype: asGiven,
  shape: (input: Shape) => input,
  view: (view: View) => view,
} as const;

/** Declares movement. */
export function defineMovement(record: Omit<MovementRecord, keyof typeof staying> & Partial<MovementRecord>): void {
  defineOp({ ...staying, ...record });
}

/** The record of a node's op. */
export function recordOf(node: Node): OpRecord {
  return recordNamed(node.op);
}

function recordNamed(op: string): OpRecord {
  const record = records.get(op);
  if (record) return record;
  const hint = 'import the family that it is of, as in import "seedgrad/ops/linalg"';
  refuse(TraceError, "ops", "an op that isn't defined", op, undefined, hint);
}

/** All records, in the order they were defined. */
export function allRecords(): OpRecord[] {
  return [...records.values()];
}

/** Makes a node of a registered op whose shape is already known: how ops of different files call each other without a circle of imports. */
export function makeNode(op: string, inputs: readonly Node[], shape: Shape, attributes: Attributes = {}): Node {
  const record = recordNamed(op);
  const dtypes = inputs.map((input) => input.dtype);
  const dtype = record.dtype(dtypes, attributes, op);
  const size = sizeOf(shape);
  const drawn = record.kind === "words" ? size : record.kind === "special" ? record.draws?.(size) : undefined;
  const draws = drawn === undefined ? undefined : reserveDraws(drawn);
  return new Node({ op, dtype, shape: Object.freeze([...shape]), inputs, attributes, draws });
}

/** A tensor of one number. The number is rounded to float32, or must be an integer or a boolean that the dtype holds. @torch torch.full */
export function full(shape: Shape, value: number, dtype: DType = "float32"): Node {
  checkNumber("full", value, dtype);
  return makeNode("full", [], checkShape("full", shape), {
    value: dtype === "float32" ? Math.fround(value) : value,
    dtype,
  });
}

/** Throws DTypeError unless a tensor of the dtype can hold the number (float32 rounds it). */
export function checkNumber(where: string, value: number, dtype: DType): void {
  if (typeof value === "number" && holdsNumber(dtype, value)) return;
  const expected = dtype === "float32" ? "a number" : `an integer in [${limits[dtype].join(", ")}]`;
  const hint = 'cast the tensor first: x.cast("float32")';
  refuse(DTypeError, where, `a number that ${dtype} can't hold`, String(value), expected, hint);
}

/** Stretches to `shape` as NumPy does; the same node when nothing changes. @torch torch.broadcast_to */
export function broadcastTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const target = checkShape("broadcastTo", shape);
  if (!sameShape(broadcastShapes("broadcastTo", x.shape, target), target)) {
    const problem = "the shape doesn't stretch to the target";
    refuse(ShapeError, "broadcastTo", problem, `[${x.shape}]`, `a shape that broadcasts to [${shape}]`);
  }
  return makeNode("broadcastTo", [x], target, { shape: target });
}

/** Numbers become tensors of the dtype beside them, then all operands take the common shape. */
export function broadcastOperands(where: string, operands: readonly NodeLike[]): Node[] {
  const dtype = operands.find((operand): operand is Node => operand instanceof Node)?.dtype ?? "float32";
  const nodes = operands.map((operand) => {
    if (operand instanceof Node) return operand;
    checkNumber(where, operand, dtype);
    return full([], operand, dtype);
  });
  const shape = nodes.map((node) => node.shape).reduce((a, b) => broadcastShapes(where, a, b));
  return nodes.map((node) => broadcastTo(node, shape));
}

type Rest = Pick<ElementwiseRecord, "vjp" | "samples">;

function defineElementwise(record: Omit<ElementwiseRecord, "kind">): (...operands: NodeLike[]) => Node {
  defineOp({ kind: "elementwise", ...record });
  return (...operands) => {
    const nodes = broadcastOperands(record.name, operands);
    return makeNode(record.name, nodes, nodes[0].shape);
  };
}

type DTypeRule = RecordBase["dtype"];
type Value = ElementwiseRecord["value"];

/** Declares an elementwise op of one operand and returns the function that applies it. */
export function defineUnary(name: string, dtype: DTypeRule, value: Value, rest: Rest): (x: NodeLike) => Node {
  const apply = defineElementwise({ name, inputs: 1, dtype, value, ...rest });
  takes({ [name]: apply }, { x: operand });
  return apply;
}

/** Declares a function of one float32, given by its expression. */
export function defineFloat(name: string, value: (x: Expr, terms: Terms) => Expr, rest: Rest): (x: NodeLike) => Node {
  return defineUnary(name, floatOnly, ([x], terms) => value(x, terms), rest);
}

/** Declares an elementwise op of two operands and returns the function that applies it: they broadcast, a number takes the other's dtype. */
export function defineBinary(
  name: string,
  dtype: DTypeRule,
  value: Value,
  rest: Rest,
): (a: NodeLike, b: NodeLike) => Node {
  const apply = defineElementwise({ name, inputs: 2, dtype, value, ...rest });
  takes({ [name]: apply }, { a: operand, b: operand });
  return apply;
}

/** Throws DTypeError for operands whose dtypes an op doesn't take. */
export function refuseDTypes(
  where: string,
  got: readonly DType[],
  expected: string,
  hint = 'cast first, as in x.cast("float32")',
): never {
  refuse(DTypeError, where, "dtypes don't fit", got.join(got.length === 2 ? " and " : ", "), expected, hint);
}

/** One common dtype out of those allowed, as the result's dtype. */
export function sameDType(...allowed: DType[]): RecordBase["dtype"] {
  return (inputs, _, where) => {
    if (inputs.some((dtype) => dtype !== inputs[0])) {
      // The widest that is there: no other holds what a float32 does.
      const common = dtypes.find((dtype) => inputs.includes(dtype) && allowed.includes(dtype)) ?? allowed[0];
      const hint = `there is no promotion: cast one side, as in x.cast("${common}")`;
      refuseDTypes(where, inputs, "one dtype for all operands", hint);
    }
    if (!allowed.includes(inputs[0])) {
      const other =
        inputs[0] === "uint32" && allowed.includes("int32") ? ', which rounds, or x.cast("int32"), which wraps' : "";
      refuseDTypes(where, inputs, allowed.join(" or "), `cast first, as in x.cast("${allowed[0]}")${other}`);
    }
    return inputs[0];
  };
}

/** float32 in and out. */
export const floatOnly = sameDType("float32");

/** Throws DTypeError unless indices are int32. */
export function checkIndexDType(where: string, dtype: DType): void {
  if (dtype === "int32") return;
  refuse(DTypeError, where, "indices aren't int32", dtype, "int32", 'cast first, as in x.cast("int32")');
}

/** Throws DTypeError unless x is float32: where a composite takes nothing else. */
export function checkFloat(where: string, x: Node): void {
  floatOnly([x.dtype], {}, where);
}
/** float32 in and out, of a division that integers have another op for. */
export const dividing: RecordBase["dtype"] = (inputs, attributes, where) => {
  const hint = 'integers are divided by floorDivide(a, b); or cast first, as in x.cast("float32")';
  if (inputs.every((dtype) => dtype === "int32" || dtype === "uint32")) refuseDTypes(where, inputs, "float32", hint);
  return floatOnly(inputs, attributes, where);
};
/** float32 or int32, the same in and out. */
export const numeric = sameDType("float32", "int32");
/** float32, int32 or uint32, the same in and out. */
export const numbers = sameDType("float32", "int32", "uint32");

/** Operands of one dtype out of those allowed, `result` out. */
export function giving(result: DType, ...allowed: DType[]): RecordBase["dtype"] {
  const check = sameDType(...allowed);
  return (inputs, attributes, where) => check(inputs, attributes, where) && result;
}
/** float32 or int32, and places out. */
export const placing = giving("int32", "float32", "int32");

/** An op on a batch whose attributes say nothing of places. */
export const sameOnBatch: Batch = (attributes) => attributes;
/** An op on a batch whose attributes name one axis. */
export const nextAxis: Batch = (attributes) => ({ ...attributes, axis: (attributes.axis as number) + 1 });
/** An attribute that is a list of numbers. */
export const numbersOf = (attribute: unknown): readonly number[] => attribute as readonly number[];

/** An op on a batch whose attributes name axes. */
export const nextAxes: Batch = (attributes) => ({
  ...attributes,
  axes: numbersOf(attributes.axes).map((axis) => axis + 1),
});

/** The dtype that the attributes name. */
export const attributeDType: RecordBase["dtype"] = (_, attributes) => attributes.dtype as DType;

takes({ full }, { shape: shapeKind, value: number, "dtype?": dtypeKind });
takes({ broadcastTo }, { x: tensor, shape: shapeKind }, "the shape is one list, as in x.broadcastTo([3, 2])");
