// A small GPT against PyTorch's layers in float64: logits, gradients of every parameter, and five AdamW steps, from gpt.json (made by make_gpt.py).
// |ours − theirs| ≤ 10⁻⁶ + 10⁻⁵·|theirs| a logit or loss, 10⁻⁶ + 10⁻⁴·|theirs| a gradient; after the steps 10⁻⁵ + 10⁻⁴·|theirs|, since Adam divides by small numbers.
import { expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { gradients, losses, nn, optim, type Tensor, tensor } from "../../src/index.ts";
import { compare, readGolden, wave } from "../support/torch.ts";

const golden = readGolden("gpt.json");
const [batch, context] = [3, 6];

const numbers = (factor: number) =>
  tensor(
    Int32Array.from({ length: batch * context }, (_, i) => (i * factor) % 11),
    { shape: [batch, context] },
  );

test("logits, gradients, and five steps of AdamW", async () => {
  sg.manualSeed(0);
  const model = nn.gpt({ vocabulary: 11, context, width: 16, heads: 2, layers: 2 });
  const parameters = model.namedParameters();
  expect(parameters.map(([name]) => name)).toEqual(Object.keys(golden.parameters));
  parameters.forEach(([name, parameter], i) => {
    const value = wave(parameter.shape, 0.6, 100 * i);
    parameter.assign(/norm.*weight$/.test(name) ? value.add(1) : value);
  });
  const [inputs, targets] = [numbers(7), numbers(5)];
  const first = sg.compile(
    (x: Tensor, y: Tensor) => {
      const logits = model.forward(x);
      return { logits, gradients: gradients(losses.crossEntropy(logits, y), parameters.map(([, parameter]) => parameter)) };
    },
    { state: model },
  );
  const { logits, gradients: found } = await first(inputs, targets);
  await compare("logits", logits, golden.logits, 1, 1e-6, 1e-5);
  for (const [i, [name]] of parameters.entries())
    await compare(`gradient of ${name}`, found[i], golden.gradients[name], 3, 1e-6, 1e-4);

  const optimizer = optim.adamW(model.parameters(), { learningRate: 3e-3, weightDecay: 0.1 });
  const step = sg.compile(
    (x: Tensor, y: Tensor) => {
      const loss = losses.crossEntropy(model.forward(x), y);
      optimizer.update(gradients(loss, optimizer.parameters));
      return loss;
    },
    { state: [model, optimizer] },
  );
  for (const loss of golden.losses) await compare("loss", await step(inputs, targets), [loss], 1, 1e-6, 1e-5);
  for (const [name, parameter] of parameters) {
    // The same number added to every key changes no weight: the gradient of keys' biases is 0 but for rounding, which Adam makes steps of.
    if (name.endsWith("qkv.bias")) continue;
    await compare(name, parameter, golden.parameters[name], 3, 1e-5, 1e-4);
  }
});
