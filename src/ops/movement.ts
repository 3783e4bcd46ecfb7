// Movement: elements keep their values and change their places. Each is a view; nothing is copied unless no affine view exists.
import { dtypes } from "../core/dtype.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import {
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  typeText,
  withExtent,
} from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axesKind, axisKind, kind, listOf, numbers, shapeKind, takes, tensor, tensors } from "./arguments.ts";
import { assemble } from "./assemble.ts";
import { defineMovement, makeNode, numbersOf, sameDType } from "./define.ts";
import { pickedBy, type SliceSpec } from "./range.ts";
import type { Batch } from "./record.ts";

export type { SliceSpec };

const leadingExtent: Batch = ({ shape }, size) => ({ shape: [size, ...numbersOf(shape)] });

defineMovement({
  name: "broadcastTo",
  shape: (_, { shape }) => numbersOf(shape),
  view: (view, { views }, shape) => views.broadcastView(view, shape),
  alignsLast: true,
  batch: leadingExtent,
  vjp: ({ inputs: [x], grad }) => {
    const lead = grad.shape.length - x.shape.length;
    const axes = grad.shape
      .map((_, axis) => axis)
      .filter((axis) => axis < lead || (x.shape[axis - lead] === 1 && grad.shape[axis] !== 1));
    const kept = grad.shape.filter((_, axis) => !axes.includes(axis));
    return [reshape(makeNode("sum", [grad], kept, { axes }), x.shape)];
  },
});

defineMovement({
  name: "reshape",
  shape: (_, { shape }) => numbersOf(shape),
  view: (view, { views }, shape) => views.reshapeView(view, shape),
  batch: leadingExtent,
  vjp: ({ inputs: [x], grad }) => [reshape(grad, x.shape)],
});

defineMovement({
  name: "transpose",
  shape: (input, { permutation }) => numbersOf(permutation).map((axis) => input[axis]),
  view: (view, { views }, _, { permutation }) => views.transposeView(view, numbersOf(permutation)),
  batch: ({ permutation }) => ({ permutation: [0, ...numbersOf(permutation).map((axis) => axis + 1)] }),
  vjp: ({ grad, attributes }) => {
    const inverse: number[] = [];
    numbersOf(attributes.permutation).forEach((axis, i) => {
      inverse[axis] = i;
    });
    return [transpose(grad, inverse)];
  },
});

defineMovement({
  name: "slice",
  shape: (_, { shape }) => numbersOf(shape),
  view: (view, { views }, shape, { starts, steps }) =>
    views.sliceView(view, numbersOf(starts), numbersOf(steps), shape),
  batch: ({ starts, steps, shape }, size) => ({
    starts: [0, ...numbersOf(starts)],
    steps: [1, ...numbersOf(steps)],
    shape: [size, ...numbersOf(shape)],
  }),
  vjp: ({ grad, attributes }) => [
    sizeOf(grad.shape) === 0
      ? null
      : { piece: grad, starts: numbersOf(attributes.starts), steps: numbersOf(attributes.steps) },
  ],
});

/** The same elements in row-major order under another shape; one extent may be −1 and is found. Throws ShapeError when the sizes differ. @torch torch.reshape */
export function reshape(x: Node, shape: Shape): Node {
  const found = [...shape];
  const free = found.indexOf(-1);
  // With its −1 the product is minus that of the others.
  if (free >= 0) found[free] = -sizeOf(x.shape) / sizeOf(found);
  if (found.some((extent) => !Number.isInteger(extent) || extent < 0) || sizeOf(found) !== sizeOf(x.shape)) {
    const got = `${formatShape(x.shape)} to ${formatShape(shape)}`;
    refuse(ShapeError, "reshape", "the number of elements would change", got, `a shape of ${sizeOf(x.shape)} elements`);
  }
  if (sameShape(found, x.shape)) return x;
  return makeNode("reshape", [x], found, { shape: found });
}

/** Axes in another order: axis i of the result is axis permutation[i] of x; reversed if left out. @torch torch.permute */
export function transpose(x: Node, permutation?: readonly number[]): Node {
  const order = (permutation ?? x.shape.map((_, axis) => -1 - axis)).map((axis) =>
    normalizeAxis("transpose", axis, x.shape.length),
  );
  if (order.length !== x.shape.length || new Set(order).size !== order.length) {
    const problem = "not a permutation of the axes";
    refuse(ShapeError, "transpose", problem, `[${permutation}]`, `each of ${x.shape.length} axes once`);
  }
  const shape = order.map((axis) => x.shape[axis]);
  return makeNode("transpose", [x], shape, { permutation: order });
}

/** Swaps two axes, the last two if left out. @torch torch.swapaxes */
export function swapAxes(x: Node, a = -1, b = -2): Node {
  const order = x.shape.map((_, axis) => axis);
  const [i, j] = [a, b].map((axis) => normalizeAxis("swapAxes", axis, x.shape.length));
  [order[i], order[j]] = [order[j], order[i]];
  return transpose(x, order);
}

/** NumPy's basic slicing; axes that aren't named are kept whole. Throws ShapeError on an index out of range or a step of 0. @torch torch.Tensor.__getitem__ */
export function slice(x: Node, specs: readonly SliceSpec[]): Node {
  const rank = x.shape.length;
  if (specs.length > rank) refuse(ShapeError, "slice", "more ranges than axes", specs.length, `at most ${rank}`);
  const picked = x.shape.map((extent, axis) => pickedBy("slice", specs[axis], extent, axis));
  const [starts, steps, shape] = (["start", "step", "count"] as const).map((key) => picked.map((each) => each[key]));
  const whole = shape.every((extent, axis) => extent === x.shape[axis] && starts[axis] === 0 && steps[axis] === 1);
  const sliced = whole ? x : makeNode("slice", [x], shape, { starts, steps, shape });
  const kept = shape.filter((_, axis) => typeof specs[axis] !== "number");
  return reshape(sliced, kept);
}

/** The axes reversed. @torch torch.flip */
export function flip(x: Node, axes: number | readonly number[]): Node {
  const list = normalizeAxes("flip", axes, x.shape.length);
  const turned = (extent: number): SliceSpec => (extent > 0 ? [extent - 1, -Infinity, -1] : null);
  const specs = x.shape.map((extent, axis) => (list.includes(axis) ? turned(extent) : null));
  return slice(x, specs);
}

const alike = sameDType(...dtypes);

/** Joins tensors along an axis, the first unless given; the other extents must agree. Throws ShapeError, DTypeError. @torch torch.cat */
export function concat(parts: readonly Node[], axis = 0): Node {
  if (parts.length === 0) refuse(ShapeError, "concat", "nothing to join", undefined, "at least one tensor");
  alike([...new Set(parts.map(({ dtype }) => dtype))], {}, "concat");
  const at = normalizeAxis("concat", axis, parts[0].shape.length);
  const total = parts.reduce((sum, part) => sum + part.shape[at], 0);
  const shape = withExtent(parts[0].shape, at, total);
  for (const part of parts) {
    if (!sameShape(withExtent(part.shape, at, total), shape)) {
      const expected = `${typeText(parts[0])} but for axis ${at}`;
      refuse(ShapeError, "concat", "parts don't line up", typeText(part), expected);
    }
  }
  if (parts.length === 1) return parts[0];
  let end = 0;
  const places = parts.map((part) => {
    const starts = shape.map((_, i) => (i === at ? end : 0));
    end += part.shape[at];
    return { starts, steps: shape.map(() => 1) };
  });
  return assemble(parts, places, shape);
}

/** Joins tensors of one shape along a new axis, the first unless given. @torch torch.stack */
export function stack(parts: readonly Node[], axis = 0): Node {
  const rank = (parts[0]?.shape.length ?? 0) + 1;
  const at = normalizeAxis("stack", axis, rank);
  const beside = parts.map((part) => reshape(part, [...part.shape.slice(0, at), 1, ...part.shape.slice(at)]));
  return concat(beside, at);
}

const oneList = (call: string) => `it is one list: ${call}`;
const range = kind(
  "a range [start, stop] or [start, stop, step], a number, or null",
  (value) =>
    value === undefined ||
    value === null ||
    typeof value === "number" ||
    (numbers.accepts(value) && [2, 3].includes(numbersOf(value).length)),
);
takes({ reshape }, { x: tensor, shape: shapeKind }, oneList("x.reshape([3, 2])"));
const orAll = "all axes are one list, as in x.transpose([1, 0]); two axes are exchanged by x.swapAxes(0, 1)";
takes({ transpose }, { x: tensor, "permutation?": numbers }, orAll);
takes({ swapAxes }, { x: tensor, "a?": axisKind, "b?": axisKind });
takes(
  { slice },
  { x: tensor, specs: listOf(range, "a list with a range for each axis, as in x.slice([[1, 3]])") },
  "a range for each axis, from its start to its end, in one list: x.slice([[1, 3], [0, 2]])",
);
takes({ flip }, { x: tensor, axes: axesKind }, oneList("x.flip([0, 1])"));
takes({ concat, stack }, { parts: tensors, "axis?": axisKind }, oneList("concat([a, b])"));
