// An optimizer around Adam, in a Trainer.
import { expect } from "vitest";
import type { Module } from "../../src/nn/module.ts";
import * as optim from "../../src/optim/index.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { temporaryFolder } from "./folder.ts";
import { toyTrain, toyTrainer } from "./toy.ts";

/** Adam, which `optimizer` goes around. */
export const plain = (model: Module) => optim.adam(model.parameters(), { learningRate: 0.01 });

/** Expects of a run of 8 steps one digest on other backends and after a stop amid an epoch and a resume, another than Adam's. */
export async function expectOneDigest(optimizer: TrainerOptions["optimizer"]): Promise<void> {
  const loop = { numSteps: 8 };
  const whole = await toyTrainer({ optimizer, loop }).fit(toyTrain());
  expect((await toyTrainer({ optimizer, loop, backend: "wasm" }).fit(toyTrain())).digest).toBe(whole.digest);
  expect((await toyTrainer({ optimizer: plain, loop }).fit(toyTrain())).digest).not.toBe(whole.digest);
  const resumed = {
    optimizer,
    loop,
    backend: "wasm",
    modelDir: temporaryFolder(),
    checkpoint: { steps: 1 },
  } as const;
  const stop = {
    onTrainBatchEnd({ step }: { step: number }) {
      if (step === 5) throw new Error("stop");
    },
  };
  await expect(toyTrainer({ ...resumed, callbacks: [stop] }).fit(toyTrain())).rejects.toThrow("stop");
  expect((await toyTrainer(resumed).fit(toyTrain())).digest).toBe(whole.digest);
}
