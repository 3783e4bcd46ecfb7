// After training, on the command line: predictions from files to files, and every checkpoint validated.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import { call, configFile } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";

const folder = scratch();
const modelDir = join(folder, "run");
const data = join(folder, "points.csv");
const rows = Array.from({ length: 12 }, (_, i) => [i / 12, (i * 5) % 7, i % 2]);
writeFileSync(data, `x,y,kind\n${rows.map((row) => row.join(",")).join("\n")}\n`);
const loader = `{name: csv, file: ${data}, inputs: [x, y], target: kind, classes: ["0", "1"], batch_size: 4}`;
const config = configFile(`trainer:
  init:
    seed: 3
    model: {name: mlp, sizes: [2, 4, 2]}
    loss: cross_entropy
    metrics: [accuracy]
    optimizer: {SGD: {lr: 0.1}}
    loop: {num_steps: 4, eval_frequency: end}
    checkpoint: {steps: 2}
    model_dir: ${modelDir}
  fit: {train_dataloader: ${loader}, val_dataloader: [${loader}, ${loader}]}
  validate_all: {val_dataloaders: [${loader}]}
`);

describe("a run on a CSV file", () => {
  test("is fitted with two validation loaders; validate-all takes its checkpoints by step", async () => {
    const run = await call(["fit", config, "--json"]);
    expect(run.code, run.stderr).toBe(0);
    const metrics = run.json().metrics as Record<string, number>;
    expect(Object.keys(metrics)).toEqual(["loss", "accuracy", "points.csv#2/loss", "points.csv#2/accuracy"]);
    const all = await call(["validate-all", config, "--json"]);
    expect(all.code, all.stderr).toBe(0);
    const { checkpoints } = all.json() as unknown as { checkpoints: { step: number; metrics: { loss: number } }[] };
    expect(checkpoints.map(({ step }) => step)).toEqual([2, 4]);
    expect(checkpoints[1].metrics.loss).toBe(metrics.loss);
    expect(all.stdout).toMatch(/^step +loss +accuracy\n2 /m);
    const some = await call(["validate-all", config, "--ckpts", `${modelDir}/checkpoints/*_4.safetensors`, "--json"]);
    expect((some.json() as unknown as { checkpoints: unknown[] }).checkpoints).toEqual([checkpoints[1]]);
  });

  test("is validated and tested, from its config or its folder; test data are given there or by --set", async () => {
    const own = `{name: csv, file: ${data}, target: kind, classes: ["0", "1"], batch_size: 3}`;
    const given = ["--set", `trainer.test.test_dataloader=${own}`, "--ckpt", "last", "--json"];
    const [validated, whole, folderAlone, missing, split] = await Promise.all([
      call(["validate", modelDir, "--json"]),
      call(["test", config, ...given]),
      call(["test", modelDir, ...given]),
      call(["test", modelDir]),
      call(["test", config, "--set", `trainer.test.test_dataloader=${own.replace("}", ", validation_split: 0.5}")}`]),
    ]);
    for (const { code, stderr } of [validated, whole, folderAlone]) expect(code, stderr).toBe(0);
    expect(whole.json()).toMatchObject({ steps: 4, weights: "raw", seed: validated.json().seed });
    expect(folderAlone.stdout).toBe(whole.stdout);
    const [{ accuracy }, tested] = [validated, whole].map((run) => run.json().metrics as Record<string, number>);
    expect(tested.accuracy).toBe(accuracy);
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringMatching(/config\.yaml: trainer\.test: a required key is missing.*expected test_dataloader/),
    ]);
    expect([split.code, split.stderr]).toEqual([2, expect.stringMatching(/test_dataloader csv: validation_split/)]);
  });

  test("predicts to CSV, JSON lines, safetensors and stdout: the same numbers", async () => {
    const files = ["csv", "jsonl", "safetensors"].map((kind) => join(folder, `out.${kind}`));
    const given = join(folder, "inputs.safetensors");
    const inputs = Float32Array.from(rows.flatMap((row) => row.slice(0, 2)));
    writeSafetensors(given, [["inputs", { data: inputs, shape: [12, 2], dtype: "float32" }]]);
    const runs = await Promise.all([
      ...files.map((file) => call(["predict", config, "--input", data, "--output", file])),
      call(["predict", config, "--input", given, "--batch-size", "5", "--json"]),
    ]);
    for (const { code, stderr } of runs) expect(code, stderr).toBe(0);
    const { outputs } = runs[3].json() as unknown as { outputs: number[][] };
    expect(outputs).toHaveLength(12);
    const lines = readFileSync(files[0], "utf8").trim().split("\n");
    expect(lines[0]).toBe("index,output_0,output_1");
    expect(lines.slice(1).map((line) => line.split(",").slice(1).map(Number))).toEqual(outputs);
    const parsed = readFileSync(files[1], "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(parsed).toEqual(outputs.map((row, index) => ({ index, outputs: row })));
    const { tensors, metadata } = readSafetensors(files[2]);
    expect([...tensors.get("outputs")!.data]).toEqual(outputs.flat());
    expect(metadata).toEqual({ checkpoint_step: "4", weights: "raw" });
    const early = await call([
      "predict",
      config,
      "--input",
      data,
      "--json",
      "--ckpt",
      join(modelDir, "checkpoints/checkpoint_2.safetensors"),
    ]);
    expect(early.json().outputs).not.toEqual(outputs);
  });

  test("what is refused", async () => {
    const refused = await Promise.all([
      call(["predict", config, "--input", data, "--output", "x.txt"]),
      call(["predict", config, "--input", join(folder, "none.csv")]),
      call(["predict", config, "--input", config]),
      call(["predict", config]),
      call(["predict", config, "--input", data, "--model-dir", join(folder, "untrained")]),
      call(["predict", config, "--input", data, "--output", join(folder, "none/x.csv")]),
    ]);
    expect(refused.map(({ code }) => code)).toEqual([2, 2, 1, 2, 1, 1]);
    expect(refused[5].stderr).toMatch(/^SeedgradError: --output .*x\.csv: the file can't be written.*\n$/m);
    expect(refused[4].stderr).toMatch(/there is no checkpoint to predict with/);
    expect(refused[0].stderr).toMatch(/--output: not a kind of file/);
    expect(refused[2].stderr).toMatch(/not a kind of file that inputs come in/);
  });
});
