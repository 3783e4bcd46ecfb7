// What a link says, and what a digest is compared with.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { choiceOfLink, firstChoice, linkOf } from "../../src/page/choice.ts";
import { dataFiles, dataOf, presets, publishedOf } from "../../src/page/presets.ts";
import { expectedOf, judge } from "../../src/page/verdict.ts";
import { loadConfig } from "../../src/train/config/parse.ts";
import { root } from "../support/sources.ts";

describe("links", () => {
  test("a link says preset and seed, and what else was changed; it is read back as it was", () => {
    expect(linkOf(firstChoice)).toBe("#preset=mnist-mlp&seed=1234");
    const choice = { preset: "cars", seed: (1n << 64n) - 1n, threads: 2, backend: "reference", steps: 10 } as const;
    expect(linkOf(choice)).toBe("#preset=cars&seed=18446744073709551615&threads=2&backend=reference&steps=10");
    expect(choiceOfLink(linkOf(choice))).toEqual(choice);
    expect(choiceOfLink("")).toEqual(firstChoice);
  });

  test.each([
    ["#preset=mnist-mpl", "preset", "mnist-mlp"],
    ["#seed=-1", "seed", undefined],
    ["#seed=18446744073709551616", "seed", undefined],
    ["#seed=", "seed", undefined],
    ["#threads=0", "threads", undefined],
    ["#threads=65", "threads", undefined],
    ["#backend=cuda", "backend", undefined],
    ["#steps=0", "steps", undefined],
    ["#sed=1", "link", "seed"],
  ])("%s is refused, with what would do", (link, where, hint) => {
    const refused = expect(() => choiceOfLink(link));
    refused.toThrow(expect.objectContaining({ name: "ConfigError", where }));
    if (hint) refused.toThrow(hint);
  });
});

describe("presets", () => {
  test("the page offers every preset, with its digest, its seed and its data", () => {
    const files = readdirSync(`${root}src/presets`).filter((name) => name.endsWith(".yaml"));
    expect(
      Object.keys(presets)
        .map((name) => `${name}.yaml`)
        .sort(),
    ).toEqual(files.sort());
    for (const name of Object.keys(presets)) {
      const path = `${root}src/presets/${name}.yaml`;
      expect(publishedOf(name)!.seed).toBe(BigInt(loadConfig(path).trainer.init.seed!));
      const data = dataOf(readFileSync(path, "utf8"));
      expect(data.length > 0).toBe(name !== "pinn");
      for (const file of data) expect(dataFiles[file]).toMatch(/^data\//);
    }
  });
});

describe("verdicts", () => {
  const { digest } = publishedOf("mnist-mlp")!;

  test("the published preset and seed: the same digits, or others", () => {
    expect(judge(firstChoice, digest)).toMatchObject({ found: "same", words: "Your machine got the same 64 digits" });
    const other = digest.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    expect(judge(firstChoice, other).found).toBe("different");
  });

  test("threads and backend change nothing of what is expected; a seed or fewer steps do, and it says why", () => {
    expect(expectedOf({ ...firstChoice, threads: 3, backend: "reference" })).toEqual({ digest });
    expect(expectedOf({ ...firstChoice, seed: 7n })).toEqual({ why: expect.stringContaining("seed 1234") });
    expect(judge({ ...firstChoice, seed: 7n }, digest)).toMatchObject({ found: "alone" });
    expect(expectedOf({ ...firstChoice, steps: 10 })).toEqual({ why: expect.stringContaining("cut short") });
  });
});
