import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { parsePhases } from "../../src/train/config/parse.ts";
import { formatPath, parseYaml } from "../../src/train/config/yaml.ts";
import { cpuSeconds } from "../support/cpu.ts";

function failure(text: string): ConfigError {
  try {
    parseYaml(text, "a.yaml");
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error("no error");
}

describe("parseYaml", () => {
  test("values: integers beyond 2^53 − 1 are bigint, others numbers", () => {
    const { value } = parseYaml("a: 9007199254740991\nb: 18446744073709551615\nc: 1e3\nd: [x, null, true, 0.5]\n", "a");
    expect(value).toEqual({ a: 9007199254740991, b: 18446744073709551615n, c: 1000, d: ["x", null, true, 0.5] });
  });

  test.each([
    ["sequences on a line", "- ".repeat(5000)],
    ["keys on a line", "? ".repeat(5000)],
    ["values on a line", ": ".repeat(5000)],
    ["anchored sequences", "- &a ".repeat(5000)],
    ["tagged sequences", "!!seq - ".repeat(5000)],
    ["tabs", "-\t".repeat(5000)],
    ["the second line", `a:\r${"- ".repeat(5000)}`],
    ["indentation", Array.from({ length: 1300 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")],
    [
      "indented sequences",
      Array.from({ length: 500 }, (_, i) => `${" ".repeat(i)}a:\n${" ".repeat(i)}- b:\n`).join(""),
    ],
    ["brackets", "[".repeat(5000)],
    ["braces", "{a: ".repeat(5000)],
    ["both", `${"- ".repeat(200)}\n${" ".repeat(400)}${"[".repeat(200)}`],
    ["not quite: 65", `${"- ".repeat(65)}a`],
  ])("nesting is bounded before the parser recurses: %s", (_name, text) => {
    expect(failure(text).message).toMatch(/nested too deeply|not valid YAML/);
  });

  test("text that looks deep and isn't: a literal block, a long list, many keys in one line", () => {
    const rule = "- ".repeat(60);
    const keys = Array.from({ length: 400 }, (_, i) => `k${i}: -${i}`).join(", ");
    const list = "- a\n".repeat(2000);
    const { value } = parseYaml(`a: |\n  ${rule}\nb: {${keys}}\nc:\n${list}`, "a") as {
      value: { a: string; b: object; c: string[] };
    };
    expect([value.a, Object.keys(value.b).length, value.c.length]).toEqual([`${rule}\n`, 400, 2000]);
  });

  test.each(["constructor", "toString", "hasOwnProperty", "valueOf", "__proto__"])(
    "%s is a key like any other, wherever it stands",
    (name) => {
      const init = "model: {name: mlp, sizes: [1, 2]}";
      for (const text of [
        `${name}: 1`,
        `trainer: {init: {${name}: 1, ${init}}}`,
        `trainer: {init: {model: {name: ${name}, sizes: [1, 2]}}}`,
        `trainer: {init: {loss: ${name}, ${init}}}`,
        `trainer: {init: {optimizer: {${name}: {}}, ${init}}}`,
        `trainer: {init: {callbacks: [{${name}: null}], ${init}}}`,
        `trainer: {init: {metrics: [{${name}: {}}], ${init}}}`,
      ]) {
        const error = (() => {
          try {
            return parsePhases(text, "a.yaml");
          } catch (thrown) {
            return thrown;
          }
        })();
        expect(error, text).toBeInstanceOf(ConfigError);
        expect(String(error), text).toMatch(/unknown (key|name|class): got /);
        expect(String(error), text).not.toMatch(/native code|function/);
      }
    },
  );

  test("positions of keys and values, and plain text", () => {
    const source = parseYaml("x:\n  y: 1e3\n  z: [a,\n   'b']\n", "f.yaml");
    expect(source.keyPosition(["x", "y"])).toEqual({ file: "f.yaml", line: 2, column: 3 });
    expect(source.valuePosition(["x", "y"])).toEqual({ file: "f.yaml", line: 2, column: 6 });
    expect(source.valuePosition(["x", "z", 1])).toEqual({ file: "f.yaml", line: 4, column: 4 });
    expect(source.plainText(["x", "y"])).toBe("1e3");
    expect(source.plainText(["x", "z", 1])).toBeUndefined();
    expect(source.keyPosition(["x", "absent"])).toEqual({ file: "f.yaml", line: 1, column: 1 });
  });

  test("aliases, and merge keys that don't override", () => {
    const { value } = parseYaml("a: &x {q: 1, r: 2}\nb: &y {r: 5, s: 6}\nc: {<<: [*x, *y], q: 3}\nd: [*x]\n", "a");
    expect(value).toMatchObject({ c: { q: 3, r: 2, s: 6 }, d: [{ q: 1, r: 2 }] });
  });

  test.each([
    ["a duplicate key", "a: 1\nb: 2\na: 3\n", 3, 1, /given twice: got a/],
    ["a duplicate key deeper, in quotes", "a: {b: 1, 'b': 2}\n", 1, 11, /given twice: got b/],
    ["a duplicate key in what is merged", "a: {<<: {b: 1, b: 2}}\n", 1, 16, /given twice: got b/],
    ["a local tag", "a: !foo 1\n", 1, 4, /tag/i],
    ["a core tag", "a:\n  - !!str 1\n", 2, 11, /tags aren't used/],
    ["a tag that names code", "a: !!js/function 'x'\n", 1, 4, /tag/i],
    ["an open bracket", "a: [1, 2\n", 2, 1, /not valid YAML/],
    ["a key that isn't text", "1: 2\n", 1, 1, /isn't text/],
    ["two documents", "a: 1\n---\nb: 2\n", 2, 1, /multiple documents/],
    ["an alias of nothing", "a: *nope\n", 1, 4, /alias|not valid/i],
    ["a merge of a number", "a: {<<: 3}\n", 1, 9, /merge key/],
    ["__proto__", "{__proto__: 1}\n", 1, 2, /unknown key/],
  ])("%s is an error at its place", (_what, text, line, column, message) => {
    const error = failure(text);
    expect(error.message).toMatch(message);
    expect(error.position).toEqual({ file: "a.yaml", line, column });
    expect(error.message.startsWith(`a.yaml:${line}:${column}: `)).toBe(true);
  });

  test("aliases that multiply are bounded", () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(of).join(",")}]\n`;
    expect(
      failure(level("a", "1") + level("b", "*a") + level("c", "*b") + level("d", "*c") + level("e", "*d")).message,
    ).toMatch(/too many values/);
    expect(failure("a: &a [*a]").message).toMatch(/nested too deeply|not valid/);
  });

  test("merge keys that multiply are bounded", () => {
    const level = (i: number) =>
      `a${i}: &a${i} {<<: [${Array(10)
        .fill(`*a${i - 1}`)
        .join(",")}], k${i}: 1}\n`;
    const levels = Array.from({ length: 30 }, (_, i) => (i === 0 ? "a0: &a0 {x: 1}\n" : level(i)));
    expect(failure(levels.join("")).message).toMatch(/too many values/);
    const keys = Array.from({ length: 2000 }, (_, i) => `k${i}: 1`).join(",");
    expect(failure(`a: &a {${keys}}\nb: {<<: [${"*a,".repeat(20)}]}`).message).toMatch(/too many values/);
  });

  test("many keys, anchors and aliases take no longer than many values", () => {
    const keys = Array.from({ length: 40_000 }, (_, i) => `k${i}: &a${i} 1\n`).join("");
    const seconds = cpuSeconds(() => {
      expect(failure(keys).message).toMatch(/too many values/);
      expect(failure(`a: &a 1\nb: [${"*a,".repeat(100_000)}]`).message).toMatch(/too many values/);
    });
    // Both took minutes where each key was held against all others, and each alias sought from the beginning.
    expect(seconds).toBeLessThan(30);
  });

  test("an anchor given again: each alias means the last one before it", () => {
    const { value } = parseYaml("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", "a");
    expect(value).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  test("huge and deep texts", () => {
    expect(failure(`a: ${"x".repeat(1_000_000)}`).message).toMatch(/too long/);
    expect(failure("[".repeat(100_000)).message).toMatch(/nested too deeply/);
    expect(failure("- ".repeat(100_000)).message).toMatch(/nested|not valid/);
    expect(failure(`a: ${"[".repeat(100)}${"]".repeat(100)}`).message).toMatch(/nested too deeply/);
  });

  test("formatPath", () => {
    expect(formatPath(["a", 0, "b", 2])).toBe("a[0].b[2]");
  });
});

test.each([
  ["closing brackets", "]"],
  ["colons", ": "],
  ["documents", "---\n"],
  ["values at a node's end", "a: [], [\n"],
])("a long text of %s is an error at once: none of its other errors is looked for", (_, part) => {
  const text = part.repeat(Math.floor(900_000 / part.length));
  const seconds = cpuSeconds(() => {
    expect(() => parseYaml(text, "a.yaml")).toThrow(ConfigError);
  });
  expect(seconds).toBeLessThan(5);
});
