// Products of tensors that sum over axes they share: axes go by name, and two operands meet in one matrix product where there is one, else in a
// product of elements and a sum. What einsum does with a list of operands, the functions here do with two.
import { refuse, ShapeError } from "../core/errors.ts";
import { broadcastShapes, normalizeAxes, normalizeAxis } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axisKind, either, listOf, number, numbers, takes, tensor } from "./arguments.ts";
import { expandDims } from "./axes.ts";
import { equal } from "./compare.ts";
import { broadcastTo, refuseDTypes } from "./define.ts";
import { mul, sqrt, sub, where } from "./elementwise.ts";
import { reshape, stack } from "./movement.ts";
import { pairProduct } from "./named.ts";
import { unstack } from "./parts.ts";
import { sum } from "./reduce.ts";

function refuseShapes(name: string, a: Node, b: Node, expected: string, hint?: string): never {
  refuse(ShapeError, name, "shapes don't fit", [a, b], expected, hint);
}

/** One dtype of both, float32 or int32. */
function checkNumeric(name: string, a: Node, b: Node): void {
  if (a.dtype === b.dtype && (a.dtype === "float32" || a.dtype === "int32")) return;
  refuseDTypes(name, [a.dtype, b.dtype], "float32 or int32, one of both");
}

/**
 * Σ over axes of both: the last `axes` of a with the first `axes` of b, 2 unless given, or axes of each by name: tensordot(a, b, [[0], [1]]). The rest of
 * a's axes, then of b's. In float32 one matrix product, k row-major over a's summed axes; int32, or no other axis: products, then one sum. Throws ShapeError, DTypeError.
 * @torch torch.tensordot
 */
export function tensordot(a: Node, b: Node, axes: number | readonly (readonly number[])[] = 2): Node {
  checkNumeric("tensordot", a, b);
  const [rank, most] = [a.shape.length, Math.min(a.shape.length, b.shape.length)];
  if (typeof axes === "number" ? !(Number.isInteger(axes) && axes >= 0 && axes <= most) : axes.length !== 2) {
    const got = JSON.stringify(axes);
    refuse(ShapeError, "tensordot", "not axes of both", got, `an integer in [0, ${most}], or a list of axes for each`);
  }
  const count = typeof axes === "number" ? Array.from({ length: axes }, (_, i) => i) : [];
  const pair = typeof axes === "number" ? [count.map((i) => rank - axes + i), count] : axes;
  const [of, with_] = [a, b].map((node, i) => {
    normalizeAxes("tensordot", pair[i], node.shape.length);
    return pair[i].map((axis) => normalizeAxis("tensordot", axis, node.shape.length));
  });
  if (of.length !== with_.length || of.some((axis, i) => a.shape[axis] !== b.shape[with_[i]]))
    refuseShapes("tensordot", a, b, `equal extents of axes [${of.join(", ")}] and [${with_.join(", ")}]`);
  const left = a.shape.map((_, axis) => (of.includes(axis) ? `k${of.indexOf(axis)}` : `a${axis}`));
  const right = b.shape.map((_, axis) => (with_.includes(axis) ? `k${with_.indexOf(axis)}` : `b${axis}`));
  const kept = [...left, ...right].filter((label) => !label.startsWith("k"));
  return pairProduct({ node: a, axes: left }, { node: b, axes: right }, new Set(kept)).node;
}

/** Each element of a vector times each of another: [n], [m] → [n, m]. Throws ShapeError on other ranks. @torch torch.outer */
export function outer(a: Node, b: Node): Node {
  if (a.shape.length !== 1 || b.shape.length !== 1)
    refuseShapes("outer", a, b, "[n] and [m]", "of more axes it is tensordot(a, b, 0)");
  return mul(expandDims(a, 1), expandDims(b, 0));
}

/** Σ aᵢ·bᵢ of two vectors: products, then one sum. [n], [n] → []. Throws ShapeError on other ranks. @torch torch.dot */
export function dot(a: Node, b: Node): Node {
  if (a.shape.length !== 1 || b.shape.length !== 1 || a.shape[0] !== b.shape[0])
    refuseShapes("dot", a, b, "[n] and [n]", "products of matrices are matmul(a, b)");
  return sum(mul(a, b));
}

/** Σ over the last axis of both: [..., n], [..., n] → [..., ...]. Of a scalar and a tensor: their product. Throws ShapeError. @torch torch.inner */
export function inner(a: Node, b: Node): Node {
  if (a.shape.length === 0 || b.shape.length === 0) return mul(a, b);
  return tensordot(a, b, [[-1], [-1]]);
}

/** Kronecker product: each element of a times all of b, block by block. [r, c], [p, q] → [r·p, c·q]; of any ranks, the shorter shape with ones in front. @torch torch.kron */
export function kron(a: Node, b: Node): Node {
  const rank = Math.max(a.shape.length, b.shape.length);
  const [x, y] = [a, b].map(({ shape }) => [...new Array(rank - shape.length).fill(1), ...shape]);
  const spread = (shape: readonly number[], odd: boolean) =>
    shape.flatMap((extent) => (odd ? [1, extent] : [extent, 1]));
  const product = mul(reshape(a, spread(x, false)), reshape(b, spread(y, true)));
  const shape = x.map((extent, axis) => extent * y[axis]);
  return reshape(product, shape);
}

/** Vector product over an axis of extent 3, the last unless given; the others broadcast. Throws ShapeError. @torch torch.linalg.cross */
export function cross(a: Node, b: Node, axis = -1): Node {
  const shape = broadcastShapes("cross", a.shape, b.shape);
  const at = normalizeAxis("cross", axis, shape.length);
  const threes = [a, b].every((node) => node.shape[at - shape.length + node.shape.length] === 3);
  if (!threes) refuseShapes("cross", a, b, `extent 3 on axis ${axis}`);
  const [x, y] = [a, b].map((node) => unstack(broadcastTo(node, shape), at));
  const turned = [0, 1, 2].map((i) => {
    const [j, k] = [(i + 1) % 3, (i + 2) % 3];
    return sub(mul(x[j], y[k]), mul(x[k], y[j]));
  });
  return stack(turned, at);
}

/**
 * Euclidean distance of each row of a to each of b: √Σ(aᵢ − bᵢ)², by the differences (no matrix product, which cancels digits); its gradient at distance 0 is 0.
 * [..., n, width], [..., m, width] → [..., n, m], leading axes broadcast. Throws ShapeError.
 * @torch torch.cdist
 */
export function cdist(a: Node, b: Node): Node {
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape[a.shape.length - 1] !== b.shape[b.shape.length - 1])
    refuseShapes("cdist", a, b, "[..., n, width] and [..., m, width]");
  const difference = sub(expandDims(a, -2), expandDims(b, -3));
  const squares = sum(mul(difference, difference), -1);
  const none = equal(squares, 0);
  return where(none, 0, sqrt(where(none, 1, squares)));
}

takes({ tensordot }, { a: tensor, b: tensor, "axes?": either(number, listOf(numbers, "two lists of axes")) });
takes({ outer, dot, inner, kron, cdist }, { a: tensor, b: tensor });
takes({ cross }, { a: tensor, b: tensor, "axis?": axisKind });
