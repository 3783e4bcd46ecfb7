// A run whose model comes from a program of one's own, checked from elsewhere: after the project moved, after the program moved, and after it changed.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { diffConfigs, showConfig, validateConfig } from "../../src/cli/config.ts";
import { diff } from "../../src/cli/diff.ts";
import { explain } from "../../src/cli/explain.ts";
import { fitConfig } from "../../src/cli/fit.ts";
import { importFor } from "../../src/cli/imports.ts";
import { predict } from "../../src/cli/predict.ts";
import { validate, validateAll } from "../../src/cli/validate.ts";
import { verify } from "../../src/cli/verify.ts";
import { sha256Hex } from "../../src/core/canonical.ts";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { changedImports } from "../../src/run/programs.ts";
import { source, start, startSources } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const program = (activation: string) => `
import { nn, register } from "${source("index")}";
register("model", "own", ({ width }) => nn.sequential(nn.linear(784, width), nn.${activation}(), nn.linear(width, 10)));
`;
const config = `trainer:
  init:
    seed: 1234
    model: {name: own, width: 8}
    loss: cross_entropy
    optimizer: {SGD: {lr: 0.1}}
    loop: {num_steps: 2}
  fit: {train_dataloader: {name: mnist, split: train, batch_size: 64, shuffle: true}}
`;
const hash = (text: string) => sha256Hex(new TextEncoder().encode(text));

/** A project with a finished run in it, made from within; and a folder to check it from. */
let made: string;
let elsewhere: string;
beforeAll(async () => {
  [made, elsewhere] = [join(scratch(), "project"), scratch()];
  mkdirSync(made);
  writeFileSync(join(made, "mine.mjs"), program("relu"));
  writeFileSync(join(made, "config.yaml"), config);
  const args = ["fit", "config.yaml", "--model-dir", "runs/a", "--import", "./mine.mjs"];
  const run = await start(args, undefined, made);
  expect(run.code, run.stderr).toBe(0);
});

/** A copy of the project, as if it had been carried there. */
function moved(): string {
  const folder = join(scratch(), "carried");
  cpSync(made, folder, { recursive: true });
  return folder;
}
const from = (folder: string, ...args: string[]) => start(args, undefined, folder);

describe("a run's programs", () => {
  test("are recorded by content, and by where they are from the run's folder", () => {
    const { imports } = readManifest(join(made, "runs/a/manifest.json"));
    expect(imports).toEqual({ "./mine.mjs": { sha256: hash(program("relu")), path: "../../mine.mjs" } });
  });

  test("are found from another folder, in a project that moved, and beside others of the same name", async () => {
    const project = moved();
    writeFileSync(join(elsewhere, "mine.mjs"), program("tanh"));
    const found = await from(elsewhere, "verify", join(project, "runs/a"), "--trust-imports");
    expect([found.code, found.stderr], found.stdout).toEqual([0, ""]);
  });

  test("that are gone are asked for; --import names them, whatever their file is called", async () => {
    const project = moved();
    const run = join(project, "runs/a");
    const [old, now] = [join(project, "mine.mjs"), join(project, "net.mjs")];
    renameSync(old, now);
    cpSync(run, join(project, "runs/b"), { recursive: true });
    const empty = scratch();
    const [gone, ...found] = await Promise.all([
      from(empty, "verify", run, "--trust-imports"),
      from(empty, "verify", run, "--import", now),
      from(empty, "explain", run, "--import", now),
      // The chains say all there is to say.
      from(empty, "diff", run, join(project, "runs/b")),
    ]);
    expect(gone.code).toBe(2);
    expect(gone.stderr).toMatch(/ConfigError: import \.\/mine\.mjs: the program can't be imported/);
    expect(gone.stderr).toContain(`Hint: ${run} was made with it: where it lies elsewhere now, give --import PATH`);
    for (const { code, stdout, stderr } of found) expect([code, stderr], stdout).toEqual([0, ""]);
    const input = join(project, "input.csv");
    const columns = Array.from({ length: 784 }, (_, i) => `x${i}`);
    writeFileSync(input, `${columns}\n${`${columns.map(() => 0.5)}\n`.repeat(2)}`);
    const predicted = await from(project, "predict", join(run, "config.yaml"), "--input", input, "--import", now);
    expect(predicted.code, predicted.stderr).toBe(0);
    expect(predicted.stdout.trim().split("\n")).toHaveLength(2);
  });

  test("that changed are warned of by name: the chain says whether it matters", async () => {
    const [harmless, harmful] = [moved(), moved()];
    writeFileSync(join(harmless, "mine.mjs"), `// A comment.\n${program("relu")}`);
    writeFileSync(join(harmful, "mine.mjs"), program("tanh"));
    const [same, other] = await Promise.all(
      [harmless, harmful].map((project) => from(elsewhere, "verify", join(project, "runs/a"), "--trust-imports")),
    );
    const warning = (project: string, now: string) =>
      `warning: ${project}/runs/a was made with another program: ./mine.mjs has changed since: it is ${hash(now).slice(0, 16)}…, and SHA-256 ${hash(program("relu")).slice(0, 16)}… is recorded\n`;
    expect([same.code, same.stderr]).toEqual([0, warning(harmless, `// A comment.\n${program("relu")}`)]);
    expect([other.code, other.stderr]).toEqual([1, warning(harmful, program("tanh"))]);
    expect(other.stdout).toContain(`import mine.mjs: ${hash(program("relu"))} | ${hash(program("tanh"))}`);
    expect(other.stdout).toMatch(/DIFFERENT: another program/);
    // Of a run gone on with, too.
    const config2 = readFileSync(join(harmless, "config.yaml"), "utf8").replace("num_steps: 2", "num_steps: 3");
    writeFileSync(join(harmless, "config.yaml"), config2);
    const on = await from(harmless, "fit", "config.yaml", "--model-dir", "runs/a", "--import", "./mine.mjs");
    expect([on.code, on.stdout + on.stderr]).toEqual([
      0,
      expect.stringContaining("the run began with another program: ./mine.mjs has changed since"),
    ]);
  });

  test("run only if the user says so: every command that reads a folder refuses, with their paths and SHA-256", async () => {
    const project = moved();
    const [run, ran] = [join(project, "runs/a"), join(project, "ran")];
    const hostile = `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(ran)}, "");\n`;
    writeFileSync(join(project, "mine.mjs"), hostile);
    const file = join(run, "config.yaml");
    // A folder that left out what makes it a run's, and a link to a run's config from elsewhere.
    const bare = join(project, "runs/bare");
    mkdirSync(bare);
    cpSync(file, join(bare, "config.yaml"));
    const link = join(scratch(), "mine.yaml");
    symlinkSync(file, link);
    const commands = {
      verify: () => verify(run, {}),
      explain: () => explain(run, {}),
      "explain --against": () => explain(file, { against: link }),
      "config show": () => showConfig(file, {}),
      "config show of a link": () => showConfig(link, {}),
      "config validate": () => validateConfig(file, {}),
      "config diff": () => diffConfigs(file, file, {}),
      validate: () => validate(file, {}),
      "validate-all": () => validateAll(file, {}),
      predict: () => predict(file, { input: file }),
      diff: () => diff(run, link, {}),
      fit: () => fitConfig(file, {}),
    };
    for (const [name, command] of Object.entries(commands)) {
      const error = await command().catch((thrown: unknown) => thrown);
      expect(error, name).toBeInstanceOf(ConfigError);
      expect(String(error), name).toContain(`${join(project, "mine.mjs")}, SHA-256 ${hash(hostile)}`);
      expect(String(error), name).toContain("--trust-imports");
    }
    await expect(explain(bare, {})).rejects.toThrow("./mine.mjs: ");
    expect(existsSync(ran)).toBe(false);
    await importFor(file, { trustImports: true });
    expect(existsSync(ran)).toBe(true);
  });

  test("of two versions only one can be imported: diff says so, after what it can tell", async () => {
    const project = moved();
    writeFileSync(join(project, "mine.mjs"), program("tanh"));
    const args = ["config.yaml", "--model-dir", "runs/b", "--import", "./mine.mjs"];
    expect((await from(project, "fit", ...args)).code).toBe(0);
    const found = await from(elsewhere, "diff", join(made, "runs/a"), join(project, "runs/b"), "--trust-imports");
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/import mine\.mjs: \w{64} \| \w{64}/);
    expect(found.stdout).toMatch(/they part at step 1/);
    expect(found.stdout).toMatch(/the replay failed: import \.\/mine\.mjs: register: there is a model of this name/);
    expect(found.stdout).toContain("of two versions of a program only one can be imported at a time");
  });
});

test("a program may be TypeScript, where the command line runs from the sources", async () => {
  const folder = scratch();
  const typed = `import { nn, register } from "${root}src/index.ts";
register("model", "typed", ({ width }: { readonly width: number }) => nn.linear(width, 1));
`;
  writeFileSync(join(folder, "mine.mts"), typed);
  const run = await startSources(["list", "models", "--import", "./mine.mts"], folder);
  expect([run.code, run.stdout], run.stderr).toEqual([0, expect.stringMatching(/^typed/m)]);
});

test("programs compared: by content first, then by their files' names", () => {
  const [a, b] = ["a", "b"].map((digit) => ({ sha256: digit.repeat(64) }));
  expect(changedImports(undefined, { "./x.js": a })).toEqual([]);
  expect(changedImports({ "./x.js": a }, { "./elsewhere/y.js": a })).toEqual([]);
  expect(changedImports({ "./x.js": a }, { "/there/x.js": b })).toEqual([
    expect.stringMatching(/^\/there\/x\.js has changed since: it is b{16}…, and SHA-256 a{16}… is recorded$/),
  ]);
  expect(changedImports({ package: a })).toEqual([expect.stringMatching(/^package wasn't imported/)]);
});

test("a manifest whose programs are no programs is refused", () => {
  const path = join(scratch(), "manifest.json");
  const manifest = JSON.parse(readFileSync(join(made, "runs/a/manifest.json"), "utf8"));
  writeFileSync(path, JSON.stringify({ ...manifest, imports: { "./mine.mjs": "12".repeat(32) } }));
  expect(() => readManifest(path)).toThrow(CheckpointError);
  expect(() => readManifest(path)).toThrow(/: imports: .*expected programs by name, each with its SHA-256/);
});
