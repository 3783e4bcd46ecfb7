// Phases and programs of one's own on the command line.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadCheckpoint } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { call, configFile } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const program = `
import { nn, register } from "${root}src/index.ts";
register("model", "own", ({ width }) => nn.sequential(nn.linear(784, width), nn.relu(), nn.linear(width, 10)));
`;
const phase = (steps: number, lr: number) => `
  - init:
      seed: 1234
      model: {name: own, width: 8}
      loss: cross_entropy
      optimizer: {SGD: {lr: ${lr}}}
      loop: {num_steps: ${steps}}
    fit: {train_dataloader: {name: mnist, split: test, batch_size: 64, shuffle: true}}`;

describe("phases, with a model that a program registers", () => {
  // First, since a program that was imported stays.
  test("without the program, or with one that can't be imported, or that fails: named", async () => {
    const config = configFile(`trainer:${phase(1, 0.1)}\n`);
    const folder = scratch();
    const trained = (...args: string[]) => call(["fit", ...args], folder);
    const bare = await trained(config);
    expect([bare.code, bare.stderr]).toEqual([
      2,
      expect.stringMatching(
        /unknown name: got own, expected one of cnn, gpt, heat_pinn, lstm_language_model, mlp, vae, vit/,
      ),
    ]);
    const absent = await trained(config, "--import", "./no/such.js");
    expect([absent.code, absent.stderr]).toEqual([
      2,
      expect.stringMatching(/ConfigError: import \.\/no\/such\.js: the program can't be imported/),
    ]);
    const failing = join(scratch(), "bad.mjs");
    writeFileSync(failing, "throw new RangeError('oops');\n");
    const failed = await trained(config, "--import", failing);
    expect([failed.code, failed.stderr]).toEqual([2, expect.stringMatching(/got RangeError: oops/)]);
    expect(existsSync(join(folder, "runs"))).toBe(false);
    const plain = `trainer:${phase(1, 0.1)}${phase(1, 0.1)}\n`.replaceAll(
      "{name: own, width: 8}",
      "{name: mlp, sizes: [784, 10]}",
    );
    const chosen = await trained(configFile(plain), "--ckpt", "none");
    expect([chosen.code, chosen.stderr]).toEqual([2, expect.stringMatching(/--ckpt: a list of phases/)]);
  });

  test("run in order, the weights carried on; each verifies by itself; again, all is finished", async () => {
    const folder = scratch();
    const mine = join(folder, "mine.mjs");
    writeFileSync(mine, program);
    const config = configFile(`trainer:${phase(3, 0.1)}${phase(4, 0.01)}\n`);
    const modelDir = join(folder, "run");
    const args = ["fit", config, "--model-dir", modelDir, "--import", mine, "--json"];
    const run = await call(args);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain("# phase 2");
    const { phases } = run.json() as unknown as { phases: { digest: string; steps: number; directory: string }[] };
    expect(phases.map(({ steps, directory }) => [steps, directory])).toEqual([
      [3, join(modelDir, "phase-1")],
      [4, join(modelDir, "phase-2")],
    ]);
    const [first, second] = phases;
    const config2 = readFileSync(join(second.directory, "config.yaml"), "utf8");
    expect(config2).toContain("checkpoint_3.safetensors");
    expect(config2).toContain(mine);
    const weights = "weights/checkpoint_3.safetensors";
    expect(Object.keys(readManifest(join(second.directory, "manifest.json")).data)).toContain(weights);
    for (const { directory, digest } of [first, second]) {
      const verified = await call(["verify", directory, "--trust-imports", "--backend", "reference", "--json"]);
      expect(verified.code, verified.stdout + verified.stderr).toBe(0);
      expect(verified.json()).toMatchObject({ equal: true, digest });
    }
    const whole = await call(["verify", modelDir]);
    expect([whole.code, whole.stderr]).toEqual([
      2,
      expect.stringContaining(`${modelDir}: not a run's folder: got no manifest.json in it`),
    ]);
    expect(whole.stderr).toContain(`it holds runs: ${first.directory} ${second.directory}`);
    const again = await call(args);
    expect(again.json()).toMatchObject({ phases: phases.map(({ digest }) => ({ digest })) });
    expect(loadCheckpoint(join(second.directory, "checkpoints/checkpoint_4.safetensors")).state.step).toBe(4);
  });
});
