// Two graphs compared node by node: nothing where their hashes agree, and the very nodes where they don't.
import { describe, expect, test } from "vitest";
import { graphHash } from "../../src/compile/hash.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { compile } from "../../src/program/compiled.ts";
import { Stream } from "../../src/rng/stream.ts";
import { dropout, matmul, tensor, uniform } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareGraphs } from "../../src/verify/graphs.ts";

const x = { data: new Float32Array(12), shape: [3, 4], dtype: "float32" } as const;
const trace = (body: (x: Tensor) => Tensor | Record<string, Tensor>, argument: unknown = x): Promise<Graph> =>
  compile(body as never, { stream: new Stream(1n), backend: "reference" }).trace(argument as never);

const base = (x: Tensor) => dropout(x.mul(0.9).add(1).relu(), 0.5).sum();

async function compare(other: (x: Tensor) => Tensor | Record<string, Tensor>, argument: unknown = x) {
  const [a, b] = [await trace(base), await trace(other, argument)];
  const found = compareGraphs(a, b);
  expect(found.differences.length === 0).toBe(graphHash(a) === graphHash(b));
  return found.differences.map(({ kind, what, first, second }) => ({ kind, what: what.join(), first, second }));
}

describe("compareGraphs", () => {
  test("the same program", async () => {
    expect(await compare(base)).toEqual([]);
    const [a, b] = [await trace(base), await trace(base)];
    const { pairs } = compareGraphs(a, b);
    expect(pairs.map(([x]) => x.op)).toEqual(pairs.map(([, y]) => y.op));
    expect(pairs.length).toBeGreaterThan(5);
  });

  test("a constant", async () => {
    const [only, ...rest] = await compare((x) => dropout(x.mul(0.90001).add(1).relu(), 0.5).sum());
    expect(rest).toEqual([]);
    expect(only).toMatchObject({ kind: "node", what: "value" });
    expect(only.first).toMatch(/full\(value=0\.8999999/);
    expect(only.second).toMatch(/full\(value=0\.90000998/);
  });

  test("an op more, an op less, another op", async () => {
    const more = await compare((x) => dropout(x.mul(0.9).add(1).relu().exp(), 0.5).sum());
    expect(more[0]).toMatchObject({ kind: "second", second: expect.stringContaining("exp(") });
    const less = await compare((x) => dropout(x.mul(0.9).add(1), 0.5).sum());
    expect(less[0]).toMatchObject({ kind: "first", first: expect.stringContaining("relu(") });
    const other = await compare((x) => dropout(x.mul(0.9).add(1).tanh(), 0.5).sum());
    const told = other.map(({ first, second }) => first + second).join();
    expect(told).toContain("relu(");
    expect(told).toContain("tanh(");
  });

  test("draws, operands in another order, an axis, a captured tensor, inputs, outputs", async () => {
    const drawn = await compare((x) => {
      uniform([2]);
      return base(x);
    });
    expect(drawn.map(({ what }) => what)).toEqual(["draws", "draws"]);
    const swapped = (x: Tensor, flip: boolean) => {
      const [a, b] = [x.exp(), x.tanh()];
      return (flip ? b.sub(a) : a.sub(b)).sum();
    };
    const rewired = compareGraphs(await trace((x) => swapped(x, false)), await trace((x) => swapped(x, true)));
    expect(rewired.differences.map(({ what }) => what)).toEqual([["inputs"]]);
    const axes = compareGraphs(
      await trace((x) => x.sum({ axis: 0 }).sum()),
      await trace((x) => x.sum({ axis: 1 }).sum()),
    );
    expect(axes.differences[0].what).toContain("axes");
    const [one, two] = [tensor([[1], [2], [3], [4]]), tensor([[1], [2], [3], [5]])];
    const content = compareGraphs(await trace((x) => matmul(x, one)), await trace((x) => matmul(x, two)));
    expect(content.differences.map(({ what }) => what)).toEqual([["content"]]);
    const inputs = await compare(base, { ...x, data: new Float32Array(8), shape: [2, 4] });
    expect(inputs[0]).toMatchObject({
      kind: "input",
      first: expect.stringContaining("[3, 4]"),
      second: expect.stringContaining("[2, 4]"),
    });
    const outputs = compareGraphs(await trace((x) => ({ a: base(x) })), await trace((x) => ({ b: base(x) })));
    expect(outputs.differences.map(({ kind }) => kind)).toEqual(["output", "output"]);
  });
});
