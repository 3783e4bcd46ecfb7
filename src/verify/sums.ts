// Sums in orders that aren't the written one, and with steps that aren't rounded: what a program may have done in place of the two written orders.
import { blockSize, chunkSize, laneCount } from "../../kernels/kernel.ts";
import { flushed, fma } from "./scalar.ts";

/** One sum's terms: term i is left[i]·right[i], or left[i] where there is no right. Every term is a float32. */
export interface Terms {
  readonly length: number;
  readonly left: (i: number) => number;
  readonly right?: (i: number) => number;
}

/** Adds a term, or another sum, to a sum. */
interface Steps {
  readonly start: number;
  readonly accumulate: (sum: number, terms: Terms, i: number) => number;
  readonly add: (a: number, b: number) => number;
}

const term = ({ left, right }: Terms, i: number) => (right ? Math.fround(left(i) * right(i)) : left(i));
const add = (a: number, b: number) => Math.fround(a + b);

const rounded: Steps = { start: 0, accumulate: (sum, terms, i) => add(sum, term(terms, i)), add };
const fused: Steps = {
  ...rounded,
  accumulate: (sum, terms, i) => (terms.right ? fma(terms.left(i), terms.right(i), sum) : add(sum, terms.left(i))),
};
const wide: Steps = {
  start: 0,
  accumulate: (sum, { left, right }, i) => sum + (right ? left(i) * right(i) : left(i)),
  add: (a, b) => a + b,
};
const flushing: Steps = {
  start: 0,
  accumulate: (sum, terms, i) => flushed(add(sum, flushed(term(terms, i)))),
  add: (a, b) => flushed(add(a, b)),
};

/** An order: the sum of terms [0, length) by some steps. */
export type Order = (terms: Terms, steps: Steps) => number;

const inOrder: Order = (terms, steps) => {
  let sum = steps.start;
  for (let i = 0; i < terms.length; i++) sum = steps.accumulate(sum, terms, i);
  return sum;
};

const part = ({ left, right }: Terms, from: number, to: number): Terms => ({
  length: to - from,
  left: (i) => left(from + i),
  right: right && ((i) => right(from + i)),
});

/** Parts of `size` terms by an order each, their sums added in ascending order. */
const inChunks =
  (size: number, inner: Order = inOrder): Order =>
  (terms, steps) => {
    let sum = steps.start;
    for (let i = 0; i < terms.length; i += size)
      sum = steps.add(sum, inner(part(terms, i, Math.min(i + size, terms.length)), steps));
    return sum;
  };

/** Lane j takes i ≡ j, and lanes combine by halves. */
const inLanes =
  (count: number): Order =>
  (terms, steps) => {
    const lanes = new Array<number>(count).fill(steps.start);
    for (let i = 0; i < terms.length; i++) lanes[i % count] = steps.accumulate(lanes[i % count], terms, i);
    for (let width = count / 2; width >= 1; width /= 2)
      for (let lane = 0; lane < width; lane++) lanes[lane] = steps.add(lanes[lane], lanes[lane + width]);
    return lanes[0];
  };

const inHalves = (halfOf: (length: number) => number): Order => {
  const order: Order = (terms, steps) => {
    if (terms.length <= 1) return inOrder(terms, steps);
    const half = halfOf(terms.length);
    return steps.add(order(part(terms, 0, half), steps), order(part(terms, half, terms.length), steps));
  };
  return order;
};

const backwards =
  (order: Order): Order =>
  ({ length, left, right }, steps) =>
    order({ length, left: (i) => left(length - 1 - i), right: right && ((i) => right(length - 1 - i)) }, steps);

const lanesOrder = inChunks(blockSize, inLanes(laneCount));
const chunksOrder = inChunks(chunkSize);

/** The two written orders of NUMERICS. */
export const writtenOrders = { lanes: lanesOrder, chunks: chunksOrder } as const;

/** Orders in words. */
export const otherOrders: readonly (readonly [name: string, order: Order])[] = [
  ["one after another", inOrder],
  ["the written order of sums over the last axes", lanesOrder],
  ["the written order of sums over other axes", chunksOrder],
  ["backwards, one after another", backwards(inOrder)],
  ["the written order of sums over the last axes, backwards", backwards(lanesOrder)],
  ["the written order of sums over other axes, backwards", backwards(chunksOrder)],
  ["pairwise, halves of a power of two", inHalves((length) => 1 << (31 - Math.clz32(length - 1)))],
  ["pairwise, equal halves", inHalves((length) => length >> 1)],
  ...[2, 4, 8, 16, 32, 64, 128, 256].map((count) => [`${count} lanes without blocks`, inLanes(count)] as const),
  ...[2, 4, 8, 32].map(
    (count) => [`${count} lanes in blocks of ${blockSize}`, inChunks(blockSize, inLanes(count))] as const,
  ),
  ...[4, 8, 16, 32, 64, 128, 512, 1024].map((size) => [`chunks of ${size}`, inChunks(size)] as const),
];

/** A way of adding up that isn't the written one, and whether it is another for terms that are no products. */
type FaultySum = readonly [
  cause: "contraction" | "flushed subnormals",
  name: string,
  sum: (terms: Terms, written: Order) => number,
  plain: boolean,
];

/** A sum under a fault of its steps, in the written order and the plain one. */
export const faultySteps: readonly FaultySum[] = [
  ["contraction", "each product and its addition in one rounding", (terms, written) => written(terms, fused), false],
  [
    "contraction",
    "each product and its addition in one rounding, one after another",
    (terms) => inOrder(terms, fused),
    false,
  ],
  ["contraction", "added up without rounding, and rounded once", (terms) => Math.fround(inOrder(terms, wide)), true],
  [
    "contraction",
    "added up without rounding in the written order",
    (terms, written) => Math.fround(written(terms, wide)),
    true,
  ],
  ["flushed subnormals", "in the products and sums", (terms, written) => written(terms, flushing), true],
];

/** A sum in an order, each operation rounded. */
export function sumIn(order: Order, terms: Terms): number {
  return order(terms, rounded);
}
