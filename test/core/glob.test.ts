// Globs over parameters' paths: what matches, and that no pattern takes long.
import { expect, test } from "vitest";
import { matches } from "../../src/core/glob.ts";
import { cpuSeconds } from "../support/cpu.ts";

test.each([
  ["*", "", true],
  ["*", "a.b", true],
  ["*.weight", "0.weight", true],
  ["*.weight", "0.bias", false],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["a*b*c", "a1b2b3c", true],
  ["a*b*c", "a1b2b3", false],
  ["**a**", "ba", true],
  ["", "", true],
  ["", "a", false],
  ["a.c", "abc", false],
  ["[ab]", "a", false],
  ["a", "ab", false],
])("%j on %j: %s", (glob, path, expected) => {
  expect(matches(glob, path)).toBe(expected);
});

test("a pattern of many stars isn't slow", () => {
  const seconds = cpuSeconds(() => {
    expect(matches("*a".repeat(200), `${"a".repeat(5000)}b`)).toBe(false);
  });
  expect(seconds).toBeLessThan(2);
});
