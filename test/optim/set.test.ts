// Several optimizers as one: which of them are due when.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { OptimizerSet } from "../../src/optim/set.ts";

const set = (...frequencies: number[]) =>
  new OptimizerSet(
    frequencies.map((frequency) => ({
      optimizer: optim.sgd(nn.linear(2, 1).parameters(), { learningRate: 0.1, momentum: 0.5 }),
      frequency,
      minimizes: "loss",
    })),
  );

describe("kinds of step", () => {
  test.each([[[1]], [[1, 1]], [[1, 2]], [[3, 1, 2]], [[1, 4, 6]], [[1, 2, 4, 8]], [[5, 1, 7, 10]]])(
    "of frequencies %j are those that a walk over all steps meets",
    (frequencies) => {
      const each = set(...frequencies);
      const met = new Set(Array.from({ length: 2000 }, (_, step) => each.suffixAt(step)));
      const kinds = each.kinds();
      expect(new Set(kinds.map(({ suffix }) => suffix))).toEqual(met);
      expect(kinds[0]).toEqual({ suffix: "", step: 0 });
      for (const { suffix, step } of kinds) expect(each.suffixAt(step)).toBe(suffix);
    },
  );

  test("steps are counted together, and by each that took them", () => {
    const each = set(1, 3);
    each.seek(7);
    expect([each.steps, ...each.parts.map(({ optimizer }) => optimizer.steps)]).toEqual([7, 7, 3]);
    expect(() => each.seek(-1)).toThrow(ConfigError);
    expect(each.steps).toBe(7);
  });
});

test.each([
  ["no optimizer of every step", () => set(2, 3), /at most steps no optimizer is due: got frequencies 2, 3/],
  ["frequencies too large together", () => set(1, 2 ** 30, 2 ** 30 - 1).kinds(), /no common multiple/],
])("%s", (_what, make, message) => {
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(message);
});
