// Modules: names, draws, modes.
import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import * as losses from "../../src/nn/losses.ts";
import { accuracy, mean } from "../../src/nn/metrics.ts";
import { compile } from "../../src/program/compiled.ts";
import { Parameter, Variable } from "../../src/program/variable.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { ones, tensor, zeros } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => {
  manualSeed(0);
  return setDefaultBackend("reference");
});

class Block extends nn.Module {
  readonly scale = new Parameter(tensor([2]));
  readonly count = new Variable(tensor([0]));
  readonly layers: nn.Module[];
  constructor(...layers: nn.Module[]) {
    super();
    this.layers = layers;
  }
  override forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y) as Tensor, x).mul(this.scale);
  }
}

describe("the tree", () => {
  test("names by property path; parameters and buffers; UTF-8 order", () => {
    const model = nn.sequential(nn.linear(2, 3), new Block(nn.linear(3, 3, { bias: false })), nn.relu());
    expect(model.namedParameters().map(([path]) => path)).toEqual([
      "0.weight",
      "0.bias",
      "1.scale",
      "1.layers.0.weight",
    ]);
    expect(model.namedVariables().map(([name]) => name)).toEqual([
      "buffer/1.count",
      "parameter/0.bias",
      "parameter/0.weight",
      "parameter/1.layers.0.weight",
      "parameter/1.scale",
    ]);
    expect(String(model)).toBe(
      "Sequential\n  (0): Linear(2 → 3)\n  (1): Block\n    (layers.0): Linear(3 → 3, no bias)\n  (2): Activation(relu)",
    );
  });

  test("a module in two places is named once", () => {
    const shared = nn.linear(2, 2);
    expect(
      nn
        .sequential(shared, nn.relu(), shared)
        .namedParameters()
        .map(([path]) => path),
    ).toEqual(["0.weight", "0.bias"]);
  });

  test("parameters and modules in lists, records and Maps, in one another too; a compiled function sees them change", async () => {
    class Held extends nn.Module {
      readonly scales = [new Parameter(tensor([2])), new Parameter(tensor([3]))];
      readonly shifts = { a: new Variable(tensor([1])) };
      readonly grid = [[nn.linear(1, 1)], [nn.linear(1, 1, { bias: false })]];
      readonly heads = new Map<string, nn.Module>([["value", nn.linear(1, 1, { bias: false })]]);
      override forward(x: Tensor): Tensor {
        const y = this.grid[0][0].forward(this.grid[1][0].forward(x));
        return (this.heads.get("value")!.forward(y) as Tensor).mul(this.scales[1]).add(this.shifts.a);
      }
    }
    const model = new Held();
    const paths = ["scales.0", "scales.1", "grid.0.0.weight", "grid.0.0.bias", "grid.1.0.weight", "heads.value.weight"];
    expect(model.namedParameters().map(([path]) => path)).toEqual(paths);
    expect(model.namedVariables()[0][0]).toBe("buffer/shifts.a");
    model.eval();
    expect(model.heads.get("value")!.training).toBe(false);
    const f = compile((x: Tensor) => model.forward(x), { state: model });
    const same = async () =>
      expect(await (await f(ones([1, 1]))).data()).toEqual(await model.forward(ones([1, 1])).data());
    await same();
    model.heads.set("value", nn.sequential(nn.linear(1, 1), nn.relu()));
    await same();
    model.scales[1] = new Parameter(tensor([5]));
    await same();
  });

  test("all that a Map holds, whatever its keys are", () => {
    class Held extends nn.Module {
      readonly byKind = new Map<unknown, nn.Module>([
        [{ kind: 1 }, nn.linear(1, 1)],
        [{ kind: 2 }, nn.linear(1, 1, { bias: false })],
      ]);
      readonly byNumber = new Map([[7, nn.linear(1, 1, { bias: false })]]);
      override forward = (x: Tensor) => x;
    }
    const paths = ["byKind.0.weight", "byKind.0.bias", "byKind.1.weight", "byNumber.7.weight"];
    expect(new Held().namedParameters().map(([path]) => path)).toEqual(paths);
  });

  test("one that holds itself is an error that says where", async () => {
    class Held extends nn.Module {
      held: unknown = nn.linear(1, 1);
      override forward = (x: Tensor) => x;
    }
    const forms = {
      "": (m: nn.Module) => m,
      ".0": (m: nn.Module) => [m],
      ".up": (m: nn.Module) => new Map([["up", m]]),
    };
    for (const [suffix, form] of Object.entries(forms)) {
      const [parent, child] = [new Held(), new Held()];
      parent.held = { first: child };
      const f = compile((x: Tensor) => parent.forward(x), { state: parent });
      child.held = form(parent);
      const walks: ((module: Held) => unknown)[] = [
        (module) => module.namedParameters(),
        (module) => module.namedVariables(),
        (module) => module.eval(),
        (module) => module.traceKey(),
        (module) => module.pieces(),
        (module) => String(module),
        (module) => nn.summary(module, ones([1])),
        (module) => compile((x: Tensor) => x, { state: module })(ones([1])),
        () => f(ones([1])),
      ];
      const message = `Held.held.first.held${suffix}: a module that holds itself\nHint: keep it in`;
      for (const walk of walks)
        await expect(Promise.resolve(parent).then(walk)).rejects.toThrow(
          new RegExp(`^${message.replaceAll(".", "\\.")}`),
        );
      child.held = null;
      expect(parent.pieces()).toContain(child);
    }
  });

  test("train and eval reach all; the trace key tells", () => {
    const model = nn.sequential(nn.dropout(0.5), new Block(nn.dropout(0.1)));
    const key = model.traceKey();
    model.eval();
    expect(model.traceKey()).not.toBe(key);
    expect(model.train().traceKey()).toBe(key);
  });

  test("a compiled function follows its modules: their modes, their parts, their options", async () => {
    const model = nn.sequential(nn.linear(2, 3), nn.linear(3, 2));
    const messages: string[] = [];
    const f = compile((x: Tensor) => model.forward(x) as Tensor, {
      state: model,
      log: (message) => messages.push(message.split(" ")[0]),
    });
    const run = async () => (await f(ones([1, 2]))).data();
    const direct = async () => (model.forward(ones([1, 2])) as Tensor).data();
    const first = await run();
    expect(first).toEqual(await direct());
    // A number may be an option: the function is traced again, and finds the graph that it made.
    Object.assign(model.layers[0], { calls: 1 });
    expect(await run()).toEqual(first);
    expect(messages.splice(1)).toEqual(["found"]);
    model.eval();
    expect(await run()).toEqual(first);
    model.train();
    expect(await run()).toEqual(first);
    expect(messages).toEqual(["made", "traced", "found"]);
    (model.layers as nn.Module[])[1] = nn.linear(3, 2);
    expect(await run()).toEqual(await direct());
    expect(await run()).not.toEqual(first);
    Object.assign(model.layers[1], { weight: new Parameter(ones([2, 3])) });
    expect(await run()).toEqual(await direct());
  });
});

describe("init", () => {
  test("a layer draws weight, then bias, from U(±1/√in) of the stream's words", async () => {
    manualSeed(1234);
    const layer = nn.linear(4, 3);
    const words = new Uint32Array(15);
    fillWords(1234n, 0, words);
    const bound = Math.fround(0.5);
    const uniform = (u: number) => Math.fround(Math.fround(Math.fround((u >>> 8) / 2 ** 24) * Math.fround(1)) - bound);
    expect(await layer.weight.data()).toEqual(Float32Array.from(words.subarray(0, 12), uniform));
    expect(await layer.bias!.data()).toEqual(Float32Array.from(words.subarray(12), uniform));
  });

  test.each([
    () => nn.linear(0, 3),
    () => nn.linear(2, 1.5),
    () => nn.embedding(-1, 2),
    () => nn.layerNorm(0),
    () => nn.dropout(1.5),
    () => nn.dropout(Number.NaN),
    () => nn.linear(2, 2, { init: (shape) => zeros(shape, "int32") }),
  ])("bad sizes: %s", (make) => {
    expect(make).toThrow(ShapeError);
  });
});

describe("what doesn't fit is told of by the layer", () => {
  test.each<[() => unknown, RegExp]>([
    [() => nn.linear(2, 3).forward(ones([1, 3])), /^nn.linear: the last axis isn't as wide/],
    [() => nn.linear(2, 3).forward(ones([1, 2], "int32")), /^nn.linear: dtypes don't fit \(in matmul\)/],
    [() => nn.conv1d(2, 3, 1).forward(ones([1, 3, 4])), /^nn.conv1d: not images/],
    [() => nn.batchNorm1d(2).forward(ones([1, 2])), /^nn.batchNorm1d: fewer than two values.*\(in batchNormTraining\)/],
    [() => nn.embedding(2, 3).forward(ones([1])), /^nn.embedding: indices aren't int32 \(in gather\): got/],
    [() => nn.sequential(nn.relu(), nn.linear(2, 3)).forward(ones([3])), /^nn.linear: the last axis/],
    [() => nn.conv2d(1, 1, 3, { padding: 0.5 }), /^nn.conv2d: padding isn't a count: got 0.5, expected an integer ≥ 0/],
    [() => nn.linear(2, 2, { init: (shape) => zeros(shape, "int32") }), /got int32\[2, 2\], expected float32\[2, 2\]/],
  ])("%s", (act, message) => {
    expect(act).toThrow(message);
  });

  test("an error in a function of one's own has its line", () => {
    const layer = nn.lambda((x) => x.matmul(ones([3, 3])));
    try {
      layer.forward(ones([1, 2]));
    } catch (error) {
      expect((error as Error).stack).toMatch(
        /^ShapeError: nn.lambda: depths differ \(in matmul\).*\n +at .*module\.test/,
      );
      return;
    }
    expect.unreachable();
  });
});

describe("layers", () => {
  test("dropout acts in training only, scales what it keeps", async () => {
    manualSeed(3);
    const layer = nn.dropout(0.25);
    const x = tensor(new Float32Array(4000).fill(3));
    const kept = await (layer.forward(x) as Tensor).data();
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(3 * Math.fround(1 / 0.75))]));
    expect(kept.filter((value) => value === 0).length / 4000).toBeCloseTo(0.25, 1);
    layer.eval();
    expect(layer.forward(x)).toBe(x);
  });

  test("embedding reads rows; out of range throws when run", async () => {
    const table = nn.embedding(3, 2);
    table.weight.load(Float32Array.of(0, 1, 10, 11, 20, 21));
    const indices = (values: number[]) => tensor(Int32Array.from(values));
    expect(await (table.forward(indices([2, 0])) as Tensor).array()).toEqual([
      [20, 21],
      [0, 1],
    ]);
    await expect((table.forward(indices([3])) as Tensor).data()).rejects.toThrow(ShapeError);
  });

  test("layerNorm of a constant row is the bias", async () => {
    const layer = nn.layerNorm(4);
    layer.bias!.load(Float32Array.of(1, 2, 3, 4));
    expect(await (layer.forward(zeros([1, 4]).add(5)) as Tensor).array()).toEqual([[1, 2, 3, 4]]);
  });
});

describe("losses and metrics", () => {
  const outputs = tensor([
    [3, 1],
    [0, 2],
    [5, 1],
  ]);
  const targets = tensor(Int32Array.of(0, 1, 1));
  test("cross entropy of equal logits is log of the classes", async () => {
    expect(await losses.crossEntropy(zeros([4, 2]), tensor(Int32Array.of(0, 1, 0, 1))).item()).toBe(
      Math.fround(Math.LN2),
    );
  });

  test("accuracy; a mean weighted by batch sizes", async () => {
    const terms = Array.from(await accuracy().terms(outputs, { targets }).data());
    expect([terms, accuracy().value(terms)]).toEqual([[2, 3], 2 / 3]);
    const metric = mean((o) => o.mean());
    expect(metric.value([3, 6])).toBe(0.5);
  });

  test("a batch without targets", () => {
    expect(() => losses.mse(outputs, { labels: targets } as nn.Batch)).toThrow(/no targets/);
    expect(() => losses.crossEntropy(outputs, tensor([0, 1, 1]))).toThrow(/int32/);
    expect(() => losses.mse(zeros([3, 1]), zeros([3]))).toThrow(
      /mse: a target for each prediction: got \[3, 1\] and \[3\]/,
    );
  });
});
