// Folders of a run, each changed in one thing after the run: verify names it, or refuses.
import { rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { verifyRun } from "../../src/verify/verify.ts";
import { chosenRate, config, copy, cutAt, type Json, made, manifest, result, runs, said } from "../support/tampered.ts";
import { tamperings } from "./tamperings.ts";

describe("folders that were changed are named, or refused", () => {
  test("as many as were asked for", () => expect(tamperings.length).toBeGreaterThanOrEqual(50));

  test.each(tamperings)("%s", { timeout: 60_000 }, async (_, change, expected) => {
    const folder = copy(runs.base);
    change(folder);
    const { verdict, text } = await said(folder);
    expect(["different", "refused"], text).toContain(verdict);
    expect(text).toMatch(expected);
  });

  test("a run that was cut at a step and marked as stopped is the same up to there, and said to be no more", async () => {
    const folder = copy(runs.base);
    cutAt(4, "EarlyStopping: loss was best")(folder);
    const found = await verifyRun(folder);
    expect(found).toMatchObject({
      verdict: "same, stopped early",
      equal: false,
      steps: 4,
      stopped: { of: 6, reason: "EarlyStopping: loss was best" },
    });
    expect(found.difference).toBeUndefined();
    const marked = copy(runs.base);
    result({ stopped: "enough" })(marked);
    expect(await verifyRun(marked)).toMatchObject({ verdict: "same, stopped early", equal: false, stopped: { of: 6 } });
  }, 60_000);

  test("marked as stopped by the program's own EarlyStopping, which doesn't stop there: named", async () => {
    const folder = await made("patient", { callbacks: [{ EarlyStopping: { patience: 5 } }] });
    expect(await verifyRun(folder)).toMatchObject({ verdict: "same" });
    cutAt(4, "EarlyStopping: loss was best at step 2")(folder);
    const { verdict, text } = await said(folder);
    expect(verdict).toBe("different");
    expect(text).toMatch(/result: stopped: the replay's EarlyStopping doesn't stop it there/);
  }, 60_000);

  test("a finder whose rate was applied, and which looks at other rates now: named", async () => {
    const folder = await made("finder", chosenRate);
    config("steps: 12", "steps: 13")(folder);
    manifest((m) => {
      m.config.trainer.init.callbacks[0].steps = 13;
      for (const [name, number] of Object.entries<Json>(m.hyperparameters))
        if (name.endsWith("LearningRateFinder/steps"))
          m.hyperparameters[name] = { ...number, value: 13, float32: "41500000" };
    })(folder);
    const { verdict, text } = await said(folder);
    expect(verdict).toBe("different");
    expect(text).toMatch(/step 1\b.*rate|learning_?[rR]ate/);
  }, 60_000);

  test("all checkpoints gone, logs, code that nobody compares: told among what is taken on trust", async () => {
    const folder = copy(runs.base);
    rmSync(`${folder}/checkpoints`, { recursive: true });
    writeFileSync(`${folder}/metrics.csv`, "step,loss\n6,0\n");
    const { verdict, trusted } = await said(folder);
    expect(verdict).toBe("same");
    expect(trusted).toMatch(/^checkpoints: there are none$/m);
    expect(trusted).toMatch(/^other files: not read: .*metrics.csv/m);
    expect(trusted).toMatch(/^engine: /m);
  }, 60_000);
});
