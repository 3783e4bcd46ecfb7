// The layout of DESIGN.md: which part may import which, who alone touches which package, and no circles.
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { sources, withoutComments } from "../support/sources.ts";

const order = [
  ["core"],
  ["rng"],
  ["graph"],
  ["kernels"],
  ["ops"],
  ["autograd"],
  ["compile"],
  ["schedule"],
  ["backend"],
  ["runtime"],
  ["tensor"],
  ["program"],
  ["nn", "optim", "data", "io"],
  ["run"],
  ["report"],
  ["train"],
  ["verify"],
  ["sweep"],
  ["worker"],
  ["page"],
  ["cli"],
];
const rank = new Map(order.flatMap((parts, i) => parts.map((part) => [part, i])));
/** What the package exports: each puts together what it publishes. */
const entries = ["src/index.ts", "src/engine.ts", "src/core.ts", "src/transforms.ts"];
/** What hands the library to a module of the page. */
const handing = ["src/worker/worker-entry.ts", "src/worker/modules.ts"];
const all = sources("src", "kernels");

const partOf = (path: string) => (path.startsWith("kernels/") ? "kernels" : path.split("/")[1]);
const target = (path: string, from: string) => normalize(join(dirname(path), from)).replaceAll("\\", "/");

describe("layout", () => {
  test("finds the sources", () => {
    expect(all.length).toBeGreaterThan(40);
    expect(all.flatMap(({ imports }) => imports).length).toBeGreaterThan(150);
  });

  test("imports go to the left only, those of types too", () => {
    const wrong: string[] = [];
    for (const { path, imports } of all) {
      if (entries.includes(path)) continue;
      for (const { from } of imports) {
        if (!from.startsWith(".")) continue;
        const to = target(path, from);
        if (entries.includes(to) && handing.includes(path)) continue;
        const [a, b] = [rank.get(partOf(path)), rank.get(partOf(to))];
        if (a === undefined || b === undefined || b > a) wrong.push(`${path} → ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("no circle of imports, those of types included", () => {
    const edges = new Map(
      all.map(({ path, imports }) => [
        path,
        imports.filter(({ from }) => from.startsWith(".")).map(({ from }) => target(path, from)),
      ]),
    );
    const state = new Map<string, "open" | "done">();
    const circles: string[] = [];
    const visit = (path: string, trail: string[]) => {
      if (state.get(path) === "done") return;
      if (state.get(path) === "open") {
        circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
        return;
      }
      state.set(path, "open");
      for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
      state.set(path, "done");
    };
    for (const path of edges.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });

  test("a Trainer is moved by its spine alone: callbacks and loggers know neither it nor what it moves, and nobody else makes one", () => {
    const importers = (file: string, { types }: { types: boolean }) =>
      all
        .filter(({ path, imports }) =>
          imports.some(
            ({ from, typeOnly }) => (types || !typeOnly) && from.startsWith(".") && target(path, from) === file,
          ),
        )
        .map(({ path }) => path);
    expect(importers("src/train/trainer.ts", { types: false }).sort()).toEqual([
      "src/train/config/build.ts",
      "src/verify/trainer.ts",
    ]);
    const spine =
      /^src\/train\/(trainer|fit|loop|step|evaluate|predict|explain|journal|checkpoint|checkpointer|logs|inputs)\.ts$/;
    const users = importers("src/train/session.ts", { types: true });
    expect(users.length).toBeGreaterThan(5);
    expect(users.filter((path) => !spine.test(path))).toEqual([]);
    const parts = all.filter(({ path }) => /^src\/train\/(callbacks|loggers)\//.test(path));
    const known = new Set(
      ["trainer", "fit", "loop", "step", "evaluate", "journal", "checkpoint", "logs"].map(
        (name) => `src/train/${name}.ts`,
      ),
    );
    expect(
      parts.flatMap(({ path, imports }) =>
        imports
          .map(({ from }) => target(path, from))
          .filter((to) => known.has(to))
          .map((to) => `${path} → ${to}`),
      ),
    ).toEqual([]);
  });

  test.each([
    ["gpu.js", /^src\/backend\/gpujs\/facade\.ts$/],
    ["pngjs", /^src\/io\/png\.node\.ts$/],
    ["pcg-random", /^src\/rng\/state\.ts$/],
    ["yaml", /^src\/(train\/config|cli\/)/],
    ["zod", /^src\/(train\/config|sweep|cli)\//],
    ["commander", /^src\/cli\//],
    ["uplot", /^src\/page\/curves\.ts$/],
    ["fflate", /^src\/page\/archive\.ts$/],
    ["cli-progress", /^src\/(io\/terminal\.node|cli\/)/],
    ["bullmq", /^src\/sweep\/queue\.ts$/],
    ["ioredis", /^src\/sweep\/queue\.ts$/],
    ["s3mini", /^src\/sweep\/bucket-store\.ts$/],
  ])("only its place imports %s", (name, place) => {
    const importers = all.filter(({ imports }) =>
      imports.some(({ from }) => from === name || from.startsWith(`${name}/`)),
    );
    expect(importers.length).toBeGreaterThan(0);
    expect(importers.map(({ path }) => path).filter((path) => !place.test(path))).toEqual([]);
  });

  test("a module imports the families of ops that it uses: all of them are the entries' alone", () => {
    const importers = all.filter(({ path, imports }) =>
      imports.some(({ from }) => from.startsWith(".") && target(path, from) === "src/tensor/functions.ts"),
    );
    expect(importers.map(({ path }) => path)).toEqual(["src/engine.ts"]);
  });

  test("node: modules only behind import conditions and in the command line", () => {
    const importers = all
      .filter(({ imports }) => imports.some(({ from }) => from.startsWith("node:")))
      .map(({ path }) => path);
    expect(importers.filter((path) => !/\.node\.ts$|^src\/cli\//.test(path))).toEqual([]);
  });

  test("files stay small enough to read", () => {
    const lines = (text: string) => text.split("\n");
    const longer = (most: number, count: (text: string) => number) =>
      all.map(({ path, text }) => [path, count(text)] as const).filter(([, found]) => found > most);
    expect(longer(400, (text) => lines(text).length)).toEqual([]);
    // Without comments and blank lines.
    expect(longer(300, (text) => lines(withoutComments(text)).filter((line) => line.trim()).length)).toEqual([]);
  });
});
