// The learning rates that a run logs: one where all parameter groups have the same, otherwise one a group, in every logger.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Module } from "../../src/nn/module.ts";
import * as optim from "../../src/optim/index.ts";
import { groupSeries } from "../../src/report/series.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { ReportLogger } from "../../src/train/loggers/report.ts";
import { TensorBoardLogger } from "../../src/train/loggers/tensorboard.ts";
import { temporaryFolder } from "../support/folder.ts";
import { recorded } from "../support/recorded.ts";
import { root } from "../support/sources.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

/** Two groups without decay, so that they stay two; the first has `first` over the optimizer's numbers. */
const grouped = (first: object) => (model: Module) =>
  optim.sgd(optim.parameterGroups(model.parameters(), [{ parameters: "0.*", tags: "first", ...first }]), {
    learningRate: 0.5,
  });
const named = ({ metrics }: { metrics: Record<string, unknown> }) =>
  Object.keys(metrics).filter((name) => name.startsWith("learning_rate"));
const line = (paramGroupTags?: string) =>
  optim.linearLR({ initialLearningRate: 0, endLearningRate: 0.5, totalIters: 2, paramGroupTags });

test("one rate where the groups have the same: as given, or by one schedule for all", async () => {
  expect(named(await recorded([]))).toEqual(["learning_rate"]);
  expect(named(await recorded([], { optimizer: grouped({}) }))).toEqual(["learning_rate"]);
  const scheduled = await recorded([], { optimizer: grouped({ learningRate: 0.1 }), schedulers: line() });
  expect(named(scheduled)).toEqual(["learning_rate"]);
});

test("a rate a group where they differ, as the step used them", async () => {
  const given = await recorded([], { optimizer: grouped({ learningRate: 0.1 }) });
  expect(named(given)).toEqual(["learning_rate/0", "learning_rate/1"]);
  const rates = (name: string, { metrics }: typeof given) => metrics[name].map(([, rate]) => rate);
  expect(rates("learning_rate/0", given)).toEqual(Array(4).fill(0.1));
  expect(rates("learning_rate/1", given)).toEqual(Array(4).fill(0.5));
  // The same rate at first and from step 3 on: the names are those of a run whose rates differ all the same.
  const warmup = await recorded([], { optimizer: grouped({}), schedulers: line("first") });
  expect(named(warmup)).toEqual(["learning_rate/0", "learning_rate/1"]);
  expect(rates("learning_rate/0", warmup)).toEqual([0, 0.25, 0.5, 0.5]);
  expect(rates("learning_rate/1", warmup)).toEqual([0.5, 0.5, 0.5, 0.5]);
  const scaled = await recorded([], {
    optimizer: grouped({ adjustLearningRate: 0.5 }),
    schedulers: optim.scalePerParamLR({ scheduler: line() }),
  });
  expect(rates("learning_rate/0", scaled)).toEqual([0, 0.125, 0.25, 0.25]);
  expect(rates("learning_rate/1", scaled)).toEqual([0, 0.25, 0.5, 0.5]);
});

test("in every logger, and nothing else changes", async () => {
  const modelDir = temporaryFolder();
  const options = { optimizer: grouped({ learningRate: 0.1 }), loop: { numSteps: 2 } };
  const loggers = [new CSVLogger(), new JSONLLogger(), new TensorBoardLogger(), new ReportLogger()];
  const logging = { logSteps: 1, logLevel: "silent" } as const;
  const run = await toyTrainer({ ...options, modelDir, loggers, logging }).fit(toyTrain());
  expect(run.digest).toBe((await toyTrainer(options).fit(toyTrain())).digest);
  const text = (file: string) => readFileSync(`${modelDir}/${file}`, "utf8");
  expect(text("metrics.csv")).toContain("\n1,learning_rate/0,0.1\n1,learning_rate/1,0.5\n");
  expect(JSON.parse(text("metrics.jsonl").split("\n")[1])).toMatchObject({
    "learning_rate/0": 0.1,
    "learning_rate/1": 0.5,
  });
  expect(text("report.html")).toContain("learning_rate/1");
  const events = `${modelDir}/events.out.tfevents.0000000000.seedgrad`;
  const { stdout, error } = spawnSync("python3", [`${root}test/support/read_events.py`, events], { encoding: "utf8" });
  if (!error)
    expect(JSON.parse(stdout)[1]).toMatchObject([2, { "learning_rate/0": Math.fround(0.1), "learning_rate/1": 0.5 }]);
});

test("in the report they are one chart", () => {
  const series = ["loss", "learning_rate/0", "learning_rate/1"].map((name) => ({ name, steps: [1], values: [1] }));
  expect(groupSeries(series).map(({ title, series: { length } }) => [title, length])).toEqual([
    ["loss", 1],
    ["learning rate", 2],
  ]);
});
