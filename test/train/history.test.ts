// What `fit` gives of all that was logged: the same numbers as metrics.csv, metrics.jsonl and report.html, also where a run goes on in another process.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { seriesText } from "../../src/report/run.ts";
import { type History, LoggedNumbers } from "../../src/run/history.ts";
import { csvFile, jsonlFile } from "../../src/run/logged.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { ReportLogger } from "../../src/train/loggers/report.ts";
import type { Run } from "../../src/train/run.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const odd: Callback = {
  async onTrainBatchEnd({ trainer, step }) {
    await trainer.nameScope('mine, "odd"', () =>
      trainer.logMetrics({ third: step / 3, none: Number.NaN, all: -Infinity }),
    );
  },
};
const options = (modelDir: string, changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
  modelDir,
  callbacks: [odd],
  loggers: [new CSVLogger(), new JSONLLogger(), new ReportLogger()],
  checkpoint: { steps: 2 },
  loop: { numEpochs: 2, evalFrequency: "epoch" },
  logging: { logSteps: 3, logLevel: "silent", trainMetrics: true },
  ...changes,
});
const crash: Callback = {
  onAfterSaveCheckpoint({ step }) {
    if (step === 6) throw new Error("stop");
  },
};

/** The rows of metrics.csv by name. */
function csv(modelDir: string): History {
  const found: Record<string, { steps: number[]; values: number[] }> = {};
  for (const line of readFileSync(`${modelDir}/metrics.csv`, "utf8").trim().split("\n").slice(1)) {
    const [, step, quoted, value] = /^(\d+),(.*),([^,]*)$/.exec(line)!;
    const name = quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
    found[name] ??= { steps: [], values: [] };
    found[name].steps.push(Number(step));
    found[name].values.push(Number(value));
  }
  return found;
}

/** What report.html holds: to seven digits. */
function report(modelDir: string): History {
  const { series } = JSON.parse(seriesText(readFileSync(`${modelDir}/report.html`, "utf8"))!) as {
    series: Record<string, { steps: number[]; values: (number | string)[] }>;
  };
  const entries = Object.entries(series).map(
    ([name, { steps, values }]) => [name, { steps, values: values.map(Number) }] as const,
  );
  return Object.fromEntries(entries);
}
const rounded = (history: History): History =>
  Object.fromEntries(
    Object.entries(history).map(([name, { steps, values }]) => [
      name,
      { steps, values: values.map((value) => Number(value.toPrecision(7))) },
    ]),
  );

describe("a run's history", () => {
  const agrees = ({ history }: Run, modelDir: string) => {
    expect(history).toEqual(csv(modelDir));
    expect(report(modelDir)).toEqual(rounded(history));
  };

  test("code, CSV and report agree, through a stop and a resume, and on a finished run", async () => {
    const [whole, modelDir] = [temporaryFolder(), temporaryFolder()];
    const run = await toyTrainer(options(whole)).fit(toyTrain(), toyTest());
    expect(Object.keys(run.history).sort()).toEqual(
      [
        ...["loss", "learning_rate", "train_loss", "train_accuracy", "train_loss_epoch", "train_accuracy_epoch"],
        ...["val_loss", "val_accuracy", 'mine, "odd"/third', 'mine, "odd"/none', 'mine, "odd"/all'],
      ].sort(),
    );
    expect(run.history.loss.steps).toEqual([3, 6, 8]);
    expect(run.history.val_loss.values.at(-1)).toBe(run.metrics.loss);
    agrees(run, whole);
    await expect(toyTrainer(options(modelDir, { callbacks: [odd, crash] })).fit(toyTrain(), toyTest())).rejects.toThrow(
      /stop/,
    );
    const resumed = await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    expect(resumed.history).toEqual(run.history);
    agrees(resumed, modelDir);
    const finished = await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    expect(finished.history).toEqual(run.history);
    for (const { metrics } of [resumed, finished]) expect(Object.keys(metrics)).toEqual(Object.keys(run.metrics));
    const fromLines = options(modelDir, { loggers: [new JSONLLogger()] });
    expect((await toyTrainer(fromLines).fit(toyTrain(), toyTest())).history).toEqual(run.history);
  });

  test("without a folder it is this fit's; where no file has what another process logged, it begins at the resume", async () => {
    const { history } = await toyTrainer({ loop: { numSteps: 3 }, logging: { logSteps: 1 } }).fit(toyTrain());
    expect(history.loss.steps).toEqual([1, 2, 3]);
    const modelDir = temporaryFolder();
    const bare = (callbacks: Callback[]) => toyTrainer(options(modelDir, { loggers: [], callbacks }));
    await expect(bare([crash]).fit(toyTrain(), toyTest())).rejects.toThrow(/stop/);
    expect((await bare([]).fit(toyTrain(), toyTest())).history.loss.steps).toEqual([8]);
  });

  test.each([csvFile, jsonlFile])("$name gives back each number to the bit", (file) => {
    const all = [0.1, -0, 0, 1e-7, 1e21, -2.5e-320, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of all)
      expect(file.read(file.write({ a: value }, 7).trimEnd())).toEqual({ step: 7, values: [["a", value]] });
  });

  test("numbers stand by their steps, and the last of several under one step counts", () => {
    const numbers = new LoggedNumbers();
    for (const [step, value] of [
      [4, 1],
      [2, 2],
      [4, 3],
      [9, 4],
    ])
      numbers.add(step, { a: value });
    numbers.add(9, { b: 5 });
    expect(numbers.all()).toEqual({ a: { steps: [2, 4, 9], values: [2, 3, 4] }, b: { steps: [9], values: [5] } });
    numbers.cutBack(4);
    expect(numbers.all()).toEqual({ a: { steps: [2, 4], values: [2, 3] } });
  });
});
