// Values kept in 16 bits: which are, that they take half the memory, and that listings and costs say so.
import { expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { loadBackend } from "../../src/backend/load.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { kernelCost } from "../../src/compile/cost.ts";
import { formatOf, isNumberOf } from "../../src/compile/formats.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import { float32FromBits } from "../../src/core/canonical.ts";
import { narrowFormats } from "../../src/core/dtype.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { less } from "../../src/ops/compare.ts";
import { broadcastTo } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { gather } from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { reshape, slice, transpose } from "../../src/ops/movement.ts";
import { pad } from "../../src/ops/pad.ts";
import { roundTo } from "../../src/ops/precision.ts";
import { max } from "../../src/ops/reduce.ts";
import { memoryOf } from "../../src/report/memory.ts";
import { showSchedule } from "../../src/report/schedule.ts";
import { checkMemory, plainSchedule } from "../support/arena.ts";
import { expectSameBits, runPlan, testData, testWords, traceGraph } from "../support/graphs.ts";
import { narrowing } from "../support/narrow.ts";

const square = { dtype: "float32", shape: [64, 64] } as const;

/** What the plan keeps of one value: its memory as the listing names it. */
const kindsOf = (plan: Plan) =>
  plan.values.filter(({ place }) => place.kind === "temporary").map(({ dtype, storage }) => storage ?? dtype);

/** A value with two readers, whose results are float32: in memory, and nobody's output. */
const readTwice = (build: (x: Node, n: Node) => Node): Graph =>
  traceGraph({ x: square, n: { dtype: "int32", shape: [64, 64] } }, ({ x, n }) => {
    const y = build(x, n);
    return { outputs: { a: ops.add(y, 0.1), b: ops.mul(y, 0.3) } };
  });

const half = (x: Node) => roundTo(x, "bfloat16");
const small = (x: Node) => roundTo(x, "float16");

const table: Record<string, readonly [(x: Node, n: Node) => Node, readonly string[]]> = {
  "rounded to bfloat16": [half, ["bfloat16"]],
  "rounded to float16": [small, ["float16"]],
  "rounded, then moved": [(x) => transpose(reshape(half(x), [32, 128])), ["bfloat16"]],
  "rounded, then its sign changed": [(x) => ops.neg(ops.abs(half(x))), ["bfloat16"]],
  relu: [(x) => ops.relu(small(x)), ["float16"]],
  "the larger of two": [(x) => ops.maximum(half(x), half(ops.neg(x))), ["bfloat16"]],
  "one of two by a condition": [(x, n) => ops.where(less(n, 0), half(x), -Infinity), ["bfloat16"]],
  "or a number of the format": [(x, n) => ops.where(less(n, 0), small(x), 65504), ["float16"]],
  "or a number that isn't": [(x, n) => ops.where(less(n, 0), small(x), 65505), ["float32"]],
  "of two formats": [(x, n) => ops.where(less(n, 0), small(x), half(x)), ["float32"]],
  "added to, by each reader": [(x) => ops.add(half(x), 1), ["bfloat16"]],
  "added to what is small": [
    (x) => ops.mul(ops.add(transpose(small(x)), max(x, { axis: 0 })), 2),
    ["float32", "float16"],
  ],
  "added to what is as large": [(x) => ops.add(half(x), x), ["float32"]],
  "two of them added": [(x) => ops.add(half(x), small(x)), ["float32"]],
  "added to oneself": [(x) => ((y) => ops.add(y, y))(half(x)), ["bfloat16"]],
  "in a dozen operations": [
    (x) => Array.from({ length: 12 }).reduce((y: Node) => ops.mul(y, 1.1), half(x)),
    ["float32"],
  ],
  "a part of it, added to": [(x) => ops.add(slice(half(x), [[0, 32]]), 1), ["bfloat16"]],
  "added to, a part of it": [(x) => slice(ops.add(half(x), 1), [[0, 32]]), ["float32"]],
  "kept, and added to": [
    (x) => ((y) => ops.add(ops.add(y, 1), reshape(max(y), [1, 1])))(half(x)),
    ["bfloat16", "float32"],
  ],
  "rounded again, otherwise": [(x) => small(half(x)), ["float16"]],
  "padded with 0": [
    (x) =>
      ops.neg(
        pad(half(x), [
          [1, 2],
          [0, 0],
        ]),
      ),
    ["bfloat16"],
  ],
  "padded with 0.5": [
    (x) =>
      pad(
        half(x),
        [
          [1, 2],
          [0, 0],
        ],
        0.5,
      ),
    ["bfloat16"],
  ],
  "padded with a tenth, by each reader": [
    (x) =>
      ops.neg(
        pad(
          half(x),
          [
            [1, 2],
            [0, 0],
          ],
          0.1,
        ),
      ),
    ["bfloat16"],
  ],
  "stretched before it is read": [(x) => broadcastTo(reshape(half(x), [64, 64, 1]), [64, 64, 2]), ["bfloat16"]],
  gathered: [(x, n) => gather(half(x), n, 0), ["bfloat16", "bfloat16"]],
  "gathered from float32": [(x, n) => gather(x, n, 0), ["float32"]],
};

test.each(Object.entries(table))("%s", async (_, [build, expected]) => {
  const plan = lower(readTwice(build));
  expect(kindsOf(plan)).toEqual(expected);
  checkMemory(plan);
});

test("not what the caller gets: outputs, watched roots, state; and nothing of a plan without storage", () => {
  const of = (read: (y: Node) => { outputs: Record<string, Node>; watched?: Record<string, Node> }, state = false) =>
    traceGraph({ x: square }, ({ x }) => ({ ...read(half(x)), state: state ? [["x", "y"]] : [] }));
  const others = (y: Node) => ({ a: ops.add(y, 0.1), b: ops.mul(y, 0.3) });
  const kept = of((y) => ({ outputs: others(y) }));
  expect(lower(kept).values.map(({ storage }) => storage)).toContain("bfloat16");
  for (const graph of [
    of((y) => ({ outputs: { y, ...others(y) } })),
    of((y) => ({ outputs: { y, ...others(y) } }), true),
    of((y) => ({ outputs: { ...others(y) }, watched: { y } })),
  ]) {
    const plan = lower(graph);
    expect(plan.values.map(({ storage }) => storage)).not.toContain("bfloat16");
    expect(JSON.stringify(plan.kernels)).not.toContain('storage":"');
    checkMemory(plan);
  }
  expect(lower(kept, { narrow: false }).values.every(({ storage }) => !storage)).toBe(true);
});

test("what reads buffers finds the whole value in one, however it is turned", async () => {
  const graph = traceGraph({ x: square, bias: { dtype: "float32", shape: [64] } }, ({ x, bias }) => {
    const y = ops.add(half(x), bias);
    return { outputs: { a: matmul(y, x), b: matmul(x, y), c: matmul(y, transpose(y)), d: ops.mul(y, 0.3) } };
  });
  const plan = lower(graph);
  expect(kindsOf(plan)).toEqual(["float32"]);
  checkMemory(plan);
  const data = [testData([64, 64]).data, testData([64]).data];
  const [expected, actual] = [
    await runPlan(referenceBackend(), plan, data),
    await runPlan(interpretBackend(), plan, data),
  ];
  actual.forEach((each, i) => void expectSameBits(each, expected[i], plan.outputs[i].name));
});

test("half the bytes, in the arena, in what kernels read and write, and in the listing", () => {
  const graph = readTwice(half);
  const [narrow, whole] = [lower(graph), lower(graph, { narrow: false })];
  const size = 64 * 64;
  const [small, large] = [plainSchedule(narrow), plainSchedule(whole)];
  expect([small.arenaBytes, large.arenaBytes]).toEqual([2 * size, 4 * size]);
  expect([small.lowerBoundBytes, large.lowerBoundBytes]).toEqual([2 * size, 4 * size]);
  expect(memoryOf(large).peak - memoryOf(small).peak).toBe(2 * size);
  const costs = (plan: Plan) =>
    plan.kernels
      .map((kernel) => kernelCost(kernel, plan))
      .map(({ bytesRead, bytesWritten }) => [bytesRead, bytesWritten]);
  expect(costs(whole)).toEqual([4, 4, 4].map((bytes) => [bytes * size, bytes * size]));
  expect(costs(narrow)).toEqual([
    [4 * size, 2 * size],
    [2 * size, 4 * size],
    [2 * size, 4 * size],
  ]);
  expect(showSchedule(small)).toContain("bfloat16[64, 64]");
  expect(showSchedule(small).split("bfloat16[").length).toBe(4);
  expect(showSchedule(large)).not.toContain("bfloat16[");
  expect([narrow.key, narrow.graphHash]).toEqual([whole.key, whole.graphHash]);
});

test("what computes on typed arrays keeps its floats in 32 bits: the same results", async () => {
  const graph = traceGraph({ x: square }, ({ x }) => {
    const y = half(x);
    const z = half(matmul(y, transpose(y)));
    return { outputs: { a: ops.add(y, z), b: ops.mul(z, 0.3), c: matmul(z, y) } };
  });
  const plan = lower(graph);
  expect(kindsOf(plan)).toContain("bfloat16");
  const data = [testData([64, 64]).data];
  const expected = await runPlan(referenceBackend(), plan, data);
  for (const backend of [interpretBackend(), await loadBackend("gpujs:cpu")]) {
    const actual = await runPlan(backend, plan, data);
    actual.forEach((each, i) => void expectSameBits(each, expected[i], `${backend.name} ${plan.outputs[i].name}`));
    await backend.dispose();
  }
});

test.each(narrowFormats)("a number of %s is one that rounding leaves alone", (format) => {
  const next = testWords(3);
  const edges = [
    0,
    -0,
    65504,
    65505,
    65536,
    2 ** -24,
    2 ** -25,
    3 * 2 ** -25,
    2 ** -14,
    2 ** -133,
    2 ** -134,
    Infinity,
    NaN,
  ];
  const sampled = Array.from({ length: 20_000 }, () => float32FromBits(next()));
  const short = Array.from({ length: 20_000 }, () => float32FromBits((next() & 0xfffff000) >>> 0));
  for (const value of [...edges, ...edges.map((x) => -x), ...sampled, ...short, ...short.map(narrowing[format])])
    expect(isNumberOf(format, value), String(value)).toBe(Object.is(narrowing[format](value), value));
});

test("an expression of many choices is looked through once; constants alone have no format", () => {
  let chosen: e.Expr = e.input(0, "float32");
  for (let i = 0; i < 200; i++) chosen = e.select(e.lt(chosen, i), chosen, e.neg(chosen));
  const x = { body: e.input(0, "float32"), format: "float16" } as const;
  expect(formatOf(chosen, [x])).toBe("float16");
  expect(formatOf(chosen, [{ body: e.input(0, "float32") }])).toBeUndefined();
  expect(formatOf(e.constant(1), [])).toBeUndefined();
  expect(formatOf(e.lt(x.body, 0), [x])).toBeUndefined();
});
