// The schedule as text: every kernel once, in the order in which it runs, with what it costs; its loops, what threads share of them, and where its
// values live.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { kernelCost } from "../../src/compile/cost.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Target } from "../../src/compile/target.ts";
import type { Shape } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import { gelu } from "../../src/ops/activations.ts";
import { softmax } from "../../src/ops/composite.ts";
import { conv2d } from "../../src/ops/conv.ts";
import { cumsum } from "../../src/ops/cumulative.ts";
import { add, exp, mul, relu, tanh } from "../../src/ops/elementwise.ts";
import { scatterAdd, take } from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { concat, transpose } from "../../src/ops/movement.ts";
import { pad } from "../../src/ops/pad.ts";
import { normal, permutation } from "../../src/ops/random.ts";
import { argmax, max, sum } from "../../src/ops/reduce.ts";
import { argsort } from "../../src/ops/sort.ts";
import { showSchedule } from "../../src/report/schedule.ts";
import { type Schedule, schedulePlan } from "../../src/schedule/schedule.ts";
import { traceGraph } from "../support/graphs.ts";
import { root } from "../support/sources.ts";
import { wasmTarget } from "../support/wasm.ts";

function scheduleOf(
  shapes: Record<string, Shape>,
  build: (nodes: Record<string, Node>) => Record<string, Node>,
  target: Target = wasmTarget,
): Schedule {
  const ports = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { dtype: name.startsWith("n") ? ("int32" as const) : ("float32" as const), shape },
    ]),
  );
  return schedulePlan(lower(traceGraph(ports, (nodes) => ({ outputs: build(nodes) }))), target);
}

const threads: Target = { ...wasmTarget, threads: 2 };
/** The lines of a kernel's loops: what stands below what it computes. */
const loopsOf = (schedule: Schedule): string[] =>
  showSchedule(schedule)
    .split("\n")
    .slice(1)
    .filter((line) => /^ +(for|fold|in \d+|draw|zero|gather|then|copy piece|add piece|once|pack)\b/.test(line))
    .map((line) => line.slice(2));

/** The loops of what is built of one input. */
const of = (shape: Shape, build: (x: Node) => Node, target?: Target) =>
  loopsOf(scheduleOf({ x: shape }, ({ x }) => ({ y: build(x) }), target));

describe("a schedule as text", () => {
  test("docs/design.md shows what a schedule looks like", () => {
    const schedule = scheduleOf(
      { x: [256, 64], w: [64, 32], b: [32] },
      ({ x, w, b }) => {
        const y = relu(add(matmul(x, w), b));
        return { y, rows: sum(mul(y, y), { axis: 1 }), columns: sum(y, { axis: 0 }) };
      },
      threads,
    );
    const page = readFileSync(join(root, "docs/design.md"), "utf8");
    const [, section] = page.split("\n## How a schedule is read\n");
    const shown = section
      .split("```")[1]
      .replace(/^text\n/, "")
      .trimEnd();
    expect(shown).toBe(showSchedule(schedule));
  });

  test("every kernel once, in order, with its operations and bytes", () => {
    const schedule = scheduleOf({ x: [64, 96], w: [96, 32] }, ({ x, w }) => {
      const y = softmax(matmul(x, w));
      return { y, columns: sum(y, { axis: 0 }), turned: exp(transpose(y)) };
    });
    const text = showSchedule(schedule);
    const shown = [...text.matchAll(/kernel (\d+): .* (\d+) FLOP, (\d+) B read, (\d+) B written/g)].map((found) =>
      found.slice(1).map(Number),
    );
    const members = schedule.groups.flatMap((group) => group.members);
    expect(shown).toEqual(
      members.map(({ kernel, number }) => {
        const { flops, bytesRead, bytesWritten } = kernelCost(kernel, schedule.plan);
        return [number, flops, bytesRead, bytesWritten];
      }),
    );
    expect(text).toMatch(/^arena \d+ B, at least \d+; each thread/);
    for (const [value, from] of schedule.offsets) expect(text).toContain(`v${value} in the arena from ${from}`);
    for (const { locals } of schedule.groups)
      for (const value of locals.places.keys()) expect(text).toContain(`v${value} in thread-local scratch`);
    expect(text).toMatch(/kernels 0, 1, 2, 3, 4 together: \d+ blocks of at most \d+ of 64 rows, on one thread/);
  });

  test("elements: vectors, unrolling, what threads share", () => {
    expect(loopsOf(scheduleOf({ x: [100] }, ({ x }) => ({ y: add(x, 1) })))).toEqual(["for i1 < 100, 4 lanes × 4"]);
    const large = { x: [1000, 1000] };
    expect(loopsOf(scheduleOf(large, ({ x }) => ({ y: mul(x, 2) }), threads))).toEqual([
      "for i1 < 1000000, threads take 8 chunks in multiples of 64, 4 lanes × 4",
    ]);
    expect(
      loopsOf(
        scheduleOf(
          { x: [1000, 1001] },
          ({ x }) => ({
            y: add(
              pad(x, [
                [0, 0],
                [1, 2],
              ]),
              1,
            ),
          }),
          threads,
        ),
      ),
    ).toEqual([
      "for i1 < 1000, threads take 8 chunks in multiples of 1",
      "  for i2 < 1004, 4 lanes, in parts [0, 4) [4, 1000) [1000, 1004)",
    ]);
    // Of seven rows of two points each, pairs make one of fourteen; in a group too.
    const twice = ({ x, y }: Record<string, Node>) => add(x, y);
    const paired = { x: [16, 7, 1], y: [16, 7, 2] };
    expect(loopsOf(scheduleOf(paired, (nodes) => ({ z: twice(nodes) })))).toEqual(["for i1 < 224, 4 lanes, in pairs"]);
    const grouped = scheduleOf(paired, (nodes) => {
      const z = twice(nodes);
      return { z, rows: sum(z, { axis: [1, 2] }) };
    });
    expect(grouped.groups.length).toBe(1);
    expect(showSchedule(grouped)).toContain("for i1 < 224, the block's, 4 lanes, in pairs");
    // A cache line of the transposed input is used up before it leaves the cache.
    expect(loopsOf(scheduleOf({ x: [128, 256] }, ({ x }) => ({ y: add(transpose(x), 1) })))).toEqual([
      "for i1 < 16",
      "  for i2 < 16",
      "    for i3 < 16",
      "      for i4 < 8, 4 lanes",
    ]);
  });

  test("long expressions in stages, words of the stream in strips", () => {
    const [loop, stages] = loopsOf(scheduleOf({ x: [1000] }, ({ x }) => ({ y: gelu(x) })));
    expect(loop).toBe("for i1 < 1000, 4 lanes");
    expect(stages).toMatch(/^ {2}in \d+ stages over strips of 256, 4 lanes × 2: \d+ values wait in scratch$/);
    const drawn = loopsOf(scheduleOf({}, () => ({ y: normal([1000]) })));
    expect(drawn.at(-1)!.trim()).toBe("draw 512 words at a time into scratch");
  });

  test("folds: in both orders, a long row by its blocks, gathered rows, where the largest is", () => {
    expect(of([30, 40], (x) => sum(x, { axis: 1 }))).toEqual([
      "for i0 < 30",
      "  fold 40 in blocks of 1024, 16 sums in vectors of 4",
    ]);
    expect(of([300, 40], (x) => sum(x, { axis: 0 }), threads)).toEqual([
      "for i0 < 40, threads take 2 chunks in multiples of 16: 20, then 4, then 1 side by side",
      "  fold 300 in chunks of 256",
    ]);
    expect(of([9, 40], (x) => max(x, { axis: 0 }))).toEqual([
      "for i0 < 40: 20, then 4, then 1 side by side",
      "  fold 9 written out",
    ]);
    expect(of([300, 1024], (x) => sum(x, { axis: 0 }))[0]).toBe("for i0 < 1024: 32, then 4, then 1 side by side");
    const pairs: Target = { ...wasmTarget, vectorWidth: 8 };
    expect(of([300, 1024], (x) => sum(x, { axis: 0 }), pairs)[0]).toBe(
      "for i0 < 1024: 64, then 4, then 1 side by side",
    );
    // A pooling window's rows are short: what fills no vector runs as one that ends with the row.
    const pooled = (x: Node) => max(x, { axis: [1, 3] });
    expect(of([20, 2, 14, 2], pooled)).toEqual([
      "for i0 < 20",
      "  for i1 < 14: 4, then the last 4 side by side",
      "    fold 4 written out",
    ]);
    expect(of([20, 2, 3, 2], pooled)[1]).toBe("  for i1 < 3: 4, then 1 side by side");
    expect(of([100_000], (x) => sum(x), threads)).toEqual([
      "for block < 98, threads take 6 chunks in multiples of 16",
      "  fold 1024 of 100000, 16 sums in vectors of 4, into scratch",
      "then fold the 98 blocks, one thread",
    ]);
    expect(of([6, 50, 7], (x) => sum(transpose(x, [1, 0, 2]), { axis: [1, 2] }))).toEqual([
      "for i0 < 50",
      "  gather at most 1024 elements at a time into scratch",
      "    fold 42 in blocks of 1024, 16 sums in vectors of 4",
    ]);
    expect(of([60, 50, 70], (x) => sum(transpose(x, [1, 0, 2]), { axis: [1, 2] }))[1]).toBe(
      "  gather at most 1024 elements at a time into scratch",
    );
    expect(of([30, 40], (x) => argmax(x, { axis: 1 }))).toEqual([
      "for i0 < 30: 4, then 1 side by side",
      "  fold 40 one after another",
    ]);
  });

  test("lines: which axis threads share, and lines side by side", () => {
    expect(of([64, 300], (x) => cumsum(x, 1), threads)).toEqual([
      "for i0 < 64, threads take 8 chunks in multiples of 1: 4, then 1 side by side",
      "  for a line of 300",
    ]);
    expect(of([300, 640], (x) => cumsum(x, 0), threads)).toEqual([
      "for i0 < 640, threads take 8 chunks in multiples of 16: 16, then 4, then 1 side by side",
      "  for a line of 300",
    ]);
    expect(of([3, 50, 4], (x) => argsort(x, 1))).toEqual([
      "for i0 < 3",
      "  for i1 < 4",
      "    for a line of 50, by 256 values of a digit",
    ]);
  });

  test("products: tiles and packing, alone and in a group, and without lanes", () => {
    const shapes = { x: [64, 300], w: [300, 600] };
    const product = ({ x, w }: Record<string, Node>) => ({ y: matmul(x, w) });
    expect(loopsOf(scheduleOf(shapes, product, threads))).toEqual([
      "for column < 600 in 512s, threads take 2 chunks in multiples of 8",
      "  for k < 300 in chunks of 256: pack b in panels of 8 columns",
      "    for row < 64 in 4s: read a as it lies",
      "      for tiles of 4 × 8: fold k, 4 lanes, 16 terms a round",
    ]);
    expect(loopsOf(scheduleOf(shapes, product, { ...wasmTarget, lanes: 1 }))).toEqual([
      "for i0 < 64",
      "  for i1 < 600: 4, then 1 side by side",
      "    fold 300 in chunks of 256",
    ]);
    const group = showSchedule(
      scheduleOf({ x: [512, 64], w: [64, 64] }, ({ x, w }) => ({ y: tanh(matmul(exp(x), w)) })),
    );
    expect(group).toContain("once for each thread, pack b in panels of 8 columns from 0 of its packed operands");
    expect(group).toContain("for row < 512 in 4s, the block's: read a as it lies");
  });

  test("a convolution: no copy of its windows, the padded image in scratch", () => {
    const shapes = { x: [64, 16, 14, 14], w: [32, 16, 3, 3] };
    const schedule = scheduleOf(shapes, ({ x, w }) => ({ y: conv2d(x, w, undefined, { padding: 1 }) }));
    const text = showSchedule(schedule);
    expect(text).toMatch(/^arena 0 B, at least 0; each thread 16384 B of local values, \d+ B of packed operands/);
    expect(text).toContain("b = v2 float32[64, 3, 3, 16, 14, 14] by strides [4096, 16, 1, 256, 16, 1]");
    expect(loopsOf(schedule).slice(-5)).toEqual([
      "  for i1 < 64, the block's",
      "    for column < 196 in 512s",
      "      for k < 144 in chunks of 256: pack b in panels of 8 columns",
      "        for row < 32 in 4s: pack a in panels of 4 rows",
      "          for tiles of 4 × 8: fold k, 4 lanes, 16 terms a round",
    ]);
  });

  test("by index, pieces, several draws an element", () => {
    const shapes = { x: [50, 64], n: [30] };
    const rows = loopsOf(scheduleOf(shapes, ({ x, n }) => ({ y: take(x, n) })));
    expect(rows.at(-1)).toMatch(/^(for| {2}for) i\d < \d+, (one index a row, 4 lanes|an index each)$/);
    expect(loopsOf(scheduleOf({ u: [30], n: [30] }, ({ u, n }) => ({ y: scatterAdd(n, u, 0, 9) })))[0]).toBe(
      "zero 36 B",
    );
    const pieces = loopsOf(scheduleOf({ x: [10], y: [20] }, ({ x, y }) => ({ z: concat([x, y], 0) })));
    expect(pieces.some((line) => /piece|for i/.test(line))).toBe(true);
    expect(loopsOf(scheduleOf({}, () => ({ y: permutation(100) }), threads))).toEqual([
      "draw each element, one thread",
    ]);
  });
});
