// Whole runs by the command line, in processes of their own or in this one: one digest however they are watched or computed. Killed ones: test/laws/kill.test.ts.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { numericsId } from "../../src/core/numerics.ts";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { call, configFile, presetWith, start } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const presetPath = join(root, "src/presets/mnist-mlp.yaml");
const steps = ["--max-steps", "6"];
const flagsOf = (config: string, flags: readonly string[]) => [
  ...["fit", config, "--model-dir", join(scratch(), "run"), "--json"],
  ...flags,
];
const train = (config: string, ...flags: string[]) => start(flagsOf(config, flags));
const trainHere = (config: string, ...flags: string[]) => call(flagsOf(config, flags));

/** Fewer images are sooner read. */
const fewer: [string, string] = ["split: train", "split: test"];

const quiet: [string, string][] = [
  [
    "[ProgressLogger: {}, CSVLogger: {}, TensorBoardLogger: {}]",
    "[ProgressLogger: null, CSVLogger: null, JSONLLogger: null, ReportLogger: null]",
  ],
  [", eval_frequency: epoch", ""],
  ["{steps: 500}", "null"],
];

describe("one digest", () => {
  test("in two processes; logging, validation and checkpoints on or off; another seed is another run", async () => {
    const watched = presetWith(["eval_frequency: epoch", "eval_frequency: 2"], ["{steps: 500}", "{steps: 2}"]);
    const [a, b, c, other] = await Promise.all([
      train(presetPath, ...steps),
      trainHere(configFile(watched), ...steps),
      trainHere(configFile(presetWith(...quiet)), ...steps),
      trainHere(presetPath, ...steps, "--seed", "7"),
    ]);
    expect([a.code, b.code, c.code, other.code], a.stderr + b.stderr + c.stderr + other.stderr).toEqual([0, 0, 0, 0]);
    const [x, y, z, w] = [a.json(), b.json(), c.json(), other.json()];
    expect(x.digest).toMatch(/^[0-9a-f]{64}$/);
    expect([y.digest, z.digest]).toEqual([x.digest, x.digest]);
    expect([y.graphHash, z.graphHash]).toEqual([x.graphHash, x.graphHash]);
    expect(w.digest).not.toBe(x.digest);
    expect(w.graphHash).not.toBe(x.graphHash);
    expect(x).toMatchObject({
      seed: "1234",
      steps: 6,
      threads: 1,
      metrics: { loss: expect.any(Number), accuracy: expect.any(Number) },
    });
    expect(Object.keys(x).sort()).toEqual(
      "backend digest directory graphHash loss metrics seconds seed steps streamPosition threads".split(" "),
    );
    expect(z.metrics).toEqual({});
    expect(c.stderr).not.toContain("step ");
    expect(a.stdout).toContain("not compared");
  });

  test("on every backend of class A, and on threads", async () => {
    const config = configFile(presetWith([", eval_frequency: epoch", ""], fewer));
    const runs = [];
    for (const flags of [
      ["wasm"],
      ["wasm", "--threads", "2"],
      ["wasm", "--threads", "all"],
      ["reference"],
      ["gpujs:webasm"],
      ["gpujs:cpu"],
    ]) {
      const run = await trainHere(config, "--max-steps", "3", "--backend", ...flags);
      expect(run.code, run.stderr).toBe(0);
      runs.push(run.json());
    }
    expect(new Set(runs.map((run) => run.digest)).size).toBe(1);
    expect(new Set(runs.map((run) => run.graphHash)).size).toBe(1);
    expect(runs.map((run) => run.backend)).toEqual(["wasm", "wasm", "wasm", "reference", "gpujs:webasm", "gpujs:cpu"]);
  });
});

describe("the preset", () => {
  test("is published under its numerics, so that it is compared; and so is every other", () => {
    const all = JSON.parse(readFileSync(join(root, "src/presets/digests.json"), "utf8"));
    const presets = readdirSync(join(root, "src/presets")).filter((name) => name.endsWith(".yaml"));
    expect(Object.keys(all).sort()).toEqual(presets.sort());
    for (const { numerics } of Object.values(all) as { numerics: string }[]) expect(numerics).toBe(numericsId);
  });

  test("trains to at least 97.5 %, and to the published digest", async () => {
    const run = await train(presetPath);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(run.json()).toMatchObject({ steps: 2811, equal: true });
    expect((run.json().metrics as { accuracy: number }).accuracy).toBeGreaterThanOrEqual(0.975);
    const [, val] = run.stderr.split("val_accuracy");
    expect(val).toBeDefined();
  });
});

describe("verify", () => {
  test("a run without a seed: warned of, its seed in the manifest, and it verifies on another backend", async () => {
    const config = configFile(presetWith(["    seed: 1234\n", ""], [", eval_frequency: epoch", ""], fewer));
    const run = await trainHere(config, ...steps);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/no seed was given, so one was drawn: \d+/);
    const directory = run.json().directory as string;
    expect(readManifest(join(directory, "manifest.json"))).toMatchObject({ seed: run.json().seed, seedGiven: false });
    const before = readFileSync(join(directory, "manifest.json"), "utf8");
    const verified = await call(["verify", directory, "--backend", "reference", "--json"]);
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.json()).toMatchObject({ equal: true, digest: run.json().digest, steps: 6, backend: "reference" });
    expect(readFileSync(join(directory, "manifest.json"), "utf8")).toBe(before);
  });

  test("names the first step that differs", async () => {
    const run = await trainHere(configFile(presetWith(fewer)), ...steps);
    const directory = run.json().directory as string;
    const path = join(directory, "chain.bin");
    const links = readChain(path);
    rmSync(path);
    const changed = new ChainFile(path);
    for (const link of links) {
      changed.append(
        link.step === 4 ? { ...link, hash: link.hash.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) } : link,
      );
    }
    changed.flush();
    const verified = await call(["verify", directory, "--json"]);
    expect(verified.code).toBe(1);
    expect(verified.json()).toMatchObject({ equal: false, firstDifference: 4, from: 0 });
    expect(verified.stdout).toContain("first at step 4");
  });
});
