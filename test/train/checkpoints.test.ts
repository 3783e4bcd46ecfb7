// Which checkpoints a run keeps, and what of them another run may begin with.
import { spawnSync } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { latestCheckpoint, listCheckpoints, loadCheckpoint } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { LoadCheckpointStates } from "../../src/train/callbacks/load-checkpoint-states.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";
import { toyModel, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const folder = () => `${temporaryFolder()}/run`;
const checkpoints = (modelDir: string) => listCheckpoints(`${modelDir}/checkpoints`);

describe("the best by a metric", () => {
  const options = (modelDir: string, changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
    modelDir,
    loop: { numEpochs: 3, evalFrequency: 1 },
    checkpoint: { keepBest: { metric: "loss", mode: "min", k: 2 } },
    optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 3, momentum: 0.9 }),
    ...changes,
  });

  test("are kept, with the last; watching them changes no bit, and each holds the weights it was chosen for", async () => {
    const losses = new Map<number, number>();
    const seen = {
      onValidateEnd: ({ step }: { step: number }, { loss }: { loss: number }) => void losses.set(step, loss),
    };
    const modelDir = folder();
    const run = await toyTrainer(options(modelDir, { callbacks: [seen as never] })).fit(toyTrain(), toyTest());
    const best = [...losses]
      .sort((a, b) => a[1] - b[1] || a[0] - b[0])
      .slice(0, 2)
      .map(([step]) => step);
    const entries = checkpoints(modelDir);
    expect(entries.map(({ step }) => step)).toEqual([...new Set([...best, 12])].sort((a, b) => a - b));
    expect(best).not.toContain(12);
    for (const { file, step, metrics } of entries) {
      const ckptPath = `${modelDir}/checkpoints/${file}`;
      expect(metrics!.loss).toBe(losses.get(step));
      expect((await toyTrainer({ optimizer: undefined }).validate(toyTest(), { ckptPath })).loss).toBe(
        losses.get(step),
      );
    }
    const { digest } = await toyTrainer(options(folder(), { checkpoint: null })).fit(toyTrain());
    expect(run.digest).toBe(digest);
  });

  test("a metric that isn't there, and no validation", async () => {
    const begin = (changes: Partial<TrainerOptions>, validation = true) =>
      toyTrainer(options(folder(), changes)).fit(toyTrain(), validation ? toyTest() : undefined);
    await expect(begin({ checkpoint: { keepBest: { metric: "recall" } } })).rejects.toThrow(
      /no such number: got recall, expected one of loss, accuracy/,
    );
    await expect(begin({ loop: { numEpochs: 1 } })).rejects.toThrow(ConfigError);
    await expect(begin({}, false)).rejects.toThrow(/no validation to choose by: got no validation data/);
  });
});

describe("a run that begins with another's weights", () => {
  const base = async () => {
    const modelDir = folder();
    await toyTrainer({ modelDir, seed: 5, checkpoint: { steps: 4 } }).fit(toyTrain());
    return `${modelDir}/checkpoints/checkpoint_4.safetensors`;
  };

  test("nn.load in the callable: the file's SHA-256 is in manifest and chain; resume is exact without the file's folder mattering", async () => {
    const path = await base();
    const model = (file: string) => () => nn.load(toyModel(), file);
    const modelDir = folder();
    const run = await toyTrainer({ modelDir, model: model(path), checkpoint: { steps: 5 } }).fit(toyTrain());
    expect(Object.keys(readManifest(`${modelDir}/manifest.json`).data)).toContain("weights/checkpoint_4.safetensors");
    expect(run.digest).not.toBe((await toyTrainer().fit(toyTrain())).digest);
    const elsewhere = `${temporaryFolder()}/checkpoint_4.safetensors`;
    renameSync(path, elsewhere);
    const again = toyTrainer({ modelDir: folder(), model: model(elsewhere) });
    expect((await again.fit(toyTrain())).digest).toBe(run.digest);
    const ckptPath = `${modelDir}/checkpoints/checkpoint_5.safetensors`;
    const resumed = toyTrainer({ modelDir, model: model(elsewhere) });
    expect((await resumed.fit(toyTrain(), undefined, { ckptPath })).digest).toBe(run.digest);
    const without = toyTrainer({ modelDir, model: toyModel });
    await expect(without.fit(toyTrain(), undefined, { ckptPath: null })).rejects.toThrow(/another data weights/);
  });

  test("LoadCheckpointStates: the model, or the optimizer with its count too", async () => {
    const path = await base();
    const loaded = loadCheckpoint(path);
    const states = { model: ["model"], both: ["model", "optimizer"] } as const;
    const digests: string[] = [];
    for (const chosen of Object.values(states)) {
      const callbacks = () => [new LoadCheckpointStates({ path, states: chosen })];
      const trainer = toyTrainer({ callbacks: callbacks() });
      for (const [name, variable] of trainer.variables()) {
        const same = name.startsWith("parameter/") || chosen.length === 2;
        const data = await variable.data();
        if (same) expect([...data]).toEqual([...loaded.tensors.get(name)!.data]);
        else expect([...data].every((value) => value === 0)).toBe(true);
      }
      expect([trainer.step, trainer.optimizer!.steps]).toEqual([0, chosen.length === 2 ? 4 : 0]);
      const whole = await trainer.fit(toyTrain());
      const modelDir = folder();
      await toyTrainer({ modelDir, callbacks: callbacks(), loop: { numSteps: 5 } }).fit(toyTrain());
      const resumed = await toyTrainer({ modelDir, callbacks: callbacks() }).fit(toyTrain());
      expect(resumed.digest).toBe(whole.digest);
      digests.push(whole.digest);
    }
    expect(new Set(digests).size).toBe(2);
  });

  test("what is refused", async () => {
    const path = await base();
    const other = () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.dropout(0.2), nn.linear(8, 3));
    const begin = (options: object, model = toyModel) =>
      toyTrainer({ model, callbacks: [new LoadCheckpointStates({ path, ...options })] });
    expect(() => begin({}, other)).toThrow(
      /LoadCheckpointStates\.postSetup: .*3\.weight is float32\[2, 8\], not float32\[3, 8\]/,
    );
    expect(() => begin({ strict: false }, other)).not.toThrow();
    expect(() => begin({ path: "no/such" })).toThrow(CheckpointError);
    expect(() =>
      toyTrainer({ optimizer: undefined, callbacks: [new LoadCheckpointStates({ path, states: ["optimizer"] })] }),
    ).toThrow(/there is no optimizer/);
  });

  test("not strict: validation takes the weights that fit, and says what doesn't", async () => {
    const path = await base();
    const messages: string[] = [];
    const other = () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.dropout(0.2), nn.linear(8, 2, { bias: false }));
    const options = (strict: boolean): Partial<TrainerOptions> => ({
      modelDir: folder(),
      model: other,
      checkpoint: { strict },
      logging: { logLevel: "warn" },
      loggers: [{ logMessage: (_, text) => void messages.push(text) }],
    });
    await expect(toyTrainer(options(true)).validate(toyTest(), { ckptPath: path })).rejects.toThrow(
      /unknown .*parameter\/3\.bias/,
    );
    await toyTrainer(options(false)).validate(toyTest(), { ckptPath: path });
    expect(messages.at(-1)).toMatch(/not all of it fits.*parameter\/3\.bias/);
  });
});

test("a run's checkpoint opens in a reader written from the format's description, in another language", async () => {
  const modelDir = folder();
  await toyTrainer({ modelDir, loop: { numSteps: 2 } }).fit(toyTrain());
  const path = latestCheckpoint(`${modelDir}/checkpoints`)!;
  expect(existsSync(path)).toBe(true);
  const { error, stdout, stderr, status } = spawnSync("python3", [`${root}test/support/read_safetensors.py`, path], {
    encoding: "utf8",
  });
  if (error) return;
  expect(status, stderr).toBe(0);
  const read = JSON.parse(stdout);
  const { tensors, state } = loadCheckpoint(path);
  expect(JSON.parse(read.metadata.seedgrad)).toEqual(state);
  for (const [name, { data, shape }] of tensors)
    expect(read.tensors[name]).toEqual({ dtype: "F32", shape, elements: [...new Uint32Array(data.buffer)] });
});
