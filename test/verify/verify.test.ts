// A run replayed from its folder: equal, or the first step that differs and what; and what can't be replayed is refused.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, ReproError } from "../../src/core/errors.ts";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import { type Manifest, readManifest, writeManifest } from "../../src/run/manifest.ts";
import type { TrainerOptions } from "../../src/train/config/options.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

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
        equal: true,
        digest,
        expected: digest,
        steps: 6,
        backend,
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
    expect(found.difference).toMatch(/^what went in; the program is another: graph \w{64}, recorded \w{64}$/);
  });

  test("another learning rate from step 4 on shows in the loss of step 5", async () => {
    const schedulers = (step: number) => (step < 3 ? 0.01 : 0.02);
    const scheduled = (schedule: (step: number) => number) => Object.assign(schedule, { totalIters: 6 });
    const folder = await finished({ schedulers: scheduled(() => 0.01) });
    const found = await verifyRun(folder, {
      rebuild: (changes) => ({
        trainer: toyTrainer({ loop, schedulers: scheduled(schedulers), ...changes }),
        train: toyTrain(),
      }),
    });
    expect(found).toMatchObject({ equal: false, firstDifference: 5 });
    expect(found.difference).toMatch(/^loss \S+ \(\w{8}\), recorded loss \S+ \(\w{8}\)$/);
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

describe("what can't be replayed is refused", () => {
  test("other numerics, other data, a run in code without its program", async () => {
    const folder = await finished();
    await expect(verifyRun(folder)).rejects.toThrow(/made in code.*\n.*rebuild/);
    const { data } = readManifest(`${folder}/manifest.json`);
    edit(folder, { data: Object.fromEntries(Object.keys(data).map((name) => [name, "12".repeat(32)])) });
    await expect(verifyRun(folder, { rebuild })).rejects.toThrow(/the data \S+ isn't what the run was trained on/);
    edit(folder, { numericsId: "f32-strict/0" });
    const other = verifyRun(folder, { rebuild });
    await expect(other).rejects.toThrow(ReproError);
    await expect(other).rejects.toThrow(/got f32-strict\/0, expected f32-strict\/1/);
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
    writeFileSync(path, bytes.fill(0, 100, 101));
    await refused(/chain.bin: the record of step 2/);
    edit(folder, { status: "failed" });
    await refused(/isn't finished: got failed/);
    await expect(verifyRun(`${folder}/none`)).rejects.toThrow(CheckpointError);
  });
});
