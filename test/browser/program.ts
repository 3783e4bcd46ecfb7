// A training run of a few steps that Node and a page both make: what it gives must be the same to the bit.
import {
  type Backend,
  compile,
  gradients,
  graphHash,
  losses,
  manualSeed,
  nn,
  normal,
  optim,
  randint,
  setDefaultBackend,
  type Tensor,
} from "../../src/index.ts";

/** Graph hash and all parameters' bits after `steps` steps of an MLP with dropout and AdamW on the backend. */
export async function train(
  backend: Backend | string,
  steps = 3,
): Promise<{ hash: string; bits: number[]; losses: number[] }> {
  await setDefaultBackend(backend);
  manualSeed(1234);
  const model = nn.sequential(nn.linear(20, 16), nn.gelu(), nn.dropout(0.25), nn.layerNorm(16), nn.linear(16, 4));
  const optimizer = optim.adamW(model.parameters(), { learningRate: 0.01 });
  const step = compile(
    (x: Tensor, y: Tensor) => {
      const loss = losses.crossEntropy(model.forward(x) as Tensor, y);
      optimizer.update(gradients(loss, optimizer.parameters));
      return loss;
    },
    { state: [model, optimizer] },
  );
  const [x, y] = [normal([32, 20]), randint([32], 0, 4)];
  const values: number[] = [];
  for (let i = 0; i < steps; i++) values.push(await (await step(x, y)).item());
  const bits: number[] = [];
  for (const parameter of model.parameters()) {
    const data = await parameter.data();
    bits.push(...new Uint32Array(data.buffer, data.byteOffset, data.length));
  }
  return { hash: graphHash(await step.trace(x, y)), bits, losses: values };
}
