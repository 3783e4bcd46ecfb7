// `seedgrad list`: what a config may name, a family of it, and the options of one thing.
import { expect, test } from "vitest";
import { tableWhole } from "../../src/cli/command.ts";
import { list } from "../../src/cli/list.ts";
import { ConfigError } from "../../src/core/errors.ts";

const lines = async (family?: string, name?: string) => (await list(family, name, {})).lines.join("\n");

test("all families, with their names", async () => {
  const shown = await lines();
  expect(shown).toMatch(/^losses: .*cross_entropy/m);
  expect(shown).toMatch(/^dataloaders: .*mnist/m);
  expect(shown.split("\n").map((line) => line.split(":")[0])).toEqual([
    ...["models", "dataloaders", "transforms", "optimizers", "schedulers", "losses", "metrics", "callbacks", "loggers"],
  ]);
});

test("a family, by its name in any case or number: required options first", async () => {
  for (const family of ["losses", "loss", "LOSSES"])
    expect(await lines(family)).toMatch(
      /^cross_entropy +label_smoothing = 0, class_weights, ignore_index, reduction = "mean"$/m,
    );
  expect(await lines("callbacks")).toMatch(/^LoadCheckpointStates +path\*, states = \["model"\], strict = true$/m);
});

test("one thing: each option with type, default and meaning", async () => {
  const shown = await lines("optimizers", "adamw");
  expect(shown).toMatch(/^Adam with decoupled weight decay/);
  expect(shown).toMatch(/^learning_rate +a number ≥ 0 +required +Step size, ≥ 0\.$/m);
  expect(shown).toMatch(/^amsgrad +true or false +false +Divides by the largest second moment/m);
  expect(await lines("metrics", "r2")).toMatch(/no options$/);
  const { json } = await list("losses", "huber", {});
  expect(json).toEqual({
    name: "huber",
    text: expect.stringMatching(/Huber 1964/),
    options: [
      { key: "delta", type: "a number > 0", required: false, fallback: 1, text: "Where the square becomes a line." },
      expect.objectContaining({ key: "reduction", required: false, fallback: "mean" }),
    ],
  });
});

test("what is longer than a line goes on below, whole", async () => {
  const shown = (await lines("optimizers")).split("\n");
  const at = shown.findIndex((line) => line.startsWith("AdamW "));
  const cell = shown[at].indexOf("learning_rate");
  const end = shown.findIndex((line, i) => i > at && !line.startsWith(" "));
  const own = shown.slice(at, end);
  expect(own.length).toBeGreaterThan(1);
  expect(own.map((line) => line.slice(cell)).join(" ")).toBe(
    "learning_rate*, weight_decay = 0.01, decay_all = false, maximize = false, betas = [0.9,0.999], epsilon = 1e-8, amsgrad = false, groups = []",
  );
  const reason = `not here: ${"a reason of several words ".repeat(20)}${"x".repeat(150)}`;
  const told = tableWhole([
    ["backend", "class", "probe"],
    ["webgpu", "-", reason],
  ]);
  expect(
    told
      .slice(1)
      .map((line) => line.slice(line.indexOf("  -  ") + 5).trim())
      .join("")
      .replaceAll(" ", ""),
  ).toContain("x".repeat(150));
  expect(Math.max(...told.map(({ length }) => length))).toBeLessThanOrEqual(120);
  expect(told.join("")).not.toContain("…");
});

test.each([
  ["lozzes", undefined, "list: unknown name", "losses"],
  ["optimizers", "AdmaW", "list optimizers: unknown name: got AdmaW", "AdamW"],
])("%s %s is refused, with the nearest name", async (family, name, message, near) => {
  const error = (await list(family, name, {}).catch((cause: unknown) => cause)) as ConfigError;
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toContain(message);
  expect(error.hint).toBe(`did you mean ${near}?`);
});
