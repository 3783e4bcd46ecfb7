// 16-bit floats in the wasm backend's memory: every pattern of both formats is written and read back as the number it is, whoever reads it and
// however; and what computes with them gives the reference's bits, unfused and fused.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../../src/backend/reference.ts";
import type { FuseOptions } from "../../../src/compile/fuse.ts";
import { lower } from "../../../src/compile/lower.ts";
import { float32Bits, float32FromBits } from "../../../src/core/canonical.ts";
import { type NarrowFormat, narrowFormats } from "../../../src/core/dtype.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { equal } from "../../../src/ops/compare.ts";
import { broadcastTo } from "../../../src/ops/define.ts";
import * as ops from "../../../src/ops/elementwise.ts";
import { gather, scatterAdd } from "../../../src/ops/gather.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { reshape, slice, transpose } from "../../../src/ops/movement.ts";
import { pad } from "../../../src/ops/pad.ts";
import { roundTo } from "../../../src/ops/precision.ts";
import { argmax, max, sum } from "../../../src/ops/reduce.ts";
import { runGraph, testData, testWords, traceGraph } from "../../support/graphs.ts";
import { narrowing } from "../../support/narrow.ts";
import { programOf } from "../../support/programs.ts";
import { wasmVariants } from "../../support/wasm.ts";

const holds = wasmVariants();
const count = 65536;

/** What the 16 bits stand for, by IEEE 754's definition. */
function numberOf(format: NarrowFormat, bits: number): number {
  if (format === "bfloat16") return float32FromBits(bits * 2 ** 16);
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const magnitude =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

const patterns = (format: NarrowFormat) => Float32Array.from({ length: count }, (_, bits) => numberOf(format, bits));
const x = { dtype: "float32", shape: [count] } as const;
const stored = (graph: Graph, options?: FuseOptions) =>
  lower(graph, options).values.filter(({ storage }) => storage).length;

/** A graph of one input, whose numbers in the format are kept in 16 bits. */
function kept(format: NarrowFormat, read: (y: Node) => Record<string, Node>, least = 1): Graph {
  const graph = traceGraph({ x }, (inputs) => {
    const y = roundTo(inputs.x, format);
    return { outputs: { minus: ops.neg(y), size: ops.abs(y), ...read(y) } };
  });
  expect(stored(graph)).toBeGreaterThanOrEqual(least);
  return graph;
}

describe.each(narrowFormats)("all patterns of %s", (format) => {
  const data = patterns(format);
  const square = (y: Node) => reshape(y, [256, 256]);
  const twice = (name: string, y: Node) => ({ [`${name} minus`]: ops.neg(y), [`${name} size`]: ops.abs(y) });

  test("in order, each is the number it stands for", async () => {
    const graph = kept(format, () => ({}));
    await holds(graph, [data]);
    const [minus] = await runGraph(referenceBackend(), graph, [data]);
    expect(data.findIndex((value, i) => !Object.is(minus[i], -value))).toBe(-1);
  });

  test("floats are rounded to them: each, halfway to the next, one float32 to either side of both, and at random", async () => {
    const next = testWords(7);
    const words = new Uint32Array(8 * count);
    data.forEach((value, i) => {
      const bits = float32Bits(value);
      const middle = bits + (format === "bfloat16" ? 0x8000 : 0x1000);
      words.set([bits - 1, bits, bits + 1, middle - 1, middle, middle + 1, next(), next()], 8 * i);
    });
    const floats = new Float32Array(words.buffer);
    const graph = traceGraph({ x: { dtype: "float32", shape: [8 * count] } }, (inputs) => ({
      outputs: { y: roundTo(inputs.x, format) },
    }));
    await holds(graph, [floats], { times: 1 });
    const [y] = await runGraph(referenceBackend(), graph, [floats]);
    expect(floats.findIndex((value, i) => !Object.is(y[i], narrowing[format](value)))).toBe(-1);
  });

  test("written, they are rounded as well: after an expression of any length", async () => {
    const graph = traceGraph({ x }, (inputs) => {
      const long = roundTo(ops.tanh(ops.mul(inputs.x, 1.1)), format);
      const short = roundTo(ops.mul(inputs.x, 1.1), format);
      const other = roundTo(ops.mul(short, 3), format === "bfloat16" ? "float16" : "bfloat16");
      return { outputs: { ...twice("long", long), ...twice("short", short), ...twice("other", other) } };
    });
    expect(stored(graph)).toBe(3);
    await holds(graph, [data]);
  });

  test("NaN with any payload is NaN, not ∞", async () => {
    const words = Uint32Array.from({ length: count }, (_, i) => (i & 1 ? 0xff800000 : 0x7f800000) + 1 + (i >> 1));
    words.fill(0x7f800001, 0, 7);
    const graph = kept(format, () => ({}));
    await holds(graph, [new Float32Array(words.buffer)]);
  });

  test("written a few operations after they were read, in rows of any length", async () => {
    for (const shape of [[count - 3], [3, 7, 1021], [11, 31], [5, 3, 2], [1]]) {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const graph = kept(
        format,
        (y) => {
          const part = reshape(slice(y, [[count - size - 3, count - 3]]), shape);
          // Only signs and choices: the product of its own condition is of the format as well.
          const chosen = ops.where(ops.cast(part, "bool"), ops.neg(part), 0.5);
          return { ...twice("chosen", chosen), ...twice("relu", ops.relu(chosen)) };
        },
        2,
      );
      await holds(graph, [data]);
    }
  });

  test("by steps, backwards, sideways, stretched, within bounds", async () => {
    const graph = kept(format, (y) => ({
      steps: ops.neg(slice(y, [[1, count, 3]])),
      backwards: ops.neg(slice(y, [[count - 1, -Infinity, -1]])),
      sideways: ops.neg(transpose(square(y))),
      "three axes": ops.neg(transpose(reshape(y, [16, 64, 64]), [2, 0, 1])),
      stretched: ops.neg(broadcastTo(reshape(slice(y, [[31000, 32000]]), [1000, 1]), [2, 1000, 9])),
      bounded: ops.neg(
        pad(square(y), [
          [1, 2],
          [3, 5],
        ]),
      ),
      "a row for all": ops.add(broadcastTo(slice(y, [[0, 256]]), [256, 256]), square(y)),
    }));
    await holds(graph, [data]);
  });

  test("by index, as they lie and by elements; added by index", async () => {
    const next = testWords(5);
    const indices = Int32Array.from({ length: 300 }, () => next() % 256);
    const graph = traceGraph({ x, i: { dtype: "int32", shape: [300] } }, ({ x: input, i }) => {
      const y = square(roundTo(input, format));
      const rows = gather(y, broadcastTo(reshape(i, [300, 1]), [300, 256]), 0);
      const elements = gather(transpose(y), broadcastTo(reshape(i, [300, 1]), [300, 256]), 0);
      const finite = ops.where(equal(y, y), y, 0);
      return {
        outputs: {
          ...twice("rows", rows),
          ...twice("elements", elements),
          alone: gather(y, broadcastTo(i, [256, 300]), 1),
          added: scatterAdd(slice(broadcastTo(reshape(i, [300, 1]), [300, 256]), [[0, 256]]), finite, 0, 256),
        },
      };
    });
    expect(stored(graph)).toBeGreaterThanOrEqual(4);
    await holds(graph, [data, indices]);
  });

  test("as either operand of a product, turned each way", async () => {
    const other = testData([256, 256], "float32", [-1, 1], 3);
    const graph = traceGraph({ x, w: { dtype: "float32", shape: [256, 256] } }, ({ x: input, w }) => {
      const y = square(roundTo(input, format));
      const v = roundTo(w, format);
      const outputs: Record<string, Node> = {};
      for (const [name, a, b] of [
        ["rows", y, w],
        ["columns", w, transpose(y)],
        ["turned", transpose(w), transpose(y)],
        ["left turned", transpose(y), v],
        ["both", y, transpose(v)],
        ["the other way", v, y],
      ] as const) {
        outputs[name] = matmul(a, b);
        // Tiles that aren't whole, and steps that are neither.
        outputs[`${name}, a part`] = matmul(slice(a, [[3, 74]]), slice(b, [null, [1, 30]]));
        outputs[`${name}, by steps`] = matmul(
          slice(a, [
            [0, 37, 3],
            [1, 256, 2],
          ]),
          slice(b, [
            [0, 256, 2],
            [200, 0, -5],
          ]),
        );
      }
      return { outputs };
    });
    expect(stored(graph)).toBeGreaterThanOrEqual(2);
    await holds(graph, [data, other.data]);
  });

  test("in sums and extremes over rows, columns and all", async () => {
    const graph = kept(format, (y) => {
      const a = square(y);
      const finite = slice(a, [[0, 120]]);
      return {
        rows: sum(a, { axis: 1 }),
        columns: sum(finite, { axis: 0 }),
        all: sum(y),
        "sideways rows": sum(transpose(a), { axis: 1 }),
        most: max(a, { axis: 1 }),
        "most of columns": max(finite, { axis: 0 }),
        where: argmax(a, { axis: 1 }),
        "three axes": sum(reshape(y, [16, 64, 64]), { axis: [0, 2] }),
      };
    });
    await holds(graph, [data]);
  });
});

test("random programs that round: unfused = fused = reference", async () => {
  const seen = { fused: 0, unfused: 0 };
  const choices = fc.array(fc.nat(5000), { minLength: 30, maxLength: 150 });
  await fc.assert(
    fc.asyncProperty(choices, fc.boolean(), async (numbers, differentiate) => {
      const { graph, inputs } = programOf(numbers, { differentiate, narrow: true });
      for (const fuse of [true, false]) {
        seen[fuse ? "fused" : "unfused"] += stored(graph, { fuse });
        await holds(graph, inputs, { fuse }).catch((error) => {
          throw new Error(`${(error as Error).message}\n${printGraph(graph)}`);
        });
      }
    }),
    { numRuns: Number(process.env.WASM_PROGRAMS ?? 30) },
  );
  expect(seen.fused).toBeGreaterThan(5);
  expect(seen.unfused).toBeGreaterThan(10);
});
