// Mixed precision: products on 16-bit grids over float32 master weights, and the scaling of the loss, the same bits everywhere.
import { describe, expect, test } from "vitest";
import { lower } from "../../src/compile/lower.ts";
import { float32Bits } from "../../src/core/canonical.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { mse } from "../../src/nn/losses.ts";
import * as optim from "../../src/optim/index.ts";
import { latestCheckpoint, loadCheckpoint } from "../../src/run/checkpoint.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { checkMemory, plainSchedule } from "../support/arena.ts";
import { temporaryFolder } from "../support/folder.ts";
import { narrowing } from "../support/narrow.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

type Precision = TrainerOptions["precision"];
const dynamic: Precision = {
  fp16Type: "float16",
  lossScalingFactor: "dynamic",
  stepsPerIncrease: 3,
  logLossScale: true,
};
/** 12 sequences of 16 tokens, and the next token of each. */
const sentences = () => {
  const token = (i: number) => (i * 7 + (i >> 3)) % 11;
  const of = (shift: number) => ({
    data: Int32Array.from({ length: 12 * 16 }, (_, i) => token(i + shift)),
    shape: [12, 16],
    dtype: "int32" as const,
  });
  return dataLoader(arrayDataset("sentences", { inputs: of(0), targets: of(1) }), { batchSize: 4, shuffle: true });
};
const run = (precision: Precision, changes: Partial<TrainerOptions> = {}) =>
  toyTrainer({ precision, loop: { numSteps: 10 }, ...changes }).fit(toyTrain());

describe("16-bit products", () => {
  test("each format is another program; the same digest on every backend of class A, and on threads", async () => {
    const digests = new Set([(await run({})).digest]);
    for (const precision of [
      { fp16Type: "bfloat16" },
      { enabled: true },
      { ...dynamic, maxGradientNorm: 0.5 },
    ] as Precision[]) {
      const loop = { numSteps: 4 };
      const { digest, graphHash } = await run(precision, { loop });
      for (const backend of ["wasm", "gpujs:cpu", "gpujs:webasm"])
        expect(await run(precision, { backend, loop }), backend).toMatchObject({ digest, graphHash });
      expect((await run(precision, { backend: "wasm", threads: 3, loop })).digest).toBe(digest);
      digests.add(digest);
    }
    expect(digests.size).toBe(4);
  });

  test.each(["bfloat16", "float16"] as const)(
    "a small gpt in %s: the same digest, and less memory",
    async (fp16Type) => {
      const gpt = (changes: Partial<TrainerOptions>) =>
        toyTrainer({
          model: () => nn.gpt({ vocabulary: 11, context: 16, width: 32, heads: 2, layers: 2, dropout: 0.1 }),
          precision: { fp16Type, lossScalingFactor: "dynamic", maxGradientNorm: 1 },
          loop: { numSteps: 2 },
          ...changes,
        });
      const { digest } = await gpt({}).fit(sentences());
      for (const threads of [1, 3])
        expect((await gpt({ backend: "wasm", threads }).fit(sentences())).digest, `${threads}`).toBe(digest);
      const train = (await gpt({}).explain(sentences())).find(({ role }) => role === "train")!;
      const whole = plainSchedule(lower(train.graph, { narrow: false }));
      expect(train.plan.values.filter(({ storage }) => storage === fp16Type).length).toBeGreaterThan(20);
      // A third of what a step keeps for its backward pass are operands of products.
      expect(train.schedule.arenaBytes / whole.arenaBytes).toBeLessThan(0.85);
      expect(train.schedule.lowerBoundBytes / whole.lowerBoundBytes).toBeLessThan(0.85);
      checkMemory(train.plan);
    },
  );

  test("enabled is off by itself, on where a type is named, and float16 where none is", async () => {
    const hash = async (precision: Precision) => (await run(precision, { loop: { numSteps: 1 } })).graphHash;
    expect(await hash({ enabled: false, fp16Type: "bfloat16" })).toBe(await hash({}));
    expect(await hash({ enabled: true })).toBe(await hash({ fp16Type: "float16" }));
  });

  test("validation sees the same products; weights stay float32", async () => {
    const model = () => nn.sequential(nn.linear(4, 2));
    const trainer = toyTrainer({ model, precision: { fp16Type: "bfloat16" }, loop: { numSteps: 3 } });
    await trainer.fit(toyTrain());
    const [weight] = await Promise.all(trainer.model.parameters().map((parameter) => parameter.data()));
    expect([...weight].some((value) => narrowing.bfloat16(value) !== value)).toBe(true);
    const plain = toyTrainer({ model: () => trainer.model, optimizer: undefined });
    expect((await plain.validate(toyTest())).loss).not.toBe(
      (await trainer.validate(toyTest(), { ckptPath: null })).loss,
    );
  });
});

describe("a constant loss scale", () => {
  test("that is a power of two changes no bit in float32, and keeps small gradients alive in float16", async () => {
    const of = async (precision: Precision) => {
      const trainer = toyTrainer({
        precision,
        loop: { numSteps: 2 },
        optimizer: (m) => optim.sgd(m.parameters(), { learningRate: 1 }),
      });
      await trainer.fit(toyTrain());
      return [...(await trainer.model.parameters()[0].data())].map(float32Bits);
    };
    expect(await of({ lossScalingFactor: 1024 })).toEqual(await of({}));
    expect(await of({ lossScalingFactor: 2 ** -10 })).toEqual(await of({}));
    // The loss times 2⁻²⁰ has gradients below float16's least number; scaled by 2²⁰ they come back.
    const tiny = async (lossScalingFactor: number) => {
      const trainer = toyTrainer({
        precision: { fp16Type: "float16", lossScalingFactor },
        loss: (outputs, { inputs }) => mse(outputs, inputs.sum({ axis: 1, keepDims: true })).mul(2 ** -24),
        model: () => nn.sequential(nn.linear(4, 1)),
        metrics: {},
        loop: { numSteps: 1 },
        optimizer: (m) => optim.sgd(m.parameters(), { learningRate: 2 ** 24 }),
      });
      await trainer.initialize();
      const before = [...(await trainer.model.parameters()[0].data())];
      await trainer.fit(toyTrain());
      const after = await trainer.model.parameters()[0].data();
      return before.filter((value, i) => value !== after[i]).length;
    };
    expect([await tiny(1), await tiny(2 ** 22)]).toEqual([0, 4]);
  });
});

describe("a dynamic loss scale", () => {
  /** Scale before each step, steps skipped before it, and the first parameter after it. */
  const watching = (rows: { scale: number; skipped: number; weight: number }[]): Callback => ({
    async onTrainStepEnd({ watched, trainer }) {
      const [weight] = await trainer.model.parameters()[0].data();
      rows.push({ scale: await watched.loss_scale.item(), skipped: await watched.skipped_steps.item(), weight });
    },
  });

  test("halves where a gradient overflows, and that step changes no weight; doubles after good steps; counts", async () => {
    const rows: { scale: number; skipped: number; weight: number }[] = [];
    const logged: (number | undefined)[] = [];
    const trainer = toyTrainer({
      precision: { ...dynamic, initialLossScale: 2 ** 20, maxLossScale: 2 ** 20 },
      loop: { numSteps: 12 },
      logging: { logSteps: 1, logLevel: "silent" },
      callbacks: [watching(rows)],
      loggers: [{ logMetrics: ({ loss_scale }) => void logged.push(loss_scale) }],
    });
    await trainer.initialize();
    const [initial] = await trainer.model.parameters()[0].data();
    const seen: number[] = [];
    const { steps } = await trainer.fit(toyTrain());
    expect(steps).toBe(12);
    let good = 0;
    let skippedBefore = 0;
    for (const [i, { scale, skipped, weight }] of rows.entries()) {
      const next = rows[i + 1];
      const before = i === 0 ? initial : rows[i - 1].weight;
      const changed = weight !== before;
      expect(skipped).toBe(skippedBefore);
      if (changed) good++;
      else good = 0;
      skippedBefore += changed ? 0 : 1;
      if (next) expect(next.scale).toBe(changed ? (good === 3 ? Math.min(2 * scale, 2 ** 20) : scale) : scale / 2);
      if (good === 3) good = 0;
      seen.push(changed ? 1 : 0);
    }
    const taken = seen.reduce((sum, each) => sum + each, 0);
    expect([trainer.needOptimizer().steps, taken < 12]).toEqual([taken, true]);
    expect(rows[0].scale).toBe(2 ** 20);
    expect(seen[0]).toBe(0);
    expect(seen).toContain(1);
    expect(new Set(rows.map(({ scale }) => scale)).size).toBeGreaterThan(2);
    expect(logged).toEqual(rows.map(({ scale }) => scale));
  });

  test("is in the checkpoint: stopped at any step and gone on with, one digest", async () => {
    const precision = { ...dynamic, initialLossScale: 2 ** 18 };
    const { digest } = await run(precision);
    for (const at of [1, 2, 4, 7]) {
      const modelDir = `${temporaryFolder()}/run`;
      await run(precision, { modelDir, loop: { numSteps: at } });
      const { tensors } = loadCheckpoint(latestCheckpoint(`${modelDir}/checkpoints`)!);
      expect([...tensors.keys()].filter((name) => name.includes("scaler"))).toHaveLength(3);
      expect((await run(precision, { modelDir })).digest, `step ${at}`).toBe(digest);
    }
    expect((await run({ ...precision, logLossScale: false })).digest).toBe(digest);
  });

  test("together with accumulation", async () => {
    const loop = { numSteps: 4, gradAccumSteps: 3 };
    const digests = new Set<string>();
    for (const backend of ["reference", "wasm"]) digests.add((await run(dynamic, { loop, backend })).digest);
    expect(digests.size).toBe(1);
  });
});

test.each<[NonNullable<Precision>, string]>([
  [{ fp16Type: "float8" as never }, "precision.fp16Type"],
  [{ lossScalingFactor: 3 }, "precision.lossScalingFactor"],
  [{ lossScalingFactor: 0 }, "precision.lossScalingFactor"],
  [{ lossScalingFactor: 2 ** 128 }, "precision.lossScalingFactor"],
  [{ lossScalingFactor: "auto" as never }, "precision.lossScalingFactor"],
  [{ lossScalingFactor: "dynamic", initialLossScale: 2 ** 30 }, "precision.initialLossScale"],
  [{ stepsPerIncrease: 0 }, "precision.stepsPerIncrease"],
])("%j is refused", (precision, where) => {
  try {
    toyTrainer({ precision });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).where).toBe(where);
    return;
  }
  throw new Error("no error");
});
