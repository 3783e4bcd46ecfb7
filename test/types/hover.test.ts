// What an editor shows over the public names: the documentation that stands once, at each op's or maker's declaration.
import { describe, expect, test } from "vitest";
import * as seedgrad from "../../src/index.ts";
import { properties, renamed } from "../../src/tensor/renamed.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { openEditor } from "../support/hover.ts";

const editor = openEditor();
const sources = "./src/index.ts";
const built = "./built/src/index.ts";

const methods = Object.getOwnPropertyNames(Tensor.prototype).filter(
  (name) => name !== "constructor" && !renamed.has(name) && !properties.has(name),
);
const opNames = Object.keys(seedgrad.ops);
const functions = editor.exportsOf(sources).filter((name) => opNames.includes(name));

/** The members of a namespace in a namespace, as nn.init; undefined of what is none. */
function innerMembers(name: string, member: string): readonly string[] | undefined {
  const value = (seedgrad as unknown as Record<string, Record<string, unknown>>)[name][member];
  return typeof value === "object" ? Object.keys(value!).map((inner) => `${member}.${inner}`) : undefined;
}

const formOf = (expression: string) => /\(x?\)$/.exec(expression)?.[0] ?? "";

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
  const namespaces = editor.membersOf(entry).filter(({ members }) => members);
  const all = {
    "every method and property of a tensor": methods.flatMap((name) => [`x.${name}`, `x.${name}()`]),
    "every op as a member of `ops`": opNames.map((name) => `s.ops.${name}(x)`),
    "every op imported by name": functions,
    "every layer, loss, metric, optimizer, schedule and loader": namespaces.flatMap(({ name, members }) =>
      members!
        .flatMap((member) => innerMembers(name, member) ?? [member])
        .flatMap((member) => [`s.${name}.${member}`, `s.${name}.${member}()`]),
    ),
    "everything else that is exported": editor.exportsOf(entry).filter((name) => !functions.includes(name)),
    ...(entry === built && {
      "every op where it is called": functions.flatMap((name) => [`${name}(x)`, `s.${name}`, `s.${name}(x)`]),
    }),
  };
  // One look at all of them: each is a program that is checked anew.
  const docs = editor.hover(entry, Object.values(all).flat());

  test.each(Object.keys(all) as (keyof typeof all)[])("for %s", (what) => {
    // Forms of one name share their documentation, but for those of the first kind two names don't.
    const expressions = all[what]!;
    for (const suffix of ["()", "(x)", ""]) {
      const form = expressions.filter((expression) => formOf(expression) === suffix);
      for (const qualified of [true, false]) {
        const shown = form.filter((expression) => expression.includes(".") === qualified);
        expect(badlyDocumented(new Map(shown.map((expression) => [expression, docs.get(expression)!])))).toEqual([]);
      }
    }
  });

  test("and nothing is left out", () => {
    expect(methods.length).toBeGreaterThan(60);
    expect(opNames.length).toBeGreaterThan(70);
    expect(functions.length).toBeGreaterThan(70);
    expect(namespaces.map(({ name }) => name)).toEqual(["data", "nn", "losses", "metrics", "optim"]);
    expect([...docs.keys()].length).toBe(new Set(Object.values(all).flat()).size);
  });
});

test("the built package's types need no skipLibCheck, and no library later than ES2022", () => {
  expect([...editor.problems(built)]).toEqual([]);
  expect(editor.problems(built, ["lib.es5.d.ts"]).next().done).toBe(false);
});

test("other libraries' names are refused where they are called, and no editor offers them", () => {
  expect([...editor.hover(sources, ["x.view", "x.repeat"]).values()]).toEqual(["", ""]);
});

test("what is no op and has no documentation is found", () => {
  const docs = editor.hover(sources, ["x.relu", "x.nothing"]);
  expect(badlyDocumented(docs)).toEqual(["x.nothing: "]);
});
