// Loops over positions, beside the same computation written out: values, gradients, draws, memory, hashes, errors.
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../src/backend/reference.ts";
import { planCost } from "../../src/compile/cost.ts";
import { graphHash } from "../../src/compile/hash.ts";
import { lower } from "../../src/compile/lower.ts";
import { printGraph } from "../../src/graph/print.ts";
import { compile, gradients, manualSeed, ops, Parameter, scan, Tensor, tensor, watch } from "../../src/index.ts";
import { readGraph, recordGraph } from "../../src/run/graph.ts";
import { compareGraphs } from "../../src/verify/graphs.ts";
import { plainSchedule } from "../support/arena.ts";
import { checkGradients } from "../support/gradients.ts";
import { expectSameBits, runGraph, testData, traceGraph } from "../support/graphs.ts";

interface Form {
  readonly reverse?: boolean;
  readonly recompute?: boolean;
  readonly drop?: boolean;
  readonly truncate?: number;
}

/** h: [3, 5], x: [t, 3, 5], w: [5, 5], b: [5]. */
const cell =
  (w: Tensor, b: Tensor, drop = false) =>
  (h: Tensor, x: Tensor): [Tensor, Tensor] => {
    const next = x.add(h.matmul(w)).add(b).tanh();
    const kept = drop ? ops.dropout(next, 0.3) : next;
    return [kept, kept.mul(2)];
  };

function writtenOut(
  h: Tensor,
  x: Tensor,
  step: ReturnType<typeof cell>,
  { reverse, truncate }: Form,
): [Tensor, Tensor] {
  const length = x.shape[0];
  const ys: Tensor[] = [];
  let carry = h;
  for (let turn = 0; turn < length; turn++) {
    const t = reverse ? length - 1 - turn : turn;
    if (truncate !== undefined && turn > 0 && turn % truncate === 0) carry = ops.stopGradient(carry);
    [carry, ys[t]] = step(carry, x.slice([[t, t + 1]]).reshape(x.shape.slice(1)));
  }
  return [carry, ops.stack(ys)];
}

const shapes = (length: number) => ({ h: [3, 5], x: [length, 3, 5], w: [5, 5], b: [5] });
const inputs = (length: number) =>
  Object.fromEntries(
    Object.entries(shapes(length)).map(([name, shape], i) => [name, testData(shape, "float32", [-1, 1], i + 1)]),
  );

/** Both results, and the gradients of a loss of them. */
const graphOf = (length: number, form: Form, isScan: boolean, seed = 1234n) =>
  traceGraph(
    inputs(length),
    (nodes) => {
      const [h, x, w, b] = Object.values(nodes).map((node) => new Tensor(node));
      const step = cell(w, b, form.drop);
      const { reverse, recompute, truncate } = form;
      const [last, ys] = isScan ? scan(step, h, x, { reverse, recompute, truncate }) : writtenOut(h, x, step, form);
      const [dh, dx, dw, db] = gradients(last.exp().sum().add(ys.mul(ys).sum()), [h, x, w, b]);
      const outputs = { last, ys, dh, dx, dw, db };
      return { outputs: Object.fromEntries(Object.entries(outputs).map(([name, each]) => [name, each.node])) };
    },
    { seed },
  );

const run = (graph: ReturnType<typeof graphOf>, length: number) =>
  runGraph(
    referenceBackend(),
    graph,
    Object.values(inputs(length)).map(({ data }) => data),
  );

describe("a scan is the loop written out", () => {
  const forms: Form[] = [
    {},
    { reverse: true },
    { recompute: true },
    { drop: true },
    { drop: true, recompute: true },
    { truncate: 2 },
  ];
  test.each(forms.flatMap((form) => [1, 5, 17].map((length) => ({ form, length }))))(
    "$form, $length positions",
    async ({ form, length }) => {
      const [a, b] = await Promise.all([true, false].map((isScan) => run(graphOf(length, form, isScan), length)));
      // Values, and gradients of what isn't shared by positions: the same sums in the same order.
      ["last", "ys", "dh", "dx"].forEach((name, i) => {
        expectSameBits(a[i], b[i], name);
      });
      // Of what is, sums run in other orders.
      for (const i of [4, 5]) a[i].forEach((x, k) => expect(x).toBeCloseTo(b[i][k], 3));
    },
  );

  test("dropout in the body: from the end too each position has the draws that it has from the start", async () => {
    const mask = (reverse: boolean) =>
      traceGraph({ x: testData([7, 4], "float32", [1, 2]) }, ({ x }) => {
        const [, ys] = scan(
          (_: null, row: Tensor): [null, Tensor] => [null, ops.dropout(row, 0.5)],
          null,
          new Tensor(x),
          { reverse },
        );
        return { outputs: { ys: ys.node } };
      });
    const [a, b] = await Promise.all(
      [false, true].map((reverse) =>
        runGraph(referenceBackend(), mask(reverse), [testData([7, 4], "float32", [1, 2]).data]),
      ),
    );
    expectSameBits(a[0], b[0], "masks");
    const whole = traceGraph({ x: testData([7, 4], "float32", [1, 2]) }, ({ x }) => ({
      outputs: { y: ops.dropout(new Tensor(x), 0.5).node },
    }));
    const [all] = await runGraph(referenceBackend(), whole, [testData([7, 4], "float32", [1, 2]).data]);
    expectSameBits(a[0], all, "the range of position t begins t times a body's draws on");
  });
});

describe("gradients by differences", () => {
  const build = (form: Form) => (h: Tensor["node"], x: Tensor["node"], w: Tensor["node"], b: Tensor["node"]) => {
    const step = cell(new Tensor(w), new Tensor(b), form.drop);
    const [last, ys] = scan(step, new Tensor(h), new Tensor(x), { reverse: form.reverse, recompute: form.recompute });
    return last.add(ys.sum({ axis: 0 })).node;
  };
  test.each([{}, { reverse: true }, { recompute: true, drop: true }])("first and second, %j", (form: Form) => {
    checkGradients(
      [[1, 2], [3, 1, 2], [2, 2], [2]],
      (...nodes) => build(form)(...(nodes as Parameters<ReturnType<typeof build>>)),
      {
        ranges: [
          [-1, 1],
          [-1, 1],
          [-1, 1],
          [-1, 1],
        ],
        tolerance: 1e-4,
      },
    );
  });
});

test("costs are linear in the length, and a carry that nobody stacks takes two places", () => {
  const plans = [16, 32].map((length) => lower(graphOf(length, {}, true)));
  expect(plans[0].kernels.length).toBe(plans[1].kernels.length);
  const [small, large] = plans.map((plan) => plainSchedule(plan).arenaBytes);
  expect(large).toBeLessThan(2.05 * small);
  const [less, more] = plans.map((plan) => planCost(plan).flops);
  expect(more).toBeGreaterThan(1.9 * less);
  expect(more).toBeLessThan(2.1 * less);
  const forward = (length: number) =>
    traceGraph(inputs(length), (nodes) => {
      const [h, x, w, b] = Object.values(nodes).map((node) => new Tensor(node));
      return { outputs: { last: scan(cell(w, b), h, x)[0].node } };
    });
  const bytes = (length: number) => plainSchedule(lower(forward(length))).arenaBytes;
  expect(bytes(1000)).toBe(bytes(10));
});

test("recomputing keeps carries alone", () => {
  const bytes = (recompute: boolean) =>
    plainSchedule(
      lower(
        traceGraph({ h: testData([64], "float32", [-1, 1]), x: testData([50, 64], "float32", [-1, 1]) }, (nodes) => {
          const [h, x] = [new Tensor(nodes.h), new Tensor(nodes.x)];
          const [last] = scan(
            (h: Tensor, x: Tensor): [Tensor, null] => [h.add(x).tanh().exp().sin().mul(h.cos()).sigmoid(), null],
            h,
            x,
            { recompute },
          );
          return { outputs: { dh: gradients(last.sum(), [h])[0].node } };
        }),
      ),
    ).arenaBytes;
  expect(bytes(true)).toBeLessThan(0.4 * bytes(false));
});

test("the graph: its hash is of the body too, its text has the body once, and it is the same when read back", () => {
  const graph = graphOf(5, { drop: true }, true);
  expect(graphHash(graph)).toBe(graphHash(graphOf(5, { drop: true }, true)));
  expect(graphHash(graph)).toBe("da683707a70ca079ebda148f1148f475d0976122a506612d5197a7a380ab4785");
  const others = [
    graphOf(5, {}, true),
    graphOf(6, { drop: true }, true),
    graphOf(5, { drop: true, reverse: true }, true),
    graphOf(5, { drop: true }, true, 1235n),
  ];
  expect(new Set([graph, ...others].map((each) => graphHash(each))).size).toBe(5);
  const text = printGraph(graph);
  expect(text.match(/body 1:/g)).toHaveLength(1);
  expect(text).toMatch(
    /%\d+ = scan\(%0, %1, %2, %4, length=5, reverse=false, of="carry", at=0, body 1, draws=\[0, 75\)\) float32\[3, 5\]/,
  );
  expect(text).toMatch(/ {2}%\d+ = randomWords\(draws=\[0, 15\)\) uint32\[3, 5\]/);
  const back = readGraph("graph", recordGraph(graph));
  expect(compareGraphs(graph, back).differences).toEqual([]);
  const [difference] = compareGraphs(
    graphOf(5, {}, true),
    traceGraph(inputs(5), (nodes) => {
      const [h, x, w, b] = Object.values(nodes).map((node) => new Tensor(node));
      const step = (h: Tensor, x: Tensor): [Tensor, Tensor] => {
        const next = x.add(h.matmul(w)).add(b).sin();
        return [next, next.mul(2)];
      };
      const [last, ys] = scan(step, h, x);
      return { outputs: { last: last.node, ys: ys.node } };
    }),
  ).differences;
  expect(difference.what).toEqual(["body %7"]);
});

test("outside of a trace, read as any tensor; and a body may be of any tree", async () => {
  const w = tensor([2, 3]);
  const [carry, ys] = scan(
    ({ sum }: { sum: Tensor }, [x]: readonly [Tensor]): [{ sum: Tensor }, { twice: Tensor; same: Tensor }] => {
      const next = sum.add(x.mul(w));
      return [{ sum: next }, { twice: next.mul(2), same: x }];
    },
    { sum: tensor([0, 0]) },
    [
      tensor([
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
    ] as const,
  );
  expect(await carry.sum.array()).toEqual([12, 18]);
  expect(await ys.twice.array()).toEqual([
    [4, 6],
    [12, 18],
    [24, 36],
  ]);
  expect(await ys.same.array()).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  expect(await gradients(carry.sum.sum(), [w])[0].array()).toEqual([6, 6]);
});

test("a list that a body gives is a tuple in its types: no `as const`", async () => {
  const found = scan(
    ([h, c]: [Tensor, Tensor], x: Tensor) => {
      const next = h.add(x);
      return [[next, c.add(next)], next];
    },
    [tensor(0), tensor(0)],
    tensor([1, 2, 3]),
  );
  const [[, c], y] = found;
  expect([await c.item(), await y.array()]).toEqual([10, [1, 3, 6]]);
});

test("in a compiled step parameters are trained through it, whichever output is updated in place", async () => {
  manualSeed(1);
  const table = new Parameter(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  const step = compile(
    () => {
      const [last] = scan((h: Tensor, x: Tensor): [Tensor, null] => [h.mul(x), null], tensor([1, 1]), table);
      table.assign(table.sub(gradients(last.sum(), [table])[0].mul(0.5)));
      return last;
    },
    { state: { namedVariables: () => [["table", table]] } },
  );
  expect(await (await step()).array()).toEqual([3, 8]);
  expect(await table.array()).toEqual([
    [-0.5, 0],
    [2.5, 3],
  ]);
  expect(await (await step()).array()).toEqual([-1.25, 0]);
});

describe("errors", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const h = tensor([0, 0]);
  const bad: Record<string, [() => unknown, RegExp]> = {
    "a carry of another shape": [
      () => scan(() => [x, null], h, x),
      /scan: carry 0 isn't in the next iteration what it was: got float32\[2,2\], expected float32\[2\], as it begins$/,
    ],
    "a carry of another dtype": [
      () => scan((c: Tensor) => [ops.where(c.greater(1), 1, 0), null], tensor([0, 2], "int32"), x),
      /carry 0 isn't .*: got float32\[2\], expected int32\[2\], as it begins\nHint: cast what the body gives, as in x\.cast\("int32"\)/,
    ],
    "a carry of another form": [() => scan(() => [[h] as never, null], h, x), /the next carry isn't of init's form/],
    "a body that gives one thing": [() => scan(() => h as never, h, x), /the body doesn't give two things/],
    "an asynchronous body": [() => scan((async () => [h, null]) as never, h, x), /the body is asynchronous/],
    "no length": [() => scan((c: Tensor) => [c, null], h, null), /nothing says how many iterations/],
    "two lengths": [
      () => scan((c: Tensor) => [c, null], h, [x, tensor([1, 2, 3])]),
      /not one number of iterations: got 2 and 3/,
    ],
    "a number among tensors": [
      () => scan((c: Tensor) => [c, null], h, { x, n: 3 }),
      /xs has something else than tensors, at n/,
    ],
    "an axis that isn't there": [() => scan((c: Tensor) => [c, null], h, x, { axis: 2 }), /scan: axis/],
    "truncation by nothing": [() => scan((c: Tensor) => [c, null], h, x, { truncate: 0 }), /truncate isn't a count/],
    "an unknown option": [() => scan((c: Tensor) => [c, null], h, x, { reversed: true } as never), /reversed/],
    "a value read in the body": [
      () =>
        scan(
          (c: Tensor) => {
            void c.data();
            return [c, null];
          },
          h,
          x,
        ),
      /a value was read while tracing/,
    ],
    "a variable assigned in the body": [
      () =>
        scan(
          (c: Tensor) => {
            new Parameter(h).assign(c);
            return [c, null];
          },
          h,
          x,
        ),
      /assign: done in the body of a scan/,
    ],
  };
  test.each(Object.entries(bad))("%s", (_, [call, message]) => {
    expect(call).toThrow(message);
  });

  test("a value watched in the body", async () => {
    const step = compile(
      (x: Tensor) =>
        scan(
          (c: Tensor, row: Tensor) => {
            watch("row", row);
            return [c, null];
          },
          h,
          x,
        )[0],
    );
    await expect(step(x)).rejects.toThrow(/watch: done in the body of a scan/);
  });
});
