// Attention's layers: what they refuse, what of a batch they read, and that their scores are never whole in memory where rows allow.
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { schedulePlan } from "../../src/schedule/schedule.ts";
import { wasmTarget } from "../support/wasm.ts";

const { nn } = sg;
const { ConfigError, ShapeError, DTypeError } = sg;
const x = (...shape: number[]) => sg.ones(shape);

beforeAll(() => sg.setDefaultBackend("reference"));

describe("attention's layers", () => {
  test.each<[string, () => unknown, new (details: never) => Error, RegExp]>([
    [
      "heads",
      () => nn.multiHeadAttention(6, 4),
      ShapeError,
      /^nn.multiHeadAttention: width and heads must divide evenly/,
    ],
    ["keyHeads", () => nn.multiHeadAttention(8, 4, { keyHeads: 3 }), ShapeError, /heads and keyHeads/],
    ["an odd rotation", () => nn.rotaryPositions(4, 3), ShapeError, /^nn.rotaryPositions: no pairs: got width 3/],
    [
      "too long",
      () => nn.learnedPositions(4, 2).forward(x(1, 5, 2)),
      ShapeError,
      /expected \[..., time, 2\], time ≤ 4/,
    ],
    ["rows", () => nn.multiHeadAttention(4, 2).forward(x(3, 4)), ShapeError, /inputs: not sequences of vectors/],
    [
      "a memory of another batch",
      () => nn.multiHeadAttention(4, 2).forward(x(2, 3, 4), { memory: x(1, 3, 4) }),
      ShapeError,
      /memory: not sequences of vectors: got \[1, 3, 4\], expected \[2, time, 4\]/,
    ],
    [
      "a key mask of scores",
      () => nn.multiHeadAttention(4, 2).forward(x(2, 3, 4), { keyMask: sg.full([3, 3], 1, "bool") }),
      ShapeError,
      /keyMask: not one for each key: got \[3, 3\], expected \[2, 3\]/,
    ],
    [
      "a key mask of numbers",
      () => nn.multiHeadAttention(4, 2).forward(x(2, 3, 4), { keyMask: x(2, 3) }),
      DTypeError,
      /keyMask: a mask of another dtype: got float32, expected bool/,
    ],
    [
      "no memory",
      () => nn.transformerDecoderLayer(4, 2).forward(x(1, 3, 4)),
      ConfigError,
      /there is no memory.*\nHint/,
    ],
    [
      "too many layers",
      () => nn.transformerEncoder(1e6, 64, 2),
      ShapeError,
      /^nn.transformerEncoder: too large a model/,
    ],
    ["no layers", () => nn.transformerDecoder(0, 4, 2), ShapeError, /layers isn't a count/],
  ])("%s", (_, body, kind, message) => {
    sg.manualSeed(1);
    expect(body).toThrow(kind);
    expect(body).toThrow(message);
  });

  test("padding changes nothing, and a causal position sees nothing after it", async () => {
    sg.manualSeed(3);
    const model = nn.transformerEncoder(2, 8, 2, { normFirst: true });
    const inputs = sg.normal([2, 4, 8]);
    const padded = sg.pad(
      inputs,
      [
        [0, 0],
        [0, 3],
        [0, 0],
      ],
      7,
    );
    const keyMask = sg.less(sg.ops.coordinate([2, 7], 1), 4);
    const cut = model.forward(padded, { keyMask }).slice([null, [0, 4]]);
    expect(await cut.data()).toEqual(await model.forward(inputs, { keyMask: sg.full([2, 4], 1, "bool") }).data());
    const causal = nn.multiHeadAttention(8, 4, { causal: true, keyHeads: 2, rotary: 9 });
    const first = causal.forward(padded).slice([null, [0, 4]]);
    expect(await first.data()).toEqual(await causal.forward(inputs).data());
  });

  test("self-attention, by itself and in a block, takes the masks of multiHeadAttention, and gives its bits", async () => {
    sg.manualSeed(5);
    const both = nn.multiHeadAttention(8, 2);
    const block = nn.transformerBlock(8, 2);
    const { attention } = block;
    const three = [both.query, both.key, both.value];
    attention.qkv.weight.assign(sg.concat(three.map(({ weight }) => weight)));
    attention.qkv.bias!.assign(sg.concat(three.map(({ bias }) => bias!)));
    attention.out.weight.assign(both.out.weight);
    attention.out.bias!.assign(both.out.bias!);
    const inputs = sg.normal([2, 4, 8]);
    const masks = {
      keyMask: sg.less(sg.ops.coordinate([2, 4], 1), 3),
      mask: sg.normal([2, 4, 4]),
    };
    const expected = both.forward(inputs, masks);
    expect(await attention.forward(inputs, masks).data()).toEqual(await expected.data());
    const x = inputs.add(both.forward(block.norm1.forward(inputs), masks));
    const whole = x.add(block.mlp.forward(block.norm2.forward(x)));
    expect(await block.forward(inputs, masks).data()).toEqual(await whole.data());
    const without = await attention.forward(inputs).data();
    expect(await attention.forward(inputs, { keyMask: undefined }).data()).toEqual(without);
    expect(() => attention.forward(inputs, { keyMask: sg.ones([2, 4]) })).toThrow(/selfAttention.keyMask: a mask of/);
  });

  test("a decoder trains on a dataset's own memory and masks", async () => {
    sg.manualSeed(4);
    const model = nn.transformerDecoder(1, 4, 2, { dropout: 0.1 });
    const optimizer = sg.optim.adamW(model.parameters(), { learningRate: 0.01 });
    const step = sg.compile(
      (inputs: sg.Tensor, memory: sg.Tensor, memoryKeyMask: sg.Tensor) => {
        const loss = model.forward(inputs, { memory, memoryKeyMask }).sub(inputs.mul(0.5)).abs().mean();
        optimizer.minimize(loss);
        return loss;
      },
      { state: [model, optimizer] },
    );
    const [inputs, memory] = [sg.normal([2, 3, 4]), sg.normal([2, 5, 4])];
    const mask = sg.less(sg.ops.coordinate([2, 5], 1), 3);
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push(await (await step(inputs, memory, mask)).item());
    expect(losses[19]).toBeLessThan(losses[0] * 0.8);
  });

  test("scores stay in their rows under every kind of mask", async () => {
    const [batch, heads, time, depth] = [8, 4, 64, 16];
    const q = x(batch, heads, time, depth);
    const shared = x(batch, 2, time, depth);
    const masks = {
      none: undefined,
      added: x(time, time),
      seen: sg.full([time, time], 1, "bool"),
      keys: sg.full([batch, 1, 1, time], 1, "bool"),
    };
    for (const [name, mask] of Object.entries(masks)) {
      for (const k of [q, shared]) {
        const run = sg.compile((a: sg.Tensor, b: sg.Tensor, m?: sg.Tensor) =>
          sg.scaledDotProductAttention(a, b, b, { mask: m }),
        );
        const { arenaBytes } = schedulePlan(await (mask ? run.plan(q, k, mask) : run.plan(q, k)), wasmTarget);
        expect(arenaBytes, name).toBeLessThan(4 * batch * heads * time);
      }
    }
  });
});
