// What is done with weights after training: prediction, validation of every checkpoint, several validation loaders.
import { describe, expect, test } from "vitest";
import { float32Bits } from "../../src/core/canonical.ts";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import { globFiles } from "../../src/io/glob.ts";
import * as nn from "../../src/nn/index.ts";
import { listCheckpoints } from "../../src/run/checkpoint.ts";
import { tensor } from "../../src/tensor/functions.ts";
import type { Metrics } from "../../src/train/run.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const bare = (rows: number) =>
  dataLoader(
    arrayDataset("bare", {
      inputs: {
        data: Float32Array.from({ length: rows * 4 }, (_, i) => (i % 9) / 9 - 0.4),
        shape: [rows, 4],
        dtype: "float32",
      },
    }),
    { batchSize: 4 },
  );

describe("predict", () => {
  test("the model's outputs in the loader's order, without targets; nothing is moved", async () => {
    const trainer = toyTrainer({ loop: { numSteps: 3 } });
    await trainer.fit(toyTrain());
    const { position } = trainer.stream;
    const rows: number[] = [];
    const sizes: number[] = [];
    for await (const { outputs, batch } of trainer.predict(bare(10), { ckptPath: null })) {
      sizes.push(batch.indices.length);
      expect(outputs.shape).toEqual([batch.indices.length, 2]);
      rows.push(...outputs.data);
    }
    expect(sizes).toEqual([4, 4, 2]);
    const [batch] = bare(10).batches({ seed: 0n, offset: 0 }, 1) as Iterable<{
      tensors: Record<string, { data: Float32Array }>;
    }>;
    trainer.model.eval();
    const direct = (trainer.model as nn.Sequential).forward(tensor(batch.tensors.inputs.data, { shape: [4, 4] }));
    expect(rows.slice(8, 16).map(float32Bits)).toEqual(
      [...(await (direct as ReturnType<typeof tensor>).data())].map(float32Bits),
    );
    trainer.model.train();
    expect(trainer.stream.position).toBe(position);
  });

  test("with a checkpoint's weights, by a Trainer that has no optimizer", async () => {
    const modelDir = `${temporaryFolder()}/run`;
    const trained = toyTrainer({ modelDir, checkpoint: { steps: 2 }, loop: { numSteps: 4 } });
    await trained.fit(toyTrain());
    const first = async (ckptPath: string | null, from = toyTrainer({ modelDir, optimizer: undefined })) => {
      for await (const { outputs } of from.predict(bare(4), { ckptPath })) return [...outputs.data];
      throw new Error("nothing");
    };
    const at = (step: number) => `${modelDir}/checkpoints/checkpoint_${step}.safetensors`;
    expect(await first(at(4))).toEqual(await first(null, trained));
    expect(await first(at(2))).not.toEqual(await first(at(4)));
  });

  test("a model that returns its loss alone has nothing to predict", async () => {
    class Own extends nn.Module {
      readonly layer = nn.linear(4, 2);
      override forward(inputs: Parameters<nn.Linear["forward"]>[0]) {
        return this.layer.forward(inputs).mean();
      }
    }
    const trainer = toyTrainer({ model: () => new Own(), loss: undefined, metrics: {} });
    await expect(trainer.predict(bare(4)).next()).rejects.toThrow(ConfigError);
  });
});

describe("validation of many", () => {
  test("every checkpoint, by step: of the folder, of paths, of a pattern", async () => {
    const modelDir = `${temporaryFolder()}/run`;
    const trainer = toyTrainer({ modelDir, checkpoint: { steps: 5 }, loop: { numSteps: 11, evalFrequency: 5 } });
    await trainer.fit(toyTrain(), toyTest());
    const all = await toyTrainer({ modelDir, optimizer: undefined }).validateAll(toyTest());
    expect(all.map(({ step }) => step)).toEqual([5, 10, 11]);
    for (const { ckptPath, metrics } of all)
      expect(await toyTrainer({ optimizer: undefined }).validate(toyTest(), { ckptPath })).toEqual(metrics);
    expect(new Set(all.map(({ metrics }) => metrics.loss)).size).toBe(3);
    const other = toyTrainer({ optimizer: undefined });
    const pattern = `${modelDir}/checkpoints/checkpoint_1?.safetensors`;
    expect((await other.validateAll([toyTest()], pattern)).map(({ step }) => step)).toEqual([10, 11]);
    expect((await other.validateAll(toyTest(), [all[1].ckptPath])).map(({ step }) => step)).toEqual([10]);
    const reversed = all.map(({ ckptPath }) => ckptPath).reverse();
    expect(await other.validateAll(toyTest(), reversed)).toEqual(all);
    await expect(other.validateAll(toyTest())).rejects.toThrow(CheckpointError);
    await expect(other.validateAll(toyTest(), `${modelDir}/none*`)).rejects.toThrow(/there are no checkpoints/);
    expect(listCheckpoints(`${modelDir}/checkpoints`)).toHaveLength(3);
  });

  test("fit with several loaders: the first has hooks, the others' numbers carry their names; no bit changes", async () => {
    const { digest } = await toyTrainer().fit(toyTrain());
    const hooked: Metrics[] = [];
    const logged = new Set<string>();
    const trainer = toyTrainer({
      loop: { numEpochs: 3, evalFrequency: "epoch" },
      callbacks: [{ onValidateEnd: (_, metrics) => void hooked.push(metrics) }],
      loggers: [{ logMetrics: (metrics) => void Object.keys(metrics).map((name) => logged.add(name)) }],
    });
    const run = await trainer.fit(toyTrain(), [
      toyTest(),
      toyTrain({ shuffle: false }),
      { ...toyTest(), name: "other" },
    ]);
    expect(run.digest).toBe(digest);
    expect(Object.keys(run.metrics)).toEqual([
      "loss",
      "accuracy",
      "toy#2/loss",
      "toy#2/accuracy",
      "other/loss",
      "other/accuracy",
    ]);
    expect(run.metrics["other/loss"]).toBe(run.metrics.loss);
    expect(hooked).toHaveLength(3);
    expect(logged).toContain("val_other/accuracy");
  });
});

test.each([
  ["runs/[ab]/*.safetensors", true],
  ["runs/**/x.safetensors", true],
  ["runs/{a,b}/x.safetensors", true],
  ["runs/*/x?.safetensors", false],
])(
  "validateAll on %s, which names nothing: which wildcards there are, where it has others",
  async (pattern, others) => {
    const none = toyTrainer().validateAll(toyTest(), pattern);
    await expect(none).rejects.toThrow(ConfigError);
    await expect(none).rejects.toThrow(`there are no checkpoints: got ${pattern}\nHint: give paths, or a pattern`);
    const told = await none.catch(({ hint }) => hint as string);
    expect(/wildcards are \* .* and \? .*none are \[ \], \{ \}, \*\*$/.test(String(told))).toBe(others);
  },
);

test("globFiles", async () => {
  const folder = temporaryFolder();
  const { mkdirSync, writeFileSync } = await import("node:fs");
  for (const name of ["a", "b", ".hidden"]) {
    mkdirSync(`${folder}/${name}/in`, { recursive: true });
    writeFileSync(`${folder}/${name}/in/x1.txt`, "");
  }
  writeFileSync(`${folder}/b/in/x2.txt`, "");
  expect(globFiles(`${folder}/*/in/x?.txt`)).toEqual(
    ["a/in/x1.txt", "b/in/x1.txt", "b/in/x2.txt"].map((name) => `${folder}/${name}`),
  );
  expect(globFiles(`${folder}/b/in/x2.txt`)).toEqual([`${folder}/b/in/x2.txt`]);
  expect(globFiles(`${folder}/b/in/x1.txt/*`)).toEqual([]);
  expect(globFiles(`${folder}/none/*`)).toEqual([]);
  // What is no wildcard stands for itself.
  writeFileSync(`${folder}/a/in/[x]{1}.txt`, "");
  expect(globFiles(`${folder}/a/in/[x]{*}.txt`)).toEqual([`${folder}/a/in/[x]{1}.txt`]);
});
