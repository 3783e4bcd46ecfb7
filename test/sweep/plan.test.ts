// A sweep's file as the runs that it means; every error at its place in the file.
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { jobsOf } from "../../src/sweep/job.ts";
import { loadSweep, planSweep, runFolders } from "../../src/sweep/plan.ts";
import { configHash, loadConfig, parseConfig, parsePhases } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";

const base = `trainer:
  init:
    seed: 1234
    model: {name: mlp, sizes: [784, 16, 10], dropout: 0.1}
    loss: cross_entropy
    optimizer: {AdamW: {learning_rate: 0.003}}
    loop: {num_steps: 4}
  fit:
    train_dataloader: {name: mnist, split: test, batch_size: 16, shuffle: true}
`;

/** Plans a sweep over `base` (its file is config.yaml, beside the sweep's) whose file is named sweep.yaml. */
function plan(text: string, config = base) {
  const folder = temporaryFolder();
  writeFileSync(`${folder}/config.yaml`, config);
  return planSweep(`config: config.yaml\n${text}`, `${folder}/sweep.yaml`);
}

/** An error's message without the folder. */
function failure(text: string, config = base): string {
  try {
    plan(text, config);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.replaceAll(/\/\S*\/(?=(?:sweep|config)\.yaml)/g, "");
  }
  throw new Error("no error");
}

const rate = "trainer.init.optimizer.AdamW.learning_rate";
const dropout = "trainer.init.model.dropout";
const settingsOf = (text: string) => plan(text).runs.map(({ settings }) => settings);

describe("the runs of a sweep", () => {
  test("without anything that varies: the config itself", () => {
    const { runs, folder, metric, repeated } = plan("");
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ index: 0, settings: {}, seed: "1234" });
    expect([folder, metric, repeated]).toEqual(["runs/sweep", undefined, 0]);
    const { name, config } = runs[0];
    const parsed = parseConfig(config, "a.yaml");
    expect(parsed.trainer.init.modelDir).toBe(`runs/sweep/${name}`);
    expect(configHash(parsed)).toBe(configHash(parseConfig(base, "a.yaml")));
    expect(configHash(parsed).startsWith(name)).toBe(true);
  });

  test("a grid's values in every combination, the last key and then the seeds turning fastest", () => {
    const { runs } = plan(`seeds: 2\ngrid:\n  ${rate}: [0.1, 0.2]\n  ${dropout}: [0, 0.5]\n`);
    expect(runs.map(({ settings, seed }) => [settings[rate], settings[dropout], seed])).toEqual([
      [0.1, 0, "1234"],
      [0.1, 0, "1235"],
      [0.1, 0.5, "1234"],
      [0.1, 0.5, "1235"],
      [0.2, 0, "1234"],
      [0.2, 0, "1235"],
      [0.2, 0.5, "1234"],
      [0.2, 0.5, "1235"],
    ]);
    expect(runs.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(runs.map(({ name }) => name)).size).toBe(8);
  });

  test("are the configs that the same assignments make by --set", () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/config.yaml`, base);
    const text = `config: config.yaml\nseeds: [7]\nset: {trainer.init.loop.num_steps: 9}\nlist: [{${rate}: 0.5, ${dropout}: 0}]\n`;
    const [{ config, seed }] = planSweep(text, `${folder}/sweep.yaml`).runs;
    const set = ["trainer.init.loop.num_steps=9", `${rate}=0.5`, `${dropout}=0`];
    const same = loadConfig(`${folder}/config.yaml`, { set, seed: BigInt(seed) });
    const { modelDir: _, ...init } = parseConfig(config, "a.yaml").trainer.init;
    const { modelDir: _other, ...wanted } = same.trainer.init;
    expect(init).toEqual({ ...wanted, seed: 7 });
    expect(configHash(parseConfig(config, "a.yaml"))).toBe(configHash(same));
  });

  test("list, random and grid multiply; what is set is no setting", () => {
    const text = `set: {trainer.init.loop.num_steps: 9}
list: [{${dropout}: 0}, {${dropout}: 0.5}]
random: {count: 3, ${rate}: {uniform: [0, 1]}}
grid: {trainer.fit.train_dataloader.batch_size: [4, 8]}
`;
    const { runs } = plan(text);
    expect(runs).toHaveLength(12);
    expect(Object.keys(runs[0].settings)).toEqual([dropout, rate, "trainer.fit.train_dataloader.batch_size"]);
    expect(runs.every(({ config }) => config.includes("num_steps: 9"))).toBe(true);
    expect(new Set(runs.map(({ settings }) => settings[rate])).size).toBe(3);
  });

  test("seeds: from the config's own, or 0, on; the largest is followed by 0", () => {
    const seeds = (text: string, config = base) => plan(text, config).runs.map(({ seed }) => seed);
    expect(seeds("seeds: 3")).toEqual(["1234", "1235", "1236"]);
    expect(seeds("seeds: [5, 18446744073709551615]")).toEqual(["5", "18446744073709551615"]);
    expect(seeds("seeds: 2", base.replace("    seed: 1234\n", ""))).toEqual(["0", "1"]);
    expect(seeds("seeds: 2", base.replace("1234", "18446744073709551615"))).toEqual(["18446744073709551615", "0"]);
  });

  test("a text is a text where the key wants one, and values may be whole maps", () => {
    const runs = plan(
      "grid: {trainer.init.optimizer: [{SGD: {learning_rate: 0.1}}, {AdamW: {learning_rate: 0.1}}]}",
    ).runs;
    expect(runs.map(({ config }) => /(SGD|AdamW):/.exec(config)![1])).toEqual(["SGD", "AdamW"]);
    const [{ config }] = plan("set: {trainer.fit.ckpt_path: 2024}").runs;
    expect(config).toMatch(/ckpt_path: "2024"/);
  });

  test("a key inside another's value is put into it, wherever they stand", () => {
    const decay = "trainer.init.optimizer.AdamW.weight_decay: 0.5";
    const whole = "trainer.init.optimizer: {AdamW: {learning_rate: 0.25, weight_decay: 0}}";
    for (const text of [
      `set: {${decay}}\nlist: [{${whole}}]`,
      `list: [{${whole}}]\ngrid: {${decay.replace("0.5", "[0.5]")}}`,
    ]) {
      const { optimizer } = parseConfig(plan(text).runs[0].config, "a.yaml").trainer.init;
      expect(optimizer).toMatchObject({ class: "AdamW", learningRate: 0.25, weightDecay: 0.5 });
    }
  });

  test("its metric, and its folder: in the file, and given", () => {
    const folder = temporaryFolder();
    mkdirSync(`${folder}/sub`);
    writeFileSync(`${folder}/config.yaml`, base.replace("    loss:", "    metrics: [accuracy]\n    loss:"));
    const text = "config: ../config.yaml\nfolder: runs/mine\nmetric: {name: val_accuracy, mode: max, target: 0.9}\n";
    writeFileSync(`${folder}/sub/sweep.yaml`, text);
    const found = loadSweep(`${folder}/sub/sweep.yaml`);
    expect(found).toMatchObject({ folder: "runs/mine", metric: { name: "val_accuracy", mode: "max", target: 0.9 } });
    expect(loadSweep(`${folder}/sub/sweep.yaml`, { folder: "elsewhere" }).folder).toBe("elsewhere");
  });

  test("keep their names where folder, threads and backend change, and change them with what trains", () => {
    const name = (text: string, config = base) => plan(text, config).runs[0].name;
    const plain = name("");
    expect(name("folder: elsewhere\nthreads: 2")).toBe(plain);
    expect(name("", base.replace("    seed", "    backend: reference\n    seed"))).toBe(plain);
    expect(name("seeds: [1]")).not.toBe(plain);
    expect(name(`set: {${dropout}: 0.2}`)).not.toBe(plain);
  });
});

describe("random", () => {
  const ranges = `random:
  count: 40
  ${rate}: {log_uniform: [0.0001, 0.1]}
  ${dropout}: {uniform: [0, 0.5]}
  trainer.fit.train_dataloader.batch_size: {int: [1, 64]}
  trainer.init.loss: {choice: [cross_entropy, {cross_entropy: {label_smoothing: 0.1}}]}
`;

  test("draws from the sweep's own seed: the same values, to the last digit, on every machine", () => {
    const values = settingsOf(ranges).map((settings) => Object.values(settings));
    expect(values.slice(0, 3)).toEqual([
      [0.0525268, 0.269512, 52, "cross_entropy"],
      [0.0288331, 0.465744, 57, { cross_entropy: { label_smoothing: 0.1 } }],
      [0.00138898, 0.00605067, 53, { cross_entropy: { label_smoothing: 0.1 } }],
    ]);
    expect(settingsOf(ranges)).toEqual(settingsOf(`seed: 0\n${ranges}`));
    expect(settingsOf(`seed: 1\n${ranges}`)).not.toEqual(settingsOf(ranges));
  });

  test("stays within its ranges, and fills them", () => {
    const all = settingsOf(ranges.replace("40", "400"));
    const column = (key: string) => all.map((settings) => settings[key] as number);
    const rates = column(rate);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.0001);
    expect(Math.max(...rates)).toBeLessThanOrEqual(0.1);
    // A third of the draws in each decade.
    for (const decade of [1e-4, 1e-3, 1e-2]) {
      const share = rates.filter((value) => value >= decade && value < 10 * decade).length / 400;
      expect(share).toBeGreaterThan(0.25);
      expect(share).toBeLessThan(0.42);
    }
    const sizes = column("trainer.fit.train_dataloader.batch_size");
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 64]);
    expect(new Set(all.map((settings) => JSON.stringify(settings["trainer.init.loss"]))).size).toBe(2);
  });

  test("a larger count begins as a smaller one", () => {
    expect(settingsOf(ranges).slice(0, 5)).toEqual(settingsOf(ranges.replace("40", "5")));
  });

  test("draws that come to the same config make one run, which is counted", () => {
    const { runs, repeated } = plan(`random: {count: 20, ${dropout}: {choice: [0, 0.5]}}`);
    expect([runs.length, repeated]).toEqual([2, 18]);
  });

  test("a range of one value", () => {
    const only = (range: string) => settingsOf(`random: {count: 1, ${rate}: ${range}}`)[0][rate];
    expect(only("{uniform: [0.123456789, 0.123456789]}")).toBe(0.123456789);
    expect(only("{log_uniform: [3, 3]}")).toBe(3);
    expect(only("{int: [2, 2]}")).toBe(2);
  });
});

describe("an error", () => {
  test.each([
    [
      "a key that isn't the file's",
      "gird: {}",
      /^sweep\.yaml:2:1: gird: unknown key: got gird, .*\nHint: did you mean grid\?$/,
    ],
    ["no base config", "config: 3", /a key is given twice/],
    ["a base that isn't there", "", /config\.yaml: .*no such file/],
    [
      "an unknown key of the config",
      `grid:\n  trainer.init.optimizer.AdamW.learning_rat: [1]`,
      /^sweep\.yaml:3:3: trainer\.init\.optimizer\.AdamW\.learning_rat: unknown key: .*\nHint: did you mean learning_rate\?$/,
    ],
    [
      "a key that all objects have",
      "set: {constructor: 1}",
      /^sweep\.yaml:2:7: constructor: unknown key: got constructor/,
    ],
    [
      "an unknown class",
      "grid:\n  trainer.init.optimizer: [{SGD: {learning_rate: 1}}, {AdmaW: {}}]",
      /^sweep\.yaml:3:56: trainer\.init\.optimizer\.AdmaW: unknown class: .*did you mean AdamW\?$/s,
    ],
    [
      "a value that the key doesn't take",
      `grid:\n  ${dropout}: [0.5, 7]`,
      /^sweep\.yaml:3:37: trainer\.init\.model\.dropout: not a value for this key: got 7, expected /,
    ],
    [
      "a value of list",
      `list:\n  - {${dropout}: 0}\n  - {${dropout}: no}`,
      /^sweep\.yaml:4:\d+: trainer\.init\.model\.dropout: .*got "no"/,
    ],
    [
      "a drawn value",
      `random:\n  count: 3\n  ${dropout}: {uniform: [2, 3]}`,
      /^sweep\.yaml:4:\d+: trainer\.init\.model\.dropout: .*got 2\.\d+/,
    ],
    [
      "a grid that isn't lists",
      `grid:\n  ${dropout}: 0.5`,
      /^sweep\.yaml:3:31: grid\.trainer\.init\.model\.dropout: .*got 0\.5, expected at least one value|a list/,
    ],
    ["an empty list of values", `grid:\n  ${dropout}: []`, /^sweep\.yaml:3:31: .*expected at least one value/],
    [
      "a grid that is a list",
      "grid: [1]",
      /^sweep\.yaml:2:7: grid: .*expected a map of a config's keys, each with a list of values/,
    ],
    ["no path", "grid:\n  'trainer..seed': [1]", /^sweep\.yaml:3:3: .*not a key of a config: got "trainer\.\.seed"/],
    [
      "the seed as a setting",
      "grid: {trainer.init.seed: [1, 2]}",
      /^sweep\.yaml:2:8: .*not a key that varies over a sweep.*\nHint: give seeds/s,
    ],
    ["the folder as a setting", "set: {trainer.init.model_dir: a}", /Hint: give folder/],
    ["threads as a setting", "grid: {trainer.init.threads: [1, 2]}", /Hint: give threads/],
    ["the backend as a setting", "grid: {trainer.init.backend: [wasm, reference]}", /Hint: say it in the config/],
    ["programs as a setting", "grid: {imports: [[./a.js]]}", /Hint: say it in the config: programs/],
    [
      "a key in two places",
      `grid: {${dropout}: [0]}\nlist: [{${dropout}: 0.5}]`,
      /^sweep\.yaml:2:8: trainer\.init\.model\.dropout: a key that is given twice: got trainer\.init\.model\.dropout before, at sweep\.yaml:3:9/,
    ],
    [
      "a key in two places, by two names",
      `set: {${rate}: 0.1}\ngrid: {${rate.replace("learning_rate", "lr")}: [0.2]}`,
      /^sweep\.yaml:3:8: trainer\.init\.optimizer\.AdamW\.lr: a key that is given twice: got .*learning_rate before, at sweep\.yaml:2:7/,
    ],
    [
      "a key in one grid, by two names",
      `grid:\n  ${rate}: [0.1]\n  ${rate.replace("learning_rate", "lr")}: [0.2]`,
      /^sweep\.yaml:4:3: .*a key that is given twice: got .*learning_rate before, at sweep\.yaml:3:3/,
    ],
    [
      "a key in one grid, the class in another case",
      `grid:\n  ${rate}: [0.1]\n  ${rate.replace("AdamW", "adamw")}: [0.2]`,
      /^sweep\.yaml:4:3: .*a key that is given twice/,
    ],
    [
      "a key in one item of list, by two names",
      `list:\n  - {${rate}: 0.1}\n  - {${rate}: 0.1, ${rate.replace("learning_rate", "lr")}: 0.2}`,
      /^sweep\.yaml:4:\d+: .*a key that is given twice: got .*learning_rate before, at sweep\.yaml:4:6/,
    ],
    [
      "a key of one choice, beside another choice",
      "set: {trainer.init.optimizer.AdamW.weight_decay: 0.5}\nlist: [{trainer.init.optimizer: {SGD: {learning_rate: 0.1}}}]",
      /trainer\.init\.optimizer: not one choice of class: got a map of SGD, AdamW/,
    ],
    [
      "two runs that are one",
      `grid: {${dropout}: [0.5, 0.50]}`,
      /^sweep\.yaml:2:\d+: sweep: two runs of one config: got \{"trainer\.init\.model\.dropout":0\.5\} and/,
    ],
    ["a seed twice", "seeds: [3, 3]", /^sweep\.yaml:2:12: seeds\[1\]: the same seed twice: got 3/],
    ["no seed", "seeds: [1, x]", /^sweep\.yaml:2:\d+: seeds/],
    ["no seeds", "seeds: 0", /^sweep\.yaml:2:8: seeds: .*got 0, expected an integer in \[1, 10000\]/],
    [
      "a seed not in digits",
      "seeds: [1e3]",
      /^sweep\.yaml:2:9: seeds\[0\]: .*got 1e3, expected an integer in \[0, 2\^64\), in decimal digits/,
    ],
    ["the sweep's seed not in digits", "seed: 0x10", /^sweep\.yaml:2:7: seed: .*got 0x10/],
    [
      "random without a count",
      `random: {${dropout}: {uniform: [0, 1]}}`,
      /^sweep\.yaml:2:9: random\.count: a required key is missing/,
    ],
    ["random without a key", "random: {count: 3}", /^sweep\.yaml:2:1: random: a required key is missing/],
    [
      "no range",
      `random:\n  count: 3\n  ${dropout}: 0.5`,
      /^sweep\.yaml:4:31: .*not a range to draw from: got 0\.5, expected one of uniform/,
    ],
    [
      "an unknown range",
      `random:\n  count: 3\n  ${dropout}: {unifrom: [0, 1]}`,
      /^sweep\.yaml:4:32: .*unknown key: got unifrom.*did you mean uniform\?/s,
    ],
    [
      "a range the wrong way",
      `random:\n  count: 3\n  ${dropout}: {uniform: [1, 0]}`,
      /^sweep\.yaml:4:41: .*got \[1, 0\], expected two numbers, the smaller one first/,
    ],
    [
      "logarithms of 0",
      `random:\n  count: 3\n  ${rate}: {log_uniform: [0, 1]}`,
      /got \[0, 1\], expected two numbers above 0/,
    ],
    [
      "an infinite range",
      `random:\n  count: 3\n  ${rate}: {uniform: [0, .inf]}`,
      /got \[0, Infinity\], expected two numbers/,
    ],
    ["no integers", `random:\n  count: 3\n  ${rate}: {int: [0, 1.5]}`, /expected two integers/],
    ["no choice", `random:\n  count: 3\n  ${rate}: {choice: []}`, /expected a list of at least one value/],
    ["too many runs", `seeds: 10000\ngrid: {${dropout}: [0, 0.5]}`, /too many runs: got 20000, expected at most 10000/],
    [
      "an unknown mode",
      "metric: {name: accuracy, mode: maximum}",
      /^sweep\.yaml:2:\d+: metric\.mode: .*got "maximum", expected one of min, max/,
    ],
    ["not YAML", "grid: [", /^sweep\.yaml:\d+:\d+: config: not valid YAML/],
  ])("%s", (what, text, message) => {
    if (what === "a base that isn't there") {
      expect(() => planSweep("config: config.yaml", `${temporaryFolder()}/sweep.yaml`)).toThrow(message);
    } else expect(failure(text)).toMatch(message);
  });

  test("no base config at all", () => {
    expect(() => planSweep("seeds: 3", "sweep.yaml")).toThrow(/^sweep\.yaml:1:1: config: a required key is missing/);
  });

  test("of the number that runs are compared by is told before anything runs", () => {
    const measured = base.replace("    loss:", "    metrics: [accuracy, per_class_accuracy]\n    loss:");
    for (const name of ["accuracy", "val_accuracy", "loss", "digits/accuracy", "per_class_accuracy/3"])
      expect(plan(`metric: {name: ${name}, mode: max}`, measured).metric).toMatchObject({ name });
    expect(failure("metric: {name: acuracy}", measured)).toMatch(
      /^sweep\.yaml:2:16: metric\.name: no run of the sweep validates such a number: got acuracy, expected one of loss, accuracy, per_class_accuracy\nHint: did you mean accuracy\?/,
    );
    expect(failure("metric: {name: accuracy}")).toMatch(
      /got accuracy, expected one of loss\nHint: trainer\.init\.metrics/,
    );
    const meaning = measured.replace("per_class_accuracy", "confusion_matrix");
    expect(failure("metric: {name: confusion_matrix/3}", meaning)).toMatch(
      /^sweep\.yaml:2:16: metric\.mode: nothing says whether less or more/,
    );
    const own = base.replace(/ {4}loss: .*\n/, "").replace(/model: .*/, "model: {name: heat_pinn, hidden: [4]}");
    expect(plan("metric: {name: residual, mode: min}", own).metric).toMatchObject({ name: "residual" });
    expect(failure("metric: {name: residual}", own)).toMatch(/metric\.mode: nothing says whether less or more/);
    expect(failure("seeds: 1", "[]")).toMatch(/^config\.yaml:1:1: /);
  });

  test("of the config itself is at its place there", () => {
    expect(failure("", base.replace("dropout", "dropuot"))).toMatch(
      /^config\.yaml:4:\d+: trainer\.init\.model\.dropuot: unknown key/,
    );
    expect(failure("", base.replace(/seed: \d+/, "seed: 1.5"))).toMatch(
      /^config\.yaml:\d+:\d+: trainer\.init\.seed: not a value for this key: got 1\.5/,
    );
    expect(failure("", base.slice(0, base.indexOf("  fit:")))).toMatch(
      /config\.yaml: trainer\.fit: a required key is missing/,
    );
    expect(failure("", base.replace("    seed", "    fast_dev_run: 2\n    seed"))).toMatch(
      /config\.yaml: trainer\.init\.fast_dev_run: such a run writes nothing/,
    );
    expect(failure("", twoPhases.slice(0, twoPhases.lastIndexOf("  fit:")))).toMatch(
      /config\.yaml: trainer\[1\]\.fit: a required key is missing/,
    );
    expect(failure("set: {'trainer[1].init.seed': 3}", twoPhases)).toMatch(
      /^sweep\.yaml:2:7: .*not a key that varies over a sweep: got trainer\[1\]\.init\.seed.*\nHint: give seeds/s,
    );
  });
});

const second = base.replace("trainer:\n  init", "- init").replace("learning_rate: 0.003", "learning_rate: 0.001");
const twoPhases = base.replace("trainer:\n  init", "trainer:\n- init") + second;

describe("a base config of several phases", () => {
  test("is a run of so many phases: a seed for all, settings of each, folders in the run's own", () => {
    const varied = "trainer[1].init.optimizer.AdamW.learning_rate";
    const { runs, folder } = plan(`seeds: 2\ngrid: {'${varied}': [0.1, 0.2]}\n`, twoPhases);
    expect(runs.map(({ settings, seed, phases }) => [settings[varied], seed, phases])).toEqual([
      [0.1, "1234", 2],
      [0.1, "1235", 2],
      [0.2, "1234", 2],
      [0.2, "1235", 2],
    ]);
    const { name, config } = runs[1];
    const phases = parsePhases(config, "a.yaml").map(({ trainer }) => trainer.init);
    expect(phases.map(({ seed }) => seed)).toEqual([1235, 1235]);
    expect(phases.map(({ optimizer }) => optimizer?.learningRate)).toEqual([0.003, 0.1]);
    const folders = [1, 2].map((phase) => `${folder}/${name}/phase-${phase}`);
    expect(phases.map(({ modelDir }) => modelDir)).toEqual(folders);
    expect(runFolders({ folder }, runs[1])).toEqual(folders);
    expect(new Set(runs.map((run) => run.name)).size).toBe(4);
    // The order of the phases is part of the run.
    const swapped = second.replace("- init", "trainer:\n- init") + base.replace("trainer:\n  init", "- init");
    expect(plan("", swapped).runs[0].name).not.toBe(plan("", twoPhases).runs[0].name);
  });

  test("can't go through a queue, which is said", () => {
    expect(() => jobsOf(plan("", twoPhases).runs)).toThrow(
      /a queue holds runs of one trainer.*got 2 phases\nHint: make it without --queue/,
    );
  });
});
