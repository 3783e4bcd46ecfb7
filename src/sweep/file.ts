// SWEEP.yaml: a base config, and what varies over it.
import * as z from "zod";
import { ConfigError } from "../core/errors.ts";
import { checkSeedDigits } from "../train/config/form.ts";
import { sharedShape } from "../train/config/shared.ts";
import { type SourceMap, validate } from "../train/config/validate.ts";
import { countUpTo, expected, list, record, seed, text, word } from "../train/config/values.ts";
import { formatPath, type Path, type YamlSource } from "../train/config/yaml.ts";

/** The most runs of a sweep, and draws of its `random`. */
export const mostRuns = 10_000;

const values = z.record(z.string(), z.unknown(), expected("a map of a config's keys and their values"));

const sweepSchema = record({
  config: text,
  folder: text.optional(),
  seed: seed.default(0),
  seeds: z
    .union(
      [countUpTo(mostRuns), list(seed).min(1, expected("at least one seed"))],
      expected("a number of seeds, or a list of seeds"),
    )
    .default(1),
  set: values.default({}),
  grid: z
    .record(
      z.string(),
      list(z.unknown()).min(1, expected("at least one value")),
      expected("a map of a config's keys, each with a list of values"),
    )
    .default({}),
  list: list(values).min(1, expected("at least one set of settings")).optional(),
  random: z
    .looseObject({ count: countUpTo(mostRuns) }, expected("count, and a config's keys, each with a range to draw from"))
    .optional(),
  threads: sharedShape.threads,
  metric: record({
    name: text,
    mode: word(["min", "max"]).optional(),
    target: z.number(expected("a number")).optional(),
  }).optional(),
});

/** A sweep's file, checked, its keys as they stand in it. */
export type SweepFile = z.output<typeof sweepSchema>;

/** Checks a sweep's file, but for what its settings do to the config. Throws ConfigError with file:line:column. */
export function readSweepFile(source: YamlSource): SweepFile {
  const author: SourceMap = { path: (path) => formatPath(path) || "sweep", key: (key) => key, ...source };
  const file = validate(sweepSchema, source.value, author);
  const seeds = Array.isArray(file.seeds) ? file.seeds.map((_, i): Path => ["seeds", i]) : [];
  seeds.forEach((path, i) => {
    const given = (file.seeds as readonly (number | bigint)[]).map(BigInt);
    if (given.indexOf(given[i]) === i) return;
    throw new ConfigError({
      where: formatPath(path),
      problem: "the same seed twice",
      got: String(given[i]),
      expected: "each seed once",
      position: source.valuePosition(path),
    });
  });
  for (const path of [["seed"], ...seeds]) checkSeedDigits(source, path, formatPath(path), source.valuePosition(path));
  return file;
}
