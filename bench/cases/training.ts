// Whole training steps: forward, backward and update as one call of a compiled function.
import { type Backend, type Compiled, compile, gradients, type Tensor, tensor } from "../../src/index.ts";
import { bitsOf } from "../bits.ts";
import type { Case } from "../harness.ts";
import { fillAll } from "../workloads.ts";
import { build, type Training } from "./models.ts";

/** The step as a compiled function, and its batch. */
export function stepOf(
  workload: Training,
  backend: Backend,
  seed = 1n,
): { readonly step: Compiled<[Tensor, Tensor], Tensor>; readonly batch: [Tensor, Tensor] } {
  const { model, rule, stream, loss } = build(workload, seed);
  const step = compile(
    (inputs: Tensor, targets: Tensor) => {
      const value = loss(inputs, targets);
      rule.update(gradients(value, rule.parameters));
      return value;
    },
    { state: [model, rule], backend, stream, name: "step" },
  );
  const batch = fillAll(workload).map(({ data, shape }) => tensor(data, { shape })) as [Tensor, Tensor];
  return { step, batch };
}

function stepCase(
  name: string,
  about: string,
  workload: Training,
  { rounds, calls, warmup }: Pick<Case, "rounds" | "calls" | "warmup">,
  small = false,
): Case {
  return {
    name,
    about,
    unit: "ms",
    rounds,
    calls,
    warmup,
    stateful: true,
    small,
    workload,
    place: "backend",
    async prepare(backend) {
      const { step, batch } = stepOf(workload, backend);
      let last: Tensor | undefined;
      return {
        run: async () => {
          last?.dispose();
          last = await step(...batch);
        },
        bits: async () => bitsOf(await last!.data()),
      };
    },
  };
}

const small = (optimizer: "sgd" | "adamW"): Training => ({
  kind: "mlp",
  sizes: [784, 128, 10],
  dropout: 0.1,
  batch: 64,
  optimizer,
});

/** 784-128-10 with dropout 0.1, batch 64. */
export const mlpSmall = small("sgd");
/** 784-1024-1024-10, batch 128. */
export const mlpLarge: Training = {
  kind: "mlp",
  sizes: [784, 1024, 1024, 10],
  dropout: 0,
  batch: 128,
  optimizer: "adam",
};
/** Two convolutions over MNIST's images, batch 64. */
export const cnn: Training = { kind: "cnn", channels: [16, 32], extent: 28, classes: 10, batch: 64 };
/** Two LSTM layers over 64 times, batch 32. */
export const lstm: Training = { kind: "lstm", width: 256, layers: 2, classes: 16, length: 64, batch: 32 };
/** A character model: 4 layers of 4 heads. */
export const gpt: Training = {
  kind: "gpt",
  vocabulary: 65,
  width: 128,
  heads: 4,
  layers: 4,
  context: 64,
  batch: 16,
};

export const cases: readonly Case[] = [
  stepCase(
    "mlp-small",
    "784-128-10, dropout 0.1, batch 64, SGD with momentum",
    mlpSmall,
    { rounds: 25, calls: 20, warmup: 500 },
    true,
  ),
  stepCase("mlp-small-adamw", "the same with AdamW", small("adamW"), { rounds: 25, calls: 20, warmup: 500 }),
  stepCase("mlp-large", "784-1024-1024-10, batch 128, Adam", mlpLarge, { rounds: 15, calls: 2, warmup: 30 }),
  stepCase("cnn", "1×28×28, conv 16, pool, conv 32, pool, linear; batch 64, Adam", cnn, {
    rounds: 15,
    calls: 2,
    warmup: 30,
  }),
  stepCase("lstm", "2 layers, hidden 256, 64 times, batch 32, Adam", lstm, { rounds: 9, calls: 1, warmup: 5 }),
  stepCase("gpt", "4 layers, 4 heads, width 128, context 64, batch 16, AdamW", gpt, {
    rounds: 15,
    calls: 1,
    warmup: 20,
  }),
];
