// Tables are read by the names of their columns: in fit's validation, in validate and in predict.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { csvDataset, dataLoader, inputsDataset } from "../../src/data/index.ts";
import * as nn from "../../src/nn/index.ts";
import { makeValidation, trainedColumns } from "../../src/train/config/loaders.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { scratch } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";
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

describe("in a config", () => {
  const choice = (file: string, rest = {}) => ({ name: "csv", file, ...options, batchSize: 4, ...rest });

  test("validation data take the columns that are trained on, and no others", () => {
    expect(trainedColumns(choice(train))).toEqual(["x", "y"]);
    expect(trainedColumns(choice(train, { inputs: ["y"] }))).toEqual(["y"]);
    expect(trainedColumns(choice("nowhere.csv"))).toBeUndefined();
    expect(trainedColumns({ name: "mnist", split: "train" })).toBeUndefined();
    for (const file of [turned, more]) expect(makeValidation(choice(file), choice(train)).columns).toEqual(["x", "y"]);
    expect(makeValidation(choice(more, { inputs: ["y"] }), choice(train)).columns).toEqual(["y"]);
    expect(() => makeValidation(choice(less), choice(train))).toThrow(/no such column: got y, expected x, z, kind/);
  });
});
