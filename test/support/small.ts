// A small training as a script, so that it runs wherever the library does, in whatever form.

/** A small training on the public API alone; a script, so that it runs wherever the library does. */
export const program = `async (sg, threads) => {
  const backend = await sg.loadBackend("wasm", { threads });
  const stream = new sg.Stream(7n);
  sg.manualSeed(7n);
  const model = sg.nn.sequential(sg.nn.linear(6, 16), sg.nn.relu(), sg.nn.dropout(0.2), sg.nn.linear(16, 3));
  const optimizer = sg.optim.adamW(model.parameters(), { learningRate: 0.01 });
  const step = sg.compile((x, y) => {
    const loss = sg.losses.crossEntropy(model.forward(x), y);
    optimizer.update(sg.gradients(loss, optimizer.parameters));
    return loss;
  }, { state: [model, optimizer], backend, stream });
  const x = { data: Float32Array.from({ length: 48 }, (_, i) => Math.fround(((i * 37) % 19) / 19 - 0.5)), shape: [8, 6], dtype: "float32" };
  const y = { data: Int32Array.from({ length: 8 }, (_, i) => i % 3), shape: [8], dtype: "int32" };
  const bits = [];
  for (let i = 0; i < 20; i++) {
    const { result, graphHash } = await step.execute([x, y]);
    bits.push(new Uint32Array(Float32Array.of(await result.item()).buffer)[0].toString(16));
    if (i === 19) bits.push(graphHash);
  }
  let refused;
  try { sg.tensor([1, 2]).add(sg.tensor([1, 2, 3])); } catch (error) { refused = [error.name, error.message.split(":")[0], typeof error.stack]; }
  const { threads: used } = backend;
  await backend.dispose();
  return { bits, refused, used };
}`;

/** What it gives. */
export interface Outcome {
  readonly bits: readonly string[];
  readonly refused: readonly string[];
  readonly used: number;
}
