// Loops of one's own, recorded: one digest wherever they run, stopped and gone on with in the middle of an epoch, verified; and what is refused.
import { cpSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  data,
  losses,
  nn,
  normal,
  optim,
  type RecordOptions,
  type RunRecorder,
  recordRun,
  type Tensor,
  tensor,
  uniform,
  verifyRecordedRun,
} from "../../src/index.ts";
import { latestCheckpoint, loadCheckpoint } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { temporaryFolder } from "../support/folder.ts";

const samples = data.arrayDataset("line", {
  inputs: { data: Float32Array.from({ length: 14 }, (_, i) => i - 7), shape: [14, 1], dtype: "float32" },
});
const loader = data.dataLoader(samples, { batchSize: 4, shuffle: true });

interface Change {
  readonly fail?: number;
  readonly rate?: number;
  readonly steps?: number;
  readonly leave?: number;
}

/** Two networks in turn, state on the host, draws inside and outside of what is compiled, and data. */
const program =
  ({ fail, rate = 0.05, steps = 9, leave }: Change = {}) =>
  async (run: RunRecorder) => {
    const [first, second] = [nn.linear(1, 1), nn.linear(1, 1)];
    const a = optim.adam(first.parameters(), { learningRate: rate });
    const b = optim.sgd(second.parameters(), { learningRate: 0.01, momentum: 0.9 });
    const sums = {
      total: new Float32Array(1),
      save: () => ({ total: { data: sums.total, shape: [1], dtype: "float32" as const } }),
      load: ({ total }: Record<string, { data: ArrayLike<number> }>) => {
        sums.total = Float32Array.from(total.data);
      },
    };
    run.keep({ first, second, a, b, sums });
    const even = run.compile((x: Tensor) => {
      const loss = losses.mse(first.forward(x), x.mul(2).add(normal(x.shape)));
      a.minimize(loss);
      return loss;
    });
    const odd = run.compile((x: Tensor, noise: Tensor) => {
      const loss = losses.mse(second.forward(x.add(noise)), first.forward(x));
      b.minimize(loss);
      return loss;
    });
    for await (const { step, batch } of run.steps(steps, loader)) {
      const noise = await uniform([1]).data();
      const loss = await (step % 2 === 0 ? even(batch.inputs) : odd(batch.inputs, tensor(noise))).then((t) => t.item());
      sums.total[0] += loss;
      if (step === fail) throw new Error("the power went");
      await run.record({ loss, total: sums.total[0] });
      if (step === leave) break;
    }
  };

const record = (options: RecordOptions = {}, change: Change = {}) =>
  recordRun({ seed: 5, ...options }, program(change));

describe("a recorded run", () => {
  test("has one digest on every backend, with a folder or without", async () => {
    const modelDir = temporaryFolder();
    const run = await record({ modelDir });
    expect(run).toMatchObject({ steps: 9, seed: 5n, modelDir, backend: "wasm" });
    expect(run.digest).toMatch(/^[0-9a-f]{64}$/);
    expect((await record({ backend: "reference" })).digest).toBe(run.digest);
    expect((await record({ threads: 2, backend: "wasm" })).digest).toBe(run.digest);
    expect(await record({ threads: 2 })).toMatchObject({ backend: "wasm", threads: 2, digest: run.digest });
    expect((await record({ seed: 6 })).digest).not.toBe(run.digest);
    expect(readManifest(`${modelDir}/manifest.json`)).toMatchObject({
      status: "finished",
      seed: "5",
      data: samples.digests,
      graphs: { train: run.graphHash },
      result: { digest: run.digest, steps: 9, metrics: run.numbers },
      hyperparameters: { "a/groups/0/learningRate": { value: 0.05 } },
    });
  });

  test("goes on after it failed, from any checkpoint, to the same digest", async () => {
    const { digest } = await record();
    for (const fail of [1, 4, 6, 8]) {
      const modelDir = temporaryFolder();
      await expect(record({ modelDir, checkpointSteps: 2 }, { fail })).rejects.toThrow("the power went");
      expect((await record({ modelDir, checkpointSteps: 2 })).digest, `failed in step ${fail}`).toBe(digest);
    }
  });

  test("that is finished gives its digest again, and can be made longer", async () => {
    const modelDir = temporaryFolder();
    const { digest } = await record({ modelDir });
    expect((await record({ modelDir })).digest).toBe(digest);
    expect((await record({ modelDir }, { steps: 12 })).digest).toBe((await record({}, { steps: 12 })).digest);
  });

  test("whose loop leaves its steps early ends there", async () => {
    const modelDir = temporaryFolder();
    const run = await record({ modelDir }, { leave: 3 });
    expect(run.steps).toBe(3);
    expect(run.digest).toBe((await record({}, { steps: 3 })).digest);
    expect((await verifyRecordedRun(modelDir, program({ leave: 3 }))).verdict).toBe("same");
  });

  test("that leaves its steps between checkpoints has the digest of its own end, and of no earlier checkpoint", async () => {
    const at = async (steps: number, checkpointSteps?: number) => {
      let left = steps;
      return recordRun({ seed: 5, checkpointSteps }, async (run) => {
        const model = nn.linear(1, 1);
        const optimizer = optim.sgd(model.parameters(), { learningRate: 0.1 });
        run.keep({ model, optimizer });
        const step = run.compile((x: Tensor) => {
          const loss = losses.mse(model.forward(x), x.mul(2));
          optimizer.minimize(loss);
          return loss;
        });
        for await (const { batch } of run.steps(9, loader)) {
          if (left-- === 0) break;
          await run.record({ loss: await step(batch.inputs) });
        }
      });
    };
    expect((await at(3, 2)).digest).toBe((await at(3)).digest);
  });

  test("has its digest before what the loop does after its steps, when it is finished again too", async () => {
    const modelDir = temporaryFolder();
    const loop = async (run: RunRecorder) => {
      const model = nn.linear(1, 1);
      run.keep({ model });
      for await (const _ of run.steps(2)) await run.record({ loss: 1 });
      for (const parameter of model.parameters()) parameter.assign(parameter.add(1));
    };
    const { digest } = await recordRun({ seed: 5, modelDir }, loop);
    expect((await recordRun({ seed: 5, modelDir }, loop)).digest).toBe(digest);
  });

  test("that failed before its first checkpoint goes on with the seed that it drew", async () => {
    const modelDir = temporaryFolder();
    await expect(recordRun({ modelDir }, program({ fail: 2 }))).rejects.toThrow("the power went");
    const { seed } = readManifest(`${modelDir}/manifest.json`);
    expect((await recordRun({ modelDir }, program())).seed).toBe(BigInt(seed));
  });

  test("without a seed draws one, which the folder keeps", async () => {
    const modelDir = temporaryFolder();
    const { seed, digest } = await recordRun({ modelDir }, program());
    expect((await record({ seed })).digest).toBe(digest);
    expect((await recordRun({ modelDir }, program())).seed).toBe(seed);
  });
});

describe("verifyRecordedRun", () => {
  test("runs it again: whole, from a checkpoint, some steps, on another backend", async () => {
    const modelDir = temporaryFolder();
    const { digest } = await record({ modelDir, checkpointSteps: 4 });
    const found = await verifyRecordedRun(modelDir, program(), { backend: "reference" });
    expect(found).toMatchObject({
      verdict: "same",
      equal: true,
      digest,
      expected: digest,
      steps: 9,
      backend: "reference",
    });
    expect(found.checks.map(({ what }) => what)).toEqual([
      "checkpoints/checkpoint_4.safetensors",
      "checkpoints/checkpoint_8.safetensors",
      "checkpoints/checkpoint_9.safetensors",
      "program",
      "chain.bin",
      "result: steps",
      "result: digest",
    ]);
    expect(await verifyRecordedRun(modelDir, program(), { from: 4 })).toMatchObject({
      verdict: "same",
      from: 4,
      steps: 5,
    });
    expect(await verifyRecordedRun(modelDir, program(), { steps: 3 })).toMatchObject({ verdict: "same", steps: 3 });
    expect(await verifyRecordedRun(modelDir, program(), { against: "0".repeat(64) })).toMatchObject({
      verdict: "different",
    });
  });

  test("names the first step that differs, and what in it", async () => {
    const modelDir = temporaryFolder();
    await record({ modelDir });
    const found = await verifyRecordedRun(modelDir, program({ rate: 0.06 }));
    expect(found).toMatchObject({ verdict: "different", equal: false, firstDifference: 2, steps: 2 });
    expect(found.difference).toMatch(/^stepSize\/0 0\.6.*, recorded stepSize\/0 0\.5 /);
  });

  test("finds a checkpoint whose state is another run's", async () => {
    const [mine, other] = [temporaryFolder(), temporaryFolder()];
    await record({ modelDir: mine, checkpointSteps: 4 });
    await record({ modelDir: other, checkpointSteps: 4 }, { rate: 0.06 });
    cpSync(`${other}/checkpoints/checkpoint_4.safetensors`, `${mine}/checkpoints/checkpoint_4.safetensors`);
    const found = await verifyRecordedRun(mine, program());
    expect(found).toMatchObject({ verdict: "different" });
    expect(found.difference).toMatch(/checkpoint_4.*chain/);
  });
});

describe("is refused", () => {
  const refused = (loop: (run: RunRecorder) => Promise<unknown>, message: RegExp, options: RecordOptions = {}) =>
    expect(recordRun({ seed: 1, ...options }, loop)).rejects.toThrow(message);
  const kept = (run: RunRecorder) => run.keep({ model: nn.linear(1, 1) });

  test("a loop that keeps nothing, makes no step, records nothing or no loss, or walks twice", async () => {
    await refused(async (run) => void run.steps(1), /nothing is kept/);
    await refused(async (run) => kept(run), /the loop made no step/);
    await refused(async (run) => {
      kept(run);
      for await (const _ of run.steps(1));
    }, /step 1: it ended and recorded nothing/);
    await refused(async (run) => {
      kept(run);
      for await (const _ of run.steps(1)) await run.record({ reward: 1 });
    }, /a step's numbers need a loss/);
    await refused(async (run) => {
      kept(run);
      run.steps(1);
      run.steps(1);
    }, /one walk of steps/);
    await refused(async (run) => {
      kept(run);
      kept(run);
    }, /kept already: got model/);
    await refused(async (run) => run.keep({ model: 3 as never }), /models, optimizers/);
  });

  test("options that are none, and a second recording beside the first", async () => {
    await refused(async () => {}, /checkpointStep/, { checkpointStep: 3 } as never);
    await refused(async () => {}, /seed/, { seed: -1 });
    await refused(async () => void (await record()), /another run is being recorded/);
    // The one that failed gave the place back.
    expect((await record()).steps).toBe(9);
  });

  test("a folder of another seed, data or numbers; and a loop that is shorter than its checkpoint, or has other state", async () => {
    const modelDir = temporaryFolder();
    await record({ modelDir });
    await expect(record({ modelDir, seed: 6 })).rejects.toThrow(/another seed: got 5, expected 6/);
    await expect(record({ modelDir }, { steps: 4 })).rejects.toThrow(/a later step than the run's last: got step 9/);
    await expect(record({ modelDir }, { rate: 0.06, steps: 12 })).rejects.toThrow(/another a\/groups\/0\/learningRate/);
    const none = temporaryFolder();
    const keeping = (model: nn.Linear) => async (run: RunRecorder) => {
      run.keep({ model });
      for await (const _ of run.steps(1)) await run.record({ loss: 1 });
    };
    await recordRun({ seed: 5, modelDir: none }, keeping(nn.linear(1, 1)));
    await expect(recordRun({ seed: 5, modelDir: none }, keeping(nn.linear(2, 1)))).rejects.toThrow(
      /its tensors aren't the model's/,
    );
    const elsewhere = data.dataLoader(
      data.arrayDataset("line", { inputs: { data: new Float32Array(14), shape: [14, 1], dtype: "float32" } }),
      { batchSize: 4 },
    );
    await expect(
      recordRun({ seed: 5, modelDir }, async (run) => {
        run.keep({ model: nn.linear(1, 1) });
        for await (const _ of run.steps(1, elsewhere)) await run.record({ loss: 1 });
      }),
    ).rejects.toThrow(/another data line/);
  });

  test("what a checkpoint says of optimizers is whole counts", async () => {
    const modelDir = temporaryFolder();
    await record({ modelDir, checkpointSteps: 2 });
    expect(readdirSync(`${modelDir}/checkpoints`).length).toBe(6);
    const { state } = loadCheckpoint(latestCheckpoint(`${modelDir}/checkpoints`)!);
    expect(state.optimizers).toEqual({ a: 4, b: 5 });
    expect(state.loader).toMatchObject({ epoch: 3, cursor: 0 });
  });
});
