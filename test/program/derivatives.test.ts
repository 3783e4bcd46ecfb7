// Derivatives and batches as a program asks for them: against closed forms, against each other, inside each other and compiled.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { expectSameBits } from "../support/graphs.ts";

type T = sg.Tensor;
beforeAll(() => sg.setDefaultBackend("reference"));
beforeEach(() => {
  sg.manualSeed(11);
});

const same = async (actual: T, expected: T, label: string) => {
  expect(actual.shape, label).toEqual(expected.shape);
  expectSameBits(await actual.data(), await expected.data(), label);
};
const near = async (actual: T, expected: readonly number[]) => {
  const data = await actual.data();
  expect(data.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(data[i] - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
  });
};
const map = (x: T, y: T) => x.mul(y).sin().add(x.exp());
const point = () => [sg.tensor([0.1, -0.5, 2]), sg.tensor([1, 2, -3])] as const;

describe("vjp and jvp", () => {
  test("of a function with a closed form", async () => {
    const [x, y] = point();
    const { value, tangent } = sg.jvp(map, [x, y], [sg.tensor([1, 1, 2]), sg.tensor([0, 1, 0])]);
    const at = [0.1, -0.5, 2].map((a, i) => [a, [1, 2, -3][i], [1, 1, 2][i], [0, 1, 0][i]]);
    await near(
      value,
      at.map(([a, b]) => Math.sin(a * b) + Math.exp(a)),
    );
    const cos = ([a, b]: number[]) => Math.cos(a * b);
    await near(
      tangent,
      at.map((p) => p[2] * (cos(p) * p[1] + Math.exp(p[0])) + p[3] * cos(p) * p[0]),
    );
    const [ofX, ofY] = sg.vjp(map, x, y).vjp(sg.tensor([1, 2, 3]));
    await near(
      ofX,
      at.map((p, i) => (i + 1) * (cos(p) * p[1] + Math.exp(p[0]))),
    );
    await near(
      ofY,
      at.map((p, i) => (i + 1) * cos(p) * p[0]),
    );
  });

  test("of several results: one pass for all of them", async () => {
    const [x] = point();
    const f = (a: T): readonly T[] => [a.exp(), a.exp().sum()];
    const { value, vjp } = sg.vjp(f, x);
    expect(value.map(({ shape }) => [...shape])).toEqual([[3], []]);
    const [gradient] = vjp([sg.ones([3]), sg.tensor(2)]);
    await near(
      gradient,
      [0.1, -0.5, 2].map((a) => 3 * Math.exp(a)),
    );
    const { tangent } = sg.jvp(f, [x], [sg.ones([3])]);
    await same(tangent[1], tangent[0].sum(), "the sum's tangent");
  });

  test("the backward pass that jvp differentiates is no part of what is computed", () => {
    const [x, y] = point();
    const { tangent } = sg.jvp(map, [x, y], [sg.ones([3]), sg.ones([3])]);
    const graph = {
      seed: 1n,
      inputs: [],
      outputs: [{ name: "t", node: tangent.node }],
      watched: [],
      state: [],
      draws: 0,
      base: 0,
    };
    expect(sg.printGraph(graph).match(/value=0/g)).toBeNull();
  });

  test("a tensor that the function closes over is a constant to it, a variable is itself", async () => {
    const x = sg.tensor([2, 3]);
    const inner = sg.grad((a: T) =>
      sg
        .grad((b: T) => b.mul(a).sum())(a)
        .sum(),
    )(x);
    await near(inner, [1, 1]);
    await near(sg.grad((a: T) => a.mul(x).sum())(x), [2, 3]);
    await near(sg.vmap((one: T) => sg.grad((a: T) => a.mul(one))(one))(x), [2, 3]);
    await near(sg.jvp((a: T) => a.mul(x), [x], [sg.ones([2])]).tangent, [2, 3]);
    const w = new sg.Parameter(sg.tensor([2, 3]));
    await near(sg.hvp((_: T) => w.mul(w).mul(w).sum(), [w], [sg.ones([2])]).hvp[0], [12, 18]);
  });

  test("hvp is the Hessian times the vector, in both ways to the Hessian", async () => {
    const [x, y] = point();
    const f = (a: T) => map(a, y).mul(a).sum();
    const v = sg.tensor([1, -2, 0.5]);
    for (const mode of ["forward", "reverse"] as const) {
      const hessian = sg.hessian(f, { mode })(x);
      const product = sg.matmul(hessian, v);
      await near(sg.hvp(f, [x], [v]).hvp[0], [...(await product.data())]);
    }
  });
});

describe("jacobian", () => {
  test("of another shape than its argument, forward and reverse, by the second argument", async () => {
    const w = sg.normal([4, 3]);
    const x = sg.normal([2, 3]);
    const f = (a: T, b: T) => sg.linear(a, b).tanh();
    for (const argument of [0, 1]) {
      const [forward, reverse] = (["forward", "reverse"] as const).map((mode) =>
        sg.jacobian(f, { argument, mode })(x, w),
      );
      expect(forward.shape).toEqual([2, 4, ...[x, w][argument].shape]);
      await near(forward, [...(await reverse.data())]);
    }
    const rows = await sg.jacobian(f)(x, w).data();
    const one = sg.vjp((a: T) => f(a, w), x).vjp(sg.tensor([0, 0, 0, 0, 0, 0, 1, 0], { shape: [2, 4] }))[0];
    expect([...rows.slice(36, 42)]).toEqual([...(await one.data())]);
  });

  test("of a function of a scalar, and of an empty tensor", async () => {
    await near(sg.jacobian((a: T) => sg.stack([a, a.mul(a)]))(sg.tensor(3)), [1, 6]);
    expect(sg.jacobian((a: T) => a.exp())(sg.zeros([0])).shape).toEqual([0, 0]);
  });

  test("compiled, with a gradient of it", async () => {
    const f = (a: T) =>
      sg
        .jacobian((b: T) => b.mul(b).mul(a))(a)
        .sum();
    const x = sg.tensor([1, 2]);
    const compiled = sg.compile((a: T) => sg.grad(f)(a));
    await same(await compiled(x), sg.grad(f)(x), "compiled");
    await near(sg.grad(f)(x), [4, 8]);
  });
});

describe("vmap", () => {
  test("axes in and out, shared arguments, several results", async () => {
    const [x, w] = [sg.normal([3, 5]), sg.normal([4, 3])];
    const f = (a: T, b: T) => [sg.linear(a, b), a.sum()] as const;
    const [rows, sums] = sg.vmap(f, { inAxes: [1, null], outAxes: [-1, 0] })(x, w);
    expect([rows.shape, sums.shape]).toEqual([[4, 5], [5]]);
    const columns = Array.from({ length: 5 }, (_, i) => x.slice([null, i]));
    await same(
      rows,
      sg.stack(
        columns.map((a) => sg.linear(a, w)),
        1,
      ),
      "rows",
    );
    await same(sums, sg.stack(columns.map((a) => a.sum())), "sums");
    const constant = sg.vmap((a: T) => [a, w.sum()] as const)(sg.ones([2, 1]))[1];
    expect(constant.shape).toEqual([2]);
  });

  test("gradients of each sample, by the weights of a model, are those of a loop", async () => {
    const model = sg.nn.sequential(sg.nn.linear(3, 4), sg.nn.gelu(), sg.nn.linear(4, 2));
    const [x, y] = [sg.normal([5, 3]), sg.randint([5], 0, 2)];
    const parameters = model.namedParameters().map(([, each]) => each);
    const each = (a: T, b: T) => {
      const logits = model.forward(a.reshape([1, 3]));
      return sg.gradients(sg.losses.crossEntropy(logits, b.reshape([1])), parameters);
    };
    const all = sg.vmap(each)(x, y);
    const loop = Array.from({ length: 5 }, (_, i) => each(x.slice([i]), y.slice([i])));
    for (const [i, gradient] of all.entries())
      await same(gradient, sg.stack(loop.map((one) => one[i])), `parameter ${i}`);
  });

  test("nested, and differentiated", async () => {
    const [x, y] = [sg.normal([4, 2]), sg.normal([3, 2])];
    const dot = (a: T, b: T) => a.mul(b).sum().tanh();
    const table = sg.vmap((a: T) => sg.vmap((b: T) => dot(a, b))(y))(x);
    await same(
      table,
      sg.vmap((a: T, b: T) => sg.vmap(dot, { inAxes: [null, 0] })(a, b), { inAxes: [0, null] })(x, y),
      "both",
    );
    expect(table.shape).toEqual([4, 3]);
    const gradient = sg.grad((a: T) =>
      sg
        .vmap((one: T) => one.exp().sum().tanh())(a)
        .sum(),
    )(x);
    await same(gradient, sg.vmap(sg.grad((one: T) => one.exp().sum().tanh()))(x), "grad of vmap");
    await same(
      sg.vmap((one: T) => sg.jvp((a: T) => a.exp(), [one], [sg.ones([2])]).tangent)(x),
      x.exp(),
      "vmap of jvp",
    );
  });

  test("draws are for the whole batch, in one range, batch-major, those of dead nodes too", async () => {
    const stream = sg.manualSeed(5);
    const x = sg.zeros([3, 2]);
    const drawn = sg.vmap((a: T) => {
      sg.normal([7]);
      return sg.uniform([2]).add(a);
    })(x);
    expect(stream.position).toBe(3 * 9);
    sg.manualSeed(5);
    sg.normal([21]);
    await same(drawn, sg.uniform([3, 2]), "uniform");
    const again = sg.manualSeed(6);
    const orders = sg.vmap((a: T) => sg.permutation(3).add(a.cast("int32")))(sg.zeros([2]));
    expect(again.position).toBe(8);
    sg.manualSeed(6);
    await same(orders, sg.stack([sg.permutation(3), sg.permutation(3)]), "permutations");
    const nested = sg.manualSeed(7);
    const inner = sg.vmap((a: T) => sg.vmap((b: T) => sg.normal([2]).add(b))(a))(sg.zeros([2, 3]));
    expect(nested.position).toBe(12);
    sg.manualSeed(7);
    await same(inner, sg.normal([2, 3, 2]), "nested");
  });

  test("compiled: the draws of each call follow each other", async () => {
    const step = sg.compile((a: T) => sg.vmap((one: T) => sg.dropout(one, 0.5))(a));
    const x = sg.ones([4, 8]);
    const [first, second] = [await step(x), await step(x)];
    sg.manualSeed(11);
    await same(first, sg.dropout(x, 0.5), "first");
    await same(second, sg.dropout(x, 0.5), "second");
  });

  describe("of a loop", () => {
    type Step = (carry: readonly T[], x: T) => [readonly T[], readonly T[]];
    const w = () => sg.tensor([[0.5, -1], [2, 0.25]]); // biome-ignore format: rows
    /** A carry that differs, one that doesn't at first, a counter; outputs: a carry, a slice, what all share. */
    const step =
      (weight: T): Step =>
      ([h, total, count], x) => {
        const next = sg.tanh(
          sg
            .matmul(h.reshape([1, 2]), weight)
            .reshape([2])
            .add(x),
        );
        return [
          [next, total.add(next.sum()), count.add(1)],
          [next.mul(count.cast("float32")), x, weight],
        ];
      };
    const loop = (x: T, h: T, weight: T, options: sg.ScanOptions = {}) => {
      const init = [h, sg.zeros([]), sg.zeros([], "int32")] as readonly T[];
      const [carry, ys] = sg.scan((c: readonly T[], at: T) => step(weight)(c, at), init, x, options);
      return [...carry, ...ys] as readonly T[];
    };
    const together = (results: readonly T[]) => sg.concat(results.map((each) => each.cast("float32").reshape([-1])));

    test.each<[string, sg.ScanOptions]>([
      ["forwards", {}],
      ["backwards, computed again", { reverse: true, recompute: true }],
      ["truncated", { truncate: 2 }],
    ])("%s: each example's bits, gradients and second gradients too", async (_, options) => {
      const [xs, hs, weight] = [sg.normal([3, 5, 2]), sg.normal([3, 2]), w()];
      const loss = (x: T, h: T, by: T) =>
        together(loop(x, h, by, options))
          .sin()
          .sum();
      const outputs = (x: T, h: T) => together(loop(x, h, weight, options));
      const gradient = (x: T, h: T) => together(sg.gradients(loss(x, h, weight), [x, h, weight]));
      const second = (x: T, h: T) => sg.grad((a: T) => gradient(a, h).mul(gradient(a, h)).sum())(x);
      for (const f of [outputs, gradient, second]) {
        const alone = [0, 1, 2].map((i) => f(xs.slice([i]), hs.slice([i])));
        await same(sg.vmap(f)(xs, hs), sg.stack(alone), "each");
        await same(await sg.compile(sg.vmap(f))(xs, hs), sg.stack(alone), "compiled");
      }
      // Slices that all share, and one vmap in another.
      const shared = sg.vmap(outputs, { inAxes: [null, 0] })(xs.slice([0]), hs);
      await same(shared, sg.stack([0, 1, 2].map((i) => outputs(xs.slice([0]), hs.slice([i])))), "shared");
      const table = sg.vmap((x: T) => sg.vmap(outputs, { inAxes: [null, 0] })(x, hs))(xs);
      await same(table.slice([2, 1]), outputs(xs.slice([2]), hs.slice([1])), "nested");
    });

    test("the gradient of a batch is the sum of those of its examples", async () => {
      const [xs, h, weight] = [sg.normal([2, 4, 2]), sg.ones([2]), w()];
      const loss = (x: T, by: T) =>
        together(loop(x, h, by))
          .sin()
          .sum();
      const whole = sg.grad((by: T) =>
        sg
          .vmap(loss, { inAxes: [0, null] })(xs, by)
          .sum(),
      )(weight);
      const parts = [0, 1].map((i) => sg.grad((by: T) => loss(xs.slice([i]), by))(weight));
      await near(whole, [...(await parts[0].add(parts[1]).data())]);
    });

    test("draws are those of the loop written out: position after position, each for the whole batch", async () => {
      const body = (c: T, x: T) => sg.dropout(c.add(x), 0.5).add(sg.normal([2]));
      const scanned = (x: T) => {
        sg.normal([1]);
        return sg.scan((c: T, at: T): [T, T] => [body(c, at), sg.uniform([])], sg.ones([2]), x);
      };
      const byHand = (x: T) => {
        sg.normal([1]);
        let c = sg.ones([2]);
        const ys = [0, 1, 2].map((i) => {
          c = body(c, x.slice([i]));
          return sg.uniform([]);
        });
        return [c, sg.stack(ys)] as const;
      };
      const x = sg.ones([4, 3, 2]);
      const run = (f: (x: T) => readonly [T, T]) => {
        const stream = sg.manualSeed(9);
        const [last, ys] = sg.vmap(f)(x);
        const [gradient] = sg.vmap((a: T) => sg.gradients(f(a)[0].sum(), [a]))(x);
        return { all: together([last, ys, gradient]), position: stream.position };
      };
      const [loop, unrolled] = [run(scanned), run(byHand)];
      expect(loop.position).toBe(unrolled.position);
      await same(loop.all, unrolled.all, "draws");
    });

    test.each<[string, (a: T) => T]>([
      ["solve", (a) => sg.solve(a, sg.ones([3]))],
      ["inverse", (a) => sg.inverse(a)],
      ["det", (a) => sg.det(a)],
      ["cholesky", (a) => sg.cholesky(a.matmul(a.transpose()).add(sg.eye(3)))],
      ["qr", (a) => sg.qr(a).r],
      ["eigh", (a) => sg.eigh(a.add(a.transpose())).eigenvectors],
      ["svd", (a) => sg.svd(a).s],
    ])("linear algebra: %s of one matrix is that of each, with its gradient", async (_, f) => {
      const x = sg.normal([2, 3, 3]).add(sg.eye(3).mul(4));
      const each = (a: T) => together([f(a), sg.grad((b: T) => f(b).sin().sum())(a)]);
      await same(sg.vmap(each)(x), sg.stack([0, 1].map((i) => each(x.slice([i])))), "each");
      const whole = sg.grad((a: T) => sg.vmap(f)(a).sin().sum())(x);
      await same(whole, sg.vmap(sg.grad((a: T) => f(a).sin().sum()))(x), "the gradient of all");
    });
  });

  test("a batch of none", async () => {
    expect(sg.vmap((a: T) => sg.permutation(3).add(a.sum().cast("int32")))(sg.zeros([0, 2])).shape).toEqual([0, 3]);
  });
});

describe("a gradient draws again what its function drew, wherever it is asked for", () => {
  const size = 16;
  const drop = (a: T) => sg.dropout(a.mul(a), 0.5);
  const looped =
    (f: (a: T) => T, recompute = false) =>
    (a: T) =>
      sg.scan((c: null, part: T): [null, T] => [c, f(part)], null, a.reshape([2, -1]), { recompute })[1].reshape([-1]);
  const ways: [string, (a: T) => T][] = [
    ["checkpointed", sg.checkpoint(drop)],
    ["in a loop", looped(drop)],
    ["in a loop, computed again", looped(drop, true)],
    ["in a loop in a loop", looped(looped(looped(drop)), true)],
    ["checkpointed, a loop in it", sg.checkpoint((a: T) => drop(a).add(looped(sg.checkpoint(drop))(a)))],
  ];
  const pullbackOf = (f: (a: T) => T, a: T) => {
    const { value, vjp } = sg.vjp(f, a);
    return { value, pull: (cotangent: T) => vjp(cotangent)[0] };
  };
  const diagonal = (matrix: T) => matrix.mul(sg.eye(size)).sum({ axis: 1 });
  /** Each function's derivative at 1 is twice its value. */
  const asked: [string, (f: (a: T) => T, a: T) => T][] = [
    ["reverse", (f, a) => diagonal(sg.jacobian(f, { mode: "reverse" })(a))],
    ["forward", (f, a) => diagonal(sg.jacobian(f, { mode: "forward" })(a))],
    ["hessian", (f, a) => diagonal(sg.hessian((b: T) => f(b).sum())(a))],
    ["a batch of pullbacks", (f, a) => diagonal(sg.vmap(pullbackOf(f, a).pull)(sg.eye(size)))],
    [
      "a batch of pullbacks that draws too",
      (f, a) => {
        const { pull } = pullbackOf(f, a);
        return diagonal(sg.vmap((e: T) => pull(e).add(sg.normal([size]).mul(0)))(sg.eye(size)));
      },
    ],
  ];

  test.each(ways)("%s", async (_, f) => {
    sg.manualSeed(11);
    const expected = (await f(sg.ones([size])).data()).map((each) => 2 * each);
    expect(new Set(expected).size).toBeGreaterThan(1);
    for (const [name, ask] of asked) {
      sg.manualSeed(11);
      expect(await ask(f, sg.ones([size])).data(), name).toEqual(expected);
      sg.manualSeed(11);
      const compiled = await sg.compile((a: T) => ask(f, a))(sg.ones([size]));
      expect(await compiled.data(), `${name}, compiled`).toEqual(expected);
    }
  });

  test("in the body of a scan, and in a compiled function; what a loop outside drew is refused there", async () => {
    const pulls = (f: (a: T) => T) => {
      sg.manualSeed(11);
      const { value, pull } = pullbackOf(f, sg.ones([size]));
      const scanned = () => diagonal(sg.scan((c: null, e: T): [null, T] => [c, pull(e)], null, sg.eye(size))[1]);
      return { twice: value.mul(2), scanned, compiled: () => sg.compile(pull)(sg.ones([size])) };
    };
    const again = pulls(sg.checkpoint(drop));
    await same(again.scanned(), again.twice, "in a scan");
    await same(await again.compiled(), again.twice, "compiled");
    const loop = pulls(looped(drop));
    expect(loop.scanned).toThrow(/^scan: a gradient in the body is of a loop outside of it that draws: got float32/);
    await expect(loop.compiled()).rejects.toThrow(sg.TraceError);
    await expect(loop.compiled()).rejects.toThrow(
      /^compile: a gradient in the function is of a loop outside of it that draws: got float32.*\n?.*Hint: make the loop/s,
    );
  });
});

describe("customGradient", () => {
  const clipped = sg.customGradient(
    (x: T) => x.mul(x),
    ({ grad, inputs: [x], output }) => [grad.mul(x).mul(10).add(output.mul(0))],
  );
  test("takes the place of the ops' gradients, wherever it is differentiated", async () => {
    const x = sg.tensor([
      [1, 2],
      [3, -4],
    ]);
    const f = (a: T) => clipped(a).sum();
    await near(sg.grad(f)(x), [10, 20, 30, -40]);
    await near(sg.vmap(sg.grad(f))(x), [10, 20, 30, -40]);
    await near(sg.grad((a: T) => sg.vmap(f)(a).sum())(x), [10, 20, 30, -40]);
    await near(sg.jvp(clipped, [x], [sg.ones([2, 2])]).tangent, [10, 20, 30, -40]);
    await near(sg.grad((a: T) => sg.grad(f)(a).sum())(x), [10, 10, 10, 10]);
    await near(
      sg.grad((a: T) =>
        sg
          .checkpoint((b: T) => clipped(b.mul(1)))(a)
          .sum(),
      )(x),
      [10, 20, 30, -40],
    );
  });

  test.each([{}, { recompute: true }, { reverse: true }])(
    "in the body of a scan, %o: as in a loop by hand",
    async (options) => {
      const [x, scale] = [sg.tensor([1, 2, 3, -4]), sg.tensor([1, 2]).sum()];
      const scaled = sg.customGradient(
        (a: T) => clipped(a).mul(0.5),
        ({ grad, inputs: [a] }) => [
          grad
            .mul(a)
            .mul(scale)
            .add(grad.mul(sg.tensor(2))),
        ],
      );
      const step = (c: T, v: T) => [c.add(clipped(v)), scaled(c)] as const;
      const looped = (a: T) => {
        const [c, ys] = sg.scan((carry: T, v: T) => step(carry, v), a.sum(), a, options);
        return c.add(ys.sum());
      };
      const byHand = (a: T) => {
        let [c, total] = [a.sum(), sg.tensor(0) as T];
        const positions = "reverse" in options ? [3, 2, 1, 0] : [0, 1, 2, 3];
        for (const at of positions) {
          const [next, y] = step(c, a.slice([at]).reshape([]));
          [c, total] = [next, total.add(y)];
        }
        return c.add(total);
      };
      const twice = (f: (a: T) => T) =>
        sg.grad((a: T) =>
          sg
            .grad(f)(a)
            .mul(sg.tensor([1, -1, 2, 1]))
            .sum(),
        );
      expect(await sg.grad(looped)(x).array()).toEqual(await sg.grad(byHand)(x).array());
      expect(await twice(looped)(x).array()).toEqual(await twice(byHand)(x).array());
    },
  );

  test("null where none flows, and a value that was read keeps its rule", async () => {
    const straight = sg.customGradient(
      (x: T, scale: T) => x.mul(scale).floor(),
      ({ grad }) => [grad, null],
    );
    const [x, scale] = [sg.tensor([0.5, 1.7]), sg.tensor(2)];
    const y = straight(x, scale);
    expect(await y.array()).toEqual([1, 3]);
    const [ofX, ofScale] = sg.gradients(y.sum(), [x, scale]);
    await near(ofX, [1, 1]);
    await near(ofScale, [0]);
  });

  test("one that doesn't depend on the position, of what all positions of a scan share", async () => {
    const steady = sg.customGradient(
      (x: T, scale: T) => x.mul(scale),
      ({ grad, inputs: [, scale] }) => [grad.mul(scale), sg.tensor([1, 2])],
    );
    const f = (w: T) => sg.scan((c: T, x: T): [T, T] => [c, steady(x, w)], sg.tensor(0), sg.ones([3, 2]))[1].sum();
    await near(sg.grad(f)(sg.ones([2])), [3, 6]);
  });

  test("one that draws, in the body of a scan, is refused", () => {
    const noisy = sg.customGradient(
      (x: T) => x.mul(2),
      ({ grad }) => [grad.mul(sg.uniform([2]))],
    );
    const f = (x: T) => sg.scan((c: T, v: T): [T, T] => [c, noisy(v)], sg.tensor(0), x)[1].sum();
    expect(() => sg.grad(f)(sg.ones([3, 2]))).toThrow(
      /^scan: a gradient by hand in the body draws: got float32\[3, 2\]\nHint: draw in the body/,
    );
  });

  test("the rule is in the gradient's hash, by what it makes", () => {
    const hashOf = (factor: number) => {
      const f = sg.customGradient(
        (x: T) => x.exp(),
        ({ grad }) => [grad.mul(factor)],
      );
      return sg
        .compile((x: T) => sg.grad((a: T) => f(a).sum())(x))
        .trace(sg.ones([2]))
        .then(sg.graphHash);
    };
    return Promise.all([hashOf(2), hashOf(2), hashOf(3)]).then(([a, b, c]) => {
      expect(a).toBe(b);
      expect(a).not.toBe(c);
    });
  });
});

describe("what is refused", () => {
  const x = () => sg.ones([2, 3]);
  test.each<[string, () => unknown, RegExp]>([
    [
      "a cotangent of another shape",
      () => sg.vjp((a: T) => a.exp(), x()).vjp(sg.ones([3])),
      /cotangents don't fit: got float32\[3\], expected float32\[2, 3\]/,
    ],
    ["tangents of another shape", () => sg.jvp((a: T) => a, [x()], [sg.ones([2])]), /tangents don't fit/],
    ["too few tangents", () => sg.hvp((a: T) => a.sum(), [x()], []), /tangents don't fit/],
    ["an int32 result", () => sg.jvp((a: T) => a.argmax(), [x()], [x()]), /isn't differentiable: got int32/],
    ["a promise", () => sg.vjp((async (a: T) => a) as never, x()), /the function gives no tensor: got a promise/],
    [
      "a compiled function",
      () => sg.vmap(sg.compile((a: T) => a) as never)(x()),
      /^function: a compiled function was called while tracing\n.*call what it was compiled of/,
    ],
    ["a number", () => sg.jacobian((() => 3) as never)(x()), /jacobian: the function gives no tensor: got 3/],
    ["several results", () => sg.jacobian(((a: T) => [a, a]) as never)(x()), /several tensors/],
    [
      "an argument that isn't there",
      () => sg.jacobian((a: T) => a, { argument: 1 })(x()),
      /no such argument: got 1, expected below 1/,
    ],
    ["a Hessian of what isn't a scalar", () => sg.hessian((a: T) => a)(x()), /isn't a scalar/],
    [
      "batches of other sizes",
      () => sg.vmap((a: T, b: T) => a.add(b.sum()))(x(), sg.ones([3])),
      /other numbers of examples: got \[2, 3\] along 0, \[3\] along 0/,
    ],
    ["no arguments", () => sg.vmap(() => sg.zeros([]))(), /no argument has an axis of examples: got no arguments/],
    ["no batch", () => sg.vmap((a: T) => a, { inAxes: [null] })(x()), /no argument has an axis of examples/],
    ["an axis out of range", () => sg.vmap((a: T) => a, { inAxes: 2 })(x()), /axis/],
    [
      "axes for other arguments",
      () => sg.vmap((a: T) => a, { inAxes: [0, 0] })(x()),
      /inAxes is of another length: got 2, expected 1/,
    ],
    ["a batched argument that isn't a tensor", () => sg.vmap((a: T) => a)(3 as never), /argument 0 isn't a tensor/],
    [
      "too few gradients",
      () =>
        sg.grad((a: T) =>
          sg.customGradient(
            (b: T) => b.sum(),
            () => [],
          )(a),
        )(x()),
      /not a gradient for each input: got 0, expected 1/,
    ],
    [
      "gradients of another shape",
      () =>
        sg.grad((a: T) =>
          sg.customGradient(
            (b: T) => b.sum(),
            ({ grad }) => [grad],
          )(a),
        )(x()),
      /gradient of input 0 isn't of its shape: got float32\[\], expected float32\[2, 3\]/,
    ],
    [
      "a rule that gives no list",
      () => sg.grad((a: T) => sg.customGradient((b: T) => b.sum(), (({ grad }: { grad: T }) => grad) as never)(a))(x()),
      /backward gives no list/,
    ],
  ])("%s", (_, attempt, problem) => {
    expect(attempt).toThrow(sg.SeedgradError);
    expect(attempt).toThrow(problem);
  });

  test("a variable assigned, or a value read, for one example", () => {
    const variable = new sg.Variable(sg.zeros([]));
    expect(() =>
      sg.vmap((a: T) => {
        variable.assign(a.sum());
        return a;
      })(x()),
    ).toThrow(/assign: done in the body of a scan or a vmap/);
    const reading = () =>
      sg.vmap((a: T) => {
        void a.sum().item();
        return a;
      })(x());
    expect(reading).toThrow(/item: a value was read while tracing/);
  });
});
