// Run by itself with --expose-gc by test/program/steady.test.ts: many compiled steps on the wasm backend. Prints what grew between the first
// tenth and the end: WebAssembly memory in bytes, and the JavaScript heap and its array buffers after collection.
import { loadBackend } from "../../src/backend/load.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { watch } from "../../src/program/trace.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

const [steps, threads, kept] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] === "collected"];
let grown = 0;
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  grown += pages * 65536;
  return grow.call(this, pages);
};

const stream = new Stream(1n);
const backend = await loadBackend("wasm", { threads });
const model = withStream(stream, () => nn.sequential(nn.linear(12, 16), nn.relu(), nn.dropout(0.1), nn.linear(16, 4)));
const optimizer = optim.adamW(model.parameters(), { learningRate: 1e-3 });
const step = compile(
  ({ inputs, targets }: { inputs: Tensor; targets: Tensor }, scale: Tensor) => {
    const outputs = model.forward(inputs) as Tensor;
    const loss = crossEntropy(outputs, targets).mul(scale);
    // 4 KiB of something to look at.
    watch("outputs", outputs.reshape([1, 64]).broadcastTo([16, 64]).mul(1));
    optimizer.update(gradients(loss, optimizer.parameters));
    return loss;
  },
  { state: [model, optimizer], backend, stream },
);
const batch = {
  inputs: { data: new Float32Array(16 * 12).fill(0.5), shape: [16, 12], dtype: "float32" },
  targets: { data: new Int32Array(16).fill(1), shape: [16], dtype: "int32" },
} as unknown as Parameters<typeof step>[0];

const collect = async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
};
const measure = async () => {
  await collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { wasm: grown, heap: heapUsed, arrays: arrayBuffers };
};
let last = 0;
let before = await measure();
for (let i = 1; i <= steps; i++) {
  const { result, watched } = await step.execute([batch, 1]);
  [last] = await result.data();
  if (!kept) for (const tensor of [result, ...Object.values(watched)]) tensor.dispose();
  // What the collector finds is given back although nothing here ever waits for anything but steps.
  else if (i % 300 === 0) globalThis.gc!();
  if (i === steps / 10) before = await measure();
}
const after = await measure();
console.log(
  JSON.stringify({
    loss: last,
    wasm: after.wasm - before.wasm,
    heap: after.heap - before.heap,
    arrays: after.arrays - before.arrays,
  }),
);
await backend.dispose();
