import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { matches, select } from "../../src/core/glob.ts";

describe("globs", () => {
  test.each([
    ["0.weight", "0.weight", true],
    ["0.weight", "*", true],
    ["blocks.3.attention.query.weight", "blocks.*.weight", true],
    ["blocks.3.attention.query.weight", "blocks.?.attention.*", true],
    ["blocks.13.attention.query.weight", "blocks.?.attention.*", false],
    ["0.weight", "0", false],
    ["0xweight", "0.weight", false],
    ["a+b", "a+b", true],
    ["aab", "a+b", false],
    ["a\nb", "a*b", true],
  ])("%s under %s: %s", (name, pattern, expected) => expect(matches(name, [pattern])).toBe(expected));

  test("select keeps the names' order, and refuses a pattern for nothing", () => {
    expect(select("here", ["b.x", "a.x", "c"], ["a*", "b*"])).toEqual(["b.x", "a.x"]);
    expect(() => select("here", ["b.x", "a.x", "c"], ["a*", "d*"])).toThrow(ConfigError);
    expect(() => select("here", ["b.x", "c"], ["d*"])).toThrow(/got d\*, expected a glob for one of b\.x, c/);
  });
});
