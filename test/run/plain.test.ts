// Callbacks' states come back whole, or are refused by path when they are saved.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/core/errors.ts";
import { reduceOnPlateauLR } from "../../src/optim/schedules/index.ts";
import { decodePlain, encodePlain } from "../../src/run/plain.ts";
import { EarlyStopping, ExponentialMovingAverage, LearningRateFinder } from "../../src/train/callbacks/index.ts";
import type { Callback } from "../../src/train/contract.ts";
import { TrainMetrics } from "../../src/train/train-metrics.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const again = (value: unknown) => decodePlain("here", JSON.parse(JSON.stringify(encodePlain("here", value))));

test.each<[string, unknown]>([
  ["numbers that JSON lacks", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 1e-300]],
  ["bigints", [2n ** 70n, -1n]],
  ["null and undefined", { a: null, b: undefined, c: [undefined, null] }],
  [
    "maps",
    new Map<unknown, unknown>([
      ["a", 1],
      [2, new Map([[Number.NaN, -0]])],
      [{ k: 1 }, new Set(["x", 3n])],
    ]),
  ],
  ["dates", [new Date(1e12), new Date(Number.NaN)]],
  ["typed arrays", [Float32Array.of(0.1, Number.NaN, -0), Int32Array.of(-1), BigInt64Array.of(-5n), new Uint8Array(0)]],
  ["records whose keys are those of the writing", { $: "number", value: "NaN", nested: { $: 1 } }],
])("%s", (_, value) => expect(again(value)).toStrictEqual(value));

test("keys that objects have are ones like any other", () => {
  const text = '{"__proto__":{"x":1},"constructor":{"toString":2}}';
  const back = again(JSON.parse(text)) as object;
  expect(JSON.stringify(back)).toBe(text);
  expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
});

test("any value of the kinds that are taken", () => {
  const options = { withMap: true, withSet: true, withBigInt: true, withDate: true, withTypedArray: true } as const;
  fc.assert(
    fc.property(fc.anything(options), (value) => {
      expect(again(value)).toStrictEqual(value);
    }),
    { numRuns: 300 },
  );
});

class Own {
  readonly x = 1;
}
const looped: { list: unknown[] } = { list: [] };
looped.list.push(looped);

describe("what can't come back is refused by its path", () => {
  test.each<[string, unknown, string]>([
    ["a function", { best: [1, () => 1] }, "here.best[1]"],
    ["a symbol", { a: Symbol("s") }, "here.a"],
    ["an object of a class", new Map([["k", new Own()]]), "here.get(k)"],
    ["what saveState promised", Promise.resolve(1), "here"],
    ["a record that holds itself", looped, "here.list[0]"],
    ["a weak map", { weak: new WeakMap() }, "here.weak"],
  ])("%s", (_, value, where) => {
    expect(() => encodePlain("here", value)).toThrow(CheckpointError);
    expect(() => encodePlain("here", value)).toThrow(`${where}: a checkpoint can't hold it`);
  });

  test.each([
    { $: "Function" },
    { $: "number", value: "7" },
    { $: "bigint", value: "x" },
    { $: "bigint", value: "" },
    { $: "Map", value: 3 },
    { $: "Map", value: [["a"]] },
    { $: "Set", value: "abc" },
    { $: "Date", value: [] },
    { $: "record", value: [["a", 1, 2]] },
    { $: "Float64Array", value: { length: 1e15 } },
    { $: "Float32Array", value: { length: 3 } },
    { $: "Uint8Array", value: [300] },
    { $: "Int32Array", value: ["7"] },
    { $: "BigInt64Array", value: [1] },
    { $: 1 },
  ])("nor is %j read", (json) => expect(() => decodePlain("here", json)).toThrow(CheckpointError));
});

test.each<[string, () => Pick<Callback, "loadState">, unknown]>([
  ["EarlyStopping", () => new EarlyStopping(), { best: "1", bestStep: 1, waited: 0, reason: null }],
  ["an average of weights", () => new ExponentialMovingAverage(), { count: 1, firstStep: 1, options: null }],
  ["LearningRateFinder", () => new LearningRateFinder(), { suggestion: [] }],
  ["training metrics", () => new TrainMetrics([]), { loss: 1 }],
  [
    "ReduceOnPlateau",
    () => reduceOnPlateauLR({ initialLearningRate: 1 }).steering!,
    { value: null, best: null, bad: 0, cooling: 0 },
  ],
])("%s takes no state of another form", (_, make, state) => {
  for (const given of [state, null, 1, []]) expect(() => make().loadState!(given)).toThrow(CheckpointError);
});

test("through a checkpoint: a state is what it was, and one that couldn't be ends the run, with the callback and the path", async () => {
  const state = { best: Number.POSITIVE_INFINITY, seen: new Map([["a", Float32Array.of(-0)]]), last: Number.NaN };
  let back: unknown;
  const mine = (given: unknown): Callback => ({
    name: "Mine",
    changesTraining: false,
    saveState: () => given,
    loadState: (loaded) => {
      back = loaded;
    },
  });
  const modelDir = temporaryFolder();
  const options = (callback: Callback, numSteps: number) => ({ modelDir, callbacks: [callback], loop: { numSteps } });
  await toyTrainer(options(mine(state), 3)).fit(toyTrain());
  await toyTrainer(options(mine(state), 4)).fit(toyTrain());
  expect(back).toStrictEqual(state);
  const failing = toyTrainer(options(mine({ list: [new Own()] }), 5)).fit(toyTrain());
  await expect(failing).rejects.toThrow(
    /Mine\.saveState\.list\[0\]: a checkpoint can't hold it.*: got an object of Own/,
  );
});
