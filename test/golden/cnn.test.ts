// A small convolutional network against PyTorch's in float64: logits, gradients of every parameter, and five Adam steps, from cnn.json (made by
// make_cnn.py). |ours − theirs| ≤ 10⁻⁶ + 10⁻⁵·|theirs| a logit or loss, 10⁻⁶ + 10⁻⁴·|theirs| a gradient, 10⁻⁵ + 10⁻⁴·|theirs| a parameter after the steps.
import { expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { gradients, losses, nn, optim, type Tensor, tensor } from "../../src/index.ts";
import { compare, readGolden, wave } from "../support/torch.ts";

const golden = readGolden("cnn.json");

test("logits, gradients, and five steps of Adam", async () => {
  sg.manualSeed(0);
  const model = nn.sequential(
    nn.unflatten([2, 9, 10]),
    nn.conv2d(2, 4, 3, { padding: 1 }),
    nn.relu(),
    nn.maxPool2d(2),
    nn.conv2d(4, 6, 3, { stride: 2, padding: 2 }),
    nn.relu(),
    nn.maxPool2d(3, { stride: 1, padding: 1 }),
    nn.flatten(),
    nn.linear(72, 5),
  );
  const parameters = model.namedParameters();
  expect(parameters.map(([name]) => name)).toEqual(Object.keys(golden.parameters));
  for (const [i, [, parameter]] of parameters.entries()) parameter.assign(wave(parameter.shape, 0.8, 100 * i));
  const inputs = wave([4, 180], 3, 7);
  const targets = tensor(Int32Array.from({ length: 4 }, (_, i) => (i * 2) % 5));
  const forward = (x: Tensor) => model.forward(x) as Tensor;
  const first = sg.compile(
    (x: Tensor, y: Tensor) => {
      const logits = forward(x);
      return { logits, gradients: gradients(losses.crossEntropy(logits, y), parameters.map(([, parameter]) => parameter)) };
    },
    { state: model },
  );
  const { logits, gradients: found } = await first(inputs, targets);
  await compare("logits", logits, golden.logits, 1, 1e-6, 1e-5);
  for (const [i, [name]] of parameters.entries())
    await compare(`gradient of ${name}`, found[i], golden.gradients[name], 1, 1e-6, 1e-4);

  const optimizer = optim.adam(model.parameters(), { learningRate: 1e-2 });
  const step = sg.compile(
    (x: Tensor, y: Tensor) => {
      const loss = losses.crossEntropy(forward(x), y);
      optimizer.update(gradients(loss, optimizer.parameters));
      return loss;
    },
    { state: [model, optimizer] },
  );
  for (const loss of golden.losses) await compare("loss", await step(inputs, targets), [loss], 1, 1e-6, 1e-5);
  for (const [name, parameter] of parameters) await compare(name, parameter, golden.parameters[name], 3, 1e-5, 1e-4);
});
