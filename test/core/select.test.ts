import { expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { select } from "../../src/core/glob.ts";

const named = [["b.x", 1] as const, ["a.x", 2] as const, ["c", 3] as const];

test("select keeps the order of what has the names, and refuses a glob for nothing", () => {
  expect(select("here", named, ["a*", "b*"])).toEqual([named[0], named[1]]);
  expect(select("here", named, [])).toEqual([]);
  expect(() => select("here", named, ["a*", "d*"])).toThrow(ConfigError);
  expect(() => select("here", [named[0], named[2]], ["d*"])).toThrow(/got d\*, expected one for some of b\.x, c/);
});
