// docs/ops.md and docs/layers.md: a row for each op and each layer, from its documentation, its tags `@torch` and `@example`, the right call of
// each op that tests have, and the keys of the goldens. `npm run docs` writes both; test/docs/generated.test.ts holds them to be current.
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import type { Node } from "../src/graph/node.ts";
import { reachable } from "../src/graph/node.ts";
import * as sg from "../src/index.ts";
import { recordOf } from "../src/ops/define.ts";
import { calls, functionsByName, tensorsIn } from "../test/support/op-calls.ts";
import { families } from "./families.ts";
import { cell, firstSentence, root, sources, textOf } from "./sources.ts";

const goldens = `${root}test/golden/`;

/** The files in test/golden with a case of each name, and the text of the tests that read them. */
function readGoldens(): { files: Map<string, Set<string>>; tests: Map<string, string> } {
  const [files, tests] = [new Map<string, Set<string>>(), new Map<string, string>()];
  for (const name of readdirSync(goldens)) {
    const [file] = name.split(".");
    if (name.endsWith(".test.ts")) tests.set(file, readFileSync(goldens + name, "utf8"));
    if (!name.endsWith(".json")) continue;
    const visit = (value: unknown, depth: number): void => {
      if (typeof value !== "object" || value === null || depth === 3) return;
      for (const [at, member] of Object.entries(value)) {
        const key: string = Array.isArray(value) && typeof member?.name === "string" ? member.name : at;
        const op = key.split(" ")[0].replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
        files.set(op, (files.get(op) ?? new Set()).add(file));
        visit(member, depth + 1);
      }
    };
    visit({ [file]: JSON.parse(readFileSync(goldens + name, "utf8")) }, -1);
  }
  return { files, tests };
}

const shapeOf = ({ dtype, shape }: sg.Tensor) => `${dtype === "float32" ? "" : dtype}[${shape.join(", ")}]`;
const shapesOf = (tensors: readonly sg.Tensor[]) => tensors.map(shapeOf).join(", ") || "no tensor";
const isZero = ({ node }: sg.Tensor) => node.op === "full" && node.attributes.value === 0;
const isFloat = ({ dtype }: sg.Tensor) => dtype === "float32";

/** Whether a gradient flows, and one of the gradient. */
function gradientsOf(inputs: readonly sg.Tensor[], outputs: readonly sg.Tensor[]): [first: string, second: string] {
  const [x, y] = [inputs, outputs].map((tensors) => tensors.filter(isFloat));
  if (x.length === 0) return ["none: it takes no float32 tensor", "none"];
  if (y.length === 0) return [`none: it gives ${outputs[0].dtype}`, "none"];
  const weighed = (tensors: readonly sg.Tensor[]) =>
    tensors.map((each) => each.mul(sg.ones(each.shape)).sum()).reduce((a, b) => a.add(b));
  const first = sg.gradients(weighed(y), x).filter((gradient) => !isZero(gradient));
  if (first.length === 0) return ["0", "0"];
  return ["yes", sg.gradients(weighed(first), x).every(isZero) ? "0" : "yes"];
}

const between = (inputs: readonly sg.Tensor[], outputs: readonly sg.Tensor[]): Node[] => {
  const given = new Set(inputs.map(({ node }) => node));
  return reachable(outputs.map(({ node }) => node)).filter((node) => !given.has(node));
};

const elementary: Record<string, { maxUlp: number }> = JSON.parse(readFileSync(`${goldens}elementary.json`, "utf8"));

/** How far values may be from the exact ones. */
function errorOf(name: string, outputs: readonly sg.Tensor[], nodes: readonly Node[]): string {
  if (elementary[name]) return `${elementary[name].maxUlp} ULP`;
  const moves = (node: Node) => ["movement", "gather", "full", "leaf"].includes(recordOf(node).kind);
  return !outputs.some(isFloat) || nodes.every(moves) ? "none: exact" : "by definition";
}

const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |\n`).join("");

/** What the compiler knows of a function: its call as one writes it, its first sentence, its file and tags. */
function described(symbol: ts.Symbol, prefix = "") {
  const checker = sources().getTypeChecker();
  const own = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const [signature] = checker.getTypeOfSymbol(own).getCallSignatures();
  const written = checker.signatureToSignatureDeclaration(
    signature,
    ts.SyntaxKind.FunctionType,
    undefined,
    ts.NodeBuilderFlags.NoTruncation,
  )!;
  const parameters = written.parameters.map(
    ({ name, questionToken, dotDotDotToken }) =>
      `${dotDotDotToken ? "…" : ""}${(name as ts.Identifier).text}${questionToken ? "?" : ""}`,
  );
  const tags = Object.fromEntries(
    own.getJsDocTags(checker).map((tag) => [tag.name, ts.displayPartsToString(tag.text)]),
  );
  const { torch } = tags;
  if (!torch)
    throw new Error(
      `${prefix}${symbol.name}: its documentation needs PyTorch's name, as in @torch torch.cumsum, or @torch none: what there is instead`,
    );
  return {
    call: `\`${prefix}${symbol.name}(${parameters.join(", ")})\``,
    does: firstSentence(textOf(own)),
    torch: torch.startsWith("none") ? torch : `\`${torch}\``,
    tags,
    signature,
    file: own.declarations![0].getSourceFile().fileName,
  };
}

const exportOf = (name: string): ts.Symbol => {
  const checker = sources().getTypeChecker();
  const module = checker.getSymbolAtLocation(sources().getSourceFile(`${root}src/index.ts`)!)!;
  const symbol = checker.getExportsOfModule(module).find((each) => each.name === name)!;
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
};

function missing(name: string): never {
  throw new Error(`${name}: no file in test/golden has a case of this name, and no tag says why: @golden none: it …`);
}

const generated =
  "Generated by `npm run docs` (tools/reference-docs.ts) from documentation, tags and goldens; not written by hand.";

/** The text of docs/ops.md. */
export function opsPage(): string {
  sg.manualSeed(0);
  const { files } = readGoldens();
  const sections = new Map<string, string[][]>();
  const entries = new Map<string, Set<string>>();
  for (const symbol of sources().getTypeChecker().getTypeOfSymbol(exportOf("ops")).getProperties()) {
    const { name } = symbol;
    const { call, does, torch, tags, file } = described(symbol);
    if (!calls[name]) throw new Error(`${name}: test/support/op-calls.ts has no right call of it`);
    const args = calls[name].args();
    const [inputs, outputs] = [tensorsIn(args), tensorsIn(functionsByName[name](...args))];
    const nodes = between(inputs, outputs);
    const drawn = nodes.some(({ draws }) => draws) && "none: it draws its own numbers";
    const golden = [...(files.get(name) ?? [])].join(", ") || tags.golden || drawn || missing(name);
    const shapes = `${shapesOf(inputs)} → ${shapesOf(outputs)}`;
    const row = [call, does, torch, shapes, ...gradientsOf(inputs, outputs), golden, errorOf(name, outputs, nodes)];
    const section = /([\w-]+)\.ts$/.exec(file)![1];
    sections.set(section, [...(sections.get(section) ?? []), row]);
    const [family] = [...families].find(([, { methods, others }]) => Object.hasOwn({ ...methods, ...others }, name))!;
    const entry = family === "basic" ? "core" : `ops/${family}`;
    entries.set(section, (entries.get(section) ?? new Set()).add(`\`seedgrad/${entry}\``));
  }
  const columns = ["op", "what it gives", "PyTorch", "shapes, of a call", "gradient", "second", "golden", "max error"];
  const parts = [...sections].sort(([a], [b]) => (a < b ? -1 : 1));
  return `# Ops

${generated} An op is a function at top level or in \`ops\`, and where it takes a tensor first, a method. The whole of what is
said of each is shown by an editor over its name. \`seedgrad\` has all of them; a page that imports \`seedgrad/core\` has those of its own, and imports others by family.

- **shapes** are those of one call, float32 unless said: the tensors that it is given → those that it gives.
- **gradient**: yes; 0 where the value is flat, or is held to be; or none, and why. **second** is the gradient of the gradient: 0 where that doesn't
  depend on a float32 operand.
- **golden** is the file in \`test/golden\` with PyTorch's (or NumPy's) values, and gradients where there are any; \`elementary\` is a digest of every
  float32 input.
- **max error**: in units of the last place where all 2³² inputs are measured against a float64 reference ([elementary functions](elementary.md)); none where
  nothing is rounded; by definition where the value is what a written sequence of rounded operations gives ([numerics](numerics.md)).

${parts.map(([section, rows]) => `## ${section}\n\nIn a page: ${[...entries.get(section)!].join(", ")}.\n\n${table(columns, rows)}`).join("\n")}`;
}

/** The module that an example makes, and what it gives. */
function exampleOf(example: string): { module: sg.nn.Module; inputs: sg.Tensor[]; outputs?: sg.Tensor[] } {
  const [made, args] = example.split(".forward(");
  const run = (code: string) => new Function("nn", "zeros", `return ${code};`)(sg.nn, sg.zeros);
  const module: sg.nn.Module = run(made);
  if (args === undefined) return { module, inputs: [] };
  const given: [sg.Tensor, sg.nn.Batch?] = run(`[${args.slice(0, -1)}]`);
  return { module, inputs: tensorsIn(given), outputs: tensorsIn(module.forward(...given)) };
}

/** The text of docs/layers.md. */
export function layersPage(): string {
  sg.manualSeed(0);
  const checker = sources().getTypeChecker();
  const { files, tests } = readGoldens();
  const rows: string[][] = [];
  for (const symbol of checker.getExportsOfModule(exportOf("nn"))) {
    const { name } = symbol;
    const own = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const [signature] = own.flags & ts.SymbolFlags.Value ? checker.getTypeOfSymbol(own).getCallSignatures() : [];
    const made = signature?.getReturnType();
    // What gives back the module that it was given makes none.
    if (!made?.getProperty("namedParameters") || made.flags & ts.TypeFlags.TypeParameter) continue;
    const { call, does, torch, tags } = described(symbol, "nn.");
    if (!tags.example)
      throw new Error(
        `nn.${name}: its documentation needs a call, as in @example nn.linear(4, 3).forward(zeros([2, 4]))`,
      );
    const { module, inputs, outputs } = exampleOf(tags.example);
    const shapes = outputs ? `${shapesOf(inputs)} → ${shapesOf(outputs)}` : "none: its modules are called one by one";
    const variables = module.namedVariables().map(([path, each]) => {
      const [, kind, path_] = /^(parameter|buffer)\/(.*)$/.exec(path)!;
      return `${kind === "buffer" ? "buffer " : ""}\`${path_}\` [${each.shape.join(", ")}]`;
    });
    const inTests = [...tests].filter(([, text]) => text.includes(`nn.${name}(`)).map(([file]) => file);
    const cases = new Set([...(files.get(name) ?? []), ...inTests]);
    const golden = [...cases].join(", ") || tags.golden || missing(`nn.${name}`);
    rows.push([call, does, torch, `\`${tags.example}\``, shapes, variables.join(", ") || "none", golden]);
  }
  rows.sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const columns = ["layer", "what it is", "PyTorch", "a call", "shapes", "parameters and buffers", "golden"];
  return `# Layers

${generated} Each is a function in \`nn\` that makes a module; the whole of what is said of it is shown by an editor over its name.

- **shapes** and **parameters and buffers** are those of the call beside them, float32 unless said.
- **golden** is the file in \`test/golden\` with PyTorch's values and gradients of it.

${table(columns, rows)}`;
}
