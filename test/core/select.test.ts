import { expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { select } from "../../src/core/glob.ts";

test("select keeps the names' order, and refuses a glob for nothing", () => {
  expect(select("here", ["b.x", "a.x", "c"], ["a*", "b*"])).toEqual(["b.x", "a.x"]);
  expect(() => select("here", ["b.x", "a.x", "c"], ["a*", "d*"])).toThrow(ConfigError);
  expect(() => select("here", ["b.x", "c"], ["d*"])).toThrow(/got d\*, expected one for some of b\.x, c/);
});
