// Tables are read by the names of their columns: in fit's validation, in validate and in predict.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { csvDataset, dataLoader, inputsDataset } from "../../src/data/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as losses from "../../src/nn/losses.ts";
import * as optim from "../../src/optim/index.ts";
import { makeValidation, trainedColumns } from "../../src/train/config/loaders.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { buildTrainer } from "../../src/verify/trainer.ts";
import { scratch, temporaryFolder } from "../support/folder.ts";
import { toyTrainer } from "../support/toy.ts";

const folder = scratch();
const write = (name: string, header: string, row: (x: number, y: number, kind: string) => unknown[]) => {
  const rows = Array.from({ length: 24 }, (_, i) => row(i / 24, (i * 5) % 7, i % 2 ? "a" : "b"));
  writeFileSync(`${folder}/${name}`, `${[header, ...rows.map((fields) => fields.join())].join("\n")}\n`);
  return `${folder}/${name}`;
};
const train = write("train.csv", "x,y,kind", (x, y, kind) => [x, y, kind]);
const turned = write("turned.csv", "kind, y ,x", (x, y, kind) => [kind, y, x]);
const more = write("more.csv", "y,id,x,kind", (x, y, kind) => [y, "n1", x, kind]);
const bare = write("bare.csv", "y,x", (x, y) => [y, x]);
const less = write("less.csv", "x,z,kind", (x, y, kind) => [x, y, kind]);
const options = { target: "kind", classes: ["a", "b"] };
const load = (file: string, inputs?: string[]) =>
  dataLoader(csvDataset(file, { ...options, inputs }), { batchSize: 5 });
const make = (changes = {}) =>
  toyTrainer({
    model: () => nn.sequential(nn.linear(2, 8), nn.relu(), nn.linear(8, 2)),
    loop: { numSteps: 6, evalFrequency: "end" },
    ...changes,
  });
const predictions = async (trainer: Trainer, file: string) => {
  const out: number[] = [];
  const loader = dataLoader(inputsDataset(file), { batchSize: 24 });
  for await (const { outputs } of trainer.predict(loader, { ckptPath: null })) out.push(...outputs.data);
  return out;
};

test("in code: other orders of the columns give the same numbers, in fit, validate and predict", async () => {
  const trainer = make();
  const { metrics } = await trainer.fit(load(train), load(train));
  expect((await make().fit(load(train), load(turned))).metrics).toEqual(metrics);
  for (const loader of [load(turned), load(more, ["x", "y"]), load(more, ["y", "x"])])
    expect(await trainer.validate(loader, { ckptPath: null })).toEqual(metrics);
  const inputs = write("inputs.csv", "x,y", (x, y) => [x, y]);
  expect(await predictions(trainer, bare)).toEqual(await predictions(trainer, inputs));
});

test("a checkpoint remembers the columns", async () => {
  const modelDir = `${temporaryFolder()}/run`;
  const { metrics } = await make({ modelDir }).fit(load(train), load(train));
  expect(await make({ modelDir }).validate(load(turned))).toEqual(metrics);
});

test("a column that is missing is named, before the first step", async () => {
  const message = /columns that the model was trained on are missing: got x, z, expected x, y/;
  await expect(make().fit(load(train), load(less))).rejects.toThrow(message);
  const trainer = make();
  await trainer.fit(load(train));
  await expect(trainer.validate(load(less), { ckptPath: null })).rejects.toThrow(message);
});

test("a column of sample weights weighs the loss of training and of validation, from YAML as in code", async () => {
  const rows = Array.from({ length: 24 }, (_, i) => [i / 24, (i * 5) % 7, i % 3 === 0 ? 0 : 2, i % 2 ? "a" : "b"]);
  const text = (table: typeof rows) => `x,y,w,kind\n${table.map((row) => row.join()).join("\n")}\n`;
  const file = `${folder}/weighed.csv`;
  writeFileSync(file, text(rows));
  const loader = (weights: string) =>
    `{name: csv, file: ${file}, target: kind, classes: [a, b], batch_size: 24${weights}}`;
  const run = async (weights: string, inputs: number) => {
    const config = `trainer:
  init:
    seed: 3
    model: {name: mlp, sizes: [${inputs}, 4, 2]}
    loss: {cross_entropy: {reduction: sum}}
    optimizer: {SGD: {learning_rate: 0.01}}
    loop: {num_steps: 3, eval_frequency: end}
    logging: {log_level: silent}
    model_dir: ${temporaryFolder()}/run
    backend: reference
  fit: {train_dataloader: ${loader(weights)}, val_dataloader: ${loader(weights)}}
`;
    const { trainer, train: own, val } = buildTrainer(parseConfig(config, "weighed.yaml"));
    return { trainer, columns: own!.columns, run: await trainer.fit(own!, val) };
  };
  const weighed = await run(", sample_weights: w", 2);
  expect(weighed.columns).toEqual(["x", "y"]);
  expect((await run("", 3)).columns).toEqual(["x", "y", "w"]);
  // Twice the loss of the rows that count 2, and nothing of the others.
  const part = `${folder}/counted.csv`;
  writeFileSync(part, text(rows.filter(([, , weight]) => weight === 2)));
  const counted = dataLoader(csvDataset(part, { ...options, inputs: ["x", "y"] }), { batchSize: 24 });
  const { loss } = await weighed.trainer.validate(counted);
  expect(weighed.run.metrics.loss).toBeCloseTo(2 * loss, 4);
  // In code, the same run.
  const inCode = toyTrainer({
    seed: 3,
    model: () => nn.mlp({ sizes: [2, 4, 2] }),
    loss: (outputs, batch) => losses.crossEntropy(outputs, batch, { reduction: "sum" }),
    optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.01 }),
    loop: { numSteps: 3 },
  });
  const own = dataLoader(csvDataset(file, { ...options, sampleWeights: "w" }), { batchSize: 24 });
  expect((await inCode.fit(own)).digest).toBe(weighed.run.digest);
});

describe("in a config", () => {
  const choice = (file: string, rest = {}) => ({ name: "csv", file, ...options, batchSize: 4, ...rest });

  test("validation data take the columns that are trained on, and no others", () => {
    expect(trainedColumns(choice(train))).toEqual(["x", "y"]);
    expect(trainedColumns(choice(train, { inputs: ["y"] }))).toEqual(["y"]);
    expect(trainedColumns(choice(more, { sampleWeights: "id" }))).toEqual(["y", "x"]);
    expect(trainedColumns(choice("nowhere.csv"))).toBeUndefined();
    expect(trainedColumns({ name: "mnist", split: "train" })).toBeUndefined();
    for (const file of [turned, more]) expect(makeValidation(choice(file), choice(train)).columns).toEqual(["x", "y"]);
    expect(makeValidation(choice(more, { inputs: ["y"] }), choice(train)).columns).toEqual(["y"]);
    expect(() => makeValidation(choice(less), choice(train))).toThrow(/no such column: got y, expected x, z, kind/);
  });
});
