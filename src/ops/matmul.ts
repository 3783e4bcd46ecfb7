// Matrix products: k ascending in chunks of 256, multiply, round, add, round.
import { refuse, ShapeError } from "../core/errors.ts";
import { broadcastShapes, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { takes, tensor } from "./arguments.ts";
import { broadcastTo, defineOp, floatOnly, makeNode, refuseDTypes, sameOnBatch } from "./define.ts";
import { reshape, swapAxes } from "./movement.ts";
import { narrow } from "./precision.ts";

defineOp({
  name: "matmul",
  kind: "matmul",
  version: 1,
  batch: sameOnBatch,
  dtype: floatOnly,
  vjp: ({ inputs: [a, b], grad }) => [product(grad, swapAxes(b)), product(swapAxes(a), grad)],
});

/** Both operands already [...batch, rows, depth] and [...batch, depth, columns]. */
function product(a: Node, b: Node): Node {
  return makeNode("matmul", [a, b], [...a.shape.slice(0, -1), b.shape[b.shape.length - 1]]);
}

/**
 * Matrix product with NumPy's rules: a: [..., rows, depth], b: [..., depth, columns] → [..., rows, columns]; leading axes broadcast, a
 * vector is a row on the left, a column on the right. A 2-D right operand takes all leading axes of the left as rows, so its gradient is
 * one product over all of them. float32, rounded under `autocast`. Throws ShapeError where the depths differ.
 * @torch torch.matmul
 */
export function matmul(a: Node, b: Node): Node {
  if (a.shape.length === 0 || b.shape.length === 0)
    refuse(ShapeError, "matmul", "a scalar has no rows", [a, b], "at least one axis each", "use mul");
  if (a.dtype !== "float32" || b.dtype !== "float32") refuseDTypes("matmul", [a.dtype, b.dtype], "float32");
  const [x, y] = [narrow(a), narrow(b)];
  const left = a.shape.length === 1 ? reshape(x, [1, a.shape[0]]) : x;
  const right = b.shape.length === 1 ? reshape(y, [b.shape[0], 1]) : y;
  const depth = left.shape[left.shape.length - 1];
  if (depth !== right.shape[right.shape.length - 2]) {
    const expected = "the last axis of the left equal to the last but one of the right";
    refuse(ShapeError, "matmul", "depths differ", [a, b], expected);
  }
  const columns = right.shape[right.shape.length - 1];
  let out: Node;
  if (right.shape.length === 2 && left.shape.length > 2) {
    const rows = sizeOf(left.shape.slice(0, -1));
    out = reshape(product(reshape(left, [rows, depth]), right), [...left.shape.slice(0, -1), columns]);
  } else {
    const batch = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
    const stretched = (x: Node) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
    out = product(stretched(left), stretched(right));
  }
  const kept = (x: Node, axis: number) => (x.shape.length === 1 ? [] : out.shape.at(axis)!);
  return reshape(narrow(out), [out.shape.slice(0, -2), kept(a, -2), kept(b, -1)].flat());
}

takes({ matmul }, { a: tensor, b: tensor }, "transpose an operand first, as in a.matmul(b.swapAxes())");
