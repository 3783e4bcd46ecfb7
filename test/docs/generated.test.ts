// What is generated from the sources' documentation is as it stands in the repository: pages, and what `seedgrad list` and the JSON Schema say of options.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configJsonSchema } from "../../src/train/config/json-schema.ts";
import { elsewhereText } from "../../tools/families.ts";
import { documentationText, optionsPage } from "../../tools/option-docs.ts";
import { layersPage, opsPage } from "../../tools/reference-docs.ts";
import { root } from "../support/sources.ts";

const text = (path: string) => readFileSync(`${root}${path}`, "utf8");

test("src/train/config/documentation.json and docs/options.md are as `npm run docs` writes them", () => {
  expect(text("src/train/config/documentation.json")).toBe(documentationText());
  expect(text("docs/options.md")).toBe(optionsPage());
});

test("src/tensor/elsewhere.ts is as `npm run docs` writes it", () => {
  expect(text("src/tensor/elsewhere.ts")).toBe(elsewhereText());
});

test("docs/ops.md and docs/layers.md are as `npm run docs` writes them, without an empty cell", () => {
  for (const [path, page] of [
    ["docs/ops.md", opsPage()],
    ["docs/layers.md", layersPage()],
  ]) {
    expect(text(path)).toBe(page);
    const rows = page.split("\n").filter((line) => line.startsWith("|"));
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.filter((row) => /\| +\|/.test(row))).toEqual([]);
    // What TypeScript calls a parameter that is taken apart where it is declared.
    expect(page).not.toMatch(/\bargs_\d/);
  }
});

test("the JSON Schema has an option's JSDoc as its description, of records within too", () => {
  const schema = JSON.stringify(configJsonSchema());
  for (const said of [
    "Divides by the largest second moment so far (Reddi et al. 2018).",
    "The part of each target that is spread evenly over all classes.",
    "Steps from one pruning to the next.",
    "Texts that stand for a missing number.",
  ])
    expect(schema).toContain(`"description":${JSON.stringify(said)}`);
});
