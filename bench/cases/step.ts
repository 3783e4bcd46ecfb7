// Whole training steps: forward, backward and update in one compiled function.
import { compile, gradients, losses, nn, optim, Stream, type Tensor, tensor } from "../../src/index.ts";
import { withStream } from "../../src/rng/stream.ts";
import type { Case } from "../harness.ts";
import { numbers } from "./inputs.ts";

function step(
  name: string,
  build: () => nn.Module,
  optimizer: (model: nn.Module) => optim.Optimizer,
  batch: number,
  skip?: Case["skip"],
): Case {
  return {
    name,
    unit: "ms",
    work: 0,
    skip,
    async prepare(backend) {
      const stream = new Stream(1n);
      const model = withStream(stream, build);
      const rule = optimizer(model);
      const train = compile(
        (x: Tensor, y: Tensor) => {
          const loss = losses.crossEntropy(model.forward(x) as Tensor, y);
          rule.update(gradients(loss, rule.parameters));
          return loss;
        },
        { state: [model, rule], backend, stream },
      );
      const x = numbers([batch, 784]);
      const y = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
      return () => train(x, y);
    },
  };
}

const small = () => nn.sequential(nn.linear(784, 128), nn.relu(), nn.dropout(0.1), nn.linear(128, 10));
const large = () =>
  nn.sequential(nn.linear(784, 1024), nn.relu(), nn.linear(1024, 1024), nn.relu(), nn.linear(1024, 10));
const seconds = "seconds a step";

export const cases: readonly Case[] = [
  step("mlp-small", small, (model) => optim.sgd(model.parameters(), { learningRate: 0.1, momentum: 0.9 }), 64),
  step("mlp-small-adamw", small, (model) => optim.adamW(model.parameters(), { learningRate: 1e-3 }), 64),
  step("mlp-large", large, (model) => optim.adam(model.parameters(), { learningRate: 1e-3 }), 128, {
    reference: seconds,
    "gpujs:webasm": seconds,
    "gpujs:cpu": seconds,
  }),
];
