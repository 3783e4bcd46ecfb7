// Plans: state in place, outputs, the arena's size.
import { describe, expect, test } from "vitest";
import { isDraws, isMap, kernelInputs } from "../../kernels/kernel.ts";
import { wordOf } from "../../kernels/word.ts";
import { gradients } from "../../src/autograd/grad.ts";
import { gpujsBackend } from "../../src/backend/gpujs/backend.ts";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { ShapeError } from "../../src/core/errors.ts";
import type { Node } from "../../src/graph/node.ts";
import { crossEntropy, mse } from "../../src/nn/losses.ts";
import { dropout, linear } from "../../src/ops/composite.ts";
import { fromValues } from "../../src/ops/creation.ts";
import { broadcastTo } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { gather, scatterAdd } from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { reshape, slice, transpose } from "../../src/ops/movement.ts";
import { normal } from "../../src/ops/random.ts";
import { sum } from "../../src/ops/reduce.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { checkMemory, plainSchedule } from "../support/arena.ts";
import { arrayOf, expectSameBits, runPlan, testData, traceGraph } from "../support/graphs.ts";

const square = { dtype: "float32", shape: [3, 3] } as const;
const row = { dtype: "float32", shape: [4] } as const;

/** Runs a plan on the interpreter and the reference, thrice over: the same bits, and memory as it should be. */
async function check(plan: Plan): Promise<void> {
  checkMemory(plan);
  const inputs = plan.inputs.map(({ shape, dtype }, i) => testData(shape, dtype, [-2, 2], i + 1).data);
  const expected = await runPlan(referenceBackend(), plan, inputs, 0, 3);
  const actual = await runPlan(interpretBackend(), plan, inputs, 0, 3);
  plan.outputs.forEach(({ name }, i) => {
    expectSameBits(actual[i], expected[i], name);
  });
}

describe("draws", () => {
  test("law 2: a dropout mask is drawn again in the backward pass, never stored", async () => {
    const plan = lower(
      traceGraph({ x: square, w: square }, ({ x, w }) => {
        const hidden = dropout(linear(x, w, undefined), 0.4);
        const [gx, gw] = gradients(sum(ops.mul(hidden, hidden)), [x, w]);
        return { outputs: { gx, gw } };
      }),
    );
    expect(plan.values.filter(({ dtype }) => dtype !== "float32")).toEqual([]);
    const drawing = plan.kernels.filter((kernel) => kernelInputs(kernel).some(({ source }) => isDraws(source)));
    expect(drawing.length).toBeGreaterThanOrEqual(2);
    for (const kernel of drawing) expect(wordOf(kernel)).toBe("map");
    await check(plan);
  });

  test("a longer expression over words, with several readers, is stored", async () => {
    const plan = lower(
      traceGraph({ x: square }, ({ x }) => {
        const noise = normal([3, 3]);
        return { outputs: { a: ops.add(x, noise), b: ops.exp(sum(ops.mul(x, noise))) } };
      }),
    );
    expect(plan.kernels.filter((kernel) => kernelInputs(kernel).some(({ source }) => isDraws(source)))).toHaveLength(1);
    await check(plan);
  });
});

describe("one operation on what is much smaller", () => {
  const column = { dtype: "float32", shape: [24, 1] } as const;
  const line = { dtype: "float32", shape: [1, 40] } as const;
  const wide = (node: Node) => broadcastTo(node, [24, 40]);
  const sizes = ({ values }: Plan) =>
    values.filter(({ place }) => place.kind === "temporary").map(({ shape }) => shape.join("×"));

  test("is computed by each of its readers, moved or not", async () => {
    const plan = lower(
      traceGraph({ a: column, b: line }, ({ a, b }) => {
        const outer = ops.mul(wide(a), wide(b));
        const moved = [0, 1].map((at) => slice(outer, [null, [at, at + 39]]));
        return { outputs: { y: ops.add(moved[0], moved[1]), z: sum(outer) } };
      }),
    );
    expect(sizes(plan)).toEqual([]);
    await check(plan);
  });

  test("is in memory, once, where something reads it from there, or where it isn't so small", async () => {
    const read = lower(
      traceGraph({ a: column, b: line, w: { dtype: "float32", shape: [40, 24] } }, ({ a, b, w }) => {
        const outer = ops.mul(wide(a), wide(b));
        return { outputs: { y: matmul(outer, w), z: ops.relu(outer) } };
      }),
    );
    expect(sizes(read)).toEqual(["24×40"]);
    await check(read);
    const flat = lower(
      traceGraph({ a: column, b: line }, ({ a, b }) => {
        const turned = transpose(ops.mul(wide(a), wide(b)), [1, 0]);
        return { outputs: { y: ops.relu(reshape(turned, [960])), z: ops.exp(reshape(turned, [480, 2])) } };
      }),
    );
    expect(sizes(flat)).toEqual(["40×24"]);
    await check(flat);
    const full = lower(
      traceGraph({ a: column, b: { dtype: "float32", shape: [24, 40] } }, ({ a, b }) => {
        const product = ops.mul(wide(a), b);
        return { outputs: { y: ops.relu(product), z: ops.exp(product) } };
      }),
    );
    expect(sizes(full)).toEqual(["24×40"]);
    await check(full);
  });
});

describe("by index", () => {
  test("indices that are computed are in memory once", async () => {
    const ports = { x: { dtype: "float32", shape: [9] }, n: { dtype: "int32", shape: [20] } } as const;
    const plan = lower(
      traceGraph(ports, ({ x, n }) => ({
        outputs: {
          y: gather(x, ops.minimum(ops.mul(n, n), 8), 0),
          z: scatterAdd(ops.minimum(ops.mul(n, n), 7), ops.relu(gather(x, ops.mul(n, 0), 0)), 0, 8),
        },
      })),
    );
    const integers = plan.values.filter(({ dtype, place }) => dtype === "int32" && place.kind === "temporary");
    expect(integers.map(({ shape }) => shape.join())).toEqual(["20", "20", "20"]);
    await check(plan);
  });

  const logits = { dtype: "float32", shape: [6, 5] } as const;
  const targets = { dtype: "int32", shape: [6] } as const;
  const classes = Int32Array.of(4, 0, 2, 2, 1, 3);
  /** On the interpreter and gpujs:cpu as on the reference. */
  const agrees = async (plan: Plan, inputs: readonly TypedArray[]) => {
    checkMemory(plan);
    const expected = await runPlan(referenceBackend(), plan, inputs);
    for (const backend of [interpretBackend(), await gpujsBackend("cpu")]) {
      const actual = await runPlan(backend, plan, inputs);
      plan.outputs.forEach(({ name }, i) => {
        expectSameBits(actual[i], expected[i], name);
      });
      await backend.dispose();
    }
  };

  test("a cross-entropy stores neither all of its log-probabilities nor a scattered gradient", async () => {
    const plan = lower(
      traceGraph({ x: logits, t: targets }, ({ x, t }) => {
        const loss = crossEntropy(new Tensor(x), new Tensor(t)).node;
        return { outputs: { loss, gx: gradients(loss, [x])[0] } };
      }),
    );
    expect(plan.kernels.map(({ kind }) => kind)).not.toContain("scatter");
    // What is subtracted from to give log-probabilities, and its exponential; the one-hot gradient; nothing else of that size.
    const whole = plan.kernels.filter(({ shape }) => shape.length === 2 && shape[1] === 5);
    expect(whole).toHaveLength(4);
    const x = testData(logits.shape, "float32", [-2, 2], 1).data;
    await agrees(plan, [x, classes]);
    const wrong = Int32Array.of(4, 0, 5, 2, 1, 3);
    for (const backend of [referenceBackend(), interpretBackend(), await wasmBackend()]) {
      await expect(runPlan(backend, plan, [x, wrong])).rejects.toThrow(ShapeError);
      await backend.dispose();
    }
  });

  test("a scatter of indices that nothing has held against its extent is a scatter", () => {
    const plan = lower(
      traceGraph({ u: { dtype: "float32", shape: [6, 1] }, x: logits, t: targets }, ({ u, x, t }) => {
        const at = reshape(t, [6, 1]);
        return { outputs: { y: scatterAdd(at, u, 1, 4), z: gather(x, at, 1) } };
      }),
    );
    expect(plan.kernels.map(wordOf).sort()).toEqual(["gather", "scatter"]);
  });

  test("a scattered −0 is +0, and what lies beside a NaN is 0", async () => {
    const u = Float32Array.of(-0, Number.NaN, 1, Number.POSITIVE_INFINITY, -0, 2);
    const plan = lower(
      traceGraph({ u: { dtype: "float32", shape: [6, 1] }, x: logits, t: targets }, ({ u, x, t }) => {
        const at = reshape(t, [6, 1]);
        const picked = gather(ops.mul(x, 2), at, 1);
        return { outputs: { picked, y: scatterAdd(at, ops.mul(u, 1), 1, 5) } };
      }),
    );
    expect(plan.kernels.map(({ kind }) => kind)).not.toContain("scatter");
    const x = testData(logits.shape, "float32", [-2, 2], 1).data;
    await agrees(plan, [u, x, classes]);
  });
});

describe("state", () => {
  test("an elementwise update writes where the old value lives: no arena, no copy", async () => {
    const plan = lower(
      traceGraph({ w: row, g: row }, ({ w, g }) => ({
        outputs: { w: ops.sub(w, ops.mul(g, 0.1)) },
        state: [["w", "w"]],
      })),
    );
    expect([plan.kernels.length, plainSchedule(plan).arenaBytes]).toEqual([1, 0]);
    await check(plan);
  });

  test("a step of SGD updates every parameter in place", async () => {
    const graph = traceGraph(
      {
        x: { dtype: "float32", shape: [5, 4] },
        t: { dtype: "float32", shape: [5, 3] },
        w: { dtype: "float32", shape: [3, 4] },
        b: { dtype: "float32", shape: [3] },
      },
      ({ x, t, w, b }) => {
        const loss = mse(new Tensor(linear(x, w, b)), new Tensor(t)).node;
        const [gw, gb] = gradients(loss, [w, b]);
        return {
          outputs: { loss, w: ops.sub(w, ops.mul(gw, 0.1)), b: ops.sub(b, ops.mul(gb, 0.1)) },
          state: [
            ["w", "w"],
            ["b", "b"],
          ],
        };
      },
    );
    const plan = lower(graph);
    expect(plan.kernels.some((kernel) => isMap(kernel) && kernel.body.kind === "input")).toBe(false);
    await check(plan);
  });

  const cases: Record<string, () => Plan> = {
    "the old value is read by a later kernel": () =>
      lower(
        traceGraph({ w: square }, ({ w }) => ({
          outputs: { w: ops.neg(w), old: sum(ops.exp(w), { axis: 0 }) },
          state: [["w", "w"]],
        })),
      ),
    "the new value is the old one transposed": () =>
      lower(traceGraph({ w: square }, ({ w }) => ({ outputs: { w: ops.mul(transpose(w), 2) }, state: [["w", "w"]] }))),
    "only moved": () =>
      lower(traceGraph({ w: square }, ({ w }) => ({ outputs: { w: transpose(w) }, state: [["w", "w"]] }))),
    "swapped with another": () =>
      lower(
        traceGraph({ a: row, b: row }, ({ a, b }) => ({
          outputs: { a: b, b: a },
          state: [
            ["a", "a"],
            ["b", "b"],
          ],
        })),
      ),
    "rotated among three, one changed": () =>
      lower(
        traceGraph({ a: row, b: row, c: row }, ({ a, b, c }) => ({
          outputs: { a: b, b: ops.neg(c), c: ops.add(a, b) },
          state: [
            ["a", "a"],
            ["b", "b"],
            ["c", "c"],
          ],
        })),
      ),
    "unchanged, and an output too": () =>
      lower(traceGraph({ w: row }, ({ w }) => ({ outputs: { w, copy: w }, state: [["w", "w"]] }))),
    "changed, and the old value is an output": () =>
      lower(traceGraph({ w: row }, ({ w }) => ({ outputs: { old: w, w: ops.exp(w) }, state: [["w", "w"]] }))),
    "changed, and the new value is read and an output": () =>
      lower(
        traceGraph({ w: row }, ({ w }) => {
          const next = ops.add(w, 1);
          return { outputs: { w: next, copy: next, total: sum(next) }, watched: { again: next }, state: [["w", "w"]] };
        }),
      ),
    "waits for the old value's last reader, and is an output too": () =>
      lower(
        traceGraph({ w: square }, ({ w }) => {
          const next = ops.mul(transpose(w), 2);
          return { outputs: { w: next, copy: next }, watched: { again: next }, state: [["w", "w"]] };
        }),
      ),
    "one new value for two": () =>
      lower(
        traceGraph({ a: row, b: row }, ({ a, b }) => {
          const next = ops.add(a, b);
          return {
            outputs: { a: next, b: next },
            state: [
              ["a", "a"],
              ["b", "b"],
            ],
          };
        }),
      ),
    "set to a constant": () =>
      lower(
        traceGraph({ w: row }, ({ w }) => ({
          outputs: { w: fromValues([1, 2, 3, 4]), old: ops.neg(w) },
          state: [["w", "w"]],
        })),
      ),
    "set to one number": () =>
      lower(
        traceGraph({ w: row }, ({ w }) => ({
          outputs: { w: ops.mul(ops.sub(w, w), 0), sum: sum(w) },
          state: [["w", "w"]],
        })),
      ),
    "read through a reshape by what overwrites it": () =>
      lower(
        traceGraph({ w: square }, ({ w }) => ({
          outputs: { w: reshape(ops.add(reshape(w, [9]), slice(reshape(w, [9]), [[8, -Infinity, -1]])), [3, 3]) },
          state: [["w", "w"]],
        })),
      ),
    "each made from the other's old value": () =>
      lower(
        traceGraph({ a: row, b: row }, ({ a, b }) => ({
          outputs: { a: ops.add(a, b), b: ops.sub(a, b) },
          state: [
            ["a", "a"],
            ["b", "b"],
          ],
        })),
      ),
    "its sum stretched over it": () =>
      lower(traceGraph({ w: row }, ({ w }) => ({ outputs: { w: ops.sub(w, sum(w)) }, state: [["w", "w"]] }))),
  };
  for (const [name, make] of Object.entries(cases)) test(name, () => check(make()));
});

describe("memory", () => {
  test("a chain of values reuses the arena: its size doesn't grow with the chain", () => {
    const chain = (length: number) =>
      plainSchedule(
        lower(
          traceGraph({ x: { dtype: "float32", shape: [64, 64] } }, ({ x }) => {
            let y = x;
            for (let i = 0; i < length; i++) y = transpose(ops.exp(y));
            return { outputs: { y } };
          }),
          { fuse: false },
        ),
      );
    expect(chain(40).arenaBytes).toBe(chain(4).arenaBytes);
    expect(chain(40).arenaBytes).toBe(chain(40).lowerBoundBytes);
  });

  test("empty tensors take no kernel", async () => {
    const plan = lower(
      traceGraph({ x: { dtype: "float32", shape: [0, 3] } }, ({ x }) => ({
        outputs: { y: ops.exp(x), total: sum(x, { axis: 0 }) },
      })),
    );
    expect(plan.kernels.length).toBe(1);
    const [y, total] = await runPlan(interpretBackend(), plan, [new Float32Array(0)]);
    expect([y.length, [...total]]).toEqual([0, [0, 0, 0]]);
  });

  test("an expression with very many inputs is cut into kernels of a bounded number", () => {
    const inputs = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x${i}`, row]));
    const plan = lower(
      traceGraph(inputs, (nodes) => ({ outputs: { y: Object.values(nodes).reduce((a, b) => ops.add(a, b)) } })),
    );
    for (const kernel of plan.kernels) if (isMap(kernel)) expect(kernel.inputs.length).toBeLessThanOrEqual(8);
  });

  test("the same graph gives the same plan", () => {
    const make = () =>
      lower(traceGraph({ x: square }, ({ x }) => ({ outputs: { y: sum(ops.exp(transpose(x)), { axis: 1 }) } })));
    const text = ({ kernels, values, key }: Plan) => JSON.stringify({ kernels, values, key });
    expect(text(make())).toBe(text(make()));
  });

  test("constants aren't written to", async () => {
    const constant = fromValues([1, 2, 3, 4]);
    const plan = lower(traceGraph({ w: row }, () => ({ outputs: { w: constant }, state: [["w", "w"]] })));
    await runPlan(interpretBackend(), plan, [arrayOf("float32", [5, 6, 7, 8])]);
    expect([...constant.data!]).toEqual([1, 2, 3, 4]);
  });
});
