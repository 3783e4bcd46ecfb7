// Results of real runs: settings, groups, quartiles and steps to a target against what `fit` itself gave, and by hand.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { showResults } from "../../src/cli/compare.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { recordRun, tensor, Variable } from "../../src/index.ts";
import { thisPlace, thisProcess } from "../../src/io/files.node.ts";
import { sgd } from "../../src/optim/index.ts";
import { groupText, shownSettings } from "../../src/report/results.ts";
import { renderResults } from "../../src/report/sweep.ts";
import { resultsOf } from "../../src/sweep/results.ts";
import { resultsCsv, resultsJsonl } from "../../src/sweep/rows.ts";
import type { Run } from "../../src/train/run.ts";
import { temporaryFolder } from "../support/folder.ts";
import { trainPenguins } from "../support/several.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const rate = "trainer.init.optimizer.AdamW.learning_rate";
const rates = [0.01, 0.05];
const seeds = [1, 2, 3];
let folder: string;
let folders: string[];
let runs: Run[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "seedgrad-results-"));
  folders = [];
  runs = [];
  for (const learningRate of rates)
    for (const seed of seeds) {
      const path = join(folder, `${learningRate}-${seed}`);
      folders.push(path);
      runs.push(await trainPenguins(path, seed, [`${rate}=${learningRate}`]));
    }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const listed = (paths: readonly string[] = folders) => paths.map((path) => ({ folder: path }));
/** Copies of a run's files, but for those that are left out. */
function copied(from: string, without: readonly string[] = []): string {
  const to = join(temporaryFolder(), "copy");
  mkdirSync(to);
  for (const name of ["manifest.json", "chain.bin", "config.yaml", "metrics.csv", "metrics.jsonl"])
    if (!without.includes(name)) copyFileSync(join(from, name), join(to, name));
  return to;
}
const refused = (body: () => unknown) => {
  try {
    body();
  } catch (error) {
    return error as Error & { hint?: string };
  }
  throw new Error("nothing was refused");
};

describe("runs of two learning rates under three seeds", () => {
  test("what each came to is what fit gave; only the learning rate is a setting", () => {
    const results = resultsOf(listed());
    expect(results.settings).toEqual([rate]);
    expect(results.metrics).toEqual(["loss", "val_loss", "val_accuracy"]);
    expect(results.notes).toEqual([]);
    results.runs.forEach((result, i) => {
      const { history, digest, steps } = runs[i];
      const best = Math.min(...history.val_loss.values);
      expect(result).toMatchObject({
        ...{ state: "finished", steps, digest, seed: String(seeds[i % 3]) },
        settings: { [rate]: rates[Math.floor(i / 3)] },
        metrics: {
          loss: { last: runs[i].loss, lastStep: 12 },
          val_loss: { last: runs[i].metrics.loss, lastStep: 12, best },
          val_accuracy: { last: runs[i].metrics.accuracy, best: Math.max(...history.val_accuracy.values) },
        },
      });
      expect(result.metrics.loss.best).toBeUndefined();
      const { best: most, bestStep } = result.metrics.val_accuracy;
      expect(history.val_accuracy.steps[history.val_accuracy.values.indexOf(most!)]).toBe(bestStep);
      expect(result.seconds).toBeGreaterThan(0);
      const loss = result.series.find(({ name }) => name === "loss")!;
      expect(loss.steps).toEqual(Array.from({ length: 12 }, (_, step) => step + 1));
      expect(result.series.find(({ name }) => name === "val_loss")!.values).toEqual(history.val_loss.values);
    });
  });

  test("groups: the median of three is the middle one, the quartiles lie half way to it; ranked by the median", () => {
    const { groups, ranking, ranked } = resultsOf(listed());
    expect(ranking).toEqual({ metric: "val_loss", mode: "min" });
    expect(groups.map(({ runs: own }) => own)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const medians = groups.map(({ runs: own, metrics }) => {
      const { values, spread } = metrics.val_loss;
      const bests = own.map((i) => Math.min(...runs[i].history.val_loss.values));
      expect(values).toEqual(bests);
      const [low, middle, high] = [...bests].sort((a, b) => a - b);
      expect(spread).toEqual({
        count: 3,
        least: low,
        lowerQuartile: low + (middle - low) * 0.5,
        median: middle,
        upperQuartile: middle + (high - middle) * 0.5,
        greatest: high,
      });
      return middle;
    });
    expect(ranked).toEqual(medians[0] < medians[1] ? [0, 1] : [1, 0]);
    const worst = resultsOf(listed(), { metric: { name: "val_loss", mode: "max" } });
    expect(worst.ranked).toEqual([...ranked].reverse());
  });

  test("steps to a target: the first validation at which it holds; runs that miss it are counted", () => {
    // The second rate gets there, the first doesn't in all seeds: the value lies between what they reach.
    const finals = runs.map(({ history }) => Math.min(...history.val_loss.values));
    const value = [...finals].sort((a, b) => a - b)[3];
    const { runs: results, groups, target, ranking } = resultsOf(listed(), { target: { name: "loss", value } });
    expect([target, ranking]).toEqual([
      { metric: "val_loss", mode: "min", value },
      { metric: "val_loss", mode: "min" },
    ]);
    const steps = runs.map(({ history: { val_loss } }) => val_loss.steps[val_loss.values.findIndex((v) => v <= value)]);
    expect(results.map(({ targetStep }) => targetStep)).toEqual(steps);
    expect(steps.filter((step) => step === undefined)).toHaveLength(2);
    for (const { runs: own, target: reached } of groups) {
      const found = own.flatMap((i) => steps[i] ?? []);
      expect(reached).toMatchObject({ reached: found.length, missed: own.length - found.length, open: 0 });
      const whole = own.map((i) => steps[i] ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
      expect(reached!.spread!.median).toBe(whole[1]);
      expect(reached!.score).toBe(found.length >= 2 ? whole[1] : undefined);
    }
    expect(resultsOf(listed(), { target: { name: "accuracy", value: 2 } }).groups[0].target).toMatchObject({
      ...{ reached: 0, missed: 3, open: 0 },
      spread: { median: Number.POSITIVE_INFINITY },
    });
  });

  test("files: a row per run in their order, numbers to the last bit, the same however often", () => {
    const results = resultsOf(listed(), { target: { name: "accuracy", value: 0.9 } });
    const [header, ...rows] = resultsCsv(results).trim().split("\n");
    expect(header).toBe(
      `run,state,seed,${rate},steps,loss,val_loss,val_loss/best,val_loss/best_step,val_accuracy,val_accuracy/best,val_accuracy/best_step,steps_to_target,seconds,digest,folder`,
    );
    expect(rows).toHaveLength(6);
    rows.forEach((row, i) => {
      const cells = row.split(",");
      expect(cells.slice(0, 5)).toEqual([
        folders[i],
        "finished",
        String(seeds[i % 3]),
        String(rates[Math.floor(i / 3)]),
        "12",
      ]);
      expect(Number(cells[6])).toBe(runs[i].metrics.loss);
      expect(cells.at(-2)).toBe(runs[i].digest);
    });
    const lines = resultsJsonl(results)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    lines.forEach((line, i) => {
      expect(line).toMatchObject({
        run: folders[i],
        digest: runs[i].digest,
        settings: { [rate]: rates[Math.floor(i / 3)] },
      });
      expect(line.metrics.val_accuracy.last).toBe(runs[i].metrics.accuracy);
      expect(line.stepsToTarget).toBe(results.runs[i].targetStep ?? null);
    });
    const again = resultsOf(listed(), { target: { name: "accuracy", value: 0.9 } });
    expect([resultsCsv(again), resultsJsonl(again)]).toEqual([resultsCsv(results), resultsJsonl(results)]);
  });

  test("a run by itself has no settings; two copies of one run are of one group, and agree", () => {
    expect(resultsOf(listed([folders[0]])).settings).toEqual([]);
    const twice = resultsOf(listed([folders[0], copied(folders[0])]));
    expect([twice.settings, twice.groups.length, twice.notes]).toEqual([[], 1, []]);
  });

  test("the same settings and seed with another digest is said", () => {
    const copy = copied(folders[0]);
    const manifest = readFileSync(join(copy, "manifest.json"), "utf8");
    writeFileSync(join(copy, "manifest.json"), manifest.replaceAll(runs[0].digest, "ab".repeat(32)));
    expect(resultsOf(listed([folders[0], copy])).notes).toEqual([
      `${folders[0]} and ${copy}: the same settings and seed, and other digests: seedgrad diff says why`,
    ]);
  });
});

describe("what a run goes by", () => {
  test("keep_best decides the ranking; a target or a metric that is asked for comes first", async () => {
    const set = ["trainer.init.checkpoint.keep_best={metric: accuracy, k: 1}"];
    const kept = join(temporaryFolder(), "kept");
    const { best } = await trainPenguins(kept, 1, set);
    const {
      ranking,
      runs: [run],
    } = resultsOf([{ folder: kept }]);
    expect(run.monitor).toEqual({ metric: "accuracy" });
    expect(ranking).toEqual({ metric: "val_accuracy", mode: "max" });
    expect(run.metrics.val_accuracy).toMatchObject({ best: best!.value, bestStep: best!.step });
    const asked = resultsOf([{ folder: kept }], { metric: { name: "loss" } });
    expect(asked.ranking).toEqual({ metric: "val_loss", mode: "min" });
  });

  test("a logged number that no validation has: only with a direction", () => {
    const unknown = refused(() => resultsOf(listed(), { metric: { name: "learning_rate" } }));
    expect(unknown).toBeInstanceOf(ConfigError);
    expect(unknown.message).toMatch(/nothing says whether less or more of this number is better: got learning_rate/);
    const { metrics, ranking } = resultsOf(listed(), { metric: { name: "learning_rate", mode: "max" } });
    expect([metrics.at(-1), ranking?.metric]).toEqual(["learning_rate", "learning_rate"]);
  });
});

describe("runs of any origin", () => {
  test("made in code, without a log, and by a loop of one's own", async () => {
    const made = temporaryFolder();
    for (const learningRate of [1, 2]) {
      const own = { modelDir: join(made, `code-${learningRate}`), loggers: [] };
      await toyTrainer({ ...own, optimizer: (model) => sgd(model.parameters(), { learningRate }) }).fit(toyTrain());
    }
    const loop = join(made, "loop");
    const recorded = await recordRun({ seed: 5, modelDir: loop }, async (run) => {
      const weight = new Variable(tensor([1]));
      run.keep({ weight: { namedVariables: () => [["w", weight]] } });
      for await (const { step } of run.steps(3)) await run.record({ loss: 1 / step, score: step / 3 });
    });
    const results = resultsOf(listed([join(made, "code-1"), join(made, "code-2"), loop]));
    expect(results.metrics).toEqual(["loss", "score"]);
    expect(results.runs[2]).toMatchObject({ digest: recorded.digest, steps: 3, metrics: { score: { last: 1 } } });
    expect(results.runs[2].series.find(({ name }) => name === "score")!.values).toEqual(
      [1 / 3, 2 / 3, 1].map((v, i) => (i < 2 ? Math.fround(v) : v)),
    );
    expect(results.runs.slice(0, 2).map(({ settings }) => settings["groups/0/learningRate"])).toEqual([1, 2]);
    expect(results.notes).toHaveLength(2);
    expect(results.notes[0]).toMatch(/code-1: it has neither metrics.csv nor metrics.jsonl/);
  });

  test("without metrics.csv the other log is read; damaged lines are left out and counted, a line that was cut off is none", () => {
    const plain = resultsOf(listed([folders[0]])).runs[0];
    const other = resultsOf(listed([copied(folders[0], ["metrics.csv"])])).runs[0];
    expect(other.metrics).toEqual(plain.metrics);
    const damaged = copied(folders[0]);
    const text = readFileSync(join(damaged, "metrics.csv"), "utf8");
    writeFileSync(join(damaged, "metrics.csv"), `${text.replace(/^4,val_loss,.*$/m, "4,val_l\u0000")}12,val_lo`);
    const results = resultsOf(listed([damaged]));
    expect(results.notes).toEqual([`${damaged}/metrics.csv: 1 damaged line left out`]);
    expect(results.runs[0].series.find(({ name }) => name === "val_loss")!.steps).toEqual([8, 12]);
  });

  test("a log's line whose value is none is damaged; numbers may be named as what all objects have", () => {
    const path = copied(folders[0], ["metrics.csv"]);
    const lines = ['{"step":4,"val_a":null}', '{"step":4,"val_a":"x"}', '{"step":8,"val_constructor":3,"val_a":"NaN"}'];
    writeFileSync(join(path, "metrics.jsonl"), `${lines.join("\n")}\n`);
    const named = resultsOf(listed([path, folders[0]]), {
      metric: { name: "constructor", mode: "max" },
      target: { name: "constructor", mode: "max", value: 3 },
    });
    expect(named.runs.map(({ targetStep }) => targetStep)).toEqual([8, undefined]);
    expect(named.notes[0]).toBe(`${path}/metrics.jsonl: 2 damaged lines left out`);
    const text = "step,name,value\n4,val_loss,0.1.3\n4,val_loss,1e-7\n";
    writeFileSync(join(path, "metrics.csv"), text);
    expect(resultsOf(listed([path])).notes).toEqual([`${path}/metrics.csv: 1 damaged line left out`]);
  });

  test("settings: digits that are no number are text; a key may be so named", () => {
    const path = copied(folders[0]);
    const manifest = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));
    const { config } = manifest;
    const changed = { ...config, constructor: 1, trainer: { ...config.trainer, code: "007" } };
    writeFileSync(join(path, "manifest.json"), JSON.stringify({ ...manifest, config: changed }));
    const results = resultsOf(listed([path, folders[0]]));
    expect(results.runs.map(({ settings }) => settings["trainer.code"])).toEqual(["007", undefined]);
    expect(resultsCsv(results)).toMatch(/,1,007,/);
    expect(showResults(results).join("\n")).toContain("007");
  });

  test("a loop's numbers may be so named too", async () => {
    const modelDir = join(temporaryFolder(), "own");
    const weight = new Variable(tensor([1]));
    const recorded = await recordRun({ seed: 1, modelDir, backend: "reference" }, async (run) => {
      run.keep({ weight: { namedVariables: () => [["w", weight]] } });
      for await (const _ of run.steps(2)) await run.record({ loss: 1, constructor: 2, toString: 3 });
    });
    expect(recorded.steps).toBe(2);
    const [{ metrics }] = resultsOf(listed([modelDir])).runs;
    expect(Object.entries(metrics).map(([name, { last }]) => [name, last])).toEqual([
      ["loss", 1],
      ["constructor", 2],
      ["toString", 3],
    ]);
  });

  test("stopped, failed and running", () => {
    const state = (status: string, lock?: object) => {
      const path = copied(folders[0]);
      const { result: _, ...manifest } = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));
      writeFileSync(join(path, "manifest.json"), JSON.stringify({ ...manifest, status }));
      if (lock) writeFileSync(join(path, "lock"), JSON.stringify(lock));
      const [run] = resultsOf(listed([path]), { target: { name: "accuracy", value: 2 } }).runs;
      expect([run.digest, run.steps, run.metrics.val_loss.last]).toEqual([undefined, 12, runs[0].metrics.loss]);
      return run.state;
    };
    expect(state("interrupted")).toBe("stopped");
    expect(state("failed")).toBe("failed");
    expect(state("running")).toBe("stopped");
    expect(state("running", { ...thisPlace(), ...thisProcess() })).toBe("running");
    expect(state("running", { ...thisPlace(), ...thisProcess(), pid: 4_000_000, started: "0" })).toBe("stopped");
  });

  test("planned runs: one that has no folder is missing, one that can't be read has failed, and no target is missed by what hasn't ended", () => {
    const broken = copied(folders[1], ["chain.bin"]);
    const settings = { [rate]: 0.01 };
    const {
      runs: found,
      groups,
      notes,
    } = resultsOf(
      [
        { folder: folders[0], name: "a", settings, seed: "1" },
        { folder: join(folder, "none"), name: "b", settings, seed: "2" },
        { folder: broken, name: "c", settings, seed: "3" },
        { folder: folders[2], name: "d", settings, seed: "3", state: "running" },
      ],
      { target: { name: "accuracy", value: 2 } },
    );
    expect(found.map(({ name, state, seed }) => [name, state, seed])).toEqual([
      ["a", "finished", "1"],
      ["b", "missing", "2"],
      ["c", "failed", "3"],
      ["d", "running", "3"],
    ]);
    expect(found[2].reason).toMatch(/chain\.bin/);
    expect(groups).toHaveLength(1);
    expect(groups[0].target).toMatchObject({ reached: 0, missed: 2, open: 2 });
    expect(groups[0].target!.score).toBeUndefined();
    expect(groups[0].metrics.val_loss.values.map((value) => value === undefined)).toEqual([false, true, true, false]);
    expect(notes).toEqual([]);
    expect(resultsOf([{ folder: join(folder, "none"), settings: {} }]).metrics).toEqual([]);
    const odd = { folder: join(folder, "none"), name: 'a,"b"\nc', settings: { sizes: [9, 4], seedLike: 2n ** 63n } };
    const large = resultsOf([odd, { ...odd, name: "d", settings: { ...odd.settings, seedLike: 1n } }]);
    expect(resultsCsv(large).split("\n").slice(0, 3)).toEqual([
      "run,state,seed,sizes,seedLike,steps,seconds,digest,folder",
      `"a,""b""\\nc",missing,,"[9,4]",9223372036854775808,0,,,${odd.folder}`,
      `d,missing,,"[9,4]",1,0,,,${odd.folder}`,
    ]);
  });

  test("of runs that differ in many settings those are shown that most of them have; groups go by a run's name", () => {
    const common = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`trainer.both_${i}`, i]));
    const own = (kind: string) =>
      Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`trainer.${kind}.key_${i}`, i]));
    const planned = (name: string, settings: object) => ({
      folder: join(folder, "none", name),
      name,
      settings: { ...settings },
    });
    const long = "x".repeat(300);
    const found = resultsOf([
      planned("a", { ...own("cnn"), ...common, "trainer.both_3": long }),
      planned("b", { ...own("gpt"), ...common }),
      planned("c", { ...own("gpt"), ...common, "trainer.gpt.key_29": -1 }),
    ]);
    expect(found.settings).toHaveLength(70);
    const { keys, more } = shownSettings(found);
    expect([keys.length, more]).toEqual([12, 58]);
    // Those that all have, and of the others the first that two have.
    expect(keys).toEqual([...Object.keys(common), "trainer.gpt.key_0", "trainer.gpt.key_1"]);
    expect(found.groups.map((group) => groupText(found, group))).toEqual(["those of a", "those of b", "those of c"]);
    const lines = showResults(found);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(300);
    expect(lines.join("\n")).toMatch(/^… the runs differ in 58 more settings \(--csv, --json\)$/m);
    const page = renderResults(found, "Many");
    expect(page).toContain("the runs differ in 58 more settings, which the CSV and JSON of these results have");
    expect(page.match(/<th /g)!.length).toBeLessThan(25);
    const [head, first] = resultsCsv(found).split("\n");
    expect(head).toContain("trainer.cnn.key_29");
    expect(first).toContain(long);
  });

  test("what is refused", () => {
    expect(refused(() => resultsOf(listed([join(folder, "none")]))).message).toMatch(
      /not a run's folder: got no such folder/,
    );
    const whole = refused(() => resultsOf(listed([folder])));
    expect(whole).toBeInstanceOf(ConfigError);
    expect(whole.hint).toContain(folders[0]);
    const short = copied(folders[0]);
    writeFileSync(join(short, "chain.bin"), readFileSync(join(short, "chain.bin")).subarray(0, -200));
    expect(refused(() => resultsOf(listed([short]))).message).toMatch(/chain isn't the run that the manifest tells of/);
    const near = refused(() => resultsOf(listed(), { target: { name: "acuracy", value: 1 } }));
    expect([near.message, near.hint]).toEqual([
      expect.stringMatching(/target: no run has a number of this name: got acuracy, expected one of .*accuracy/),
      "did you mean accuracy?",
    ]);
  });
});
