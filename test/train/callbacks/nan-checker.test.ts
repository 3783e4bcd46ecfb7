import { describe, expect, test } from "vitest";
import { TrainingError } from "../../../src/core/errors.ts";
import type { DataLoader, LoadedBatch } from "../../../src/data/loader.ts";
import * as nn from "../../../src/nn/index.ts";
import { crossEntropy } from "../../../src/nn/losses.ts";
import * as optim from "../../../src/optim/index.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { NaNChecker, type NaNCheckerOptions } from "../../../src/train/callbacks/nan-checker.ts";
import type { TrainerOptions } from "../../../src/train/contract.ts";
import { toyTrain, toyTrainer } from "../../support/toy.ts";

/** x · 10³⁸: infinite where |x| > 3.4. */
class Huge extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(1e38);
  }
}

/** A value that is 0 and whose gradient is NaN: √ at 0, times 0. */
class Kink extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.add(x.mul(0).sqrt().mul(0));
  }
}

const fails = async (
  changes: Partial<TrainerOptions>,
  options: NaNCheckerOptions = {},
  loader: DataLoader = toyTrain(),
) => {
  const fit = toyTrainer({ callbacks: [new NaNChecker(options)], ...changes }).fit(loader);
  const error = (await fit.catch((caught) => caught)) as TrainingError;
  expect(error).toBeInstanceOf(TrainingError);
  return error;
};

describe("NaNChecker", () => {
  test("names the first module whose output isn't finite", async () => {
    const model = () => nn.sequential(nn.linear(4, 8), new Huge(), new Huge(), nn.linear(8, 2));
    const error = await fails({ model });
    expect(error.message).toMatch(
      /NaNChecker\.onAfterOptimizerStep: step 1: the output of 2 \(Huge\) is not finite: got \d+ elements/,
    );
    expect(error.hint).toContain("the output of 3 (Linear)");
  });

  test("names the gradient nearest to the loss where only gradients are bad", async () => {
    const model = () => nn.sequential(nn.linear(4, 8), nn.linear(8, 8), new Kink(), nn.linear(8, 2));
    const error = await fails({ model });
    expect(error.problem).toBe("the gradient of 1.bias is not finite");
    expect(error.where).toMatch(/step 1$/);
  });

  test("names the batch's field, before any module", async () => {
    const loader = toyTrain({
      transform(tensors: LoadedBatch["tensors"], indices) {
        const data = (tensors.inputs.data as Float32Array).slice();
        if (indices[0] % 2 === 0) data[0] = Number.NaN;
        return { ...tensors, inputs: { ...tensors.inputs, data } };
      },
    });
    const error = await fails({}, {}, loader);
    expect(error.problem).toBe("the batch's inputs is not finite");
    expect(error.got).toMatch(/^1 elements/);
  });

  test("a parameter that an update made infinite is found at the next step, whatever `every` is", async () => {
    const optimizer = (model: nn.Module) => optim.sgd(model.parameters(), { learningRate: 3e38 });
    const error = await fails(
      { optimizer, loss: (outputs, batch) => crossEntropy(outputs, batch).mul(100) },
      { every: 100 },
    );
    expect(error.where).toMatch(/NaNChecker.*step 2$/);
    expect(error.problem).toMatch(/^parameter /);
  });

  test("a dynamic loss scale expects gradients to overflow: only asked for they stop the run", async () => {
    const precision = { lossScalingFactor: "dynamic", initialLossScale: 2 ** 126, maxLossScale: 2 ** 126 } as const;
    const loss: TrainerOptions["loss"] = (outputs, batch) => crossEntropy(outputs, batch).mul(100);
    const run = await toyTrainer({ precision, loss, callbacks: [new NaNChecker()] }).fit(toyTrain());
    expect(run.steps).toBe(12);
    expect((await fails({ precision, loss }, { gradients: true })).problem).toMatch(/is not finite$/);
  });

  test("without activations and gradients: parameters and the loss", async () => {
    const model = () => nn.sequential(nn.linear(4, 8), new Huge(), new Huge(), nn.linear(8, 2));
    expect((await fails({ model }, { activations: false, gradients: false })).problem).toBe("the loss is not finite");
  });

  test("a run without is left alone; `every` that is none is refused", async () => {
    const run = await toyTrainer({ callbacks: [new NaNChecker()] }).fit(toyTrain());
    expect(run.digest).toBe((await toyTrainer().fit(toyTrain())).digest);
    expect(() => new NaNChecker({ every: 0 })).toThrow(/every/);
  });
});
