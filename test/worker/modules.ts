// Modules for workers, as a page serves them and as Node runs them: what they give must be the same to the bit.

/** For startTraining: a small Trainer on points. */
export const trainingModule = `export default ({ data, nn, losses, optim }, { steps, bad, validationSplit }) => {
  const points = { data: Float32Array.from({ length: 64 }, (_, i) => Math.fround(((i * 37) % 19) / 19 - 0.5)), shape: [16, 4], dtype: "float32" };
  const targets = { data: Int32Array.from({ length: 16 }, (_, i) => i % 3), shape: [16], dtype: "int32" };
  const dataset = data.arrayDataset("points", { inputs: points, targets });
  return {
    trainer: {
      seed: 7, model: () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.dropout(0.2), nn.linear(bad ? 9 : 8, 3)), loss: losses.crossEntropy,
      optimizer: (model) => optim.adamW(model.parameters(), { learningRate: 0.01 }), loop: { numSteps: steps, evalFrequency: validationSplit && "epoch" },
      logging: { logSteps: 1 },
    },
    train: data.dataLoader(dataset, { batchSize: 4, shuffle: true, validationSplit }),
  };
};`;

/** For startProgram: a training step, and a function that fails. */
export const programModule = `export default ({ compile, gradients, losses, manualSeed, nn, optim, zeros }, { seed }) => {
  manualSeed(seed);
  const model = nn.sequential(nn.linear(6, 16), nn.relu(), nn.dropout(0.2), nn.linear(16, 3));
  const optimizer = optim.adamW(model.parameters(), { learningRate: 0.01 });
  const step = compile((x, y) => {
    const loss = losses.crossEntropy(model.forward(x), y);
    optimizer.update(gradients(loss, optimizer.parameters));
    return loss;
  }, { state: [model, optimizer] });
  return {
    step,
    weights: () => ({ all: model.parameters() }),
    fails: () => zeros([2]).add(zeros([3])),
  };
};`;

/** A batch for `step`. */
export const batch = () => ({
  x: {
    data: Float32Array.from({ length: 48 }, (_, i) => Math.fround(((i * 37) % 19) / 19 - 0.5)),
    shape: [8, 6],
    dtype: "float32" as const,
  },
  y: { data: Int32Array.from({ length: 8 }, (_, i) => i % 3), shape: [8], dtype: "int32" as const },
});
