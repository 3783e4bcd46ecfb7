// A run whose data lie elsewhere now: verified on another machine, with another folder.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { withData } from "../../src/verify/relocate.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { temporaryFolder } from "../support/folder.ts";

const rows = `x,y,kind\n${Array.from({ length: 24 }, (_, i) => `${(i * 7) % 11},${i % 5},${i % 2 ? "b" : "a"}`).join("\n")}\n`;
const table = (file: string) =>
  `{name: csv, file: ${file}, inputs: [x, y], target: kind, classes: [a, b], batch_size: 4}`;
const config = (folder: string, modelDir: string) =>
  parseConfig(
    `trainer:
  init:
    seed: 3
    model_dir: ${modelDir}
    model: {name: mlp, sizes: [2, 2]}
    loss: cross_entropy
    optimizer: {SGD: {learning_rate: 0.1}}
    loop: {num_epochs: 2, eval_frequency: epoch}
    loggers: []
    backend: reference
  fit:
    train_dataloader: ${table(`${folder}/train/rows.csv`)}
    val_dataloader: ${table(`${folder}/held-out.csv`)}
`,
    "moved.yaml",
  );

test("verify finds the files under another folder, by the ends of their paths", async () => {
  const [there, here, modelDir] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  mkdirSync(`${there}/train`);
  writeFileSync(`${there}/train/rows.csv`, rows);
  writeFileSync(`${there}/held-out.csv`, rows);
  const { trainer, train, vals } = buildTrainer(config(there, modelDir));
  const { digest } = await trainer.fit(train!, vals);
  renameSync(`${there}/train`, `${here}/train`);
  renameSync(`${there}/held-out.csv`, `${here}/held-out.csv`);
  rmSync(there, { recursive: true });
  await expect(verifyRun(modelDir)).rejects.toThrow(/rows\.csv/);
  await expect(verifyRun(modelDir, { data: here })).resolves.toMatchObject({ verdict: "same", digest });
  // The names may be enough; what is there must be what was trained on.
  renameSync(`${here}/train/rows.csv`, `${here}/rows.csv`);
  await expect(verifyRun(modelDir, { data: here })).resolves.toMatchObject({ verdict: "same", digest });
  writeFileSync(`${here}/rows.csv`, rows.replace("7,", "8,"));
  await expect(verifyRun(modelDir, { data: here })).rejects.toThrow(/isn't what the run was trained on/);
  rmSync(`${here}/rows.csv`);
  await expect(verifyRun(modelDir, { data: here })).rejects.toThrow(/csv\.file: it isn't in the folder of data/);
});

test("folders are looked for too, and what names no path stays", () => {
  const here = temporaryFolder();
  mkdirSync(`${here}/mnist`);
  const written = (directory: string) =>
    parseConfig(
      `trainer: {init: {seed: 1, model: {name: mlp, sizes: [784, 10]}, loss: cross_entropy, optimizer: {SGD: {learning_rate: 0.1}}, loop: {num_steps: 1}}, fit: {train_dataloader: {name: mnist, ${directory}split: train, batch_size: 4}}}`,
      "m.yaml",
    );
  const directoryOf = (text: string) => withData(written(text), here).trainer.fit!.trainDataloader.directory;
  expect(directoryOf("directory: /home/a/mnist, ")).toBe(`${here}/mnist`);
  expect(directoryOf("directory: /home/a/files, ")).toBe(here);
  expect(directoryOf("")).toBeUndefined();
  expect(() => withData(config("/home/a", "runs/x"), here)).toThrow(DataError);
  const { trainer } = written("");
  const looked = { name: "mnist", split: "test", directory: "/home/a/mnist" } as const;
  const test = { testDataloader: looked };
  const validate = { valDataloader: looked };
  const moved = withData({ trainer: { init: trainer.init, test, validate } }, here).trainer;
  for (const { directory } of [moved.test!.testDataloader, moved.validate!.valDataloader])
    expect(directory).toBe(`${here}/mnist`);
});
