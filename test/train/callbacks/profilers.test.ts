import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/core/errors.ts";
import * as optim from "../../../src/optim/index.ts";
import { DurationProfiler } from "../../../src/train/callbacks/duration-profiler.ts";
import { LogOptimizerParamGroup } from "../../../src/train/callbacks/log-optimizer-param-group.ts";
import { CountParams, ModelSummary } from "../../../src/train/callbacks/model-summary.ts";
import { RateProfiler } from "../../../src/train/callbacks/rate-profiler.ts";
import { SanityValidation } from "../../../src/train/callbacks/sanity-validation.ts";
import type { Callback } from "../../../src/train/contract.ts";
import { recorded } from "../../support/recorded.ts";

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

test("RateProfiler: samples and steps a second, without the time of validation", async () => {
  const slow: Callback = { onTrainBatchStart: () => sleep(20), onValidateStart: () => sleep(400) };
  const { metrics } = await recorded([new RateProfiler(), slow], { loop: { numSteps: 8, evalFrequency: 4 } });
  const steps = metrics["rate/steps_per_second"];
  const samples = metrics["rate/samples_per_second"];
  expect(steps.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  samples.forEach(([, rate], i) => expect(rate / steps[i][1]).toBeCloseTo(16, 6));
  // 20 ms of sleep a step; 400 ms of validation after step 4 would make step 5's rate less than 2.5.
  for (const [, rate] of steps) expect(rate).toBeLessThan(51);
  expect(steps[4][1]).toBeGreaterThan(2.5);
  const [, average] = metrics["rate/steps_per_second_average"].at(-1)!;
  expect(average).toBeLessThanOrEqual(Math.max(...steps.map(([, rate]) => rate)));
});

test("DurationProfiler: where the time went, and what is left", async () => {
  const slow: Callback = { onTrainStepStart: () => sleep(10), onValidateStart: () => sleep(60) };
  const { metrics, messages } = await recorded([new DurationProfiler(), slow], {
    loop: { numSteps: 4, evalFrequency: 2 },
  });
  const at = (name: string) => metrics[`duration/${name}`].map(([, value]) => value);
  expect(at("train")[0]).toBeGreaterThan(0.009);
  expect(at("validate")[0]).toBe(0);
  expect(at("validate")[2]).toBeGreaterThan(0.055);
  expect(at("left")[0]).toBeGreaterThan(at("left")[3]);
  expect(at("left")[3]).toBe(0);
  expect(messages.join("\n")).toMatch(/info: time: data \S+ s, train \S+ s, validate \S+ s, checkpoint 0.00 s/);
});

describe("LogOptimizerParamGroup", () => {
  test("each group's numbers, as the step used them", async () => {
    const schedulers = optim.linearLR({ initialLearningRate: 0, endLearningRate: 1, totalIters: 4 });
    const { metrics } = await recorded([new LogOptimizerParamGroup()], { schedulers });
    expect(metrics["optimizer/0/learning_rate"].map(([, rate]) => rate)).toEqual([0, 0.25, 0.5, 0.75]);
    expect(metrics["optimizer/0/learning_rate"]).toEqual(metrics.learning_rate);
    expect(metrics["optimizer/0/weight_decay"][0]).toEqual([1, 0.01]);
    expect(metrics["optimizer/1/weight_decay"][0]).toEqual([1, 0]);
  });

  test("only some; an unknown one is refused", async () => {
    const { metrics } = await recorded([new LogOptimizerParamGroup({ keys: ["weightDecay"] })]);
    expect(Object.keys(metrics).filter((name) => name.startsWith("optimizer/"))).toEqual([
      "optimizer/0/weight_decay",
      "optimizer/1/weight_decay",
    ]);
    const wrong = recorded([new LogOptimizerParamGroup({ keys: ["momentum"] })]);
    await expect(wrong).rejects.toThrow(ConfigError);
    await expect(wrong).rejects.toThrow(/got momentum, expected some of .*learning_rate, weight_decay/);
  });
});

describe("ModelSummary and CountParams", () => {
  test("the table: nn.summary's, of the step that is trained", async () => {
    const { messages } = await recorded([new ModelSummary()]);
    const text = messages.find((message) => message.startsWith("info: the model:"))!;
    expect(text.split("\n").slice(1)).toEqual([
      "layer  class        output  parameters  FLOPs",
      "─────────────────────────────────────────────",
      "model  Sequential  [16, 2]           0  1,824",
      "  0    Linear      [16, 8]          40  1,152",
      "  1    Activation  [16, 8]           0      0",
      "  2    Dropout     [16, 8]           0    128",
      "  3    Linear      [16, 2]          18    544",
      "parameters: 58 (232 bytes), 58 trained, 0 frozen",
      "buffers: 0 numbers",
      "FLOPs of a forward pass: 1,824",
    ]);
  });

  test("depth; counts as numbers, once", async () => {
    const { messages, metrics } = await recorded([new ModelSummary({ depth: 1 }), new CountParams()]);
    expect(messages.join("\n")).toMatch(/\n {2}3 +Linear +\[16, 2\] +18 /);
    expect(messages).toContain("info: parameters: 58, of which 58 are trained");
    expect(metrics["parameters/total"]).toEqual([[0, 58]]);
    expect(() => new ModelSummary({ depth: 0 })).toThrow(/depth/);
  });
});

test("SanityValidation: a few batches before the first step; nothing logged, no hook called, nothing moves", async () => {
  const calls: string[] = [];
  const seen: Callback = {
    onTrace: ({ role }) => void calls.push(role),
    onTrainBatchStart: () => void calls.push("step"),
    onValidateEnd: () => void calls.push("validated"),
  };
  const plain = await recorded([]);
  const { run, metrics } = await recorded([new SanityValidation({ steps: 1 }), seen]);
  expect(calls.slice(0, 5)).toEqual(["train", "train", "eval", "eval", "step"]);
  expect(calls.filter((call) => call === "validated")).toHaveLength(1);
  expect([run.digest, run.metrics]).toEqual([plain.run.digest, plain.run.metrics]);
  expect(metrics).toEqual(plain.metrics);
  expect(() => new SanityValidation({ steps: 0 })).toThrow(/steps/);
  const broken = () => {
    throw new Error("broken metric");
  };
  const metric = { name: "broken", terms: broken, value: () => 0 };
  await expect(recorded([new SanityValidation(), seen], { metrics: [metric] })).rejects.toThrow(/broken metric/);
});
