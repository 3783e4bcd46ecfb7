// docs/optimizers.md: every optimizer, scheduler, loss and metric that a config may name stands there with its keys, and each example trains.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { trainerOptions } from "../../src/train/config/build.ts";
import { losses, metrics, optimizers, schedulers } from "../../src/train/config/families.ts";
import { toSnake } from "../../src/train/config/form.ts";
import { configToYaml, parseConfig } from "../../src/train/config/parse.ts";
import { register } from "../../src/train/config/register.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { root } from "../support/sources.ts";

const page = readFileSync(`${root}docs/optimizers.md`, "utf8");
type Entry = string | Record<string, unknown>;
const nameOf = (entry: Entry) => (typeof entry === "string" ? entry : Object.keys(entry)[0]);

/** The examples of a list, each as the YAML of one entry. */
function examples(kind: string): Entry[] {
  const [, text] = page.match(new RegExp(`^\`\`\`yaml ${kind}\\n([\\s\\S]*?)^\`\`\``, "m"))!;
  return parse(text);
}

const samples = 48;
const inputs = Float32Array.from({ length: samples * 4 }, (_, i) => ((i * 37) % 23) / 23 - 0.5);
const features = { data: inputs, shape: [samples, 4], dtype: "float32" } as const;
const labels = Int32Array.from({ length: samples }, (_, i) => (inputs[i * 4] > 0 ? 1 : 0));
const classes = { data: labels, shape: [samples], dtype: "int32" } as const;
const values = {
  data: Float32Array.from({ length: samples * 2 }, (_, i) => (i % 3) / 3),
  shape: [samples, 2],
  dtype: "float32",
} as const;
const spelled = { ...classes, shape: [samples, 1] } as const;
type Targets = typeof classes | typeof values | typeof spelled;
const loader = (targets: Targets) => dataLoader(arrayDataset("toy", { inputs: features, targets }), { batchSize: 16 });

/** Trains a few steps under a config with these choices. JSON is YAML. */
async function train(choices: Record<string, unknown>, targets: Targets = classes) {
  const init = {
    seed: 1234,
    model: { name: "mlp", sizes: [4, 8, 2] },
    loss: "cross_entropy",
    metrics: ["accuracy"],
    optimizer: { AdamW: { learning_rate: 0.01 } },
    loop: { num_steps: 4, eval_frequency: 2 },
    logging: { log_level: "silent" },
    loggers: null,
    checkpoint: null,
    backend: "reference",
    ...choices,
  };
  const config = parseConfig(JSON.stringify({ trainer: { init } }), "docs.yaml");
  expect(parseConfig(configToYaml(config), "again.yaml")).toEqual(config);
  const trainer = new Trainer({ ...trainerOptions(config), modelDir: undefined });
  const start = await Promise.all(trainer.model.parameters().map((parameter) => parameter.data()));
  const run = await trainer.fit(loader(targets), loader(targets));
  const end = await Promise.all(trainer.model.parameters().map((parameter) => parameter.data()));
  return {
    config: config.trainer.init,
    run,
    moved: start.some((data, i) => data.some((value, j) => value !== end[i][j])),
  };
}

/** The table row of a name: the one whose first cell has it. */
function rowOf(name: string): string {
  const base = name === "CosineAnnealingWarmRestartsWD" ? "CosineAnnealingWarmRestarts" : name.replace(/WD$/, "LR");
  const row = page
    .split("\n")
    .find((line) => line.startsWith("| ") && line.split(" | ")[0].slice(2).split(", ").includes(base));
  if (!row) throw new Error(`no row of ${name}`);
  return row;
}

/** The keys that a row, and the rows that it says are the same, name; in a decay's words where `decay`. */
function keysOf(row: string, decay: boolean): string[] {
  const inherited = /\b[Aa]s (Linear|Exponential)LR/.exec(row)?.[1];
  const own = [...row.matchAll(/`(\w+)`/g)].map(([, key]) => key);
  const more = inherited ? keysOf(rowOf(`${inherited}LR`), false) : [];
  const adam = /Adam's/.test(row) ? keysOf(rowOf("Adam"), false) : [];
  const all = [...own, ...more, ...adam];
  return decay ? all.map((key) => key.replace(/learning_rate/, "val").replace(/_lr$/, "_val")) : all;
}

/** The default that a row states for a key, where it does. */
function defaultOf(row: string, key: string): unknown {
  const [, stated] = row.match(new RegExp(`\`${key}\`:? (?!\\()([\\w.+-]*\\w|\\[[^\\]]*\\])`)) ?? [];
  return stated === undefined ? undefined : parse(stated);
}

/** Keys that all of a kind have. */
const common: Readonly<Record<string, readonly string[]>> = {
  optimizer: ["class", "learning_rate", "weight_decay", "decay_all", "maximize", "groups"],
  loss: ["class", "reduction"],
};
const ofClasses = ["cross_entropy", "nll", "multi_margin", "gaussian_nll", "cosine_embedding"];
register("model", "pairs", () => nn.sequential(nn.linear(4, 6), nn.unflatten([2, 3])));
register("model", "times", () => nn.sequential(nn.linear(4, 12), nn.unflatten([4, 3])));
register("model", "triples", () => nn.sequential(nn.linear(4, 6), nn.unflatten([3, 2])));
const modelOf: Readonly<Record<string, string>> = {
  cosine_embedding: "pairs",
  ctc: "times",
  info_nce: "pairs",
  triplet_margin: "triples",
};

describe.each([
  ["optimizer", optimizers.names],
  ["schedulers", schedulers.names],
  ["loss", losses.names],
  ["metrics", metrics.names],
] as const)("%s", (kind, names) => {
  test("every name has its example", () => {
    expect(examples(kind).map(nameOf).sort()).toEqual([...names].sort());
  });

  test.each(examples(kind).map((entry) => [nameOf(entry), entry] as const))(
    "%s trains, and its keys are listed",
    async (name, entry) => {
      const regression = kind === "loss" && !ofClasses.includes(name);
      const ofNumbers = kind === "metrics" && ["mae", "rmse", "mape", "r2"].includes(name);
      const choice = kind === "schedulers" || kind === "metrics" ? [entry] : entry;
      const { config, run, moved } = await train(
        {
          [kind]: choice,
          ...(kind === "loss" && { metrics: [] }),
          ...(ofNumbers && { loss: "mse" }),
          ...(kind === "loss" && name in modelOf && { model: { name: modelOf[name] } }),
        },
        name === "ctc" ? spelled : regression || ofNumbers ? values : classes,
      );
      expect(moved).toBe(true);
      expect(Number.isFinite(run.loss)).toBe(true);
      for (const value of Object.values(run.metrics)) expect(Number.isFinite(value)).toBe(true);
      if (kind === "metrics") expect(Object.keys(run.metrics).length).toBeGreaterThan(1);
      const made = config[kind] as Record<string, unknown> | Record<string, unknown>[];
      const options = Array.isArray(made) ? made[0] : made;
      const keys = Object.keys(options).map(toSnake);
      const listed = keysOf(rowOf(name), name.endsWith("WD"));
      const unlisted = keys.filter((key) => key !== "class" && !listed.includes(key));
      const given = typeof entry === "string" ? [] : Object.keys(Object.values(entry)[0] as object);
      for (const [key, value] of Object.entries(options)) {
        const stated = given.includes(toSnake(key)) ? undefined : defaultOf(rowOf(name), toSnake(key));
        if (stated !== undefined) expect([key, value]).toEqual([key, stated]);
      }
      expect(unlisted.filter((key) => !common[kind]?.includes(key))).toEqual([]);
    },
  );
});
