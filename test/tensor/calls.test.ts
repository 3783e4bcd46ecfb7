// Every op as a function and as a method refuses wrong arguments with a typed error, or is on the list of what is meant.
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { notRefused, outcome, type Untyped } from "../support/arguments.ts";
import { accepted, calls, functionsByName as functions } from "../support/op-calls.ts";
import { x } from "../support/right.ts";

beforeAll(() => sg.setDefaultBackend("reference"));

describe("arguments of ops", () => {
  test("every op has a right call here, and it is accepted", async () => {
    expect(Object.keys(calls).sort()).toEqual(Object.keys(functions).sort());
    for (const [name, { args }] of Object.entries(calls))
      expect(`${name}: ${await outcome(() => functions[name](...args()))}`).toBe(`${name}: accepted`);
  });

  test.each(Object.keys(calls))("%s as a function", async (name) => {
    expect(await notRefused(name, calls[name], functions[name], accepted)).toEqual([]);
  });

  const isMethod = (name: string) => name in sg.Tensor.prototype;
  test.each(Object.keys(calls).filter(isMethod))("%s as a method", async (name) => {
    const { args, ...rest } = calls[name];
    const right = { ...rest, args: () => args().slice(1), required: rest.required - 1 };
    const apply = (...given: readonly unknown[]) => (args()[0] as Untyped)[name](...given);
    expect(await notRefused(name, right, apply, accepted, 1)).toEqual([]);
  });

  test("a method on something else than a tensor", async () => {
    const { sum } = sg.Tensor.prototype;
    for (const self of [undefined, null, 1, {}, "text"])
      expect(await outcome(() => (sum as Untyped).call(self))).toBe("typed");
  });
});

describe("what is accepted where its meaning is plain", () => {
  const values = async (t: sg.Tensor) => [t.dtype, await t.array()];

  test("an axis, or several, in the place of a reduction's options", async () => {
    expect(await x().sum(0).array()).toEqual([4, 6]);
    expect(await sg.sum(x(), [0, 1]).array()).toBe(10);
    expect(await x().argmax(1).array()).toEqual([1, 1]);
    expect(await x().variance(-1).array()).toEqual([0.25, 0.25]);
  });

  test("a dtype or a shape in the place of tensor's options", async () => {
    expect(await values(sg.tensor([1, 2], "int32"))).toEqual(["int32", [1, 2]]);
    expect(await values(sg.tensor([1, 2], [2, 1]))).toEqual(["float32", [[1], [2]]]);
  });

  test("arange's step by itself, and float32 where a start or a step is none of int32", async () => {
    expect(await values(sg.arange(0, 1, 0.25))).toEqual(["float32", [0, 0.25, 0.5, 0.75]]);
    expect(await values(sg.arange(0, 5, 2))).toEqual(["int32", [0, 2, 4]]);
    expect(await values(sg.arange(0.5, 2))).toEqual(["float32", [0.5, 1.5]]);
  });
});

describe("what a wrong call says", () => {
  const said = (body: () => unknown): string => {
    try {
      body();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  test.each<[string, (t: Untyped, all: Untyped) => unknown, RegExp]>([
    ["an axis by PyTorch's name", (t) => t.mean({ dim: 0 }), /^mean.dim: unknown key.*\nHint: did you mean axis\?$/],
    ["keepdim", (t) => t.sum({ axis: 0, keepdim: true }), /did you mean keepDims\?/],
    ["keepDims by its place", (t) => t.sum(0, true), /Hint: keepDims goes by name/],
    ["max of two tensors", (t, { max }) => max(t, t), /Hint: of two tensors, element by element, it is maximum/],
    [
      "an argument too many",
      (t) => t.relu(1),
      /^relu: too many arguments: got 2: tensor float32\[2, 2\], 1, expected relu\(x\)/,
    ],
    ["an op in map", (t, { relu }) => [t].map(relu), /Hint: map passes index and array too/],
    ["an argument too few", (t) => t.mul(), /^mul: b is missing: expected mul\(a, b\), b: a tensor or a number/],
    ["extents one by one", (t) => t.reshape(2, 2), /Hint: it is one list: x.reshape\(\[3, 2\]\)/],
    ["axes one by one", (t) => t.transpose(0, 1), /x.swapAxes\(0, 1\)/],
    ["begin and size", (t) => t.slice([0], [1]), /in one list: x.slice/],
    ["options in an axis's place", (t) => t.softmax({ axis: 1 }), /Hint: write the axis itself/],
    [
      "attention's isCausal",
      (t, all) => all.scaledDotProductAttention(t, t, t, { isCausal: true }),
      /did you mean causal\?/,
    ],
    ["options in the bias's place", (t, all) => all.conv2d(t, t, { stride: 2 }), /Hint: options come after it/],
    [
      "an option of its own",
      (t, all) => all.conv2d(t, t, undefined, { dilate: 2 }),
      /expected one of stride, padding, dilation, groups/,
    ],
    [
      "where of a mask alone",
      (t, { where }) => where(t.greater(1)),
      /a is missing.*\nHint: where a mask holds.*await mask.nonzero\(\)/,
    ],
    ["indexing by a mask", (t) => t.at(t.greater(1)), /^at: a mask: .*\nHint: where\(mask, x, 0\) keeps the shape/],
    ["indexing by a list", (t) => t.at([0, 1]), /Hint: a range is "1:5" or/],
    ["a number of parts", (t) => t.split(2), /Hint: of 2 parts it is chunk\(x, 2\)/],
    [
      "NumPy's padding",
      (t) =>
        t.pad(
          [
            [1, 1],
            [0, 0],
          ],
          "edge",
        ),
      /Hint: here it is called "replicate"/,
    ],
    ["64-bit integers", (_, { tensor }) => tensor(BigInt64Array.of(1n)), /Hint: there is no int64: indices are int32/],
    ["an array", (t) => t.add([1, 2]), /Hint: make a tensor of values first/],
    ["a promise", (t) => t.add(t.item), /b isn't a tensor or a number: got the function item/],
    ["a dtype's other name", (t) => t.cast("float"), /Hint: here it is called float32/],
    ["a condition", (t) => t > 0, /^Tensor: a tensor used as a number or in a condition.*\nHint: await t.item\(\)/],
    ["a sum with +", (t) => t + 1, /t.add\(1\)/],
    ["a template", (t) => `${t}`, /a tensor used as a text.*\nHint: await t.format\(\)/],
    ["a number", (t) => +t, /await t.item\(\)/],
    ["a text of JSON", (t) => JSON.stringify({ t }), /^toJSON: a tensor has no such method.*await x.array\(\)/],
    [
      "a list that holds itself",
      (t, { stack }) => {
        const list = [t];
        list.push(list);
        return stack(list);
      },
      /^stack: parts isn't a list of tensors: got \[tensor float32\[2, 2\], \[2 items\]\]/,
    ],
    ["a structured clone", (t) => structuredClone({ t }), /tensor: send await t.data\(\).* could not be cloned/],
    ["new Tensor of values", (_, { Tensor }) => new Tensor([1, 2]), /Hint: tensor\(values\) makes one/],
    ["item of an index", (t) => t.item(0), /^item: too many arguments/],
  ])("%s", (_, body, message) => {
    expect(said(() => body(x(), sg))).toMatch(message);
  });
});
