// Values, gradients and optimizer steps against PyTorch's, from the committed torch.json (made by make_torch.py). The one place where a tolerance
// stands: PyTorch's sums and functions round otherwise. |ours − theirs| ≤ 10⁻⁵ + 10⁻⁴·|theirs| a value; after optimizer steps 5·10⁻⁵ + 10⁻³·|theirs|, since Adam divides by small numbers.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients, losses, nn, optim, type Parameter, Tensor, tensor } from "../../src/index.ts";
import * as sg from "../../src/index.ts";
import { wave } from "../support/torch.ts";

interface Sample {
  step: number;
  values: number[];
}
interface Run {
  losses: number[];
  logits: Sample;
  gradients: Record<string, Sample>;
  parameters: Record<string, Sample>;
}
interface Golden {
  functions: Record<string, { value: Sample; gradients: Sample[] }>;
  mlp: Record<string, Run>;
}

const golden: Golden = JSON.parse(readFileSync(new URL("torch.json", import.meta.url), "utf8"));

async function compare(what: string, ours: Tensor, { step, values }: Sample, absolute = 1e-5, relative = 1e-4): Promise<void> {
  const data = await ours.data();
  const sampled = Array.from(data).filter((_, i) => i % step === 0);
  expect(sampled.length, `${what}: sample size`).toBe(values.length);
  const worst = sampled.map((value, i) => Math.abs(value - values[i]) - absolute - relative * Math.abs(values[i]));
  const at = worst.indexOf(Math.max(...worst));
  expect(worst[at], `${what}: element ${at * step}: ours ${sampled[at]}, PyTorch's ${values[at]}`).toBeLessThanOrEqual(0);
}

const x = wave([6, 50], 8, 6);
const positive = sg.add(sg.abs(x), 0.1);
const cases: Record<string, { apply: (...inputs: Tensor[]) => Tensor; inputs: Tensor[] }> = {
  ...Object.fromEntries(
    (["exp", "tanh", "sigmoid", "sin", "cos", "erf", "gelu", "relu"] as const).map((name) => [name, { apply: (a: Tensor) => sg[name](a), inputs: [x] }]),
  ),
  log: { apply: (a) => sg.log(a), inputs: [positive] },
  sqrt: { apply: (a) => sg.sqrt(a), inputs: [positive] },
  softmax: { apply: (a) => sg.softmax(a), inputs: [x] },
  logSoftmax: { apply: (a) => sg.logSoftmax(a, 0), inputs: [x] },
  layerNorm: { apply: (a, w, b) => sg.layerNorm(a, w, b), inputs: [x, wave([50], 2, 7), wave([50], 2, 8)] },
  matmul: { apply: (a, b) => sg.matmul(a, b), inputs: [wave([2, 3, 5, 300], 1, 10), wave([3, 300, 4], 1, 11)] },
  mse: { apply: (a, b) => sg.losses.mse(a, b), inputs: [x, wave([6, 50], 1, 12)] },
  variance: { apply: (a) => sg.variance(a, { axis: 1 }), inputs: [x] },
  max: { apply: (a) => sg.max(a, { axis: 1 }), inputs: [x] },
  mean: { apply: (a) => sg.mean(a, { axis: 0 }), inputs: [x] },
  embedding: { apply: (a) => sg.take(a, tensor([[3, 1, 3], [0, 5, 3]], { dtype: "int32" })), inputs: [x] },
};

describe("functions and their gradients", () => {
  test("every golden has its case", () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(golden.functions).sort());
  });

  test.each(Object.keys(cases))("%s", async (name) => {
    const { apply, inputs } = cases[name];
    const value = apply(...inputs);
    const scalar = value.mul(wave(value.shape, 2, 9)).sum();
    await compare(name, value, golden.functions[name].value);
    const found = gradients(scalar, inputs);
    for (const [i, gradient] of found.entries()) await compare(`${name}, gradient ${i}`, gradient, golden.functions[name].gradients[i]);
  });
});

describe("the MLP: forward, loss, gradients and three steps of", () => {
  const optimizers: Record<string, (parameters: Parameter[]) => optim.Optimizer> = {
    adamW: (parameters) => optim.adamW(parameters, { learningRate: 3e-3 }),
    adam: (parameters) => optim.adam(parameters, { learningRate: 3e-3 }),
    sgd: (parameters) => optim.sgd(parameters, { learningRate: 0.1 }),
    momentum: (parameters) => optim.sgd(parameters, { learningRate: 0.1, momentum: 0.9 }),
    nesterov: (parameters) => optim.sgd(parameters, { learningRate: 0.1, momentum: 0.9, nesterov: true }),
  };

  test.each(Object.keys(optimizers))("%s", async (name) => {
    sg.manualSeed(0);
    const expected = golden.mlp[name];
    const model = nn.sequential(nn.linear(784, 128), nn.relu(), nn.linear(128, 10));
    const named = Object.fromEntries(model.namedParameters().map(([path, parameter]) => [path, parameter]));
    const places = { w1: "0.weight", b1: "0.bias", w2: "2.weight", b2: "2.bias" } as const;
    const start = { w1: wave([128, 784], 2 / 28, 1), b1: wave([128], 2 / 28, 2), w2: wave([10, 128], 0.17, 3), b2: wave([10], 0.17, 4) };
    for (const [short, path] of Object.entries(places)) named[path].assign(start[short as keyof typeof start]);
    const inputs = wave([64, 784], 3, 5);
    const targets = tensor(Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 10));
    const logits = model.forward(inputs) as Tensor;
    const first = gradients(losses.crossEntropy(logits, targets), Object.values(places).map((path) => named[path]));
    await compare("logits", logits, expected.logits);
    for (const [i, short] of Object.keys(places).entries()) await compare(`gradient of ${short}`, first[i], expected.gradients[short]);

    const optimizer = optimizers[name](model.parameters());
    const step = sg.compile(
      (x: Tensor, y: Tensor) => {
        const loss = losses.crossEntropy(model.forward(x) as Tensor, y);
        optimizer.update(gradients(loss, optimizer.parameters));
        return loss;
      },
      { state: [model, optimizer] },
    );
    for (const loss of expected.losses) await compare("loss", await step(inputs, targets), { step: 1, values: [loss] });
    for (const [short, path] of Object.entries(places)) await compare(short, named[path], expected.parameters[short], 5e-5, 1e-3);
  });
});
