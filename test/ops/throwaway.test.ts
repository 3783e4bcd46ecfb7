// What a new op costs: an elementwise one and a reduction are made here of one record each, and are then there on every backend, with their gradients, as
// functions of tensors and in the graph's hash; and a kind of kernel, counted in files.
import { dirname, join } from "node:path/posix";
import { afterAll, describe, expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import { loadBackend } from "../../src/backend/load.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { graphHash } from "../../src/compile/hash.ts";
import { lower } from "../../src/compile/lower.ts";
import * as sg from "../../src/index.ts";
import { defineUnary, floatOnly, numeric } from "../../src/ops/define.ts";
import { mul } from "../../src/ops/elementwise.ts";
import { defineReduction } from "../../src/ops/reduction.ts";
import { lift } from "../../src/tensor/family.ts";
import { checkGradients } from "../support/gradients.ts";
import { expectSameBits, roughData, runPlan, traceGraph } from "../support/graphs.ts";
import { sources } from "../support/sources.ts";

const cube = defineUnary("throwawayCube", floatOnly, ([x]) => e.mul(e.mul(x, x), x), {
  vjp: ({ inputs: [x], grad }) => [mul(grad, mul(mul(x, x), 3))],
  samples: { range: [-2, 2], edges: [0, -0, Infinity, NaN] },
});

const least = defineReduction({ name: "throwawayLeast", version: 1, combine: "min", dtype: numeric, vjp: "none" });

const backends: Record<string, () => Backend | Promise<Backend>> = {
  wasm: () => wasmBackend({}),
  "wasm on 3 threads, vectors of 8": () => wasmBackend({ threads: 3, shareFrom: 0, vectorWidth: 8 }),
  "wasm without SIMD": () => wasmBackend({ simd: false }),
  "gpujs:webasm": () => loadBackend("gpujs:webasm"),
  "gpujs:cpu": () => loadBackend("gpujs:cpu"),
};

describe("two throw-away ops", () => {
  const x = roughData([5, 37]);
  const graph = () =>
    traceGraph({ x }, (nodes) => ({
      outputs: {
        cubed: cube(nodes.x),
        rows: least(cube(nodes.x), 1),
        columns: least(nodes.x, { axis: 0, keepDims: true }),
      },
    }));

  test.each(Object.keys(backends))("have reference's bits on %s", async (name) => {
    const backend = await backends[name]();
    const plan = lower(graph());
    const expected = await runPlan(await loadBackend("reference"), plan, [x.data]);
    const actual = await runPlan(backend, plan, [x.data]);
    expected.forEach((data, i) => {
      expectSameBits(actual[i], data, plan.outputs[i].name);
    });
    await backend.dispose();
  });

  test("are functions of tensors, and refuse wrong arguments", async () => {
    await sg.setDefaultBackend("reference");
    const [cubed, lowest] = [lift(cube), lift(least)];
    expect(await cubed(sg.tensor([1, 2, -3])).array()).toEqual([1, 8, -27]);
    expect(
      await lowest(
        sg.tensor([
          [4, 2],
          [-3, 5],
        ]),
        { axis: 1 },
      ).array(),
    ).toEqual([2, -3]);
    expect(() => lowest(sg.tensor([1]), { axes: 0 } as never)).toThrow(/axes/);
    expect(() => lowest(sg.tensor([], "float32"))).toThrow(/^throwawayLeast: nothing to reduce/);
  });

  test("have gradients and a place in the graph's hash", () => {
    checkGradients([[2, 3]], cube);
    expect(graphHash(graph())).toBe(graphHash(graph()));
  });
});

/** Its own files, those that import them, and those that list it: what a kind of kernel touches; and in the backend webgpu, which has a printer of its own. */
test.each(["prefix", "sort"])("the kind of kernel %s stands in six files, and two of webgpu", (kind) => {
  const own = [`kernels/${kind}.ts`, `src/backend/wasm/emit/${kind}.ts`];
  const listed = new RegExp(`^ {2}(of: "${kind}"|${kind}(\\(|: (?!string)))`, "m");
  const naming = sources("kernels", "src").filter(
    ({ path, text, imports }) =>
      own.includes(path) || imports.some(({ from }) => own.includes(join(dirname(path), from))) || listed.test(text),
  );
  const paths = naming.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(own));
  const isWebgpu = (path: string) => path.startsWith("src/backend/webgpu/");
  expect(paths.filter((path) => !isWebgpu(path)).length, paths.join(", ")).toBeLessThanOrEqual(6);
  expect(paths.filter(isWebgpu)).toEqual(["src/backend/webgpu/kernel.ts", "src/backend/webgpu/line.ts"]);
});

afterAll(() => sg.setDefaultBackend("reference"));
