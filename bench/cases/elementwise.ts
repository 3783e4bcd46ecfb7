// Elementwise ops and fused chains, at cache and memory sizes, and reductions.
import { compile, type Shape, type Tensor } from "../../src/index.ts";
import type { Case } from "../harness.ts";
import { numbers } from "./inputs.ts";

function elementwise(
  name: string,
  shape: Shape,
  inputs: number,
  apply: (...inputs: Tensor[]) => Tensor,
  scale = 4,
): Case {
  return {
    name,
    unit: "Gelem/s",
    work: shape.reduce((product, extent) => product * extent, 1),
    async prepare(backend) {
      const operands = Array.from({ length: inputs }, () => numbers(shape, scale));
      const compiled = compile(apply, { backend });
      return () => compiled(...operands);
    },
  };
}

const k64 = [65536];
const m4 = [4 * 1024 * 1024];
const chain = (a: Tensor, b: Tensor) => a.mul(b).add(a).sub(0.5).mul(b).maximum(0);

export const cases: readonly Case[] = [
  elementwise("add-64k", k64, 2, (a, b) => a.add(b)),
  elementwise("add-4m", m4, 2, (a, b) => a.add(b)),
  elementwise("chain5-64k", k64, 2, chain),
  elementwise("chain5-4m", m4, 2, chain),
  elementwise("exp-64k", k64, 1, (a) => a.exp()),
  elementwise("exp-4m", m4, 1, (a) => a.exp()),
  elementwise("log-64k", k64, 1, (a) => a.abs().log()),
  elementwise("tanh-64k", k64, 1, (a) => a.tanh()),
  elementwise("gelu-4m", m4, 1, (a) => a.gelu()),
  elementwise("sum-4m", m4, 1, (a) => a.sum()),
  elementwise("sum-inner", [1024, 1024], 1, (a) => a.sum({ axis: 1 })),
  elementwise("sum-outer", [1024, 1024], 1, (a) => a.sum({ axis: 0 })),
  elementwise("softmax-4096x1024", [4096, 1024], 1, (a) => a.softmax()),
  elementwise("layernorm-1024x1024", [1024, 1024], 1, (a) => {
    const centred = a.sub(a.mean({ axis: 1, keepDims: true }));
    return centred.div(centred.mul(centred).mean({ axis: 1, keepDims: true }).add(1e-5).sqrt());
  }),
];
