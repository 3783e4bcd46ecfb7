// Buffers in training: what a model assigns in its forward pass is state of the compiled step, of its digest, checkpoints, resumption and replay;
// looking (validation, prediction) leaves it alone.
import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { latestCheckpoint, loadCheckpoint } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { ExponentialMovingAverage } from "../../src/train/callbacks/index.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { toyOptions, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const { nn, optim } = sg;

const model = () =>
  nn.sequential(
    nn.spectralNorm(nn.linear(4, 8)),
    nn.batchNorm1d(8),
    nn.relu(),
    nn.dropout(0.2),
    nn.weightNorm(nn.linear(8, 2)),
  );
const options = (changes: Partial<TrainerOptions> = {}) => ({ model, loop: { numSteps: 6 }, ...changes });
const buffers = async (trainer: sg.Trainer) => {
  const named = trainer.model.namedVariables().filter(([name]) => name.startsWith("buffer/"));
  return Object.fromEntries(await Promise.all(named.map(async ([name, buffer]) => [name, [...(await buffer.data())]])));
};
const names = ["buffer/0.left", "buffer/0.right", "buffer/1.runningMean", "buffer/1.runningVariance"];

describe("buffers", () => {
  test("a fit moves them, validation and prediction don't; the digest is the same on every backend", async () => {
    const digests = new Set<string>();
    for (const backend of ["reference", "wasm"]) {
      const trainer = toyTrainer(options({ backend }));
      await trainer.initialize();
      const before = await buffers(trainer);
      expect(Object.keys(before)).toEqual(names);
      digests.add((await trainer.fit(toyTrain(), toyTest())).digest);
      const after = await buffers(trainer);
      for (const name of names) expect(after[name]).not.toEqual(before[name]);
      await trainer.validate(toyTest());
      for await (const _ of trainer.predict(toyTest()));
      expect(await buffers(trainer)).toEqual(after);
    }
    expect(digests.size).toBe(1);
    expect(await toyTrainer(options()).fit(toyTrain())).toHaveProperty("digest", [...digests][0]);
  });

  test("they are in checkpoints, and a resumed run has the digest of one that wasn't", async () => {
    const [whole, again] = await resumed(toyOptions({ model }), toyTrain);
    expect(again).toBe(whole);
    const modelDir = temporaryFolder();
    const trainer = toyTrainer(options({ modelDir, checkpoint: { steps: 3 } }));
    await trainer.fit(toyTrain());
    const latest = latestCheckpoint(`${modelDir}/checkpoints`)!;
    const { tensors } = loadCheckpoint(latest);
    const saved = names.map((name) => [name, [...tensors.get(name)!.data]]);
    expect(Object.fromEntries(saved)).toEqual(await buffers(trainer));
  });

  test("a run replays to the same digest, from a checkpoint too", async () => {
    const modelDir = `${temporaryFolder()}/run`;
    const { digest } = await toyTrainer(options({ modelDir, checkpoint: { steps: 2 } })).fit(toyTrain());
    const rebuild = (changes: Partial<TrainerOptions>) => ({
      trainer: toyTrainer(options(changes)),
      train: toyTrain(),
    });
    expect(readManifest(`${modelDir}/manifest.json`).result!.digest).toBe(digest);
    expect(await verifyRun(modelDir, { rebuild, backend: "wasm" })).toMatchObject({ equal: true, digest });
    expect(await verifyRun(modelDir, { rebuild, from: 2 })).toMatchObject({ equal: true });
  });

  test("micro-batches move them one after another, and averages of weights and 16-bit products go with them", async () => {
    const loop = { numSteps: 3, gradAccumSteps: 2 };
    const run = (changes: Partial<TrainerOptions>) => toyTrainer(options({ loop, ...changes }));
    const averaging = { callbacks: [new ExponentialMovingAverage({ decay: 0.5 })] };
    const { digest } = await run(averaging).fit(toyTrain(), toyTest());
    expect((await run({}).fit(toyTrain())).digest).toBe(digest);
    const small = nn.sequential(nn.batchNorm1d(4, { momentum: 0.5 }), nn.linear(4, 2));
    const trainer = run({ model: () => small, optimizer: (m) => optim.sgd(m.parameters(), { learningRate: 0 }), loop });
    const batches: Float32Array[] = [];
    await trainer.fit(toyTrain({ shuffle: false, dropLast: true }));
    for await (const { tensors } of toyTrain({ shuffle: false, dropLast: true }).batches({ seed: 7n, offset: 0 }, 0))
      batches.push(tensors.inputs.data as Float32Array);
    let mean = 0;
    for (const i of [0, 1, 2, 3, 0, 1]) {
      let sum = 0;
      for (let row = 0; row < 16; row++) sum = Math.fround(sum + batches[i][4 * row]);
      mean = Math.fround(Math.fround(mean * 0.5) + Math.fround(Math.fround(sum / 16) * 0.5));
    }
    expect((await buffers(trainer))["buffer/0.runningMean"][0]).toBe(mean);
    const narrow = { fp16Type: "bfloat16" } as const;
    const [first, second] = [run({ precision: narrow }), run({ precision: narrow, backend: "wasm" })];
    expect((await first.fit(toyTrain())).digest).toBe((await second.fit(toyTrain())).digest);
  });

  test("saved and loaded weights have them", async () => {
    const trainer = toyTrainer(options());
    await trainer.fit(toyTrain());
    const path = `${temporaryFolder()}/weights.safetensors`;
    await nn.save(trainer.model, path);
    sg.manualSeed(3);
    const loaded = nn.load(model(), path).eval();
    const x = sg.normal([5, 4]);
    trainer.model.eval();
    const [ours, theirs] = [loaded.forward(x), trainer.model.forward(x) as sg.Tensor];
    expect(await ours.data()).toEqual(await theirs.data());
  });

  test("an own loop, compiled or not, moves them; the gradient doesn't see it", async () => {
    const ends: number[][] = [];
    for (const compiled of [true, false]) {
      sg.manualSeed(5);
      const own = nn.sequential(nn.linear(4, 6), nn.batchNorm1d(6), nn.linear(6, 1));
      const optimizer = optim.sgd(own.parameters(), { learningRate: 0.1 });
      const step = (x: sg.Tensor) => {
        const loss = own
          .forward(x)
          .sub(x.sum({ axis: 1, keepDims: true }))
          .abs()
          .mean();
        optimizer.minimize(loss);
        return loss;
      };
      const run = compiled ? sg.compile(step, { state: [own, optimizer] }) : async (x: sg.Tensor) => step(x);
      const losses: number[] = [];
      for (let i = 0; i < 4; i++) losses.push(await (await run(sg.normal([8, 4]))).item());
      own.eval();
      const [mean] = [own.namedVariables().find(([name]) => name === "buffer/1.runningMean")![1]];
      ends.push([...losses, ...(await mean.data()), ...(await own.forward(sg.ones([2, 4])).data())]);
    }
    expect(ends[0]).toEqual(ends[1]);
  });

  test("a compiled step that doesn't list its model says so", async () => {
    const layer = nn.batchNorm1d(3, { affine: false });
    await expect(async () => sg.compile((x: sg.Tensor) => layer.forward(x))(sg.ones([4, 3]))).rejects.toThrow(
      /a variable is used that isn't in the compiled function's state/,
    );
  });
});
