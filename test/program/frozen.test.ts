// What a trace would freeze in silence: numbers that change by themselves are found at the first call, options of modules make another trace.
import { beforeAll, expect, test } from "vitest";
import { TraceError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { ambientStream, manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import * as sg from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(async () => {
  manualSeed(1);
  await setDefaultBackend("reference");
});

const changing = (): (() => number) => {
  let next = 0.25;
  return () => {
    next *= 2;
    return next;
  };
};

test.each([
  [
    "a number beside an op",
    (x: Tensor, n: () => number) => x.mul(n()),
    /what mul takes .*frozen\.test\.ts.*got 1 .*expected 0\.5/,
  ],
  ["an option", (x: Tensor, n: () => number) => sg.dropout(x, n() / 4), /isn't the same.*frozen\.test\.ts/],
  ["a constant", (x: Tensor, n: () => number) => x.add(sg.tensor([1, n()])), /what add takes .*got 1 .*expected 0\.5/],
  ["another op", (x: Tensor, n: () => number) => (n() > 0.5 ? x.exp() : x.sin()), /got exp .*expected sin/],
  ["another number of outputs", (x: Tensor, n: () => number) => (n() > 0.5 ? [x] : [x, x]), /what it gives or assigns/],
  [
    "a number that is given back",
    (x: Tensor, n: () => number) => ({ x: x.mul(2), rate: n() }),
    /its result at rate .*got 1 .*expected 0\.5/,
  ],
  [
    "draws that nothing needs",
    (x: Tensor, n: () => number) => {
      sg.uniform([n() > 0.5 ? 1 : 2]);
      return x.mul(2);
    },
    /how much it draws/,
  ],
] as const)("%s that changes by itself is found at the first call, and named", async (_, body, message) => {
  const position = ambientStream().position;
  const number = changing();
  const failing = compile((x: Tensor) => body(x, number) as Tensor)(sg.tensor([1, 2]));
  await expect(failing).rejects.toThrow(TraceError);
  await expect(failing).rejects.toThrow(new RegExp(message.source, "s"));
  expect(ambientStream().position).toBe(position);
  const loose = changing();
  await compile((x: Tensor) => body(x, loose) as Tensor, { strict: false })(sg.tensor([1, 2]));
});

test("what a function memoises is no difference, nor are its draws", async () => {
  let mask: Tensor | undefined;
  const outside = sg.uniform([2]).add(1);
  const f = compile((x: Tensor) => {
    mask ??= sg.tensor([1, 0]);
    return x
      .mul(mask)
      .add(sg.uniform([2]))
      .mul(outside)
      .mul(Number.NaN);
  });
  await f(sg.tensor([1, 2]));
  await f(sg.tensor([3, 4]));
});

test("an option of a module that changes is seen at the next call", async () => {
  const layer = nn.dropout(0.5);
  const said: string[] = [];
  const f = compile((x: Tensor) => layer.forward(x), { state: layer, name: "f", log: (text) => said.push(text) });
  const zeros = async () => (await (await f(sg.full([64], 1))).data()).filter((value) => value === 0).length;
  expect(await zeros()).toBeGreaterThan(0);
  (layer as { p: number }).p = 0;
  expect(await zeros()).toBe(0);
  expect(said.filter((text) => text.startsWith("traced"))).toEqual(["traced f anew: p was 0.5 and is 0"]);
  (layer as { p: number }).p = 0.5;
  expect(await zeros()).toBeGreaterThan(0);
  expect(said.filter((text) => text.startsWith("traced"))).toHaveLength(1);
});

test("options that lie in a record or a list of a module are seen too", async () => {
  const pool = nn.maxPool2d(2, { stride: 2 });
  const f = compile((x: Tensor) => pool.forward(x), { state: pool });
  const x = sg.ones([1, 1, 4, 4]);
  expect((await f(x)).shape).toEqual([1, 1, 2, 2]);
  (pool.options as { stride: number }).stride = 1;
  expect((await f(x)).shape).toEqual([1, 1, 3, 3]);
  class Powers extends nn.Module {
    readonly factors = [1, [2, 3]] as [number, number[]];
    forward(inputs: Tensor): Tensor {
      return inputs.mul(this.factors[0] * this.factors[1][1]);
    }
  }
  const powers = new Powers();
  const g = compile((y: Tensor) => powers.forward(y), { state: powers });
  expect(await (await g(sg.tensor([1]))).item()).toBe(3);
  powers.factors[1][1] = 5;
  expect(await (await g(sg.tensor([1]))).item()).toBe(5);
});
