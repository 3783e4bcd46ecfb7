// Indexing as NumPy writes it: x[1:5, ..., rows, None] is x.at("1:5", "...", rows, null). Ranges and single indices are views; integer tensors
// read by a gather. What decides a shape is known when the call is made, so a mask, whose count is data, is refused.
import { DTypeError, refuse, ShapeError } from "../core/errors.ts";
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sizeOf, withExtent } from "../core/shape.ts";
import { Node } from "../graph/node.ts";
import { isRecord, kind, number, options, takes, tensor } from "./arguments.ts";
import { moveAxis } from "./axes.ts";
import { greaterEqual, less, logicalOr } from "./compare.ts";
import { broadcastTo, checkIndexDType } from "./define.ts";
import { add, mul, where } from "./elementwise.ts";
import { gather, take } from "./gather.ts";
import { reshape, slice } from "./movement.ts";
import { pickedBy, type SliceSpec } from "./range.ts";

/** A range along an axis: from `start` to before `stop`, each `step`-th; negatives count from the end, a negative step goes backwards. What is left out is NumPy's default. */
export interface Range {
  readonly start?: number;
  readonly stop?: number;
  readonly step?: number;
}

/** What stands for one axis or several: a number picks a point and drops the axis; a range, as a record or as text ("1:5", "::-1", ":"); "..." is all axes that nothing else stands for; null a new axis of extent 1; an int32 tensor reads a point for each of its elements. */
export type Index = number | string | null | Range | Node;

const isRange = (index: Index): index is Range =>
  typeof index === "object" && index !== null && !(index instanceof Node);

/** The range that a text such as "1:5:2" writes. Throws ShapeError. */
function rangeOf(text: string): Range {
  const parts = text.split(":").map((part) => part.trim());
  if (parts.length < 2 || parts.length > 3 || !parts.every((part) => /^([+-]?\d+)?$/.test(part))) {
    const expected = '"start:stop", "start:stop:step" or "...", of integers that may be left out';
    refuse(ShapeError, "at", "not a range", JSON.stringify(text), expected);
  }
  const [start, stop, step] = parts.map((part) => (part === "" ? undefined : Number(part)));
  return { start, stop, step };
}

function specOf({ start, stop, step = 1 }: Range): SliceSpec {
  const [first, end] = step < 0 ? [Infinity, -Infinity] : [0, Infinity];
  return [start ?? first, stop ?? end, step];
}

/** Negative indices count from the end of the axis. */
const fromEnd = (indices: Node, extent: number) => where(less(indices, 0), add(indices, extent), indices);

function checkIndices(where: string, indices: Node): void {
  if (indices.dtype !== "bool") {
    checkIndexDType(where, indices.dtype);
    return;
  }
  const problem = "a mask: how many points it keeps is known only when it is computed";
  const hint =
    "where(mask, x, 0) keeps the shape; outside a compiled function x.at(...(await mask.nonzero())) reads the points";
  refuse(DTypeError, where, problem, indices.dtype, "int32", hint);
}

/** Each item with the axes of x that it stands for; "..." and axes at the end that nothing stands for are whole ranges. */
function expanded(x: Node, indices: readonly Index[]): (number | null | Range | Node)[] {
  const rank = x.shape.length;
  const named = indices.filter((index) => index !== null && index !== "...").length;
  const dots = indices.filter((index) => index === "...").length;
  if (named > rank || dots > 1) {
    if (dots > 1) refuse(ShapeError, "at", 'more than one "..."', dots, "at most one");
    refuse(ShapeError, "at", "more indices than axes", named, `at most ${rank} for ${formatShape(x.shape)}`);
  }
  const whole = new Array<Range>(rank - named).fill({});
  const items = indices.flatMap((index): (number | null | Range | Node)[] => {
    if (index === "...") return whole;
    return [typeof index === "string" ? rangeOf(index) : index];
  });
  return dots === 1 ? items : [...items, ...whole];
}

/**
 * NumPy's indexing: `x.at(0, "1:5", null, "...", rows)` is x[0, 1:5, None, ..., rows]. int32 tensors broadcast together and read one point for each
 * of their elements; negatives count from the end, and one out of range is an error when run. Their axes stand where the first of them stood, or in
 * front where anything but a number stands between two of them; a number beside tensors counts as one of them, as in NumPy (PyTorch applies it
 * first). A gradient is added where the elements were read. Throws ShapeError on a wrong index, DTypeError on a mask.
 * @torch torch.Tensor.__getitem__
 */
export function at(x: Node, ...indices: Index[]): Node {
  const items = expanded(x, indices);
  const advanced = items.some((item) => item instanceof Node);
  const isRead = (item: Index) => item instanceof Node || (advanced && typeof item === "number");
  const specs = items
    .filter((item) => item !== null)
    .map((item) => (item instanceof Node ? null : isRange(item) ? specOf(item) : item));
  specs.forEach((spec, axis) => {
    pickedBy("at", spec, x.shape[axis], axis);
  });
  // Of numbers beside tensors the axis is dropped here too: only their place counts.
  const picked = slice(x, specs);
  const extents = [...picked.shape];
  const shape: number[] = [];
  const read: { axis: number; indices: Node }[] = [];
  for (const item of items) {
    if (typeof item === "number") continue;
    if (item instanceof Node) {
      checkIndices("at", item);
      read.push({ axis: shape.length, indices: item });
    }
    shape.push(item === null ? 1 : extents.shift()!);
  }
  const viewed = reshape(picked, shape);
  if (!advanced) return viewed;
  const [first, last] = [items.findIndex(isRead), items.map(isRead).lastIndexOf(true)];
  return readPoints(viewed, read, items.slice(first, last).every(isRead) ? first : 0);
}

/** The points of some axes at indices that broadcast together, as axes from `place` on. */
function readPoints(x: Node, read: readonly { axis: number; indices: Node }[], place: number): Node {
  const points = read.map(({ indices }) => indices.shape).reduce((a, b) => broadcastShapes("at", a, b), [] as Shape);
  const axes = read.map(({ axis }) => axis);
  const kept = x.shape.filter((_, axis) => !axes.includes(axis));
  const extents = axes.map((axis) => x.shape[axis]);
  const first = moveAxis(x, axes, [...axes.keys()]);
  const table = reshape(first, [sizeOf(extents), ...kept]);
  const indices = read.map((each) => each.indices);
  const found = take(table, broadcastTo(rowOf(indices, extents), points));
  const leading = [...points.keys()];
  const places = leading.map((axis) => place + axis);
  return moveAxis(found, leading, places);
}

/** The row-major place of an index for each axis; out of range where one of them is. */
function rowOf(indices: readonly Node[], extents: readonly number[]): Node {
  const within = indices.map((each, i) => fromEnd(each, extents[i]));
  if (within.length === 1) return within[0];
  const row = within.reduce((row, each, i) => add(mul(row, extents[i]), each));
  const outside = within
    .map((each, i) => logicalOr(less(each, 0), greaterEqual(each, extents[i])))
    .reduce((a, b) => logicalOr(a, b));
  return where(outside, -1, row);
}

/** out[…i…] = x[…indices[…i…]…] along an axis, the other axes broadcast: what argmax or argsort gave, read back. indices: int32, negatives count from the end. Throws ShapeError. @torch torch.take_along_dim */
export function takeAlongAxis(x: Node, indices: Node, axis: number): Node {
  const at = normalizeAxis("takeAlongAxis", axis, x.shape.length);
  checkIndices("takeAlongAxis", indices);
  if (indices.shape.length !== x.shape.length) {
    const hint = "keep the axis, as in x.argmax({ axis: 1, keepDims: true })";
    refuse(ShapeError, "takeAlongAxis", "ranks differ", [x, indices], "as many axes of indices as of x", hint);
  }
  const one = (shape: Shape) => withExtent(shape, at, 1);
  const around = broadcastShapes("takeAlongAxis", one(x.shape), one(indices.shape));
  const wide = (node: Node) => broadcastTo(node, withExtent(around, at, node.shape[at]));
  return gather(wide(x), wide(fromEnd(indices, x.shape[at])), at);
}

const range = options<Range>({ "start?": number, "stop?": number, "step?": number });
const index = kind(
  'an index: a number, a range as "1:5" or { start, stop, step }, "...", null or an int32 tensor',
  (value) =>
    value === null ||
    typeof value === "number" ||
    typeof value === "string" ||
    value instanceof Node ||
    range.accepts(value),
  (where, value) => {
    if (isRecord(value)) range.explain!(where, value);
    return Array.isArray(value)
      ? 'a range is "1:5" or { start: 1, stop: 5 }; points by their indices are tensor([0, 2], "int32")'
      : undefined;
  },
);
takes({ at }, { x: tensor, "...indices": index });
takes({ takeAlongAxis }, { x: tensor, indices: tensor, axis: number });
