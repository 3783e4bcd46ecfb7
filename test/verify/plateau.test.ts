// A run from YAML whose learning rate goes by validation: verify validates too, on another backend, and finds where it doesn't.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { verifyConfig, verifyRun } from "../../src/verify/verify.ts";
import { temporaryFolder } from "../support/folder.ts";

test("verify replays validation, and the schedule's steps with it", async () => {
  const folder = temporaryFolder();
  const file = `${folder}/data.csv`;
  const rows = Array.from(
    { length: 64 },
    (_, i) => `${((i * 37) % 23) / 23},${((i * 11) % 7) / 7},${(i * 37) % 23 > 11 ? 1 : 0}`,
  );
  writeFileSync(file, ["a,b,label", ...rows].join("\n"));
  const data = { name: "csv", file, target: "label", classes: ["0", "1"], batch_size: 16 };
  const init = {
    seed: 1234,
    model_dir: `${folder}/run`,
    model: { name: "mlp", sizes: [2, 8, 2] },
    loss: "cross_entropy",
    optimizer: { AdamW: { learning_rate: 0.05 } },
    schedulers: [{ ReduceOnPlateauLR: { initial_learning_rate: 0.05, patience: 0, threshold: 0.05, factor: 0.5 } }],
    loop: { num_steps: 12, eval_frequency: 2 },
    checkpoint: { steps: 4 },
    logging: { log_level: "silent", log_steps: 1 },
    loggers: [{ ProgressLogger: null }, "JSONLLogger"],
    backend: "reference",
  };
  const held = `${folder}/held.csv`;
  writeFileSync(held, ["a,b,label", ...rows.slice(0, 48)].join("\n"));
  const fit = { train_dataloader: { ...data, shuffle: true }, val_dataloader: { ...data, file: held } };
  const { trainer, train, val } = buildTrainer(parseConfig(JSON.stringify({ trainer: { init, fit } }), "p.yaml"));
  const run = await trainer.fit(train!, val);
  const rates = readFileSync(`${folder}/run/metrics.jsonl`, "utf8").match(/"learning_rate":[\d.e-]+/g)!;
  expect(new Set(rates).size).toBeGreaterThan(2);
  expect(await verifyRun(`${folder}/run`, { backend: "wasm" })).toMatchObject({ equal: true, digest: run.digest });
  expect(await verifyRun(`${folder}/run`, { from: 8 })).toMatchObject({ equal: true, digest: run.digest, steps: 4 });

  const config = `${folder}/run/config.yaml`;
  writeFileSync(config, readFileSync(config, "utf8").replace("threshold: 0.05", "threshold: 0.9"));
  expect(await verifyRun(`${folder}/run`)).toMatchObject({ equal: false });

  writeFileSync(config, readFileSync(config, "utf8").replace("threshold: 0.9", "threshold: 0.05"));
  const flipped = rows.slice(0, 48).map((row) => row.replace(/.$/, (label) => (label === "0" ? "1" : "0")));
  writeFileSync(held, ["a,b,label", ...flipped].join("\n"));
  await expect(verifyRun(`${folder}/run`)).rejects.toThrow(
    /the validation data held\.csv.* isn't what the run went by/,
  );
  const other = await verifyConfig(config, { against: `${folder}/run` });
  expect(other.difference).toMatch(
    /^the digest; validation data held\.csv\/targets is [0-9a-f]{64}, published [0-9a-f]{64}$/,
  );
});
