import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/core/errors.ts";
import { epochDraws } from "../../../src/data/draws.ts";
import * as nn from "../../../src/nn/index.ts";
import { crossEntropy } from "../../../src/nn/losses.ts";
import { globalNorm } from "../../../src/optim/clip.ts";
import * as optim from "../../../src/optim/index.ts";
import { gradients } from "../../../src/program/gradients.ts";
import { tensor } from "../../../src/tensor/functions.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { ComputeNorm } from "../../../src/train/callbacks/compute-norm.ts";
import type { Callback } from "../../../src/train/contract.ts";
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

  test("of optimizers that take turns each step's own, under their names", async () => {
    const found: Record<string, [number, number][]> = {};
    const byHand: Callback = {
      changesTraining: false,
      async onTrainBatchStart({ trainer, step }) {
        for (const [path, parameter] of trainer.model.namedParameters()) {
          const value = tensor(await parameter.data(), { shape: parameter.shape });
          found[path] = [...(found[path] ?? []), [step, await globalNorm([value]).item()]];
        }
      },
    };
    const optimizer = (built: nn.Module) => optim.sgd(built.parameters(), { learningRate: 0.1 });
    const { metrics } = await recorded([new ComputeNorm({ perLayer: true }), byHand], {
      model,
      optimizer: undefined,
      optimizers: [
        { optimizer, parameters: "2.*" },
        { optimizer, parameters: "0.*", frequency: 2 },
      ],
      loop: { numSteps: 4 },
    });
    const stepsOf = (name: string) => metrics[name].map(([step]) => step);
    for (const path of ["0.bias", "0.weight"]) expect(stepsOf(`norm/gradient/${path}`)).toEqual([1, 3]);
    for (const path of ["2.bias", "2.weight"]) expect(stepsOf(`norm/gradient/${path}`)).toEqual([1, 2, 3, 4]);
    for (const path of paths) expect(metrics[`norm/parameter/${path}`]).toEqual(found[path]);
  });

  test("neither is refused", () => {
    expect(() => new ComputeNorm({ gradients: false, parameters: false })).toThrow(ConfigError);
  });
});
