// Gradients of several slices of one tensor: they add where they land, in the written order, no zero is added, and the cost is that of the slices.
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autograd/grad.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { planCost } from "../../src/compile/cost.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Shape } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import * as ops from "../../src/ops/elementwise.ts";
import * as movement from "../../src/ops/movement.ts";
import { sum } from "../../src/ops/reduce.ts";
import { plainSchedule } from "../support/arena.ts";
import { arrayOf, runGraph, traceGraph } from "../support/graphs.ts";

type Spec = readonly movement.SliceSpec[];

/** The gradient at x [n] of Σ of each use, where a use is a slice (or all) of x times weights of its own. Gradients arrive from the last use to the first. */
async function gradientOf(size: number, uses: readonly (readonly [Spec | undefined, readonly number[]])[]) {
  const ports: Record<string, { dtype: "float32"; shape: Shape }> = { x: { dtype: "float32", shape: [size] } };
  uses.forEach(([, weights], i) => {
    ports[`w${i}`] = { dtype: "float32", shape: [weights.length] };
  });
  const graph = traceGraph(ports, (nodes) => {
    const terms = uses.map(([spec], i) => sum(ops.mul(spec ? movement.slice(nodes.x, spec) : nodes.x, nodes[`w${i}`])));
    return {
      outputs: {
        y: gradients(
          terms.reduce((a, b) => ops.add(a, b)),
          [nodes.x],
        )[0],
      },
    };
  });
  const data = [new Float32Array(size), ...uses.map(([, weights]) => arrayOf("float32", weights))];
  return Array.from((await runGraph(referenceBackend(), graph, data))[0]);
}

describe("gradients of slices", () => {
  test("keep −0 where they land, and are +0 where none does", async () => {
    expect(await gradientOf(4, [[[[0, 2]], [-0, 1]]])).toEqual([-0, 1, 0, 0]);
    expect(
      await gradientOf(4, [
        [[[0, 1]], [-0]],
        [[[1, 2]], [-0]],
      ]),
    ).toEqual([-0, -0, 0, 0]);
    expect(
      await gradientOf(3, [
        [[[0, 1]], [-0]],
        [[[0, 2]], [-0, -0]],
      ]),
    ).toEqual([-0, -0, 0]);
    expect(
      await gradientOf(2, [
        [[[0, 1]], [-0]],
        [undefined, [-0, -0]],
      ]),
    ).toEqual([-0, -0]);
    expect(
      await gradientOf(2, [
        [undefined, [-0, -0]],
        [[[0, 1]], [-0]],
      ]),
    ).toEqual([-0, -0]);
  });

  test("add in reverse order of the slices' making, among whole uses too", async () => {
    const [a, b, c] = [1, 1e8, -1e8];
    const round = (...parts: number[]) => parts.reduce((x, y) => Math.fround(x + y));
    for (const [x, y, z] of [
      [a, b, c],
      [b, a, c],
      [b, c, a],
    ]) {
      const expected = round(z, y, x);
      expect(
        await gradientOf(2, [
          [[[0, 1]], [x]],
          [[[0, 1]], [y]],
          [[[0, 1]], [z]],
        ]),
      ).toEqual([expected, 0]);
      expect(
        await gradientOf(2, [
          [[[0, 1]], [x]],
          [undefined, [y, 7]],
          [[[0, 1]], [z]],
        ]),
      ).toEqual([expected, 7]);
      expect(
        await gradientOf(2, [
          [undefined, [x, 7]],
          [[[0, 1]], [y]],
          [undefined, [z, 5]],
        ]),
      ).toEqual([expected, 12]);
      expect(
        await gradientOf(2, [
          [[[0, 1]], [x]],
          [undefined, [y, 7]],
          [undefined, [z, 5]],
        ]),
      ).toEqual([expected, 12]);
    }
  });

  test("land by steps, backwards, and over each other", async () => {
    expect(
      await gradientOf(6, [
        [[[0, 6, 2]], [1, 2, 3]],
        [[[5, 1, -2]], [10, 20]],
        [[[1, 3]], [100, 200]],
        [[-1], [1000]],
      ]),
    ).toEqual([1, 100, 202, 20, 3, 1010]);
  });

  test("of nothing are zeros", async () => {
    expect(await gradientOf(3, [[[[2, 2]], []]])).toEqual([0, 0, 0]);
  });
});

describe("the cost of", () => {
  const width = 8;

  /** A step over `length` rows of a tensor, as a recurrent layer takes it: each row by itself, the rows of results joined. */
  function planOf(length: number, uses: (x: Node) => Node) {
    const shape = [length, width];
    const graph = traceGraph({ x: { dtype: "float32", shape } }, ({ x }) => {
      const loss = uses(x);
      return { outputs: { loss, grad: gradients(loss, [x])[0] } };
    });
    return lower(graph);
  }

  function expectLinear(uses: (x: Node) => Node): void {
    const [short, long] = [planOf(64, uses), planOf(256, uses)];
    const [before, after] = [planCost(short), planCost(long)];
    for (const key of ["flops", "bytesRead", "bytesWritten"] as const)
      expect(after[key], key).toBeLessThanOrEqual(4.3 * before[key]);
    expect(long.kernels.length).toBeLessThanOrEqual(4.3 * short.kernels.length);
    const arena = (plan: typeof short) => plainSchedule(plan).arenaBytes;
    expect(arena(long)).toBeLessThanOrEqual(4.5 * arena(short) + 4096);
  }

  const rowsOf = (x: Node) => Array.from({ length: x.shape[0] }, (_, t) => movement.slice(x, [t]));

  test("a slice a row is linear in the rows", () => {
    expectLinear((x) => {
      const state = rowsOf(x).reduce((h, row) => ops.tanh(ops.add(ops.mul(h, 0.5), row)));
      return sum(state);
    });
  });

  test("a slice a row and a join of all rows is linear in the rows", () => {
    expectLinear((x) => {
      const states: Node[] = [];
      for (const row of rowsOf(x)) states.push(ops.tanh(states.length ? ops.add(states[states.length - 1], row) : row));
      return sum(ops.mul(movement.stack(states), x));
    });
  });

  test("windows that overlap is linear in the windows", () => {
    expectLinear((x) => {
      const windows = Array.from({ length: x.shape[0] - 3 }, (_, t) => movement.slice(x, [[t, t + 4]]));
      return windows.map((window) => sum(ops.exp(window))).reduce((a, b) => ops.add(a, b));
    });
  });
});
