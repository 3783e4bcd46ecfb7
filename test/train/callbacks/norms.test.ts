import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/core/errors.ts";
import { epochDraws } from "../../../src/data/draws.ts";
import * as nn from "../../../src/nn/index.ts";
import { crossEntropy } from "../../../src/nn/losses.ts";
import { globalNorm } from "../../../src/optim/clip.ts";
import { gradients } from "../../../src/program/gradients.ts";
import { tensor } from "../../../src/tensor/functions.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { ComputeNorm } from "../../../src/train/callbacks/compute-norm.ts";
import { recorded } from "../../support/recorded.ts";
import { toyTrain, toyTrainer } from "../../support/toy.ts";

/** Without dropout, so that gradients can be taken again beside the run. */
const model = () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.linear(8, 2));
const paths = ["0.bias", "0.weight", "2.bias", "2.weight"];

describe("ComputeNorm", () => {
  test("the norms of the first step, whole and per layer, are those computed by hand", async () => {
    const { metrics } = await recorded([new ComputeNorm({ perLayer: true })], { model, loop: { numSteps: 1 } });
    const trainer = toyTrainer({ model });
    const loader = toyTrain();
    for await (const { tensors } of loader.batches(epochDraws(loader, 7n, 0))) {
      const [inputs, targets] = [tensors.inputs, tensors.targets].map(({ data, shape }) => tensor(data, { shape }));
      const loss = crossEntropy(trainer.model.forward(inputs) as Tensor, { targets });
      const parameters = trainer.optimizer!.namedParameters.map(([, parameter]) => parameter);
      const grads = gradients(loss, parameters);
      for (const [kind, tensors] of [
        ["gradient", grads],
        ["parameter", parameters],
      ] as const) {
        expect(metrics[`norm/${kind}`]).toEqual([[1, await globalNorm(tensors).item()]]);
        for (const [i, path] of paths.entries())
          expect(metrics[`norm/${kind}/${path}`]).toEqual([[1, await globalNorm([tensors[i]]).item()]]);
      }
      break;
    }
  });

  test("only what is asked for, at logged steps", async () => {
    const { metrics } = await recorded([new ComputeNorm({ parameters: false })], {
      logging: { logSteps: 2, logLevel: "silent" },
    });
    expect(Object.keys(metrics).filter((name) => name.startsWith("norm/"))).toEqual(["norm/gradient"]);
    expect(metrics["norm/gradient"].map(([step]) => step)).toEqual([2, 4]);
  });

  test("gradients before clipping", async () => {
    const clipped = await recorded([new ComputeNorm()], { precision: { maxGradientNorm: 1e-3 } });
    expect(clipped.metrics["norm/gradient"]).toEqual(clipped.metrics.gradient_norm);
  });

  test("neither is refused", () => {
    expect(() => new ComputeNorm({ gradients: false, parameters: false })).toThrow(ConfigError);
  });
});
