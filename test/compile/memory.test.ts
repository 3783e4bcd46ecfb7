// The memory of the presets' plans: at most a fifth above what is alive at the worst moment, and no value over another that is still read.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { root } from "../support/sources.ts";

const folder = join(root, "src/presets");
const presets = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

test.each(presets)("%s: each plan's arena is at most 1.2 times the lower bound", async (name) => {
  const config = parseConfig(readFileSync(join(folder, name), "utf8"), name);
  const { trainer, train, val } = buildTrainer(config, {
    modelDir: undefined,
    checkpoint: null,
    loggers: [],
    // It plans without emitting anything.
    backend: "reference",
  });
  const planned = await trainer.explain(train!, val);
  expect(planned.map(({ role }) => role)).toEqual(expect.arrayContaining(["init", "train", "eval"]));
  for (const { role, plan } of planned) {
    expect(plan.arenaBytes, role).toBeGreaterThanOrEqual(plan.lowerBoundBytes);
    expect(plan.arenaBytes, role).toBeLessThanOrEqual(1.2 * plan.lowerBoundBytes);
  }
  const largest = planned.find(({ role }) => role === "train")!.plan;
  expect(largest.lowerBoundBytes).toBeGreaterThan(100_000);
});
