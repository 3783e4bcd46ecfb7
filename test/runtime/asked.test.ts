// An index out of range is told of the function that was called, and of the caller's line, whatever ops it is made of and whatever runs them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";

const x = () => sg.arange(12, undefined, { dtype: "float32" }).reshape([4, 3]);
const index = (...values: number[]) => sg.tensor(values, "int32");
const rows = (at: sg.Tensor) => at.reshape([-1, 1]).broadcastTo([at.size, 3]);

const calls: Record<string, (at: sg.Tensor) => sg.Tensor> = {
  gather: (at) => x().gather(rows(at), 0),
  take: (at) => x().take(at),
  at: (at) => x().at(at),
  takeAlongAxis: (at) => x().takeAlongAxis(rows(at), 0),
  scatter: (at) => x().scatter(rows(at), 1, 0),
  scatterAdd: (at) => sg.scatterAdd(at, sg.ones([2]), 0, 4),
  scatterMax: (at) => x().scatterMax(rows(at), sg.ones([2, 3]), 0),
  bincount: (at) => at.bincount(4),
};

describe.each(["reference", "wasm", "gpujs:cpu"])("on %s", (backend) => {
  beforeAll(() => {
    sg.manualSeed(0);
    return sg.setDefaultBackend(backend);
  });
  afterAll(() => sg.setDefaultBackend("wasm"));

  test.each(Object.keys(calls))("%s", async (name) => {
    const message = new RegExp(
      `^${name}: an index is out of range: got 9.*, expected an integer in \\[0, 4\\)\nHint: the op was made at .*asked\\.test\\.ts`,
    );
    await expect(calls[name](index(1, 9)).data()).rejects.toThrow(message);
    const step = sg.compile((at: sg.Tensor) => calls[name](at));
    await expect(step(index(1, 9))).rejects.toThrow(message);
  });

  test("in a layer, and all that could be meant", async () => {
    const model = sg.nn.embedding(4, 2);
    const run = sg.compile((at: sg.Tensor) => model.forward(at), { state: model });
    await expect(run(index(7))).rejects.toThrow(/^take: .*got 7.*\nHint: the op was made at .*asked\.test\.ts/);
    const both = x()
      .take(index(9))
      .add(x().at(index(1)));
    await expect(both.data()).rejects.toThrow(/^take or at: .*got 9.*made at .*, or made at /s);
  });

  test("in a loop's body, and in one within, and where only gradients are read", async () => {
    const from = sg.ones([4, 3]);
    const inner = (carry: sg.Tensor, at: sg.Tensor): [sg.Tensor, null] => [
      carry.mul(from.take(at).sum({ axis: 0 })),
      null,
    ];
    const pick = (at: sg.Tensor) => sg.scan(inner, sg.ones([3]), at.reshape([2, 1]))[0];
    const outer = (carry: sg.Tensor, at: sg.Tensor): [sg.Tensor, null] => [carry.add(pick(at)), null];
    const nested = (at: sg.Tensor) => sg.scan(outer, sg.ones([3]), at.reshape([1, 2]))[0];
    const gradient = (at: sg.Tensor) =>
      sg.grad(
        (w: sg.Tensor) =>
          sg.scan((carry: sg.Tensor, i: sg.Tensor) => [carry.mul(w.at(i).exp()), null], sg.ones([]), at)[0],
      )(sg.ones([4]));
    const cases: [string, (at: sg.Tensor) => sg.Tensor][] = [
      ["take", pick],
      ["take", nested],
      ["at", gradient],
    ];
    for (const [name, run] of cases) {
      const message = new RegExp(
        `^${name} in scan: an index is out of range: got 9.*\nHint: the op was made at [^,]*asked\\.test\\.ts:[0-9:]+$`,
      );
      await expect(run(index(1, 9)).data()).rejects.toThrow(message);
      await expect(sg.compile(run)(index(1, 9))).rejects.toThrow(message);
    }
  });

  test("in a loss", async () => {
    const loss = sg.losses.crossEntropy(x(), index(0, 1, 2, -100));
    await expect(loss.data()).rejects.toThrow(
      /^losses\.crossEntropy: an index is out of range: got -100.*, expected an integer in \[0, 3\)\nHint: .*asked\.test\.ts/,
    );
    const bound = sg.losses.multiMargin(x(), { targets: index(0, 1, 2, 3) });
    await expect(bound.data()).rejects.toThrow(/^losses\.multiMargin: an index is out of range: got 3/);
  });
});
