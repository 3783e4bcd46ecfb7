// Commands that look at configs, checkpoints and catalogs; some by the command line, to see that it has them.
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkpointDiff, checkpointInfo } from "../../src/cli/checkpoint.ts";
import { type Outcome, oneLine } from "../../src/cli/command.ts";
import { diffConfigs, showConfig, validateConfig } from "../../src/cli/config.ts";
import { list } from "../../src/cli/list.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/run/checkpoint.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { call, configFile, presetWith } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const preset = configFile(presetWith());

/** A command's outcome as a process shows it. */
async function shown(outcome: Promise<Outcome>) {
  try {
    const { code, json, lines } = await outcome;
    return {
      code,
      stdout: lines.map((line) => `${line}\n`).join(""),
      stderr: "",
      json: () => JSON.parse(oneLine(json)),
    };
  } catch (error) {
    const { name, message } = error as Error;
    return { code: undefined, stdout: "", stderr: `${name}: ${message}`, json: () => ({}) };
  }
}

describe("config", () => {
  test("validate and show: the effective config is a config, with the flags in it", async () => {
    const [valid, effective, wrong] = await Promise.all([
      call(["config", "validate", preset, "--json"]),
      shown(showConfig(preset, { seed: 18446744073709551615n, maxSteps: 7, set: ["trainer.init.loop.num_epochs=9"] })),
      shown(validateConfig(configFile(presetWith(["dropout", "dropuot"])), {})),
    ]);
    expect(valid.code, valid.stderr).toBe(0);
    expect(valid.json()).toMatchObject({ valid: true, phases: 1, hashes: [expect.stringMatching(/^[0-9a-f]{64}$/)] });
    const { init } = parseConfig(effective.stdout, "shown.yaml").trainer;
    expect([init.seed, init.loop.maxSteps, init.loop.numEpochs]).toEqual([18446744073709551615n, 7, 9]);
    expect([wrong.code, wrong.stderr]).toEqual([
      undefined,
      expect.stringMatching(/config\.yaml:5:\d+: .*dropuot[\s\S]*did you mean dropout/),
    ]);
  });

  test("diff: path by path; exit 0 only where nothing differs", async () => {
    const other = configFile(
      presetWith(
        ["learning_rate: 0.003, weight_decay", "lr: 0.004, weight_decay"],
        ["checkpoint: {steps: 500}", "checkpoint: null"],
      ),
    );
    const [same, differs] = await Promise.all([
      shown(diffConfigs(preset, preset, {})),
      shown(diffConfigs(preset, other, {})),
    ]);
    expect([same.code, same.stdout]).toEqual([0, "the same config\n"]);
    expect(differs.code).toBe(1);
    const { differences } = differs.json() as unknown as {
      differences: { path: string; a: string | null; b: string | null }[];
    };
    expect(differences).toContainEqual({ path: "trainer.init.optimizer.AdamW.learning_rate", a: "0.003", b: "0.004" });
    expect(differences).toContainEqual({ path: "trainer.init.checkpoint", a: null, b: "null" });
    expect(differences).toContainEqual({ path: "trainer.init.checkpoint.steps", a: "500", b: null });
    expect(differs.stdout).toContain("trainer.init.optimizer.AdamW.learning_rate");
  });

  test("a file of 100 MB is refused by its length, unread; environment variables are not expanded", async () => {
    const huge = join(scratch(), "huge.yaml");
    const descriptor = openSync(huge, "w");
    ftruncateSync(descriptor, 100_000_000);
    closeSync(descriptor);
    const refused = await shown(validateConfig(huge, {}));
    expect([refused.code, refused.stderr]).toEqual([
      undefined,
      expect.stringMatching(/huge\.yaml: the config is too long: got 100000000 bytes/),
    ]);
    const text = presetWith(["runs/mnist-mlp", '"$HOME/x"']);
    expect(parseConfig(text, "env.yaml").trainer.init.modelDir).toBe("$HOME/x");
  });
});

describe("checkpoint", () => {
  const folder = scratch();
  const fitted = (async () => {
    const modelDir = join(folder, "run");
    const options = { modelDir, checkpoint: { steps: 2 }, loop: { numSteps: 4, evalFrequency: 4 } };
    await toyTrainer(options).fit(toyTrain(), toyTest());
    return modelDir;
  })();
  const at = async (step: number) => join(await fitted, `checkpoints/checkpoint_${step}.safetensors`);

  test("info: of a run's folder, and of a file", async () => {
    const [run, file, none] = await Promise.all([
      shown(checkpointInfo(await fitted)),
      call(["checkpoint", "info", await at(2), "--json"]),
      shown(checkpointInfo(join(folder, "none"))),
    ]);
    const { checkpoints } = run.json() as unknown as { checkpoints: { step: number; metrics?: object }[] };
    expect(checkpoints.map(({ step }) => step)).toEqual([2, 4]);
    expect(Object.keys(checkpoints[1].metrics!)).toEqual(["loss", "accuracy"]);
    expect(file.json()).toMatchObject({ state: { step: 2, seed: "7" } });
    expect(file.stdout).toMatch(/parameter\/0\.weight +float32\[8, 4\]/);
    expect([none.code, none.stderr]).toEqual([undefined, expect.stringMatching(/ConfigError: .*none/)]);
  });

  test("info and diff: of a file that another program wrote", async () => {
    const path = join(scratch(), "outside.safetensors");
    // A header and three numbers, as the format's description has them.
    const header = {
      __metadata__: { format: "pt" },
      "0.bias": { dtype: "F64", shape: [2], data_offsets: [0, 16] },
      steps: { dtype: "I64", shape: [], data_offsets: [16, 24] },
    };
    const text = new TextEncoder().encode(JSON.stringify(header));
    const numbers = Buffer.concat([Float64Array.of(0.1, 2), BigInt64Array.of(40n)].map((x) => Buffer.from(x.buffer)));
    const written = (body: Uint8Array) =>
      writeFileSync(path, Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(text.length)).buffer), text, body]));
    written(numbers);
    const info = await shown(checkpointInfo(path));
    expect(info.json()).toMatchObject({
      metadata: { format: "pt" },
      tensors: [
        { name: "0.bias", type: "float32[2]", format: "F64" },
        { name: "steps", type: "int32[]", format: "I64" },
      ],
    });
    expect(info.stdout).toMatch(/^format: pt\n/);
    expect(info.stdout).toMatch(/0\.bias +float32\[2\] +F64 +[0-9a-f]{16}/);
    const diff = await shown(checkpointDiff(path, await at(2)));
    expect([diff.code, diff.stdout]).toEqual([1, expect.stringMatching(/^steps: only in the first$/m)]);
    numbers.writeBigInt64LE(3_000_000_000n, 16);
    written(numbers);
    const refused = await shown(checkpointInfo(path));
    expect(refused.stderr).toMatch(/CheckpointError: .*outside\.safetensors: tensor "steps": element 0 .* is no int32/);
  });

  test("diff: the same, and one bit in one tensor", async () => {
    const path = await at(4);
    const { state, tensors } = loadCheckpoint(path);
    const changed = [...tensors].map(([name, array]) => {
      if (name !== "parameter/3.bias") return [name, array] as const;
      const data = array.data.slice();
      const bits = new Uint32Array(data.buffer);
      bits[1] += 3;
      return [name, { ...array, data }] as const;
    });
    mkdirSync(join(folder, "other"));
    const other = saveCheckpoint(join(folder, "other"), "c", { ...state, step: 5 }, changed);
    const [same, differs] = await Promise.all([
      shown(checkpointDiff(path, path)),
      call(["checkpoint", "diff", path, other, "--json"]),
    ]);
    expect([same.code, same.stdout]).toEqual([0, "the same checkpoint\n"]);
    expect(differs.code).toBe(1);
    expect(differs.json()).toMatchObject({
      equal: false,
      state: [{ field: "step", a: "4", b: "5" }],
      tensors: [
        {
          name: "parameter/3.bias",
          what: expect.stringMatching(/^1 of 2 elements, at most 3 ULP apart; first at 1: /),
        },
      ],
    });
    writeFileSync(other, readFileSync(other).subarray(0, -1));
    const damaged = await shown(checkpointDiff(path, other));
    expect([damaged.code, damaged.stderr]).toEqual([undefined, expect.stringMatching(/CheckpointError: .*truncated/)]);
  });
});

describe("lists", () => {
  test("models and loaders with their options, those of an imported program too", async () => {
    const mine = join(scratch(), "mine.mjs");
    writeFileSync(
      mine,
      `import { nn, register } from "${root}src/index.ts";\nregister("model", "mine", () => nn.linear(1, 1));\n`,
    );
    const [model, data] = await Promise.all([
      call(["list", "models", "--import", mine, "--json"]),
      shown(list("dataloaders", undefined, {})),
    ]);
    expect(model.stdout).toMatch(/^mlp +sizes\*, dropout = 0, activation = "relu", bias = true, init$/m);
    expect(model.stdout).toMatch(/^mine$/m);
    expect((model.json() as unknown as { models: { name: string }[] }).models.map(({ name }) => name)).toContain(
      "mine",
    );
    expect(data.stdout).toMatch(/^mnist +split\*, batch_size\*/m);
    expect(data.stdout).toMatch(/^csv +file\*/m);
  });
});
