// `seedgrad compare`: the table in a terminal, its files, and what it refuses. The command is called in this process.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare, parseMetric, parseTarget } from "../../src/cli/compare.ts";
import { ConfigError, SeedgradError } from "../../src/core/errors.ts";
import { formatNumber } from "../../src/report/html.ts";
import type { Run } from "../../src/train/run.ts";
import { call } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";
import { trainPenguins } from "../support/several.ts";

let folder: string;
const folders: string[] = [];
const runs: Run[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "seedgrad-compare-"));
  for (const width of [4, 16])
    for (const seed of [1, 2]) {
      folders.push(join(folder, `width-${width}-${seed}`));
      const set = [`trainer.init.model.sizes=[9, ${width}, 3]`, "trainer.init.optimizer.AdamW.learning_rate=0.05"];
      runs.push(await trainPenguins(folders.at(-1)!, seed, set));
    }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("compare", () => {
  test("a row per run, groups over seeds, steps to the target, and the best settings with what verifies them", async () => {
    const { code, lines, json } = await compare(folders, { target: { name: "accuracy", value: 0.98 } });
    expect(code).toBe(0);
    const text = lines.join("\n");
    expect(lines[0].split(/ {2,}/)).toEqual([
      ...[
        "run",
        "state",
        "sizes[1]",
        "seed",
        "steps",
        "loss",
        "val_loss",
        "best (step)",
        "val_accuracy",
        "best (step)",
      ],
      ...["to target", "seconds", "digest"],
    ]);
    runs.forEach(({ digest, metrics }, i) => {
      const cells = lines[i + 1].split(/ {2,}/);
      expect(cells.slice(0, 5)).toEqual([folders[i], "finished", i < 2 ? "4" : "16", String(1 + (i % 2)), "12"]);
      expect([cells[6], cells.at(-1)]).toEqual([formatNumber(metrics.loss), digest.slice(0, 16)]);
    });
    const best = runs.map(({ history }) => Math.max(...history.val_accuracy.values));
    const median = (i: number) => formatNumber(best[i] + (best[i + 1] - best[i]) * 0.5);
    expect(text).toMatch(
      new RegExp(`^# val_accuracy over seeds\nsettings +runs +median .*\nsizes\\[1\\] 4 +2 +${median(0)} `, "m"),
    );
    const reached = best.filter((value) => value >= 0.98).length;
    expect(reached).toBeGreaterThan(0);
    expect(text).toContain(`# steps to val_accuracy ≥ 0.98: reached by ${reached} of 4 runs`);
    const [first] = (json.ranked as number[]).map((i) => (json.groups as { runs: string[] }[])[i]);
    expect(lines.slice(-2)).toEqual(first.runs.map((run) => `seedgrad verify ${run}`));
    expect((json.runs as { digest: string }[]).map(({ digest }) => digest)).toEqual(runs.map(({ digest }) => digest));
  });

  test("of many numbers the first few, with what is ranked by; how many more there are", async () => {
    const modelDir = join(temporaryFolder(), "many");
    await trainPenguins(modelDir, 1, ["trainer.init.metrics=[accuracy, per_class_accuracy, {f_beta: {}}]"]);
    const { lines } = await compare([modelDir, folders[0]], { metric: { name: "f1" } });
    expect(lines[0]).toMatch(/loss +val_loss .*val_f1/);
    expect(lines[3]).toMatch(/^… each has \d+ more numbers \(--csv, --json\)$/);
    expect(lines.join("\n")).toContain("best settings by the greatest median of val_f1");
  });

  test("as JSON in a process, with files", async () => {
    const out = temporaryFolder();
    const [csv, html] = [join(out, "table.csv"), join(out, "page.html")];
    const args = ["compare", ...folders, "--target", "loss<=0.1", "--csv", csv, "--html", html, "--json"];
    const { code, stderr, json } = await call(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(json().target).toEqual({ metric: "val_loss", mode: "min", value: 0.1 });
    const rows = readFileSync(csv, "utf8").trim().split("\n");
    expect(rows).toHaveLength(5);
    runs.forEach(({ digest }, i) => {
      expect(rows[i + 1]).toContain(digest);
    });
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/);
  });

  test("what it refuses: exit code 2 for usage, 1 for a folder", async () => {
    await expect(compare([folders[0]], {})).rejects.toThrow(/nothing to compare with: got one run/);
    await expect(compare([folders[0], `${folder}/./width-4-1`], {})).rejects.toThrow(/named twice/);
    await expect(compare([folder], {})).rejects.toThrow(/not a run's folder[\s\S]*it holds runs: .*width-16-1/);
    await expect(compare([folders[0], join(folder, "none")], {})).rejects.toThrow(ConfigError);
    await expect(compare(folders, { metric: { name: "val_acc" } })).rejects.toThrow(ConfigError);
    await expect(compare(folders, { csv: join(folder, "none/x.csv") })).rejects.toThrow(SeedgradError);
    const broken = join(temporaryFolder(), "manifest.json");
    writeFileSync(broken, "{");
    const { code, stderr } = await call(["compare", folders[0], join(broken, "..")]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/CheckpointError: .*manifest\.json: the manifest isn't JSON/),
    ]);
    const usage = await call(["compare", ...folders, "--target", "accuracy"]);
    expect([usage.code, usage.stderr]).toEqual([2, expect.stringMatching(/expected NAME=VALUE, as in accuracy=0\.97/)]);
  });
});

test.each([
  ["accuracy=0.97", { name: "accuracy", value: 0.97 }],
  ["val_loss<=0.1", { name: "val_loss", value: 0.1, mode: "min" }],
  ["bleu >= 30", { name: "bleu", value: 30, mode: "max" }],
  ["digits/accuracy=1e-3", { name: "digits/accuracy", value: 1e-3 }],
])("a target: %s", (text, target) => expect(parseTarget(text)).toEqual(target));

test.each(["accuracy", "accuracy=", "=0.9", "accuracy=high", "accuracy=Infinity", ""])("no target: %s", (text) =>
  expect(() => parseTarget(text)).toThrow(InvalidArgumentError),
);

test("a metric, with its direction or without", () => {
  expect(parseMetric("loss")).toEqual({ name: "loss" });
  expect(parseMetric("bleu=max")).toEqual({ name: "bleu", mode: "max" });
  for (const text of ["bleu=most", "=max", ""]) expect(() => parseMetric(text)).toThrow(InvalidArgumentError);
});
