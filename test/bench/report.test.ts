// Table, page, plot and Markdown: what they say of given rows, and that they are well formed.
import { describe, expect, test } from "vitest";
import { htmlPage } from "../../bench/report/html.ts";
import { fillPage, markdownTables, plotOf } from "../../bench/report/markdown.ts";
import { ratioLines, ratiosOf, rowLine } from "../../bench/report/table.ts";
import type { Results } from "../../bench/results.ts";
import { barChart } from "../../src/report/bars.ts";
import { machine, row } from "../support/bench.ts";

const step = (backend: string, threads: number, ms: number, peer?: string) =>
  row({ case: "mlp-small", unit: "ms", backend, threads, median_ms: ms, min_ms: ms, rate: ms, peer });
const results: Results = {
  machine,
  rows: [
    row({ share: 0.83, ceiling: "copy-4m" }),
    step("wasm", 1, 0.5),
    step("wasm", 2, 0.3),
    step("reference", 1, 90),
    step("pytorch:1/1", 1, 0.8, "PyTorch 1"),
    step("pytorch:1/2", 2, 0.6, "PyTorch 1"),
    step("tfjs:wasm", 1, 12, "tfjs 4"),
    row({ case: "a <case> of old", bits: "" }),
  ],
  absent: [{ case: "gpt", backend: "tfjs:wasm", reason: "no <gradient> & more" }],
};

/** Checks that tags are closed in order and that no bare `<` or `&` is left; gives the texts. */
function wellFormed(markup: string): string[] {
  const open: string[] = [];
  const empty = new Set(["meta", "rect", "path"]);
  const rest = markup.replace(/<style>[\s\S]*?<\/style>/g, "").replace("<!doctype html>", "");
  const texts: string[] = [];
  for (const [, close, name, self, text] of rest.matchAll(
    /<(\/?)([a-z0-9]+)(?:\s+[a-zA-Z-]+="[^"<>]*")*(?:\s+[a-z]+="[^"<>]*")*\s*(\/?)>([^<]*)/g,
  )) {
    if (close) expect(open.pop()).toBe(name);
    else if (!self && !empty.has(name)) open.push(name);
    texts.push(text);
  }
  expect(open).toEqual([]);
  expect(rest.match(/<(?![a-z/])/g)).toBeNull();
  expect(rest.match(/&(?!(amp|lt|gt|quot);)/g)).toBeNull();
  return texts;
}

describe("ratios", () => {
  test("are our time over each peer's fastest configuration, for wasm alone", () => {
    const steps = results.rows.filter(({ case: name }) => name === "mlp-small");
    expect(
      ratiosOf(steps).map(({ row: own, peer, time }) => [own.threads, peer.backend, Number(time.toFixed(3))]),
    ).toEqual([
      [1, "pytorch:1/2", 0.833],
      [1, "tfjs:wasm", 0.042],
      [2, "pytorch:1/2", 0.5],
      [2, "tfjs:wasm", 0.025],
    ]);
    expect(ratioLines(ratiosOf(steps))).toEqual([
      "    time of wasm on 1: 0.83 × pytorch:1/2, 0.042 × tfjs:wasm",
      "    time of wasm on 2: 0.50 × pytorch:1/2, 0.025 × tfjs:wasm",
    ]);
  });

  test("don't cross cases without a peer", () => expect(ratiosOf([results.rows[0]])).toEqual([]));
});

test("a line of the table holds the numbers, the bits and the share", () => {
  expect(rowLine(results.rows[0]).split(/ {2,}/)).toEqual([
    "add-4m",
    "wasm",
    "1",
    "1",
    "1",
    "4.194",
    "Gelem/s",
    "0123456789abcdef",
    "83 % of copy-4m",
  ]);
});

test("results measured beside other work say so", () => {
  expect(markdownTables(results)).not.toContain("beside other work");
  const loaded = { ...results, machine: { ...machine, load: [3.5, 4] as const } };
  for (const text of [markdownTables(loaded), htmlPage(loaded)])
    expect(text).toContain(
      "load 3.5 before, 4 after; measured beside other work (load 3.5 on 2 cores): times are upper bounds",
    );
});

describe("the page", () => {
  const page = htmlPage(results);

  test("is well formed, with user text escaped", () => {
    const texts = wellFormed(page);
    expect(texts).toContain("no &lt;gradient&gt; &amp; more");
    expect(texts.some((text) => text.includes("Some &lt;CPU&gt;"))).toBe(true);
  });

  test("needs nothing from outside", () => {
    expect(page).not.toMatch(/<script|<link|<img|url\(|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  });

  test("holds a bar a row, the ratios, both colour schemes and a viewport", () => {
    const bars = page.match(/<rect class="[a-z]+" x=/g) ?? [];
    expect(bars.length).toBe(results.rows.length);
    expect(page).toContain("0.50 × pytorch:1/2, 0.025 × tfjs:wasm");
    expect(page).toContain("prefers-color-scheme:dark");
    expect(page).toContain('name="viewport"');
  });
});

describe("a chart", () => {
  const bars = [10, 5, 0].map((value, i) => ({ label: `b${i}`, value, text: String(value), kind: "wasm" }));

  test("draws lengths in proportion", () => {
    const chart = barChart("t", [{ title: "g", bars }]);
    const widths = [...chart.matchAll(/<rect [^>]*width="([0-9.]+)"/g)].map(([, width]) => Number(width));
    expect(widths[1]).toBeCloseTo(widths[0] / 2, 1);
    expect(widths[2]).toBe(1);
    wellFormed(chart);
  });

  test("for a file of its own carries its style", () => {
    const plot = plotOf(results);
    expect(plot).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg".*<style>.*prefers-color-scheme:dark/s);
    wellFormed(plot);
  });
});

describe("Markdown", () => {
  test("has a column a contestant, PyTorch at its best, and our time on the most threads over it", () => {
    const text = markdownTables(results);
    expect(text).toContain("| case, ms | wasm, 1 | wasm, 2 | PyTorch's best | tfjs:wasm | time ÷ PyTorch's | what |");
    expect(text).toMatch(/\| `mlp-small` \| 0\.5 \| 0\.3 \| 0\.6 \(1\/2\) \| 12 \| 0\.5 \| /);
    expect(text).toMatch(/\| `add-4m` \| 4\.19 \| 83 % \| /);
    expect(text).toMatch(/### The other backends, ms a call\n\n.*\n.*\n\| `mlp-small` \| 0\.5 \| 90 \|/);
  });

  test("has a column of another engine's times where they are given", () => {
    const rows = results.rows.map((row) => ({ ...row, rate: 2 * row.rate }));
    const text = markdownTables(results, {
      ...results,
      machine: { ...results.machine, engine: "Node 9.9, V8 1" },
      rows,
    });
    expect(text).toContain("\n\nBeside it: 2026-01-31: ");
    expect(text).toContain("| tfjs:wasm | wasm, 2: Node 9.9 | time ÷ PyTorch's | what |");
    expect(text).toMatch(/\| `mlp-small` \| 0\.5 \| 0\.3 \| 0\.6 \(1\/2\) \| 12 \| 0\.6 \| 0\.5 \| /);
  });

  test("replaces what stands between the marks and nothing else", () => {
    const page = "before\n<!-- bench: generated -->\nold\n<!-- bench: end -->\nafter\n";
    const filled = fillPage("page.md", page, results);
    expect(filled).toMatch(/^before\n<!-- bench: generated -->\n\n2026-01-31: /);
    expect(filled).toMatch(/\n\n<!-- bench: end -->\nafter\n$/);
    expect(filled).not.toContain("old\n");
    expect(fillPage("page.md", filled, results)).toBe(filled);
  });

  test("refuses a page without marks", () => {
    expect(() => fillPage("page.md", "text", results)).toThrow(/page\.md needs the lines/);
  });
});
