// A page with a small model, as its author would write it: what a bundler makes of it is measured.
import { compile, gradients, losses, manualSeed, nn, optim, type Tensor, tensor } from "../../src/core.ts";

manualSeed(1234);
const model = nn.sequential(nn.linear(2, 16), nn.relu(), nn.dropout(0.1), nn.linear(16, 2));
const optimizer = optim.adamW(model.parameters(), { learningRate: 0.01 });
const step = compile(
  (x: Tensor, y: Tensor) => {
    const loss = losses.crossEntropy(model.forward(x) as Tensor, y);
    optimizer.update(gradients(loss, optimizer.parameters));
    return loss;
  },
  { state: [model, optimizer] },
);
const [x, y] = [tensor([0, 0, 0, 1, 1, 0, 1, 1], { shape: [4, 2] }), tensor([0, 1, 1, 0], "int32")];
// Not awaited at the top: what is imported later imports this module's file, and would wait for it.
async function train(): Promise<void> {
  for (let i = 0; i < 100; i++) document.title = String(await (await step(x, y)).item());
}
void train();
