// Tables whose inputs are learned: standardised numbers, categories and means for what is missing; kept with the run, and applied to what is validated and predicted. And Parquet files beside CSV files.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { predict } from "../../src/cli/predict.ts";
import { DataError } from "../../src/core/errors.ts";
import {
  arrayDataset,
  csvDataset,
  type DataLoader,
  type Dataset,
  dataLoader,
  inputsDataset,
  type LoadedBatch,
  parquetDataset,
  randomSplit,
  vegaDataset,
} from "../../src/data/index.ts";
import { parquetTable } from "../../src/data/parquet.ts";
import * as nn from "../../src/nn/index.ts";
import { mse } from "../../src/nn/losses.ts";
import { loadCheckpoint } from "../../src/run/checkpoint.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { loaders } from "../../src/train/config/families.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { root } from "../support/sources.ts";
import { toyOptions, toyTrainer } from "../support/toy.ts";

const rows = ["length,colour,price", "1,red,10", "3,green,20", "?,red,30", "5,?,40", "7,blue,50", "9,green,60"];
const options = {
  target: "price",
  categorical: ["colour"],
  standardize: ["length"],
  missing: { texts: ["?"], value: "mean" },
} as const;
const file = (lines: readonly string[] = rows, name = "t.csv") => {
  const path = `${temporaryFolder()}/${name}`;
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
};
const epoch = { seed: 3n, offset: 2 ** 41 + 2 ** 30 };
const inputsOf = (loader: DataLoader): number[] =>
  [...(loader.batches(epoch, 0, { whole: true }) as Iterable<LoadedBatch>)].flatMap(({ tensors }) =>
    Array.from(tensors.inputs.data),
  );
const read = (dataset: Dataset) => inputsOf(dataLoader(dataset, { batchSize: 2 }));
const round = Math.fround;
const standard = (values: readonly number[], x: number) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return round((x - mean) / Math.sqrt(square));
};

describe("a CSV file", () => {
  test("numbers standardised, categories as ones among zeros, what is missing as the mean or zeros", () => {
    const dataset = csvDataset(file(), options);
    expect(dataset.columns).toEqual(["length", "colour=blue", "colour=green", "colour=red"]);
    const length = (x: number) => standard([1, 3, 5, 7, 9], x);
    expect(read(dataset)).toEqual([
      ...[length(1), 0, 0, 1],
      ...[length(3), 0, 1, 0],
      ...[0, 0, 0, 1],
      ...[length(5), 0, 0, 0],
      ...[length(7), 1, 0, 0],
      ...[length(9), 0, 1, 0],
    ]);
    expect(dataset.table!.fit()).toEqual([
      { column: "length", mean: 5, deviation: Math.sqrt(8), fill: 5 },
      { column: "colour", categories: ["blue", "green", "red"] },
    ]);
  });

  test("of a split, the part's own rows teach; other rows are read by what they taught", () => {
    const dataset = csvDataset(file(), options);
    const [train, held] = randomSplit(dataset, [4, 2]);
    const loader = dataLoader(train, { batchSize: 2 });
    const own = Array.from(train.split!.order(3n));
    const known = [1, 3, undefined, 5, 7, 9];
    const taught = own.flatMap((row) => known[row] ?? []);
    const state = loader.table!.fit(3n)!;
    expect(state[0].mean).toBe(taught.reduce((sum, x) => sum + x, 0) / taught.length);
    const other = dataLoader(held, { batchSize: 2 }).table!.under(state);
    const lengths = Array.from(held.split!.order(3n), (row) => standard(taught, known[row] ?? state[0].mean!));
    expect(inputsOf(other).filter((_, i) => i % 4 === 0)).toEqual(lengths);
    expect(inputsOf(loader).filter((_, i) => i % 4 === 0)).toEqual(
      own.map((row) => standard(taught, known[row] ?? state[0].mean!)),
    );
  });

  test("without anything to learn it is as it was, digests too", () => {
    const path = file(["a,b", "1,2", "3,4"]);
    const dataset = csvDataset(path, { target: "b" });
    const plain = arrayDataset("t.csv", {
      inputs: { data: Float32Array.of(1, 3), shape: [2, 1], dtype: "float32" },
      targets: { data: Float32Array.of(2, 4), shape: [2, 1], dtype: "float32" },
    });
    expect([dataset.digests, dataset.table!.fit()]).toEqual([plain.digests, undefined]);
    const learned = csvDataset(path, { target: "b", standardize: true });
    expect(learned.digests).toMatchObject(plain.digests);
    expect(Object.keys(learned.digests)).toContain("t.csv/table");
  });

  test.each<[string, Partial<Parameters<typeof csvDataset>[1]>, RegExp]>([
    ["a category that isn't an input", { categorical: ["price"] }, /categorical: not among the inputs: got price/],
    ["a text that is standardised", { standardize: ["colour"] }, /standardize: not a column of numbers/],
    ["a text that is no category", { categorical: [] }, /t\.csv:2:3: column colour doesn't hold a number: got "red"/],
    ["a missing number", { missing: undefined }, /t\.csv:4:1: column length doesn't hold a number/],
  ])("%s", (_what, change, message) => {
    const make = () => csvDataset(file(), { ...options, ...change });
    expect(make).toThrow(DataError);
    expect(make).toThrow(message);
  });

  test("a column without a number has no mean", () => {
    expect(() => csvDataset(file(["length,colour,price", "?,red,1"]), options)).toThrow(
      /holds no number to take the mean/,
    );
  });
});

describe("a run", () => {
  const model = () => nn.linear(4, 1);
  const changes = { model, loss: mse, metrics: {} };
  const train = (path: string) => dataLoader(csvDataset(path, options), { batchSize: 2, shuffle: true });

  test("resumes in mid-epoch", async () => {
    const path = file();
    const [whole, again] = await resumed(toyOptions(changes), () => train(path));
    expect(again).toBe(whole);
  });

  test("keeps what it learned, validates and predicts by it, and verifies", async () => {
    const modelDir = temporaryFolder();
    const path = file();
    const trainer = toyTrainer({ ...changes, modelDir, loop: { numSteps: 4 } });
    await trainer.fit(train(path), []);
    const { state } = loadCheckpoint(`${modelDir}/checkpoints/checkpoint_4.safetensors`);
    expect(state.table).toEqual(csvDataset(path, options).table!.fit());
    expect((await trainer.verify(modelDir)).equal).toBe(true);

    // Other rows, with columns in another order, and none of its own to learn from.
    const others = file(["extra,colour,length", "0,green,3", "0,?,?"], "questions.csv");
    const later = toyTrainer({ ...changes, modelDir });
    const { missing, categorical } = options;
    const questions = inputsDataset(others, { columns: ["colour", "length"], missing, categorical });
    const seen: number[] = [];
    for await (const { batch } of later.predict(dataLoader(questions, { batchSize: 2 })))
      seen.push(...batch.tensors.inputs.data);
    expect(seen).toEqual([standard([1, 3, 5, 7, 9], 3), 0, 1, 0, 0, 0, 0, 0]);

    const unknown = inputsDataset(file(["colour,length", "pink,3"]), { missing, categorical });
    const asked = later.predict(dataLoader(unknown, { batchSize: 1 }));
    await expect(asked.next()).rejects.toThrow(
      /a category that wasn't trained on: got pink, expected blue, green, red/,
    );
    const ready = { ...csvDataset(path, options), table: undefined };
    await expect(later.validate(dataLoader(ready, { batchSize: 2 }))).rejects.toThrow(/numbers that were learned/);
    const kinds = inputsDataset(file(["colour,length", "3,3"]), {});
    await expect(later.predict(dataLoader(kinds, { batchSize: 1 })).next()).rejects.toThrow(/isn't of the kind/);
  });

  test("explain reads validation data by what training data teach: fewer categories, and the run's own graph", async () => {
    const path = file();
    const few = dataLoader(csvDataset(file(["colour,length,price", "red,2,10"]), options), { batchSize: 2 });
    const trainer = toyTrainer({ ...changes, loop: { numSteps: 1, evalFrequency: "end" } });
    const planned = await trainer.explain(train(path), few);
    await trainer.fit(train(path), few);
    expect(planned.find(({ role }) => role === "eval")!.graphHash).toBe(trainer.graphs.eval);
    const [own] = [few.table!.fit(1n)!];
    expect(few.table!.under(own)).toBe(few.table!.under(own));
  });

  test("other ways to read the file are another run", async () => {
    const modelDir = temporaryFolder();
    const path = file();
    await toyTrainer({ ...changes, modelDir, loop: { numSteps: 2 } }).fit(train(path));
    const other = dataLoader(csvDataset(path, { ...options, standardize: false }), { batchSize: 2, shuffle: true });
    await expect(toyTrainer({ ...changes, modelDir, loop: { numSteps: 3 } }).fit(other)).rejects.toThrow(
      /different run/,
    );
  });

  test("in a config, and predict on the command line", async () => {
    const path = file();
    const folder = temporaryFolder();
    const text = `
trainer:
  init:
    seed: 1
    model_dir: ${folder}/run
    model: {name: mlp, sizes: [4, 1]}
    loss: mse
    optimizer: {SGD: {learning_rate: 0.01}}
    loop: {num_steps: 4, eval_frequency: end}
    loggers: [ProgressLogger: null, CSVLogger: null, JSONLLogger: null]
    backend: reference
  fit:
    train_dataloader:
      name: csv
      file: ${path}
      target: price
      categorical: [colour]
      standardize: true
      missing: {texts: ["?"], value: mean}
      batch_size: 2
      shuffle: true
      validation_split: 0.34
`;
    writeFileSync(`${folder}/run.yaml`, text);
    const { trainer, train: loader, vals } = buildTrainer(parseConfig(text, "run.yaml"));
    const run = await trainer.fit(loader!, vals);
    expect(run.metrics.loss).toBeGreaterThan(0);
    const questions = file(["colour,length", "green,3", "?,?"], "q.csv");
    const { json } = await predict(`${folder}/run.yaml`, { input: questions });
    expect((json.outputs as number[][]).length).toBe(2);
    const wanted = inputsDataset(questions, { missing: options.missing, categorical: ["colour"] });
    const outputs: number[][] = [];
    for await (const { outputs: found } of trainer.predict(dataLoader(wanted, { batchSize: 2 }), { ckptPath: null }))
      outputs.push(...Array.from(found.data, (value) => [value]));
    expect(json.outputs).toEqual(outputs);
  });
});

describe("a Parquet file", () => {
  const parquet = `${root}test/data/files/table.parquet`;
  const lines = [
    "length,width,wide,colour,flag,kind",
    ...["5.1,3,1,red,1,a", "4.9,2,2,green,0,b", ",3,3,red,1,a", "6.25,,4,,1,b", "7,1,5,blue,0,a"],
    "5.5,2,1099511627776,green,0,b",
  ];
  const how = {
    inputs: ["length", "width", "wide", "colour", "flag"],
    target: "kind",
    classes: ["a", "b"],
    categorical: ["colour"],
    standardize: ["wide"],
    missing: { texts: [""], value: "mean" },
  } as const;

  test("is read as a CSV file of the same rows", () => {
    const [one, other] = [parquetDataset({ file: parquet, ...how }), csvDataset(file(lines), how)];
    expect([read(one), one.columns]).toEqual([read(other), other.columns]);
    expect(Object.values(one.digests)).toEqual(Object.values(other.digests));
    expect(read(inputsDataset(parquet, { columns: ["flag"] }))).toEqual([1, 0, 1, 1, 0, 0]);
  });

  test("in a config; it resumes in mid-epoch", async () => {
    const make = () => loaders.make({ name: "parquet", file: parquet, ...how, batchSize: 1, shuffle: true });
    const [whole, again] = await resumed(toyOptions({ model: () => nn.linear(7, 2) }), make);
    expect(again).toBe(whole);
  });

  test("what is wrong", () => {
    const make = (change: object) => () => parquetDataset({ file: parquet, ...how, ...change });
    expect(make({ missing: undefined })).toThrow(/table\.parquet:3:1: column length doesn't hold a number: got ""/);
    expect(make({ inputs: ["list"] })).toThrow(/no such column: got list/);
    expect(make({ file: `${root}test/data/files/zstd.parquet` })).toThrow(/can't be read as a Parquet table.*ZSTD/);
    expect(make({ file: `${root}test/data/files/rgb.png` })).toThrow(DataError);
  });

  test("a damaged one: pages of other numbers of values, a schema that never ends, records", () => {
    const whole = readFileSync(parquet);
    const changed = (change: (text: string) => string) => {
      const path = `${temporaryFolder()}/x.parquet`;
      writeFileSync(path, Buffer.from(change(whole.toString("latin1")), "latin1"));
      return () => parquetTable(path);
    };
    const flipped = (at: number, bit: number) =>
      changed((text) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bit) + text.slice(at + 1));
    expect(flipped(50, 2)).toThrow(/a page of 5 values in a group of 4 rows/);
    expect(flipped(50, 8)).toThrow(/column length has 0 values in a group of 4 rows/);
    // The runs that say which values of the second column are missing are two bytes: one of 2³⁰ values leads out of them, and one of 63 doesn't.
    const run = (bytes: string) => changed((text) => text.slice(0, 194) + bytes + text.slice(194 + bytes.length));
    expect(run("\xfe\xff\xff\xff\x07")).toThrow(/a count that is cut off, or too large/);
    expect(run("\x7e")).toThrow(/a run of 63 values in a page of 4/);
    expect(flipped(1322, 1)).toThrow(DataError);
    const records = (text: string) =>
      text
        .replace("colour%\0", "colour%&")
        .replaceAll("red", "[1]")
        .replaceAll("green", "[1,2]")
        .replaceAll("blue", "[12]");
    expect(changed(records)).toThrow(/a column of records/);
    // 7 and 5.5 as float64, as a dictionary has them; −0 in place of the second.
    const second = `\x1c@${"\0".repeat(6)}`;
    const zero = changed((text) => text.replace(`${second}\x16@`, `${second}\0\x80`))();
    expect([...zero.rows][5][0].text).toBe("-0");
  });
});

describe("the tables of vega-datasets", () => {
  const cars = { table: "cars", target: "Miles_per_Gallon", missing: { texts: [""], value: "drop" } } as const;

  test("are read as CSV files of the same rows", () => {
    const inputs = ["Horsepower", "Origin"];
    const found = vegaDataset({ ...cars, inputs, categorical: ["Origin"] });
    expect([found.name, found.size, found.columns]).toEqual([
      "cars.json",
      392,
      ["Horsepower", "Origin=Europe", "Origin=Japan", "Origin=USA"],
    ]);
    const first = new Float32Array(4);
    found.fields.inputs.read(Int32Array.of(0), first);
    expect([...first]).toEqual([130, 0, 0, 1]);
    const penguins = vegaDataset({
      table: "penguins",
      target: "Species",
      classes: ["Adelie", "Chinstrap", "Gentoo"],
      inputs: ["Body Mass (g)"],
      missing: { texts: [""], value: 0 },
    });
    const species = new Int32Array(344);
    penguins.fields.targets.read(
      Int32Array.from({ length: 344 }, (_, row) => row),
      species,
    );
    expect([0, 1, 2].map((number) => species.filter((kind) => kind === number).length)).toEqual([152, 68, 124]);
  });

  test("other bytes are refused; a missing value is an error with its place", () => {
    const directory = temporaryFolder();
    writeFileSync(`${directory}/cars.json`, "[]");
    expect(() => vegaDataset({ ...cars, directory })).toThrow(/aren't the published bytes/);
    expect(() => vegaDataset({ ...cars, inputs: ["Horsepower"], missing: undefined })).toThrow(
      /cars\.json:11:2: column Miles_per_Gallon doesn't hold a number: got ""/,
    );
  });
});
