// What keeps a root's gradient and an exponent finite.
import type { Node } from "../graph/node.ts";
import { equal, greater } from "./compare.ts";
import { abs, sqrt, where } from "./elementwise.ts";

/** √x, or another root, with the gradient 0 at 0. */
export function root(x: Node, of: (x: Node) => Node = sqrt): Node {
  const isPositive = greater(x, 0);
  return where(isPositive, of(where(isPositive, x, 1)), x);
}

/** x, and 0 where it is infinite: what an exponent can be moved by. */
export function finite(x: Node): Node {
  return where(equal(abs(x), Infinity), 0, x);
}
