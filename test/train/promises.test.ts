// What a Trainer calls for a value, or to have something done before it goes on, is synchronous: a promise in its place is an error that names it, and
// what that promise rejects with later ends no process.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { accuracy } from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { register } from "../../src/train/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyModel, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

// Else the default one is still being loaded when the last test ends.
beforeAll(() => setDefaultBackend("reference"));

const ended: unknown[] = [];
const note = (reason: unknown) => ended.push(reason);
beforeAll(() => {
  process.on("unhandledRejection", note);
});
afterAll(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", note);
  expect(ended).toEqual([]);
});

/** Asynchronous, and fails once nobody looks any more. */
const late = (async () => {
  await null;
  throw new Error("too late");
}) as () => never;

class Late extends nn.Module {
  readonly layer = nn.linear(4, 2);
  override forward(): Tensor {
    return late();
  }
}

const fails = async (changes: Partial<TrainerOptions>, where: RegExp, train = toyTrain()) => {
  const error = await (async () => toyTrainer({ loop: { numSteps: 1 }, ...changes }).fit(train, toyTest()))().catch(
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as Error).message).toMatch(where);
  expect((error as Error).message).toMatch(/a promise/);
};

describe("a promise is refused, and named", () => {
  const metric = accuracy();
  const validating = { loop: { numSteps: 1, evalFrequency: 1 } };
  test.each<[string, Partial<TrainerOptions>, RegExp]>([
    ["model", { model: late }, /model: /],
    ["optimizer", { optimizer: late }, /optimizer: /],
    ["schedulers", { schedulers: late }, /schedulers: /],
    ["a schedule's own function", { schedulers: optim.lambdaLR({ initialLearningRate: 1, lambda: late }) }, /lambda: /],
    ["loss", { loss: late }, /loss: /],
    ["forward", { model: () => new Late() }, /forward of Late: /],
    [
      "a layer's forward",
      { model: () => nn.sequential(nn.linear(4, 4), new Late()) },
      /forward of layer 1 \(Late\) of Sequential: /,
    ],
    ["a metric's terms", { ...validating, metrics: { own: { ...metric, terms: late } } }, /metrics\.own\.terms: /],
    ["a metric's value", { ...validating, metrics: { own: { ...metric, value: late } } }, /metrics\.own\.value: /],
  ])("%s", (_, changes, where) => fails(changes, where));

  test.each([
    "preSetup",
    "setup",
    "postSetup",
    "onTrace",
    "onTraceUpdate",
    "namedVariables",
    "describe",
    "saveState",
  ] as const)("the hook %s", async (hook) => {
    const callback = { name: "Mine", changesTraining: true, [hook]: late };
    await fails({ callbacks: [callback], modelDir: temporaryFolder() }, new RegExp(`Mine\\.${hook}: `));
  });

  test("loadState", async () => {
    const modelDir = temporaryFolder();
    const keeps = { name: "Mine", saveState: () => 1 };
    await toyTrainer({ modelDir, loop: { numSteps: 1 }, callbacks: [keeps] }).fit(toyTrain());
    const callbacks = [{ ...keeps, loadState: late }];
    await fails({ modelDir, loop: { numSteps: 2 }, callbacks }, /Mine\.loadState: /);
  });

  test("logMessage", () => {
    const trainer = toyTrainer({ logging: { logLevel: "info" }, loggers: [{ logMessage: late }] });
    expect(() => trainer.message("info", "hello")).toThrow(/logMessage: .*a promise/);
  });

  test("a loader's transform, and a field that reads later", async () => {
    await fails({}, /loader toy: transform: /, toyTrain({ transform: late }));
    const whole = arrayDataset("mine", {
      inputs: { data: new Float32Array(16), shape: [4, 4], dtype: "float32" },
      targets: { data: new Int32Array(4), shape: [4], dtype: "int32" },
    });
    const { inputs, targets } = whole.fields;
    const fields = { inputs: { ...inputs, read: late }, targets };
    await fails(
      {},
      /dataset mine: read of inputs: .*\n.*data\.asyncDataset/,
      dataLoader({ ...whole, fields }, { batchSize: 2 }),
    );
  });

  test("what a registered factory gives", () => {
    register("callback", "LateCallback", late);
    const text = `trainer:
  init:
    seed: 1
    model: {name: mlp, sizes: [4, 2]}
    callbacks: [LateCallback: {}]
`;
    expect(() => buildTrainer(parseConfig(text, "late.yaml"))).toThrow(/callback LateCallback: .*a promise/);
  });
});

test("hooks that are awaited may be asynchronous", async () => {
  const seen: string[] = [];
  const onTrainStart = async () => {
    await null;
    seen.push("awaited");
  };
  await toyTrainer({ model: toyModel, loop: { numSteps: 1 }, callbacks: [{ onTrainStart }] }).fit(toyTrain());
  expect(seen).toEqual(["awaited"]);
});
