// What an editor shows over the public names: the documentation that stands once, at each op's or maker's declaration.
import { describe, expect, test } from "vitest";
import { ops } from "../../src/index.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { openEditor } from "../support/hover.ts";

const editor = openEditor();
const sources = "./src/index.ts";
const built = "./built/src/index.ts";

const methods = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== "constructor");
const opNames = Object.keys(ops);
const functions = editor.exportsOf(sources).filter((name) => opNames.includes(name));

/** Names whose documentation is missing, says nothing, or is another's too. */
function badlyDocumented(docs: ReadonlyMap<string, string>): string[] {
  const all = [...docs.values()];
  return [...docs]
    .filter(([, text]) => text.split(/\s+/).length < 3 || all.filter((other) => other === text).length > 1)
    .map(([name, text]) => `${name}: ${text}`);
}

describe.each([
  ["the sources", sources],
  ["the built package", built],
])("hovering with %s shows what is computed", (_, entry) => {
  const hover = (expressions: string[]) => badlyDocumented(editor.hover(entry, expressions));

  test("for every method and property of a tensor", () => {
    expect(methods.length).toBeGreaterThan(60);
    expect(hover(methods.map((name) => `x.${name}`))).toEqual([]);
    expect(hover(methods.map((name) => `x.${name}()`))).toEqual([]);
  });

  test("for every op as a member of `ops`", () => {
    expect(opNames.length).toBeGreaterThan(70);
    expect(hover(opNames.map((name) => `s.ops.${name}(x)`))).toEqual([]);
  });

  test("for every op imported by name", () => {
    expect(functions.length).toBeGreaterThan(70);
    expect(hover(functions)).toEqual([]);
  });

  test("for every layer, loss, metric, optimizer, schedule and loader", () => {
    const namespaces = editor.membersOf(entry).filter(({ members }) => members);
    expect(namespaces.map(({ name }) => name)).toEqual(["data", "nn", "losses", "metrics", "optim"]);
    for (const { name, members } of namespaces) {
      expect(hover(members!.map((member) => `s.${name}.${member}`))).toEqual([]);
      expect(hover(members!.map((member) => `s.${name}.${member}()`))).toEqual([]);
    }
  });

  test("for everything else that is exported", () => {
    const others = editor.exportsOf(entry).filter((name) => !functions.includes(name));
    expect(hover(others)).toEqual([]);
  });
});

test("the built package's types need no skipLibCheck, and no library later than ES2022", () => {
  expect(editor.problems(built)).toEqual([]);
  expect(editor.problems(built, ["lib.es5.d.ts"]).length).toBeGreaterThan(0);
});

test("the built package documents ops where they are called, too", () => {
  for (const form of [(name: string) => `${name}(x)`, (name: string) => `s.${name}`, (name: string) => `s.${name}(x)`])
    expect(badlyDocumented(editor.hover(built, functions.map(form)))).toEqual([]);
});

test("what is no op and has no documentation is found", () => {
  const docs = editor.hover(sources, ["x.relu", "x.nothing"]);
  expect(badlyDocumented(docs)).toEqual(["x.nothing: "]);
});
