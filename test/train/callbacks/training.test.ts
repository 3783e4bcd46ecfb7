// Callbacks that change training, on purpose: what they do to it, and that stopped and resumed is never stopped.
import { describe, expect, test } from "vitest";
import { float32Bits } from "../../../src/core/canonical.ts";
import { ConfigError } from "../../../src/core/errors.ts";
import * as nn from "../../../src/nn/index.ts";
import { LoraLinear } from "../../../src/nn/lora.ts";
import { namedModules } from "../../../src/nn/naming.ts";
import * as optim from "../../../src/optim/index.ts";
import { loadCheckpoint } from "../../../src/run/checkpoint.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { LearningRateFinder } from "../../../src/train/callbacks/learning-rate-finder.ts";
import { Lora } from "../../../src/train/callbacks/lora.ts";
import { SelectiveGrad } from "../../../src/train/callbacks/selective-grad.ts";
import { SkipSamples } from "../../../src/train/callbacks/skip-samples.ts";
import { Sparsity, type SparsityOptions } from "../../../src/train/callbacks/sparsity.ts";
import type { Callback, TrainerOptions, TrainerView } from "../../../src/train/contract.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { verifyRun } from "../../../src/verify/verify.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { recorded } from "../../support/recorded.ts";
import { toyOptions, toyTest, toyTrain, toyTrainer } from "../../support/toy.ts";

const weights = async (trainer: TrainerView) => {
  const found: Record<string, number[]> = {};
  for (const [name, variable] of trainer.variables()) found[name] = [...(await variable.data())];
  return found;
};
const bits = (values: readonly number[]) => values.map(float32Bits);
const loop = { numSteps: 8 } as const;

/** One digest: whole, stopped and resumed, and replayed from the folder. */
const holds = async (make: () => Callback[], changes: Partial<TrainerOptions> = {}) => {
  const modelDir = temporaryFolder();
  const options = (callbacks: Callback[], folder: string): Partial<TrainerOptions> => ({
    modelDir: folder,
    callbacks,
    loop,
    checkpoint: { steps: 1 },
    ...changes,
  });
  const whole = await toyTrainer(options(make(), modelDir)).fit(toyTrain());
  for (const at of [1, 4, 5]) {
    const folder = temporaryFolder();
    const crash: Callback = {
      onAfterSaveCheckpoint({ step }) {
        if (step === at) throw new Error("stop");
      },
    };
    await expect(toyTrainer(options([...make(), crash], folder)).fit(toyTrain())).rejects.toThrow(/stop/);
    expect((await toyTrainer(options(make(), folder)).fit(toyTrain())).digest).toBe(whole.digest);
  }
  const rebuild = (over: Partial<TrainerOptions>) => ({
    trainer: new Trainer({
      ...toyOptions(options(make(), modelDir)),
      ...over,
      callbacks: [...make(), ...(over.callbacks ?? [])],
    }),
    train: toyTrain(),
  });
  expect(await verifyRun(modelDir, { rebuild })).toMatchObject({ equal: true });
  return whole;
};

describe("SelectiveGrad", () => {
  test("what is frozen stays, bit for bit, and has no optimizer state; the rest moves", async () => {
    const trainer = toyTrainer({ loop, callbacks: [new SelectiveGrad({ freeze: ["0.*"] })] });
    await trainer.initialize();
    const before = await weights(trainer);
    await trainer.fit(toyTrain());
    const after = await weights(trainer);
    expect(Object.keys(after)).toEqual([
      "optimizer/m/3.bias",
      "optimizer/m/3.weight",
      "optimizer/v/3.bias",
      "optimizer/v/3.weight",
      "parameter/0.bias",
      "parameter/0.weight",
      "parameter/3.bias",
      "parameter/3.weight",
    ]);
    expect(bits(after["parameter/0.weight"])).toEqual(bits(before["parameter/0.weight"]));
    expect(bits(after["parameter/3.weight"])).not.toEqual(bits(before["parameter/3.weight"]));
  });

  test("train: only these; stopped, resumed, replayed", async () => {
    const run = await holds(() => [new SelectiveGrad({ train: ["3.weight"] })]);
    expect(run.digest).not.toBe((await toyTrainer({ loop }).fit(toyTrain())).digest);
  });

  test("bad input", () => {
    expect(() => new SelectiveGrad({})).toThrow(ConfigError);
    expect(() => new SelectiveGrad({ freeze: ["*"], train: ["*"] })).toThrow(/freeze and train/);
    const made =
      (callback: Callback, changes: Partial<TrainerOptions> = {}) =>
      () =>
        toyTrainer({ callbacks: [callback], ...changes });
    expect(made(new SelectiveGrad({ freeze: ["7.*"] }))).toThrow(/got 7\.\*/);
    expect(made(new SelectiveGrad({ freeze: ["*"] }))).toThrow(/nothing to optimise/);
    const model = nn.sequential(nn.linear(4, 2));
    const optimizer = optim.sgd(model.parameters(), { learningRate: 1 });
    const finished = { model, optimizer, seed: null };
    expect(made(new SelectiveGrad({ freeze: ["0.bias"] }), finished)).toThrow(/a finished optimizer/);
  });
});

describe("Lora", () => {
  test("at first the model's own outputs; only A and B move, and plain checkpoints keep their names", async () => {
    const model = () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.linear(8, 2));
    const plain = await toyTrainer({ model }).validate(toyTest());
    expect(await toyTrainer({ model, callbacks: [new Lora({ rank: 2 })] }).validate(toyTest())).toEqual(plain);
    const { trainer } = await recorded([new Lora({ rank: 2, modules: ["0"] })], { model, loop: { numSteps: 1 } });
    expect(trainer.optimizer!.parameterNames).toEqual(["0.loraA", "0.loraB"]);
    const [after, before] = [await weights(trainer), toyTrainer({ model })];
    await before.initialize();
    const original = await weights(before);
    for (const name of ["0.weight", "0.bias", "2.weight", "2.bias"])
      expect(bits(after[`parameter/${name}`])).toEqual(bits(original[`parameter/${name}`]));
    expect(after["parameter/0.loraB"].some((value) => value !== 0)).toBe(true);
    const layer = trainer.model.namedChildren()[0][1] as LoraLinear;
    expect(layer).toBeInstanceOf(LoraLinear);
    // W + 2·B·A, in float32: alpha is twice the rank.
    const [w, a, b] = ["0.weight", "0.loraA", "0.loraB"].map((name) => after[`parameter/${name}`]);
    const merged = await layer.merged().data();
    const product = Math.fround(Math.fround(b[2] * a[1]) + Math.fround(b[3] * a[5]));
    expect(merged[1 * 4 + 1]).toBe(Math.fround(w[5] + Math.fround(product * 2)));
  });

  test("layers in records and Maps, in lists of lists, and in a module dictionary have it too", () => {
    class Held extends nn.Module {
      readonly heads = { a: nn.linear(2, 2), b: [[nn.linear(2, 2)]] };
      readonly named = new Map([["c", nn.linear(2, 2)]]);
      readonly others = nn.moduleDict({ d: nn.linear(2, 2) });
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    const { model } = toyTrainer({ model: () => new Held(), callbacks: [new Lora({ rank: 1 })] });
    const paths = ["heads.a", "heads.b.0.0", "named.c", "others.d"];
    expect(namedModules(model).flatMap(([path, module]) => (module instanceof LoraLinear ? [path] : []))).toEqual(
      paths,
    );
  });

  test("stopped, resumed, replayed; more may be trained", async () => {
    await holds(() => [new Lora({ rank: 1, train: ["3.bias"] })]);
    const { trainer } = await recorded([new Lora({ rank: 1, train: ["3.bias"] })], { loop: { numSteps: 1 } });
    expect(trainer.optimizer!.parameterNames).toContain("3.bias");
  });

  test("bad input", () => {
    expect(() => new Lora({ rank: 0 })).toThrow(/rank/);
    expect(() => toyTrainer({ callbacks: [new Lora({ modules: ["1"] })] })).toThrow(
      /got 1, expected one for some of 0, 3/,
    );
    expect(() => toyTrainer({ callbacks: [new Lora()], model: () => nn.linear(4, 2) })).toThrow(/wrap it/);
  });
});

describe("Sparsity", () => {
  const zeros = (values: readonly number[]) => values.filter((value) => value === 0).length;

  test.each<[string, SparsityOptions]>([
    ["by magnitude", { sparsity: 0.5 }],
    ["random", { sparsity: 0.5, method: "random" }],
  ])("static, %s: half of each weight and of its optimizer state is zero, always the same half", async (_, options) => {
    const masks: string[] = [];
    const spy: Callback = {
      async onAfterOptimizerStep({ trainer }) {
        const now = await weights(trainer);
        masks.push(now["parameter/0.weight"].map((value) => (value === 0 ? "0" : "1")).join(""));
        for (const name of ["parameter", "optimizer/m", "optimizer/v"]) {
          expect(zeros(now[`${name}/0.weight`])).toBeGreaterThanOrEqual(16);
          expect(zeros(now[`${name}/3.weight`])).toBeGreaterThanOrEqual(8);
        }
        expect(zeros(now["parameter/0.bias"])).toBe(0);
      },
    };
    const { metrics } = await recorded([new Sparsity(options), spy], { loop });
    expect(new Set(masks).size).toBe(1);
    expect(zeros([...masks[0]].map(Number))).toBe(16);
    expect(metrics.sparsity.at(-1)).toEqual([8, 0.5]);
  });

  test("magnitude: what is pruned was smallest", async () => {
    const plain = toyTrainer();
    await plain.initialize();
    const before = (await weights(plain))["parameter/0.weight"].map(Math.abs);
    const { trainer } = await recorded([new Sparsity({ sparsity: 0.25 })], { loop: { numSteps: 1 } });
    const after = (await weights(trainer))["parameter/0.weight"];
    const pruned = before.filter((_, i) => after[i] === 0);
    expect(pruned).toHaveLength(8);
    expect(Math.max(...pruned)).toBeLessThan(Math.min(...before.filter((_, i) => after[i] !== 0)));
  });

  test("0.29 of 100 weights are 29", async () => {
    const trainer = toyTrainer({
      model: () => nn.sequential(nn.linear(4, 25), nn.linear(25, 2)),
      callbacks: [new Sparsity({ sparsity: 0.29 })],
      loop: { numSteps: 1 },
    });
    await trainer.fit(toyTrain());
    expect((await weights(trainer))["parameter/0.weight"].filter((value) => value === 0)).toHaveLength(29);
  });

  test("a schedule: the share grows as a cube, step by step, to the end's", async () => {
    const { metrics } = await recorded([new Sparsity({ sparsity: 0.75, schedule: { begin: 2, end: 6, every: 2 } })], {
      loop,
    });
    const shares = metrics.sparsity.map(([, share]) => share);
    const at = (x: number) => Math.floor(0.75 * (1 - (1 - x) ** 3) * 32) + Math.floor(0.75 * (1 - (1 - x) ** 3) * 16);
    expect(shares.map((share) => share * 48)).toEqual([0, 0, 0, at(0.5), at(0.5), 36, 36, 36]);
  });

  test.each<[string, SparsityOptions]>([
    ["static", { sparsity: 0.5 }],
    ["random", { sparsity: 0.3, method: "random" }],
    ["scheduled", { sparsity: 0.75, schedule: { begin: 2, end: 6 } }],
  ])("%s: stopped, resumed, replayed", async (_, options) => {
    const run = await holds(() => [new Sparsity(options)]);
    const { tensors } = loadCheckpoint(`${run.directory}/checkpoints/checkpoint_8.safetensors`);
    expect([...tensors.keys()].filter((name) => name.startsWith("callback/"))).toEqual([
      "callback/Sparsity/0.weight",
      "callback/Sparsity/3.weight",
    ]);
  });

  test("bad input", () => {
    expect(() => new Sparsity({ sparsity: 1 })).toThrow(/sparsity/);
    expect(() => new Sparsity({ sparsity: 0.5, method: "no" as never })).toThrow(/"magnitude" or "random"/);
    expect(() => new Sparsity({ sparsity: 0.5, method: "random", schedule: { end: 3 } })).toThrow(/by magnitude/);
    expect(() => new Sparsity({ sparsity: 0.5, schedule: { begin: 5, end: 3 } })).toThrow(/end/);
    expect(() => toyTrainer({ callbacks: [new Sparsity({ sparsity: 0.5, parameters: ["x"] })] })).toThrow(/got x/);
  });
});

test("LearningRateFinder, applied: stopped, resumed, replayed", async () => {
  const run = await holds(() => [new LearningRateFinder({ steps: 12, apply: true })]);
  expect(run.digest).not.toBe((await toyTrainer({ loop }).fit(toyTrain())).digest);
});

describe("SkipSamples", () => {
  const orders = async (callbacks: Callback[], numSteps: number) => {
    const seen: string[] = [];
    const spy: Callback = { onTrainBatchStart: ({ batch }) => void seen.push(Array.from(batch.indices).join()) };
    await toyTrainer({ callbacks: [...callbacks, spy], loop: { numSteps } }).fit(toyTrain());
    return seen;
  };

  test("inside the first epoch: the same order from there on; stopped, resumed, replayed", async () => {
    const plain = await orders([], 4);
    expect(await orders([new SkipSamples({ samples: 32 })], 2)).toEqual(plain.slice(2));
    expect(await orders([new SkipSamples({ samples: 0 })], 4)).toEqual(plain);
    await holds(() => [new SkipSamples({ samples: 32 })]);
  });

  test("past an epoch: its draws are left out, and the epochs count", async () => {
    const epochs: number[] = [];
    const spy: Callback = { onTrainBatchStart: ({ epoch }) => void epochs.push(epoch) };
    await toyTrainer({ callbacks: [new SkipSamples({ samples: 64 + 48 }), spy], loop: { numSteps: 3 } }).fit(
      toyTrain(),
    );
    expect(epochs).toEqual([1, 2, 2]);
  });

  test("an epoch is what it trains on, where stepsPerEpoch leaves a part out", async () => {
    const seen = async (callbacks: Callback[], numSteps: number) => {
      const orders: string[] = [];
      const spy: Callback = { onTrainBatchStart: ({ batch }) => void orders.push(Array.from(batch.indices).join()) };
      await toyTrainer({ callbacks: [...callbacks, spy], loop: { numSteps, stepsPerEpoch: 2 } }).fit(toyTrain());
      return orders;
    };
    const plain = await seen([], 6);
    for (const steps of [1, 2, 5])
      expect(await seen([new SkipSamples({ samples: 16 * steps })], 6 - steps)).toEqual(plain.slice(steps));
  });

  test("samples that end inside a step", async () => {
    expect(() => new SkipSamples({ samples: -1 })).toThrow(/samples/);
    await expect(orders([new SkipSamples({ samples: 17 })], 4)).rejects.toThrow(/a multiple of 16 in each epoch of 64/);
  });
});
