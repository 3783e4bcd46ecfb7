// Each kind of kernel with each fault it can have, made by other loops than those that look for it.
import { describe, expect, test } from "vitest";
import { high16, input, lt, select } from "../../kernels/expr.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { contiguousView } from "../../kernels/view.ts";
import { interpretKernel } from "../../src/backend/interpret.ts";
import { lower } from "../../src/compile/lower.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { assemble } from "../../src/ops/assemble.ts";
import * as creation from "../../src/ops/creation.ts";
import { add, exp, mul } from "../../src/ops/elementwise.ts";
import { gather, scatterAdd } from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { permutation, randint } from "../../src/ops/random.ts";
import { sum } from "../../src/ops/reduce.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { randint as fillRandint, permutation as permutationOf } from "../../src/rng/samplers.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { causeOf, decimal, likelySeeds, type Suspect } from "../../src/verify/causes.ts";

const values = (length: number, scale = 1) =>
  Float32Array.from({ length }, (_, i) => (((i * 7919) % 1009) / 1009 - 0.4) * scale);

/** The one kernel of an op over these operands, and what it gives. */
function suspectOf(
  make: (...inputs: Node[]) => Node,
  operands: readonly (Float32Array | Int32Array)[],
  shapes: readonly (readonly number[])[],
): Suspect {
  const inputs = operands.map((data, i) =>
    creation.input(shapes[i], data instanceof Float32Array ? "float32" : "int32"),
  );
  const node = withStream(new Stream(7n), () => make(...inputs));
  const graph: Graph = {
    seed: 7n,
    inputs: inputs.map((input, i) => ({ name: String(i), node: input })),
    outputs: [{ name: "out", node }],
    watched: [],
    state: [],
    draws: node.draws?.count ?? 0,
    base: 0,
  };
  const plan = lower(graph);
  expect(plan.kernels.length).toBe(1);
  const [kernel] = plan.kernels;
  const right = node.dtype === "float32" ? new Float32Array(sizeOf(node.shape)) : new Int32Array(sizeOf(node.shape));
  const array = (value: number) => {
    const { place } = plan.values[value];
    return place.kind === "input" ? operands[place.index] : right;
  };
  void interpretKernel(kernel, plan).run({ array, seed: 7n, base: 0 });
  return { kernel, inputs: operands, right, wrong: right, seed: 7n, base: 0 };
}

const causeWith = (suspect: Suspect, wrong: Suspect["wrong"]) => {
  expect(wrong).not.toEqual(suspect.right);
  return causeOf({ ...suspect, wrong });
};

describe("an assembly of pieces", () => {
  const places = [0, 5, 10].map((start) => ({ starts: [start], steps: [1] }));
  const pieces = [1, 0.37, 1.9].map((scale) => values(40, scale));
  const suspect = suspectOf((...parts) => assemble(parts, places, [50]), pieces, [[40], [40], [40]]);

  test("from the last piece to the first", () => {
    const wrong = new Float32Array(50);
    for (const at of [2, 1, 0]) for (let i = 0; i < 40; i++) wrong[5 * at + i] += pieces[at][i];
    expect(causeWith(suspect, wrong)).toMatchObject({
      name: "order of a sum",
      detail: expect.stringMatching(/from the last to the first/),
    });
  });

  test("another element: unknown, with what was ruled out", () => {
    const wrong = suspect.right.slice();
    wrong[3] += 1;
    expect(causeWith(suspect, wrong)).toMatchObject({
      name: "unknown",
      detail: expect.stringMatching(/order of a sum/),
    });
  });
});

describe("a matmul", () => {
  const [rows, depth, columns] = [5, 600, 7];
  const operands = [values(rows * depth), values(depth * columns)];
  const suspect = suspectOf(matmul, operands, [
    [rows, depth],
    [depth, columns],
  ]);
  const wrongBy = (dot: (a: (k: number) => number, b: (k: number) => number) => number) =>
    Float32Array.from({ length: rows * columns }, (_, i) =>
      dot(
        (k) => operands[0][Math.floor(i / columns) * depth + k],
        (k) => operands[1][k * columns + (i % columns)],
      ),
    );
  const f = Math.fround;
  const chunked = (size: number) => (a: (k: number) => number, b: (k: number) => number) => {
    let total = 0;
    for (let from = 0; from < depth; from += size) {
      let part = 0;
      for (let k = from; k < Math.min(from + size, depth); k++) part = f(part + f(a(k) * b(k)));
      total = f(total + part);
    }
    return total;
  };

  test("in the written order, nothing is wrong", () => {
    expect(wrongBy(chunked(256))).toEqual(suspect.right);
  });

  test.each<[string, string, Float32Array]>([
    ["order of a sum", "chunks of 128", wrongBy(chunked(128))],
    ["order of a sum", "one after another", wrongBy(chunked(depth))],
    [
      "contraction",
      "each product and its addition in one rounding, one after another",
      wrongBy((a, b) => {
        let total = 0;
        for (let k = 0; k < depth; k++) total = f(a(k) * b(k) + total);
        return total;
      }),
    ],
    [
      "contraction",
      "added up without rounding",
      wrongBy((a, b) => {
        let total = 0;
        for (let k = 0; k < depth; k++) total += a(k) * b(k);
        return f(total);
      }),
    ],
    ["unknown", "none of the known faults", suspect.right.map((x, i) => (i % 2 ? x : x * 1.5)) as Float32Array],
  ])("%s: %s", (name, detail, wrong) => {
    const cause = causeWith(suspect, wrong);
    expect(cause.name).toBe(name);
    expect(cause.detail).toContain(detail);
  });

  test("flushed", () => {
    const small = [values(6, 1e-20), values(8, 1e-20)];
    const tiny = suspectOf(matmul, small, [
      [3, 2],
      [2, 4],
    ]);
    expect(causeWith(tiny, new Float32Array(12)).name).toBe("flushed subnormals");
  });
});

describe("sums and elementwise ops", () => {
  test("a sum of products, contracted", () => {
    const operands = [values(300), values(300).reverse()];
    const suspect = suspectOf((a, b) => sum(mul(a, b)), operands, [[300], [300]]);
    let total = 0;
    for (let i = 0; i < 300; i++) total = Math.fround(operands[0][i] * operands[1][i] + total);
    expect(causeWith(suspect, Float32Array.of(total))).toMatchObject({ name: "contraction" });
  });

  test("flushed operands, and a constant that lost digits", () => {
    const suspect = suspectOf((x) => mul(x, 1e20), [values(64, 1e-38)], [[64]]);
    const flushed = values(64, 1e-38).map((x) => (Math.abs(x) < 2 ** -126 ? 0 : Math.fround(x * Math.fround(1e20))));
    expect(causeWith(suspect, flushed)).toEqual({
      name: "flushed subnormals",
      detail: expect.stringContaining("operands"),
    });
    const shorter = suspectOf((x) => mul(add(x, 1), 0.3989422804014327), [values(64)], [[64]]);
    const wrong = values(64).map((x) => Math.fround(Math.fround(x + 1) * Math.fround(0.3989)));
    expect(causeWith(shorter, wrong)).toEqual({ name: "changed constant", detail: "0.3989 in place of 0.3989423" });
  });

  test("bits alone: −0 and NaN's payload; and a scale that is no slip", () => {
    const suspect = suspectOf(exp, [Float32Array.of(-1e9, Number.NaN, 1)], [[3]]);
    expect(causeWith(suspect, Float32Array.of(-0, Number.NaN, suspect.right[2]))).toEqual({
      name: "negative zero",
      detail: "−0 in place of +0",
    });
    const payload = suspect.right.slice() as Float32Array;
    new Uint32Array(payload.buffer)[1] = 0xffc00007;
    expect(causeOf({ ...suspect, wrong: payload })).toMatchObject({
      name: "NaN payload",
      detail: expect.stringContaining("ffc00007"),
    });
    expect(causeWith(suspect, suspect.right.map((x) => x * 1.25) as Float32Array).name).toBe("unknown");
  });
});

describe("by index", () => {
  test("a gather that reads another row", () => {
    const suspect = suspectOf(
      (x, i) => gather(x, i, 0),
      [values(12), Int32Array.of(2, 2, 2)],
      [
        [4, 3],
        [1, 3],
      ],
    );
    expect(causeWith(suspect, values(12).slice(9))).toEqual({
      name: "data row",
      detail: "it read index 3 in place of 2",
    });
    expect(causeWith(suspect, Float32Array.of(9, 9, 9)).name).toBe("unknown");
  });

  test("a scatter that adds backwards", () => {
    const updates = values(40, 1e3);
    const indices = Int32Array.from({ length: 40 }, (_, i) => i % 3);
    const suspect = suspectOf((i, u) => scatterAdd(i, u, 0, 3), [indices, updates], [[40], [40]]);
    const wrong = new Float32Array(3);
    for (let i = 39; i >= 0; i--) wrong[indices[i]] += updates[i];
    expect(causeWith(suspect, wrong)).toEqual({
      name: "order of a sum",
      detail: expect.stringContaining("descending"),
    });
  });
});

describe("draws", () => {
  test("integers and permutations from another range or seed", () => {
    const integers = suspectOf(() => randint([20], -3, 5), [], []);
    const wrong = new Int32Array(20);
    fillRandint(7n, 9, -3, 5, wrong);
    expect(causeWith(integers, wrong)).toMatchObject({
      name: "draw range",
      detail: expect.stringContaining("9 draws later"),
    });
    const order = suspectOf(() => permutation(12), [], []);
    expect(causeWith(order, permutationOf(8n, 0, 12))).toEqual({
      name: "another seed",
      detail: "draws of seed 8 in place of 7",
    });
    expect(causeWith(order, permutationOf(999_999n, 0, 12)).name).toBe("unknown");
    expect(causeOf({ ...order, wrong: permutationOf(999_999n, 0, 12), seeds: [999_999n] }).name).toBe("another seed");
  });

  test("words far away, earlier and later, and of a seed that lost its high half", () => {
    const kernel: Kernel = {
      kind: "loop",
      output: 0,
      dtype: "uint32",
      shape: [30],
      inputs: [{ source: { firstDraw: 5 }, dtype: "uint32", view: contiguousView([30]) }],
      body: input(0, "uint32"),
    };
    const words = (seed: bigint, offset: number) => {
      const out = new Uint32Array(30);
      fillWords(seed, offset, out);
      return out;
    };
    const seed = (77n << 32n) + 5n;
    const suspect: Suspect = {
      kernel,
      inputs: [words(seed, 400_005)],
      right: words(seed, 400_005),
      wrong: words(seed, 400_005),
      seed,
      base: 400_000,
    };
    expect(causeWith(suspect, words(seed, 400_000)).detail).toBe(
      "draws [400000, 400030) of the stream in place of [400005, 400035): 5 draws earlier",
    );
    expect(causeWith(suspect, words(seed, 600_000)).detail).toContain("199995 draws later");
    expect(causeWith(suspect, words(5n, 400_005))).toEqual({
      name: "another seed",
      detail: `draws of seed 5 in place of ${seed}`,
    });
    expect(likelySeeds(seed)).not.toContain(seed);
  });

  test("a mask over words from another range or seed", () => {
    const kernel: Kernel = {
      kind: "loop",
      output: 0,
      dtype: "float32",
      shape: [40],
      inputs: [
        { source: 0, dtype: "float32", view: contiguousView([40]) },
        { source: { firstDraw: 5 }, dtype: "uint32", view: contiguousView([40]) },
      ],
      body: select(lt(high16(input(1, "uint32")), 40_000), input(0, "float32"), 0),
    };
    const x = values(40);
    const masked = (seed: bigint, offset: number) => {
      const words = new Uint32Array(40);
      fillWords(seed, offset, words);
      return x.map((value, i) => (words[i] >>> 16 < 40_000 ? value : 0));
    };
    const words = new Uint32Array(40);
    fillWords(7n, 105, words);
    const suspect: Suspect = { kernel, inputs: [x, words], right: masked(7n, 105), wrong: x, seed: 7n, base: 100 };
    expect(causeWith(suspect, masked(7n, 100)).detail).toBe(
      "draws [100, 140) of the stream in place of [105, 145): 5 draws earlier",
    );
    expect(causeWith(suspect, masked(8n, 105))).toEqual({
      name: "another seed",
      detail: "draws of seed 8 in place of 7",
    });
    expect(causeWith(suspect, x).name).toBe("unknown");
  });
});

test("the shortest decimal of a float32", () => {
  expect([0.1, 0.9, 1e-8, 0.39894228, 3, -2.5e20].map((x) => decimal(Math.fround(x)))).toEqual([
    "0.1",
    "0.9",
    "1e-8",
    "0.3989423",
    "3",
    "-250000000000000000000",
  ]);
});
