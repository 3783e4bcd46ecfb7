// The memory of the presets' plans: at most a fifth (with loops, a quarter) above what is alive at the worst moment, and no value over another that is still read.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { root } from "../support/sources.ts";

const folder = join(root, "src/presets");
const presets = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

/** A loop's stacks and carries are large, few, and all alive until it ends, so they leave larger gaps. */
const bounds: Readonly<Record<string, number>> = { "moby-lstm.yaml": 1.25 };
/** Of tables, whose networks are small; of the others it is above 100 kB. */
const least: Readonly<Record<string, number>> = { "cars.yaml": 10_000, "penguins.yaml": 5_000 };

test.each(presets)("%s: each plan's arena is little above the lower bound", async (name) => {
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
  for (const { role, schedule } of planned) {
    expect(schedule.arenaBytes, role).toBeGreaterThanOrEqual(schedule.lowerBoundBytes);
    expect(schedule.arenaBytes, role).toBeLessThanOrEqual((bounds[name] ?? 1.2) * schedule.lowerBoundBytes);
  }
  const largest = planned.find(({ role }) => role === "train")!.schedule;
  expect(largest.lowerBoundBytes).toBeGreaterThan(least[name] ?? 100_000);
});

test("moby-gpt in a 16-bit type needs less than three quarters of it", async () => {
  const text = readFileSync(join(folder, "moby-gpt.yaml"), "utf8");
  const arenas = ["{max_gradient_norm: 1.0}", "{max_gradient_norm: 1.0, fp16_type: bfloat16}"].map(
    async (precision) => {
      const config = parseConfig(text.replace("{max_gradient_norm: 1.0}", precision), "moby-gpt.yaml");
      const changes = { modelDir: undefined, checkpoint: null, loggers: [], backend: "reference" } as const;
      const { trainer, train } = buildTrainer(config, changes);
      const { schedule } = (await trainer.explain(train!)).find(({ role }) => role === "train")!;
      expect(schedule.arenaBytes).toBeLessThanOrEqual(1.2 * schedule.lowerBoundBytes);
      return schedule.arenaBytes;
    },
  );
  const [whole, narrow] = await Promise.all(arenas);
  expect(narrow / whole).toBeLessThan(0.75);
  expect(narrow / whole).toBeGreaterThan(0.5);
});
