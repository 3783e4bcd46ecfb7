// Run by itself with --expose-gc by test/backend/wasm/left.test.ts: makes several of one kind of thing on two threads, drops each, and prints
// how many of them are still there, how much address space they took, and how many threads run.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { loadBackend } from "../../src/backend/load.ts";
import { arrayDataset, dataLoader } from "../../src/data/index.ts";
import * as nn from "../../src/nn/index.ts";
import { mse } from "../../src/nn/losses.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { tensor } from "../../src/tensor/functions.ts";
import { Trainer } from "../../src/train/trainer.ts";

manualSeed(1n);
const things: WeakRef<object>[] = [];
const points = { data: new Float32Array(16).fill(0.5), shape: [4, 4], dtype: "float32" } as const;

async function backend(): Promise<Awaited<ReturnType<typeof loadBackend>>> {
  const made = await loadBackend("wasm", { threads: 2 });
  things.push(new WeakRef(made));
  const model = nn.linear(4, 4);
  const optimizer = optim.sgd(model.parameters(), { learningRate: 0.1 });
  const step = compile(
    (x: ReturnType<typeof tensor>) => {
      const loss = model.forward(x).sum();
      optimizer.update(gradients(loss, optimizer.parameters));
      return loss;
    },
    { state: [model, optimizer], backend: made },
  );
  await (await step(tensor([[1, 2, 3, 4]]))).item();
  return made;
}

async function trainer(): Promise<Trainer> {
  const made = new Trainer({
    seed: 1,
    threads: 2,
    loggers: [],
    model: () => nn.sequential(nn.linear(4, 4)),
    loss: mse,
    optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.1 }),
    loop: { numEpochs: 2 },
  });
  const loader = dataLoader(arrayDataset("points", { inputs: points, targets: points }), { batchSize: 2 });
  await made.fit(loader, loader);
  things.push(new WeakRef(made), new WeakRef(await made.backend()));
  return made;
}

const kinds: Record<string, () => Promise<unknown>> = {
  backends: backend,
  "disposed backends": async () => (await backend()).dispose(),
  trainers: trainer,
  "disposed trainers": async () => (await (await trainer()).backend()).dispose(),
};

/** Told by Linux alone. */
const told = existsSync("/proc/self/status");
const addressSpace = () =>
  told ? Number(/VmSize:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 2 ** 20 : 0;
const threads = () => (told ? readdirSync("/proc/self/task").length : 0);
const collect = async () => {
  for (let i = 0; i < 8; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

const before = { space: addressSpace(), threads: threads() };
for (let i = 0; i < 4; i++) await kinds[process.argv[2]]();
await collect();
console.log(
  JSON.stringify({
    left: things.filter((thing) => thing.deref()).length,
    made: things.length,
    gigabytes: Math.round(addressSpace() - before.space),
    threads: threads() - before.threads,
  }),
);
