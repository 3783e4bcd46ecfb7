// How far to go along a line: a fixed number of lengths is tried, each where those before it point to, and the graph chooses among them, so that the work is the same whatever the loss.
import { tensor } from "../tensor/creation.ts";
import { abs, greater, less, lessEqual, logicalAnd, logicalNot, logicalOr, where } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Which lengths will do: `armijo`, where the loss falls enough, or `strong_wolfe`, where its slope is flat enough besides. */
export type LineSearch = "armijo" | "strong_wolfe";

/** Scalars: the loss along the line, and its derivative by the length. */
interface Point {
  readonly value: Tensor;
  readonly slope: Tensor;
}

/** How much of the fall that the slope foretells there must be, and how much of the slope may be left: those of Nocedal & Wright 2006, §3.1, for quasi-Newton methods. */
const [fall, left] = [1e-4, 0.9];

/**
 * The length t to go from `start`, where `at` gives the loss f and its slope at a length; `tries` of them, from 1 on. One will do where f(t) − f(0) ≤ 10⁻⁴·t·f′(0) (Armijo), and under `strong_wolfe` |f′(t)| ≤ 0.9·|f′(0)| too
 * (Nocedal & Wright 2006, 3.6 and 3.7). What is too long, where the first doesn't hold or the loss rises, bounds the next from above, what is too short, where it still falls steeply, from below: next is the middle, or twice as long
 * where nothing was too long (Lewis & Overton 2013, algorithm 2.6, which asks for the weak condition); so Armijo's alone halves. The first that will do is taken, else the last whose loss falls enough, else the last tried, the shortest. A loss
 * that is NaN is too long.
 */
export function lengthAlong(search: LineSearch, tries: number, start: Point, at: (length: Tensor) => Point): Tensor {
  const bound = abs(start.slope).mul(left);
  let [length, low, high, taken] = [1, 0, Number.POSITIVE_INFINITY, 0].map((value) => tensor(value));
  let [tried, isFound] = [length, tensor(false, "bool")];
  for (let i = 0; i < tries; i++) {
    tried = length;
    const { value, slope } = at(tried);
    const falls = lessEqual(value.sub(start.value), tried.mul(start.slope).mul(fall));
    taken = where(logicalAnd(falls, logicalNot(isFound)), tried, taken);
    let [next, willDo] = [tried.mul(0.5), falls];
    if (search === "strong_wolfe") {
      willDo = logicalAnd(falls, lessEqual(abs(slope), bound));
      const isShort = logicalAnd(falls, less(slope, bound.neg()));
      [low, high] = [where(isShort, tried, low), where(isShort, high, tried)];
      next = where(less(high, Number.POSITIVE_INFINITY), low.add(high).mul(0.5), tried.mul(2));
    }
    isFound = logicalOr(isFound, willDo);
    length = where(isFound, tried, next);
  }
  return where(greater(taken, 0), taken, tried);
}
