// Which kernels run block by block together: those that stay within a row of each other, and no others; products that are read sideways.
import { describe, expect, test } from "vitest";
import { kernelInputs } from "../../kernels/kernel.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import type { Shape } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import { softmax } from "../../src/ops/composite.ts";
import { conv2d } from "../../src/ops/conv.ts";
import { add, exp, mul, sqrt, sub } from "../../src/ops/elementwise.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { reshape, transpose } from "../../src/ops/movement.ts";
import { pad } from "../../src/ops/pad.ts";
import { maxPool2d } from "../../src/ops/pool.ts";
import { uniform } from "../../src/ops/random.ts";
import { sum } from "../../src/ops/reduce.ts";
import { placeLocals } from "../../src/schedule/places.ts";
import { type Group, groupKernels } from "../../src/schedule/rows.ts";
import { transposeProducts } from "../../src/schedule/transpose.ts";
import { type Built, traceGraph } from "../support/graphs.ts";
import { wasmTarget } from "../support/wasm.ts";

function planOf(shapes: Record<string, Shape>, build: (nodes: Record<string, Node>) => Built, fuse = true): Plan {
  const ports = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { dtype: "float32" as const, shape }]),
  );
  return lower(traceGraph(ports, build), { fuse });
}

const groupsOf = (plan: Plan): Group[] => groupKernels(plan, plan.kernels);
const numbers = (groups: readonly Group[]) => groups.map(({ members }) => members.map(({ number }) => number));

describe("local values", () => {
  test("what a softmax computes on its way stays in the part's memory; what others read doesn't", () => {
    const plan = planOf({ x: [4096, 100] }, ({ x }) => {
      const shifted = exp(x);
      return { outputs: { y: sqrt(add(softmax(shifted), 1)), columns: sum(shifted, { axis: 0 }) } };
    });
    const group = groupsOf(plan).find(({ local }) => local.size > 0)!;
    const inside = group.members.map(({ kernel }) => kernel.output);
    const others = plan.kernels.filter((_, number) => !group.members.some((member) => member.number === number));
    const readOutside = new Set(others.flatMap((kernel) => kernelInputs(kernel).map(({ source }) => source)));
    for (const value of inside) {
      const isLocal = plan.values[value].place.kind === "temporary" && !readOutside.has(value);
      expect(group.local.has(value)).toBe(isLocal);
    }
    expect(inside.some((value) => readOutside.has(value))).toBe(true);
    for (const [value, rowBytes] of group.local)
      expect(rowBytes * group.division!.rows).toBe(4 * plan.values[value].size);
    const { places, bytes } = placeLocals(plan, group, 64, wasmTarget);
    expect([...places.keys()]).toEqual([...group.local.keys()]);
    // 64 rows a block of each, and memory used again when its value has been read for the last time.
    const all = [...group.local.values()].reduce((sum, rowBytes) => sum + 64 * rowBytes, 0);
    expect(bytes).toBeLessThan(all);
    expect(bytes % 64).toBe(0);
    const placed = [...places].map(([value, { offset, rowBytes }]) => {
      const touching = group.members.flatMap(({ kernel }, at) =>
        kernel.output === value || kernelInputs(kernel).some(({ source }) => source === value) ? [at] : [],
      );
      return { from: touching[0], to: touching[touching.length - 1], start: offset, end: offset + 64 * rowBytes };
    });
    for (const a of placed) {
      for (const b of placed) {
        const together = a !== b && a.from <= b.to && b.from <= a.to;
        if (together) expect(a.end <= b.start || b.end <= a.start).toBe(true);
      }
    }
    expect(placeLocals(plan, group, 1, wasmTarget).places.size).toBe(0);
  });
});

describe("groups", () => {
  test("a softmax's rows go through all its kernels", () => {
    const plan = planOf({ x: [8, 5, 100] }, ({ x }) => ({ outputs: { y: softmax(x) } }));
    const [group, ...others] = groupsOf(plan);
    expect(others).toEqual([]);
    expect(group.members.length).toBe(plan.kernels.length);
    expect(group.division).toEqual({ rows: 40, grain: 1 });
  });

  test("an optimizer's moments and its parameter are one pass, past kernels that have nothing to do with them", () => {
    const shape = [30, 40];
    const plan = planOf({ w: shape, m: shape, v: shape, g: shape, other: [2000] }, ({ w, m, v, g, other }) => {
      const first = add(mul(m, 0.9), mul(g, 0.1));
      const second = add(mul(v, 0.99), mul(mul(g, g), 0.01));
      const between = exp(other);
      const next = sub(w, mul(first, sqrt(second)));
      return {
        outputs: { w: next, m: first, v: second, between },
        state: [
          ["w", "w"],
          ["m", "m"],
          ["v", "v"],
        ],
      };
    });
    const together = groupsOf(plan).find(({ members }) => members.length === 3)!;
    expect(together.division).toEqual({ rows: 1200, grain: 64 });
    expect(groupsOf(plan).length).toBe(2);
  });

  test("a convolution's padding and its products walk the images together", () => {
    const plan = planOf({ x: [12, 3, 9, 8], w: [5, 3, 3, 3] }, ({ x, w }) => ({
      outputs: { y: conv2d(x, w, undefined, { padding: 1 }) },
    }));
    const [group, ...others] = groupsOf(plan);
    expect(others).toEqual([]);
    expect(group.division).toEqual({ rows: 12, grain: 1 });
    expect([...group.local]).toEqual([[plan.kernels[0].output, 4 * 3 * 11 * 10]]);
    expect(group.members[1].panels).toBe(undefined);
    expect(group.panelBytes).toBe(0);
  });

  test("pooling walks its images' rows; what sums across them stays out", () => {
    const plan = planOf({ x: [12, 3, 8, 8] }, ({ x }) => {
      const y = exp(x);
      return { outputs: { y, pooled: maxPool2d(y, 2), sums: sum(y, { axis: 0 }) } };
    });
    expect(numbers(groupsOf(plan)).filter((group) => group.length > 1)).toEqual([[0, 1]]);
  });

  test("products without tiles are divided as their loops are", () => {
    const plan = planOf({ x: [2, 3, 40, 4], w: [12, 8] }, ({ x, w }) => ({
      outputs: { y: exp(matmul(reshape(transpose(x, [0, 2, 1, 3]), [80, 12]), w)) },
    }));
    const groups = (isTiled: boolean) => numbers(groupKernels(plan, plan.kernels, isTiled));
    expect(groups(true)).toEqual([[0, 1]]);
    expect(groups(false)).toEqual([[0], [1]]);
  });

  test("bounds along the rows keep a kernel out", () => {
    const plan = planOf({ x: [6, 40] }, ({ x }) => {
      const y = exp(x);
      return {
        outputs: {
          y,
          z: mul(
            pad(y, [
              [1, 1],
              [0, 0],
            ]),
            2,
          ),
        },
      };
    });
    expect(numbers(groupsOf(plan))).toEqual([[0], [1]]);
  });

  test("words are no kernel of their own", () => {
    const plan = planOf({}, () => ({ outputs: { y: uniform([1000]) } }));
    expect(numbers(groupsOf(plan))).toEqual([[0]]);
  });

  test.each<[string, (y: Node) => Node]>([
    ["a transpose", (y) => exp(transpose(y))],
    ["a sum over the rows", (y) => sum(y, { axis: 0 })],
    ["a sum over all", (y) => sum(y)],
    ["a product", (y) => matmul(y, y)],
  ])("what reads other rows stays out: %s", (_, build) => {
    const plan = planOf({ x: [32, 32] }, ({ x }) => {
      const y = exp(x);
      return { outputs: { y, z: build(y) } };
    });
    expect(plan.kernels.length).toBe(2);
    expect(numbers(groupsOf(plan))).toEqual([[0], [1]]);
  });

  test("every kernel runs once, and after what it reads", () => {
    const plan = planOf({ x: [16, 32], w: [32, 32] }, ({ x, w }) => {
      const y = softmax(matmul(x, w));
      return { outputs: { a: sum(y, { axis: 0 }), b: transpose(y), c: exp(w), d: matmul(y, exp(w)) } };
    });
    const order = numbers(groupsOf(plan)).flat();
    expect([...order].sort((a, b) => a - b)).toEqual(plan.kernels.map((_, i) => i));
    const made = new Set<number>();
    for (const number of order) {
      const kernel = plan.kernels[number];
      for (const { source } of kernelInputs(kernel)) {
        if (typeof source === "number" && plan.kernels.some(({ output }) => output === source))
          expect(made.has(source)).toBe(true);
      }
      made.add(kernel.output);
    }
  });
});

describe("products", () => {
  test("read sideways only: made sideways", () => {
    const plan = planOf({ x: [8, 6], g: [8, 4], w: [4, 6] }, ({ x, g, w }) => ({
      outputs: { w: sub(w, transpose(matmul(transpose(x), g))) },
      state: [["w", "w"]],
    }));
    expect(plan.kernels[0].shape).toEqual([6, 4]);
    const [product, update] = transposeProducts(plan);
    expect(product.shape).toEqual([4, 6]);
    expect("inputs" in update && update.inputs.map(({ view }) => view.strides)).toEqual([
      [6, 1],
      [6, 1],
    ]);
  });

  test("read straight, or given out: left as it is", () => {
    const straight = planOf({ x: [8, 6], g: [6, 4] }, ({ x, g }) => ({ outputs: { y: exp(matmul(x, g)) } }));
    expect(transposeProducts(straight)).toEqual(straight.kernels);
    const given = planOf({ x: [8, 6], g: [6, 4] }, ({ x, g }) => {
      const y = matmul(x, g);
      return { outputs: { y, z: exp(transpose(y)) } };
    });
    expect(transposeProducts(given)).toEqual(given.kernels);
  });
});
