// Families of ops as a page has them: core's modules and those of one family, and nothing else, compute every op of it and its gradients to the bits that the whole library comes to; and
// what isn't loaded says so.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import type { Chunk } from "../../tools/bundle.ts";
import { families } from "../../tools/families.ts";
import { libraryModules } from "../support/esm.ts";
import { calls, tensorsIn } from "../support/op-calls.ts";
import { root } from "../support/sources.ts";

type Library = typeof sg;
type Namespace = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

const folder = mkdtempSync(join(tmpdir(), "seedgrad-families-"));
let chunks: readonly Chunk[];

beforeAll(async () => {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  await sg.setDefaultBackend("reference");
  chunks = await libraryModules();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The published modules, anew: what others import is loaded in none of these. */
async function load(name: string): Promise<(file: string) => Promise<unknown>> {
  for (const { file, code } of chunks) {
    const path = join(folder, name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
  return (file) => import(pathToFileURL(join(folder, name, file)).href);
}

/** Arguments with each tensor of one library as a tensor of another. */
function given(value: unknown, make: (tensor: sg.Tensor) => unknown): unknown {
  if (value instanceof sg.Tensor) return make(value);
  if (Array.isArray(value)) return value.map((item) => given(item, make));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, given(item, make)]));
}

const isTensor = (value: unknown): value is sg.Tensor => typeof value === "object" && value !== null && "node" in value;
const within = (value: unknown): sg.Tensor[] =>
  isTensor(value) ? [value] : typeof value === "object" && value !== null ? Object.values(value).flatMap(within) : [];

/** What a call gives, and the gradients of the sum of that by what it is given; bytes as text. */
async function outcome(library: Pick<Library, "manualSeed" | "gradients">, apply: () => unknown, inputs: sg.Tensor[]) {
  library.manualSeed(1);
  const outputs = within(apply());
  const float = outputs.filter(({ dtype }) => dtype === "float32");
  const by = inputs.filter(({ dtype }) => dtype === "float32");
  const total = float.map((each) => each.sum()).reduce<sg.Tensor | undefined>((a, b) => a?.add(b) ?? b, undefined);
  const slopes = total && by.length > 0 ? library.gradients(total, by) : [];
  const read = async (tensor: sg.Tensor) => {
    const data = await tensor.data();
    return `${tensor.dtype} [${tensor.shape}] ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")}`;
  };
  return Promise.all([...outputs, ...slopes].map(read));
}

describe.each([...families.keys()])("%s", (name) => {
  test("each of its ops, alone with core: values and gradients of the whole library, as functions and as methods", async () => {
    const file = await load(name);
    const core = (await file("core.js")) as Library;
    const own = ((await file(`ops/${name}.js`)) as { ops: Namespace }).ops;
    await core.setDefaultBackend("reference");
    const { methods = {}, others } = families.get(name)!;
    const functions = { ...methods, ...others };
    expect(Object.keys(own).sort()).toEqual(Object.keys(functions).sort());
    for (const op of Object.keys(functions)) {
      const args = calls[op].args();
      const data = new Map(await Promise.all(tensorsIn(args).map(async (each) => [each, await each.data()] as const)));
      const there = given(args, (each) => core.tensor(data.get(each)!, { shape: each.shape, dtype: each.dtype }));
      const here = given(args, (each) => sg.tensor(data.get(each)!, { shape: each.shape, dtype: each.dtype }));
      const [a, b] = [here, there] as [unknown[], unknown[]];
      const expected = await outcome(sg, () => (sg.ops as unknown as Namespace)[op](...a), within(a));
      expect([op, await outcome(core, () => own[op](...b), within(b))]).toEqual([op, expected]);
      if (op in methods)
        expect([op, await outcome(core, () => (b[0] as Namespace)[op](...b.slice(1)), within(b))]).toEqual([
          op,
          expected,
        ]);
    }
  });
});

describe("what isn't loaded", () => {
  test("a method says which import attaches it, and is there after that", async () => {
    const file = await load("absent");
    const core = (await file("core.js")) as Library;
    await core.setDefaultBackend("reference");
    const x = core.tensor([
      [4, 0],
      [0, 9],
    ]);
    for (const [name, { methods = {} }] of families)
      if (name !== "basic")
        for (const method of Object.keys(methods))
          expect(() => (x as unknown as Namespace)[method]()).toThrow(
            `${method}: its family of ops isn't loaded: expected import "seedgrad/ops/${name}"`,
          );
    await file("ops/linalg.js");
    expect(await x.det().item()).toBe(36);
    expect(() => x.fft()).toThrow(core.ConfigError);
  });

  test("an op of a graph from elsewhere is refused", async () => {
    const core = (await (await load("foreign"))("core.js")) as Library;
    const { node } = core.tensor([1, 2]);
    const foreign = new (node.constructor as new (made: object) => typeof node)({
      op: "fft",
      dtype: "float32",
      shape: [2],
      inputs: [node],
    });
    expect(() => core.gradients(new core.Tensor(foreign).sum(), [new core.Tensor(node)])).toThrow(
      /ops: an op that isn't defined: got fft.*\n?.*seedgrad\/ops/,
    );
  });
});

test("a page that only imports a family for its methods keeps it, one that imports none has none, whatever layers it could import", async () => {
  const page = async (text: string) => {
    const made = await rolldown({
      input: "page",
      cwd: root,
      platform: "browser",
      logLevel: "silent",
      plugins: [
        {
          name: "page",
          resolveId: (id) => (id === "page" ? "\0page" : undefined),
          load: (id) => (id === "\0page" ? text : undefined),
        },
      ],
    });
    const { output } = await made.write({ format: "esm", dir: join(folder, `page-${text.length}`) });
    await made.close();
    const path = join(folder, `page-${text.length}`, output[0].fileName);
    return (await import(pathToFileURL(path).href)) as { run(): Promise<unknown>; Tensor: { prototype: Namespace } };
  };
  const at = (path: string) => JSON.stringify(join(root, path));
  const plain = await page(
    `import { Tensor, tensor } from ${at("src/core.ts")};
     import * as nn from ${at("src/nn/index.ts")};
     import * as losses from ${at("src/nn/losses.ts")};
     export { Tensor };
     export const run = () => [nn.linear, losses.mse, tensor([1]).add(1)];`,
  );
  for (const [name, { methods = {} }] of families)
    for (const method of Object.keys(methods))
      if (name !== "basic") expect(() => plain.Tensor.prototype[method]()).toThrow("isn't loaded");
  const methods = await page(
    `import { tensor } from ${at("src/core.ts")};
     import ${at("src/tensor/families/sorting.ts")};
     export const run = () => tensor([3, 1, 2]).sort().array();`,
  );
  expect(await methods.run()).toEqual([1, 2, 3]);
});
