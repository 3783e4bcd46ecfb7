// What keeps a root's gradient and an exponent finite.
import type { Node } from "../graph/node.ts";
import { equal } from "./compare.ts";
import { abs, sqrt, where } from "./elementwise.ts";

/** √x, or another root, of x ≥ 0, with the gradient 0 at 0; at NaN it is NaN. */
export function root(x: Node, of: (x: Node) => Node = sqrt): Node {
  const isNone = equal(x, 0);
  return where(isNone, x, of(where(isNone, 1, x)));
}

/** x, and 0 where it is infinite: what an exponent can be moved by. */
export function finite(x: Node): Node {
  return where(equal(abs(x), Infinity), 0, x);
}
