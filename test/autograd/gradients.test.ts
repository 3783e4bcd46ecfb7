// Gradients against central differences, both read in float64 from the same records. Where no tolerance is stated it is 1e-5, relative to
// the larger of 1 and the gradient: elementary functions are float32 polynomials, so a difference over 2·10⁻² carries about 1e-5.
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autograd/grad.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { lower } from "../../src/compile/lower.ts";
import { GradError } from "../../src/core/errors.ts";
import type { Node } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import { withTrace } from "../../src/graph/scope.ts";
import * as activations from "../../src/ops/activations.ts";
import * as arithmetic from "../../src/ops/arithmetic.ts";
import { samplesOf } from "../../src/ops/samples.ts";
import "../../src/ops/power.ts";
import "../../src/ops/transcendental.ts";
import { assemble } from "../../src/ops/assemble.ts";
import { less } from "../../src/ops/compare.ts";
import * as composite from "../../src/ops/composite.ts";
import { conv2d } from "../../src/ops/conv.ts";
import { fromValues, input } from "../../src/ops/creation.ts";
import { withGradient } from "../../src/ops/custom.ts";
import { allRecords, broadcastOperands, broadcastTo, makeNode } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import * as indexed from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import * as movement from "../../src/ops/movement.ts";
import * as padding from "../../src/ops/pad.ts";
import { maxPool2d } from "../../src/ops/pool.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { unfold } from "../../src/ops/unfold.ts";
import { attributeSets } from "../conformance/cases/elementwise.ts";
import { checkGradients as check } from "../support/gradients.ts";
import { arrayOf, expectSameBits, runPlan, traceGraph } from "../support/graphs.ts";

const covered = new Set<string>();

describe("every elementwise op on its samples", () => {
  for (const record of allRecords()) {
    if (record.kind !== "elementwise" || record.vjp === "none") continue;
    const floats = Array.from({ length: record.inputs }, () => "float32" as const);
    const typed = (() => {
      try {
        return record.dtype(floats, {}, record.name) === "float32";
      } catch {
        return false;
      }
    })();
    if (!typed) continue;
    covered.add(record.name);
    test(record.name, () => {
      const size = 24;
      const ranges = floats.map(() => samplesOf(record).range);
      const [attributes] = attributeSets(record);
      check(
        floats.map(() => [size]),
        (...inputs) => makeNode(record.name, broadcastOperands(record.name, inputs), [size], attributes),
        { ranges, tolerance: 5e-5 },
      );
    });
  }
});

const cover = (name: string, body: () => void) => {
  const [op] = name.split(":");
  covered.add(op);
  test(name, body);
};
const negative = -Infinity;

describe("every other op", () => {
  cover("where: both sides", () => check([[2, 3], [3], [2, 1]], (x, a, b) => ops.where(less(x, 0), ops.mul(a, x), b)));
  cover("cast: a float32 through float32", () => {
    check([[3]], (x) => makeNode("cast", [ops.mul(x, x)], [3], { dtype: "float32" }));
  });
  cover("broadcastTo: new axes and stretched ones", () => check([[3, 1]], (x) => ops.exp(broadcastTo(x, [2, 3, 4]))));
  cover("reshape: folded", () => check([[2, 6]], (x) => movement.reshape(ops.mul(x, x), [3, 4])));
  cover("transpose: three axes", () => check([[2, 3, 4]], (x) => ops.tanh(movement.transpose(x, [2, 0, 1]))));
  cover("unfold: windows that overlap, and with gaps", () => {
    for (const [size, step] of [
      [3, 1],
      [3, 2],
      [2, 3],
      [2, 2],
    ])
      check([[2, 7, 2]], (x) => unfold(ops.mul(x, x), 1, size, step));
    for (const step of [1, 2, 3]) check([[2, 7]], (x) => unfold(ops.mul(x, x), 1, 3, step, 2));
  });
  cover("firstMax: one axis, several, all, none", () => {
    check([[]], (x) => reduce.firstMax(ops.mul(x, x)));
    for (const axis of [0, 1, [0, 2], undefined, []]) check([[3, 4, 2]], (x) => ops.tanh(reduce.firstMax(x, { axis })));
  });
  cover("customGradient: made of ops, and differentiated again", () => {
    const cube = (x: Node) =>
      withGradient(ops.mul(x, ops.mul(x, x)), [x], (grad, [a]) => [ops.mul(grad, ops.mul(ops.mul(a, a), 3))]);
    check([[2, 3]], (x) => ops.mul(cube(x), x));
  });
  cover("matmul: under conv2d and maxPool2d", () => {
    const windows = { stride: 2, padding: 1 };
    check([[1, 2, 4, 5], [2, 2, 3, 3], [2]], (x, w, b) => conv2d(x, w, b, windows), { second: false });
    check(
      [
        [1, 2, 3, 4],
        [2, 2, 2, 2],
      ],
      (x, w) => conv2d(x, w),
      { second: false },
    );
    check([[1, 1, 5, 6]], (x) => maxPool2d(x, 2), { second: false });
    check([[1, 1, 4, 5]], (x) => maxPool2d(x, 3, { stride: 1, padding: 1 }), { second: false });
  });
  cover("slice: strides, backwards, nothing, one index", () => {
    check([[6, 7]], (x) =>
      ops.mul(
        movement.slice(x, [
          [1, 6, 2],
          [6, negative, -3],
        ]),
        2,
      ),
    );
    check([[5]], (x) => ops.exp(movement.slice(x, [[4, 0, -2]])));
    check([[5, 2]], (x) => movement.slice(ops.mul(x, x), [2]));
    check([[5, 2]], (x) =>
      movement.slice(x, [
        [3, 3],
        [1, negative, -1],
      ]),
    );
    check([[7]], (x) => movement.slice(ops.mul(x, x), [[0, 7, 3]]));
    check([[0, 3]], (x) => movement.slice(x, [[0, 0, -1]]), { second: false });
  });
  cover("pad: uneven", () =>
    check([[2, 3]], (x) =>
      ops.mul(
        padding.pad(
          x,
          [
            [1, 2],
            [0, 1],
          ],
          5,
        ),
        3,
      ),
    ),
  );
  cover("sum: each set of axes", () => {
    for (const axis of [undefined, 0, 1, [0, 2], []]) {
      check([[2, 3, 4]], (x) => ops.tanh(reduce.sum(x, { axis, keepDims: true })));
    }
  });
  for (const extreme of [reduce.max, reduce.min]) {
    cover(`${extreme.name}: over an axis, over all`, () => {
      check([[3, 5]], (x) => ops.mul(extreme(x, { axis: 1 }), 2));
      check([[3, 5]], (x) => extreme(ops.mul(x, x)), { ranges: [[0.5, 3]] });
    });
  }
  cover("matmul: plain, batched, broadcast, vectors", () => {
    check(
      [
        [3, 4],
        [4, 2],
      ],
      (a, b) => ops.tanh(matmul(a, b)),
    );
    check(
      [
        [2, 3, 4],
        [4, 2],
      ],
      matmul,
    );
    check(
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
      matmul,
    );
    check(
      [
        [3, 4],
        [2, 4, 2],
      ],
      matmul,
    );
    check(
      [
        [2, 1, 3, 4],
        [3, 4, 2],
      ],
      matmul,
    );
    check([[4], [4]], matmul);
    check([[4], [4, 3]], matmul);
    check([[2, 3, 4], [4]], matmul);
    check(
      [
        [3, 0],
        [0, 2],
      ],
      matmul,
    );
  });
  cover("gather: with repeats", () => {
    const index = fromValues(
      [
        [0, 2, 2],
        [1, 1, 1],
      ],
      "int32",
    );
    check([[2, 3]], (x) => ops.mul(indexed.gather(x, index, 1), indexed.gather(x, index, 1)));
    check([[4, 3]], (table) =>
      ops.exp(
        indexed.take(
          table,
          fromValues(
            [
              [3, 0],
              [3, 3],
            ],
            "int32",
          ),
        ),
      ),
    );
  });
  cover("scatterAdd: with repeats", () => {
    const index = fromValues(
      [
        [0, 3, 3],
        [1, 1, 1],
      ],
      "int32",
    );
    check([[2, 3]], (x) => ops.tanh(indexed.scatterAdd(index, x, 1, 4)));
  });

  cover("assemble: pieces over each other, by steps, backwards", () => {
    const places = [
      { starts: [0, 0], steps: [1, 1] },
      { starts: [1, 4], steps: [2, -2] },
    ];
    check(
      [
        [2, 3],
        [2, 3],
      ],
      (a, b) => ops.tanh(assemble([ops.mul(a, a), b], places, [4, 5])),
    );
  });

  test("no differentiable op is left out", () => {
    // In lines.test.ts.
    for (const name of ["cumsum", "cumprod", "recurrence", "prod"]) covered.add(name);
    const differentiable = allRecords().filter((record) => record.vjp !== "none");
    expect(differentiable.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});

describe("composites of elementwise ops", () => {
  const { hardSigmoid, hardSwish, hardtanh, leakyRelu, relu6 } = activations;
  test.each([leakyRelu, relu6, hardtanh, hardSigmoid, hardSwish])("$name, away from its kinks", (f) => {
    for (const range of [
      [-7, -4],
      [-0.9, -0.1],
      [0.1, 0.9],
      [6.5, 8],
    ] as const)
      check([[8]], (x) => f(x), { ranges: [range] });
  });
  test("clamp by tensors, lerp, remainder", () => {
    check([[3, 4], [4], [3, 1]], (x, low, high) => arithmetic.clamp(x, low, high), {
      ranges: [
        [-2, 2],
        [-0.9, -0.8],
        [0.85, 0.95],
      ],
    });
    check([[3, 4], [4], [3, 1]], (a, b, w) => arithmetic.lerp(a, b, w));
    check([[6], [6]], (a, b) => arithmetic.remainder(ops.mul(a, a), b), {
      ranges: [
        [1.1, 1.2],
        [0.9, 1],
      ],
    });
  });
});

describe("composites", () => {
  test("softmax and logSoftmax", () => {
    check([[3, 4]], (x) => composite.softmax(x), { tolerance: 5e-5 });
    check([[3, 4]], (x) => composite.logSoftmax(x, 0), { tolerance: 5e-5 });
  });
  test("dropout: the mask of the forward pass is the mask of the backward pass", () => {
    check([[6, 5]], (x) => composite.dropout(ops.mul(x, x), 0.4));
  });
});

describe("the rules of the walk", () => {
  const f = { dtype: "float32", shape: [1] } as const;
  const run = async (build: (x: Node) => Record<string, Node>, values: readonly number[]) => {
    const graph = traceGraph({ x: { ...f, shape: [values.length] } }, ({ x }) => ({ outputs: build(x) }));
    return runPlan(referenceBackend(), lower(graph), [arrayOf("float32", values)]);
  };

  test("fan-in: contributions add in reverse order of the consumers' making, in float32 bits", async () => {
    // dx = ((c + b) + a) with a, b, c the factors in making order: 1, 1e8, −1e8 come out as 1 only in this order.
    const [grad] = await run(
      (x) => {
        const [a, b, c] = [ops.mul(x, 1), ops.mul(x, 1e8), ops.mul(x, -1e8)];
        return { grad: gradients(reduce.sum(ops.add(ops.add(a, b), c)), [x])[0] };
      },
      [3],
    );
    expect([...grad]).toEqual([1]);
    // The consumers made in another order: −1e8 and 1 are added first, and 1 is lost.
    const [other] = await run(
      (x) => {
        const [b, a, c] = [ops.mul(x, 1e8), ops.mul(x, 1), ops.mul(x, -1e8)];
        return { grad: gradients(reduce.sum(ops.add(ops.add(a, b), c)), [x])[0] };
      },
      [3],
    );
    expect([...other]).toEqual([0]);
  });

  test("one consumer that uses a node twice: input positions ascending", () => {
    withTrace(() => {
      const x = input([1], "float32");
      const [grad] = gradients(reduce.sum(ops.div(x, x)), [x]);
      expect(grad.op).toBe("add");
      // d(a/b)/da first, then d(a/b)/db.
      expect(grad.inputs.map((part) => part.op)).toEqual(["div", "neg"]);
    });
  });

  test("nothing depends on it: zeros; the output itself: ones", async () => {
    const [zero, one] = await run(
      (x) => {
        const loss = reduce.sum(ops.exp(x));
        const other = ops.neg(x);
        return { zero: gradients(loss, [other])[0], one: gradients(loss, [loss])[0] };
      },
      [1, 2],
    );
    expect([[...zero], [...one]]).toEqual([[0, 0], [1]]);
  });

  test("a seed weighs the outputs", async () => {
    const [grad] = await run((x) => ({ grad: gradients(ops.mul(x, x), [x], fromValues([1, 10]))[0] }), [3, 4]);
    expect([...grad]).toEqual([6, 80]);
  });

  test("stopGradient, floor, comparisons, indices and integers pass nothing on", async () => {
    const [grad] = await run(
      (x) => {
        const quiet = ops.add(ops.stopGradient(x), ops.floor(x));
        const whole = ops.cast(ops.cast(x, "int32"), "float32");
        return { grad: gradients(reduce.sum(ops.add(ops.mul(quiet, whole), x)), [x])[0] };
      },
      [1.5, 2.5],
    );
    expect([...grad]).toEqual([1, 1]);
  });

  test("ties: maximum gives each side a half, max shares equally, relu and abs give 0 at 0", async () => {
    const [pair, row, relu, abs] = await run(
      (x) => {
        const scalar = (y: Node) => reduce.sum(y);
        return {
          pair: gradients(scalar(ops.maximum(x, 2)), [x])[0],
          row: gradients(reduce.max(x), [x])[0],
          relu: gradients(scalar(ops.relu(ops.sub(x, 2))), [x])[0],
          abs: gradients(scalar(ops.abs(ops.sub(x, 2))), [x])[0],
        };
      },
      [2, 1, 2],
    );
    expect([[...pair], [...row], [...relu], [...abs]]).toEqual([
      [0.5, 0, 0.5],
      [0.5, 0, 0.5],
      [0, 0, 0],
      [0, -1, 0],
    ]);
  });

  test("a matmul with a 2-D right operand has a gradient of one product over all rows", () => {
    withTrace(() => {
      const [a, b] = [input([2, 3, 4], "float32"), input([4, 5], "float32")];
      const [grad] = gradients(reduce.sum(matmul(a, b)), [b]);
      expect([grad.op, grad.inputs[0].shape]).toEqual(["matmul", [4, 6]]);
    });
  });

  test("third gradients", async () => {
    const [third] = await run(
      (x) => {
        let y = ops.mul(ops.mul(x, x), ops.mul(x, x));
        for (let i = 0; i < 3; i++) [y] = gradients(reduce.sum(y), [x]);
        return { third: y };
      },
      [2, -0.5],
    );
    expectSameBits(third, arrayOf("float32", [48, -12]), "24 x");
  });

  test("the same function gives the same graph", () => {
    const text = () =>
      printGraph(
        traceGraph({ x: { ...f, shape: [3] } }, ({ x }) => ({
          outputs: { grad: gradients(reduce.sum(ops.mul(ops.exp(x), x)), [x])[0] },
        })),
      );
    expect(text()).toBe(text());
  });

  test("what can't be differentiated is a GradError at the caller's line", () => {
    const x = input([2], "float32");
    const whole = input([], "int32");
    for (const [attempt, problem] of [
      [() => gradients(whole, [x]), /isn't differentiable: got int32/],
      [() => gradients(x, [x]), /isn't a scalar: got \[2\], expected \[\]\nHint: reduce it first/],
      [() => gradients(reduce.sum(x), [whole]), /no gradient with respect to this dtype: got int32/],
      [
        () => gradients(x, [x], fromValues([1, 2, 3])),
        /seed isn't of the output's dtype and shape: got float32\[3\], expected float32\[2\]/,
      ],
      [() => gradients(x, [x], fromValues([1, 2], "int32")), /got int32\[2\], expected float32\[2\]/],
    ] as const) {
      expect(attempt).toThrow(GradError);
      expect(attempt).toThrow(problem);
    }
  });
});
