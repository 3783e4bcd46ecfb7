// Loops over positions: lengths, directions, carries of several dtypes, draws, one within another, slices that are views; and their gradients.
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { gradients } from "../../../src/program/gradients.ts";
import { ops } from "../../../src/tensor/functions.ts";
import { type ScanOptions, scan } from "../../../src/tensor/scan.ts";
import { Tensor } from "../../../src/tensor/tensor.ts";
import { testData } from "../../support/graphs.ts";
import { type Computation, floats } from "./case.ts";

/** All results, flat, one behind another. */
function together(tensors: readonly Tensor[]): Node {
  return ops.concat(tensors.map((each) => each.cast("float32").reshape([each.size]))).node;
}

type Loop = (tensors: readonly Tensor[], options: ScanOptions) => readonly Tensor[];

/** A recurrent layer. h: [3, 5], x: [t, 3, 5], w: [5, 5], b: [5]. */
const recurrent: Loop = ([h, x, w, b], options) =>
  scan(
    (h: Tensor, x: Tensor): [Tensor, Tensor] => {
      const next = x.add(h.matmul(w)).add(b).tanh();
      return [next, next.mul(2)];
    },
    h,
    x,
    options,
  );

/** Carries that change places, one that stays, a counter, dropout, integers, and a value that no later step reads. */
const mixed: Loop = ([h, x, w], options) => {
  const init = { a: h, b: h.mul(0.5), stays: w, count: ops.full([], 3, "int32") };
  type Carry = { a: Tensor; b: Tensor; stays: Tensor; count: Tensor };
  const [carry, ys] = scan(
    (carry: Carry, x: Tensor): [Carry, Record<string, Tensor>] => {
      const { a, b, stays, count } = carry;
      const dropped = ops.dropout(b.add(x), 0.4);
      const drawn = ops.randint([3, 5], 0, 5);
      const c = dropped.mul(a.exp()).matmul(stays).div(4).tanh();
      const next = { a: c, b: a, stays, count: count.add(1) };
      return [
        next,
        { c, a, x, drawn, count, noise: ops.normal([2]), picked: w.take(drawn.slice([[0, 1]]).reshape([5])) },
      ];
    },
    init,
    x,
    options,
  );
  return [...Object.values(carry), ...Object.values(ys)];
};

/** A loop in a loop, over a slice of the outer one's, whose inner draws are of both positions. */
const nested: Loop = ([h, x, w], options) => {
  const [last, ys] = scan(
    (h: Tensor, x: Tensor): [Tensor, Tensor] => {
      const [sum, all] = scan(
        (total: Tensor, row: Tensor): [Tensor, Tensor] => {
          const next = total
            .mul(0.5)
            .add(row.matmul(w.mul(0.2)))
            .add(ops.uniform([5]).mul(0.1))
            .sin();
          return [next, next.mul(row)];
        },
        h.slice([0]),
        x,
        { reverse: !options.reverse },
      );
      return [h.add(sum).div(2), all.sum({ axis: 0 })];
    },
    h,
    x,
    options,
  );
  return [last, ys];
};

const loops: Record<string, Loop> = { recurrent, mixed, nested };

const shapesFor = (length: number): Shape[] => [[3, 5], [length, 3, 5], [5, 5], [5]];

const withGradients = (loop: Loop, tensors: readonly Tensor[], options: ScanOptions): Tensor[] => {
  const results = loop(tensors, options);
  const floating = results.filter(({ dtype, size }) => dtype === "float32" && size > 0);
  const loss = floating.map((each) => each.mul(each).sum()).reduce((a, b) => a.add(b));
  return [...results, ...gradients(loss, tensors)];
};

export function scanCases(): Computation[] {
  const cases: Computation[] = [];
  const add = (name: string, loop: Loop, length: number, options: ScanOptions = {}) =>
    cases.push({
      name: `scan ${name}, ${length} positions ${JSON.stringify(options)}`,
      inputs: shapesFor(length).map((shape, i) => floats(shape, i + 1)),
      build: (...inputs) =>
        together(
          withGradients(
            loop,
            inputs.map((node) => new Tensor(node)),
            options,
          ),
        ),
    });
  for (const [name, loop] of Object.entries(loops)) {
    for (const length of [0, 1, 5, 17]) add(name, loop, length);
    add(name, loop, 5, { reverse: true });
    add(name, loop, 5, { recompute: true });
    add(name, loop, 5, { truncate: 2, reverse: true });
  }
  cases.push(
    {
      name: "scan along the last axis, from the end, of rows that are views",
      inputs: [floats([4, 6, 7]), floats([6])],
      build(x, h) {
        const flipped = ops.flip(ops.transpose(new Tensor(x), [1, 0, 2]), 2);
        const [last, ys] = scan(
          (h: Tensor, x: Tensor): [Tensor, Tensor] => [h.mul(0.9).add(x.slice([null, 1])), x.mul(h.reshape([6, 1]))],
          new Tensor(h),
          flipped,
          { axis: -1 },
        );
        return together([last, ys]);
      },
    },
    {
      name: "scan that draws no word, of an empty shape",
      inputs: [floats([3, 2])],
      build: (x) =>
        together(
          scan((h: Tensor, x: Tensor) => [h.add(x), ops.normal([0]).sum().add(h)], ops.full([2], 1), new Tensor(x)),
        ),
    },
    {
      name: "scan without slices, of a carry alone",
      inputs: [testData([3], "int32", [-9, 9])],
      build: (x) => {
        const [last] = scan((x: Tensor): [Tensor, null] => [x.mul(3).add(1), null], new Tensor(x), null, { length: 7 });
        return last.node;
      },
    },
    {
      name: "scan without a carry",
      inputs: [floats([5, 1025])],
      build: (x) => scan((_: null, x: Tensor): [null, Tensor] => [null, x.sum()], null, new Tensor(x))[1].node,
    },
    {
      name: "the second gradient of a scan",
      inputs: shapesFor(5).map((shape, i) => floats(shape, i + 1)),
      build(...nodes) {
        const tensors = nodes.map((node) => new Tensor(node));
        const [last, ys] = recurrent(tensors, {});
        const first = gradients(last.sum().add(ys.mul(ys).sum()), tensors);
        return together(
          gradients(
            first.map((each) => each.mul(each).sum()).reduce((a, b) => a.add(b)),
            tensors,
          ),
        );
      },
    },
  );
  return cases;
}
