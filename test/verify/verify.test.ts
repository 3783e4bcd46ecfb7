// A run replayed from its folder: equal, or the first step that differs and what; and what can't be replayed is refused.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as optim from "../../src/optim/index.ts";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import { type Manifest, readManifest, writeManifest } from "../../src/run/manifest.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { diffRuns } from "../../src/verify/diff.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toySamples, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const loop = { numSteps: 6 };
const rebuild = (changes: Partial<TrainerOptions>) => ({
  trainer: toyTrainer({ loop, ...changes }),
  train: toyTrain(),
});

async function finished(changes: Partial<TrainerOptions> = {}): Promise<string> {
  const modelDir = `${temporaryFolder()}/run`;
  await toyTrainer({ modelDir, loop, ...changes }).fit(toyTrain());
  return modelDir;
}

function edit(folder: string, change: Partial<Manifest>): void {
  const path = `${folder}/manifest.json`;
  writeManifest(path, { ...readManifest(path), ...change });
}

const filesOf = (folder: string) =>
  (readdirSync(folder, { recursive: true }) as string[])
    .sort()
    .map((file) => [file, /\.\w+$/.test(file) ? readFileSync(`${folder}/${file}`, "hex") : ""]);

describe("a run replayed", () => {
  test("equal, on another backend too; the folder is as it was", async () => {
    const folder = await finished();
    const before = filesOf(folder);
    const { digest } = readManifest(`${folder}/manifest.json`).result!;
    for (const backend of ["reference", "wasm"]) {
      expect(await verifyRun(folder, { rebuild, backend })).toEqual({
        verdict: "same",
        equal: true,
        checks: expect.any(Array),
        digest,
        expected: digest,
        from: 0,
        steps: 6,
        backend,
        threads: 1,
        vectorWidth: backend === "wasm" ? 4 : 1,
      });
    }
    expect(filesOf(folder)).toEqual(before);
  });

  test("a run whose seed was drawn, and one that is marked", async () => {
    const drawn = await finished({ seed: undefined });
    expect(readManifest(`${drawn}/manifest.json`).seedGiven).toBe(false);
    expect((await verifyRun(drawn, { rebuild })).equal).toBe(true);
    const marked = await verifyRun(await finished({ deterministic: "warn" }), { rebuild });
    expect(marked.equal).toBe(true);
    expect(marked.digest).toMatch(/^warn:/);
  });

  test("another program: the first step, and the graphs", async () => {
    const found = await verifyRun(await finished(), {
      rebuild: (changes) => ({
        trainer: toyTrainer({ loop, precision: { maxGradientNorm: 0.1 }, ...changes }),
        train: toyTrain(),
      }),
    });
    expect(found).toMatchObject({ equal: false, firstDifference: 1, steps: 1 });
    expect(found.digest).toBeUndefined();
    expect(found.difference).toMatch(
      /^graph \w{16}, recorded graph \w{16}; the program is another: graph \w{64}, recorded \w{64}$/,
    );
  });

  test("another learning rate from step 4 on shows at step 4, by its name", async () => {
    const schedulers = (step: number) => (step < 3 ? 0.01 : 0.02);
    const scheduled = (schedule: (step: number) => number) => Object.assign(schedule, { totalIters: 6 });
    const folder = await finished({ schedulers: scheduled(() => 0.01) });
    const found = await verifyRun(folder, {
      rebuild: (changes) => ({
        trainer: toyTrainer({ loop, schedulers: scheduled(schedulers), ...changes }),
        train: toyTrain(),
      }),
    });
    expect(found).toMatchObject({ equal: false, firstDifference: 4 });
    expect(found.difference).toMatch(
      /^groups\/0\/learningRate 0\.0199\S* \(3ca3d70a\), .*, recorded groups\/0\/learningRate 0\.0099\S* \(3c23d70a\), /,
    );
  });

  test("other final tensors: equal links, another digest", async () => {
    const folder = await finished();
    const { result } = readManifest(`${folder}/manifest.json`);
    edit(folder, { result: { ...result!, digest: "12".repeat(32) } });
    const found = await verifyRun(folder, { rebuild });
    expect(found.firstDifference).toBeUndefined();
    expect(found).toMatchObject({
      equal: false,
      difference: "the final tensors, or the digest in the manifest",
      steps: 6,
    });
  });

  test("a program that is shorter, or longer, than the run", async () => {
    const folder = await finished();
    const length = (numSteps: number) => (changes: Partial<TrainerOptions>) => ({
      trainer: toyTrainer({ loop: { numSteps }, ...changes }),
      train: toyTrain(),
    });
    expect(await verifyRun(folder, { rebuild: length(4) })).toMatchObject({
      equal: false,
      difference: "the replay ends at step 4, the run at step 6",
    });
    expect(await verifyRun(folder, { rebuild: length(7) })).toMatchObject({
      equal: false,
      firstDifference: 7,
      difference: "step 7, recorded no such step",
    });
  });
});

describe("a part of a run", () => {
  test("from every step that has a checkpoint, to the end or for some steps; on another backend", async () => {
    const folder = await finished({ checkpoint: { steps: 1, saveInitialCheckpoint: true } });
    const { digest } = readManifest(`${folder}/manifest.json`).result!;
    for (let from = 0; from <= 6; from++) {
      const whole = await verifyRun(folder, { rebuild, from, backend: from % 2 ? "wasm" : "reference" });
      expect(whole).toMatchObject({ equal: true, digest, expected: digest, from, steps: 6 - from });
      for (let steps = 1; steps < 6 - from; steps++) {
        const part = await verifyRun(folder, { rebuild, from, steps });
        expect(part).toMatchObject({ equal: true, from, steps, backend: "reference", threads: 1 });
      }
      const more = await verifyRun(folder, { rebuild, from, steps: 6 - from + 1 });
      expect(more).toMatchObject({ equal: true, digest, from, steps: 6 - from });
    }
  });

  test("batches of several shapes: each graph is recorded, and a part meets those of its steps", async () => {
    const rows = ({ 0: first }: ArrayLike<number>) => 14 + (first % 3);
    const train = () =>
      toyTrain({
        transform: ({ inputs, targets }, indices) => ({
          inputs: { ...inputs, data: inputs.data.slice(0, 4 * rows(indices)), shape: [rows(indices), 4] },
          targets: { ...targets, data: targets.data.slice(0, rows(indices)), shape: [rows(indices)] },
        }),
      });
    const modelDir = `${temporaryFolder()}/run`;
    const changes = { loop: { numSteps: 8 } };
    const trainer = toyTrainer({ modelDir, ...changes, checkpoint: { steps: 1, saveInitialCheckpoint: true } });
    await trainer.fit(train());
    const { graphs } = readManifest(`${modelDir}/manifest.json`);
    expect(graphs).toEqual(trainer.graphs);
    expect(Object.keys(graphs).sort()).toEqual(["init", "train", "trainLast", "trainLast#2"]);
    const again = (given: Partial<TrainerOptions>) => ({
      trainer: toyTrainer({ ...changes, ...given }),
      train: train(),
    });
    const graphRows = ({ checks }: Awaited<ReturnType<typeof verifyRun>>) =>
      checks.filter(({ what }) => what === "manifest.json: graphs").map(({ found, detail }) => [found, detail]);
    for (let from = 0; from < 8; from++)
      expect(await verifyRun(modelDir, { rebuild: again, from, steps: 1 })).toMatchObject({ verdict: "same" });
    expect(graphRows(await verifyRun(modelDir, { rebuild: again }))).toEqual([
      ["same", Object.keys(graphs).join(", ")],
    ]);
    edit(modelDir, { graphs: { ...graphs, "trainLast#2": "0".repeat(64) } });
    const changed = await verifyRun(modelDir, { rebuild: again });
    expect(changed.verdict).toBe("different");
    expect(changed.difference).toMatch(/graphs: trainLast#2 is .*, recorded 0000/);
  });

  test("graphs of evaluations are told by their hashes: a trainer that evaluated other batches before", async () => {
    const modelDir = `${temporaryFolder()}/run`;
    const evaluating = { loop: { ...loop, evalFrequency: "end" as const } };
    const trainer = toyTrainer({ modelDir, ...evaluating });
    await trainer.validate(dataLoader(toySamples, { batchSize: 7 }));
    await trainer.fit(toyTrain(), toyTest());
    const { graphs } = readManifest(`${modelDir}/manifest.json`);
    const again = (changes: Partial<TrainerOptions>) => ({
      trainer: toyTrainer({ ...evaluating, ...changes }),
      train: toyTrain(),
      val: toyTest(),
    });
    expect(await verifyRun(modelDir, { rebuild: again })).toMatchObject({ verdict: "same" });
    // One that evaluates others than the run's had: what the run's were is what counts.
    const more = (changes: Partial<TrainerOptions>) => {
      const onTrainStart = async () => void (await trainer.evaluate(dataLoader(toySamples, { batchSize: 9 })));
      const trainer = toyTrainer({ ...evaluating, ...changes, callbacks: [{ name: "Other", onTrainStart }] });
      return { ...again(changes), trainer };
    };
    expect(await verifyRun(modelDir, { rebuild: more })).toMatchObject({ verdict: "same" });
    edit(modelDir, { graphs: { ...graphs, evalLast: "0".repeat(64) } });
    const changed = await verifyRun(modelDir, { rebuild: again });
    expect(changed.difference).toMatch(/graphs: eval.* is .*, recorded/);
  });

  test("threads are the backend's", async () => {
    expect(await verifyRun(await finished(), { rebuild, backend: "wasm", threads: 2 })).toMatchObject({
      equal: true,
      threads: 2,
    });
  });

  test("a difference after the part isn't seen, one in it is", async () => {
    const folder = await finished({ checkpoint: { steps: 2 } });
    const path = `${folder}/chain.bin`;
    const links = readChain(path).map((link) => (link.step === 5 ? { ...link, position: link.position + 1 } : link));
    new ChainFile(path).replace(links);
    expect((await verifyRun(folder, { rebuild, steps: 4 })).equal).toBe(true);
    expect(await verifyRun(folder, { rebuild, from: 4, steps: 1 })).toMatchObject({
      equal: false,
      firstDifference: 5,
      steps: 1,
      difference: expect.stringContaining("stream position"),
    });
  });

  test("of a run that isn't finished: the steps there are", async () => {
    const folder = await finished();
    edit(folder, { status: "failed", result: undefined });
    expect(await verifyRun(folder, { rebuild, steps: 6 })).toMatchObject({ equal: true, steps: 6 });
    expect((await verifyRun(folder, { rebuild, steps: 6 })).digest).toBeUndefined();
    await expect(verifyRun(folder, { rebuild, steps: 7 })).rejects.toThrow(/isn't finished.*6 steps/);
  });

  test("what isn't there to begin from, and what isn't a number of steps", async () => {
    const folder = await finished({ checkpoint: { steps: 4 } });
    const none = verifyRun(folder, { rebuild, from: 3 });
    await expect(none).rejects.toThrow(ConfigError);
    await expect(none).rejects.toThrow(/no checkpoint.*got step 3, expected one of 4, 6, or 0/);
    for (const bad of [{ from: -1 }, { from: 1.5 }, { steps: 0 }, { steps: Number.NaN }]) {
      await expect(verifyRun(folder, { rebuild, ...bad })).rejects.toThrow(ConfigError);
    }
    const path = `${folder}/chain.bin`;
    new ChainFile(path).replace(
      readChain(path).map((link) => (link.step === 4 ? { ...link, hash: link.hash.map((byte) => byte ^ 1) } : link)),
    );
    await expect(verifyRun(folder, { rebuild, from: 4 })).rejects.toThrow(/the chain at step 4 isn't the checkpoint's/);
  });
});

describe("held against what someone published", () => {
  test("a digest, a manifest, a folder", async () => {
    const folder = await finished();
    const { digest } = readManifest(`${folder}/manifest.json`).result!;
    for (const against of [digest, `${folder}/manifest.json`, folder]) {
      expect(await verifyRun(folder, { rebuild, against })).toMatchObject({ equal: true, digest, expected: digest });
    }
    const expected = "12".repeat(32);
    expect(await verifyRun(folder, { rebuild, against: expected })).toMatchObject({
      equal: false,
      digest,
      expected,
      difference: "the digest: the folder's own digest is the replay's",
    });
  });

  test("a manifest of another seed, and a digest that is the same by a slip", async () => {
    const folder = await finished();
    const other = await finished({ seed: 8 });
    const found = await verifyRun(folder, { rebuild, against: other });
    expect(found.equal).toBe(false);
    expect(found.expected).toBe(readManifest(`${other}/manifest.json`).result!.digest);
    edit(other, { result: readManifest(`${folder}/manifest.json`).result });
    expect(await verifyRun(folder, { rebuild, against: other })).toMatchObject({
      equal: false,
      difference: "seed: the run has 7, what it is held against 8",
    });
  });

  test("neither; a manifest without a result; a part of the run", async () => {
    const folder = await finished();
    await expect(verifyRun(folder, { rebuild, against: "no/such" })).rejects.toThrow(/neither a digest nor a manifest/);
    await expect(verifyRun(folder, { rebuild, against: "12".repeat(32), steps: 2 })).rejects.toThrow(ConfigError);
    const other = await finished();
    edit(other, { status: "running", result: undefined });
    await expect(verifyRun(folder, { rebuild, against: other })).rejects.toThrow(/holds no result: got running/);
  });
});

describe("trainer.verify", () => {
  test("after a fit, and in a new program; its callbacks are part of the program", async () => {
    const folder = await finished();
    const trainer = toyTrainer({ loop });
    await trainer.fit(toyTrain());
    expect((await trainer.verify(folder)).equal).toBe(true);
    const seen: number[] = [];
    const again = toyTrainer({ loop, callbacks: [{ onTrainBatchEnd: ({ step }) => void seen.push(step) }] });
    expect(await again.verify(folder, { train: toyTrain(), backend: "wasm" })).toMatchObject({ equal: true, steps: 6 });
    // The last step's later hooks aren't reached where a replay ends early, and here it doesn't.
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(again.step).toBe(0);
    const other = toyTrainer({ loop, optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.01 }) });
    expect(await other.verify(folder, { train: toyTrain() })).toMatchObject({ equal: false, firstDifference: 1 });
  });

  test("without a loader, with a finished model or optimizer: refused", async () => {
    const folder = await finished();
    await expect(toyTrainer({ loop }).verify(folder)).rejects.toThrow(/no loader/);
    const model = toyTrainer({ loop }).model;
    await expect(
      toyTrainer({ loop, model, deterministic: "warn" }).verify(folder, { train: toyTrain() }),
    ).rejects.toThrow(/model: pass a function, not an instance/);
    const { model: own, optimizer } = toyTrainer({ loop });
    const trainer = toyTrainer({ loop, model: () => own, optimizer });
    await expect(trainer.verify(folder, { train: toyTrain() })).rejects.toThrow(
      /optimizer: pass a function, not an instance/,
    );
  });
});

describe("what can't be replayed is refused", () => {
  test("other numerics, other data, a run in code without its program", async () => {
    const folder = await finished();
    await expect(verifyRun(folder)).rejects.toThrow(/made in code.*\n.*await trainer.verify\(/);
    const { data } = readManifest(`${folder}/manifest.json`);
    edit(folder, { data: Object.fromEntries(Object.keys(data).map((name) => [name, "12".repeat(32)])) });
    await expect(verifyRun(folder, { rebuild })).rejects.toThrow(/the data \S+ isn't what the run was trained on/);
    edit(folder, { numericsId: "f32-strict/1" });
    const other = verifyRun(folder, { rebuild });
    await expect(other).rejects.toThrow(CheckpointError);
    await expect(other).rejects.toThrow(/got f32-strict\/1, expected f32-strict\/2\n.*made by an earlier version/);
  });

  test("a run that isn't finished, a chain cut back, damaged or missing", async () => {
    const folder = await finished();
    const path = `${folder}/chain.bin`;
    const bytes = readFileSync(path);
    const refused = async (message: RegExp) => {
      const found = verifyRun(folder, { rebuild });
      await expect(found).rejects.toThrow(CheckpointError);
      await expect(found).rejects.toThrow(message);
    };
    new ChainFile(path).cutBack(5);
    expect(readChain(path).length).toBe(5);
    await refused(/chain.bin: the chain isn't the run that the manifest tells of: got 5 steps, expected 6/);
    writeFileSync(path, bytes.fill(0, bytes.length - 500, bytes.length - 499));
    await refused(/chain.bin: the record of step 2/);
    edit(folder, { status: "failed" });
    await refused(/isn't finished: got failed/);
    await expect(verifyRun(`${folder}/none`)).rejects.toThrow(ConfigError);
  });
});

test("a folder of phases, and a file: which folders to verify, in their order", async () => {
  const folder = temporaryFolder();
  mkdirSync(`${folder}/phase-3`);
  for (const number of [10, 2, 1]) cpSync(await finished(), `${folder}/phase-${number}`, { recursive: true });
  const phases = [1, 2, 10].map((number) => `${folder}/phase-${number}`);
  for (const refused of [verifyRun(`${folder}/`, { rebuild }), diffRuns(folder, folder)]) {
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/not a run's folder: got no manifest\.json in it, expected a .*folder/);
    await expect(refused).rejects.toThrow(`Hint: it holds runs: ${phases.join(" ")}`);
  }
  await expect(verifyRun(`${phases[0]}/chain.bin`)).rejects.toThrow(/not a run's folder: got a file/);
  expect(await verifyRun(phases[2], { rebuild })).toMatchObject({ equal: true });
});
