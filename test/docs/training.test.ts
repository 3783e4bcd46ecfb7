// docs/training.md: every model and data loader that a config may name stands there with its keys.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loaders, models } from "../../src/train/config/families.ts";
import { toSnake } from "../../src/train/config/form.ts";
import { root } from "../support/sources.ts";

const page = readFileSync(`${root}docs/training.md`, "utf8");
const section = page.slice(page.indexOf("## Models and data"), page.indexOf("## Text"));
const common = [
  "batch_size",
  "shuffle",
  "shuffle_seed",
  "drop_last",
  "validation_split",
  "random_split",
  "shuffle_window",
  "augment",
];
const asText = ["split", "context", "stride", "validation_fraction", "tokens", "tokenizer"];
const likeText = ["moby_dick", "jsonl"];
const asTable = ["target", "inputs", "classes", "missing", "categorical", "standardize", "sample_weights"];

test.each([...models.describe(), ...loaders.describe()])("$name, its keys and their defaults", ({ name, options }) => {
  const row = section.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? "no row";
  expect(row).not.toBe("no row");
  for (const { key, fallback } of options) {
    const shown = toSnake(key);
    const inherited =
      common.includes(shown) ||
      (likeText.includes(name) && asText.includes(shown)) ||
      (["parquet", "vega"].includes(name) && asTable.includes(shown));
    expect(inherited ? section : row).toMatch(new RegExp(`\`${shown}[:\`]`));
    if (fallback !== undefined) expect(row).toContain(`\`${shown}\` ${fallback}`);
  }
});
