// A row for each family of ops that has none above, forward, with its gradient too where that is what people train with. The other side's programs stand in peers/torch_peer.py, by name.
import { einsum, gradients, losses, ops, type Tensor } from "../../src/index.ts";
import type { Case } from "../harness.ts";
import { fillAll, type Operand } from "../workloads.ts";
import { planRunner } from "./plan.ts";

/** Float operands are in [−1, 1) unless a range is given. */
interface Family {
  readonly about: string;
  readonly operands: readonly Operand[];
  readonly program: (...operands: Tensor[]) => Tensor | readonly Tensor[];
  /** Estimated ms of a call. */
  readonly ms?: number;
}

const floats = (...shape: number[]): Operand => ({ shape, range: [-1, 1] });
const integers = (below: number, ...shape: number[]): Operand => ({ shape, below });

/** Gradients of Σ y·g by all but the last operand, g. */
const differentiated = (program: (...operands: Tensor[]) => Tensor) => (operands: Tensor[]) => {
  const own = operands.slice(0, -1);
  return gradients(
    program(...own)
      .mul(operands[operands.length - 1])
      .sum(),
    own,
  );
};

const batchNorm = (x: Tensor, weight: Tensor, bias: Tensor) => ops.batchNormTraining(x, weight, bias).output;
const depthwise = (x: Tensor, filters: Tensor) => ops.conv2d(x, filters, undefined, { padding: 1, groups: 64 });
/** Positive definite: x·xᵀ + n·1. */
const definite = (x: Tensor) => x.matmul(x.swapAxes()).add(ops.eye(x.shape[2]).mul(x.shape[2]));

const images = floats(64, 32, 28, 28);
const rows = floats(256, 4096);
const matrices = floats(32, 32, 32);

/** By name. */
export const families: Readonly<Record<string, Family>> = {
  "batch-norm": {
    about: "training's, 64×32×28×28",
    operands: [images, floats(32), floats(32)],
    program: batchNorm,
  },
  "batch-norm-gradient": {
    about: "forward and backward",
    operands: [images, floats(32), floats(32), images],
    program: (...operands) => differentiated(batchNorm)(operands),
  },
  "group-norm": {
    about: "8 groups, 64×32×28×28",
    operands: [images, floats(32), floats(32)],
    program: (x, weight, bias) => ops.groupNorm(x, 8, weight, bias),
  },
  "rms-norm": {
    about: "over rows, 4096×1024",
    operands: [floats(4096, 1024), floats(1024)],
    program: (x, weight) => ops.rmsNorm(x, weight),
  },
  conv1d: {
    about: "5, 32 sequences, 64 → 64 channels of 512",
    operands: [floats(32, 64, 512), floats(64, 64, 5)],
    program: (x, filters) => ops.conv1d(x, filters, undefined, { padding: 2 }),
    ms: 10,
  },
  depthwise: {
    about: "3×3, 32 images, 64 channels of 28×28",
    operands: [floats(32, 64, 28, 28), floats(64, 1, 3, 3)],
    program: depthwise,
  },
  "depthwise-gradient": {
    about: "forward and backward",
    operands: [floats(32, 64, 28, 28), floats(64, 1, 3, 3), floats(32, 64, 28, 28)],
    program: (...operands) => differentiated(depthwise)(operands),
    ms: 10,
  },
  "conv-transpose2d": {
    about: "4×4, stride 2, 32 images, 32 channels of 14×14 → 16 of 28×28",
    operands: [floats(32, 32, 14, 14), floats(32, 16, 4, 4)],
    program: (x, filters) => ops.convTranspose2d(x, filters, undefined, { stride: 2, padding: 1 }),
  },
  "max-pool2d": {
    about: "2×2, 64×32×28×28",
    operands: [images],
    program: (x) => ops.maxPool2d(x, 2),
  },
  "average-pool2d": {
    about: "3×3, stride 2, 64×32×28×28",
    operands: [images],
    program: (x) => ops.avgPool2d(x, 3, { stride: 2 }),
  },
  interpolate: {
    about: "bilinear, 16×32×28×28 → 56×56",
    operands: [floats(16, 32, 28, 28)],
    program: (x) => ops.interpolate(x, { scaleFactor: 2, mode: "bilinear" }),
  },
  attention: {
    about: "causal, 16 × 4 heads, 128×32",
    operands: [floats(16, 4, 128, 32), floats(16, 4, 128, 32), floats(16, 4, 128, 32)],
    program: (q, k, v) => ops.scaledDotProductAttention(q, k, v, { causal: true }),
  },
  sort: { about: "rows of 256×4096", operands: [rows], program: (x) => ops.sort(x), ms: 50 },
  "top-k": { about: "10 of each row, 256×4096", operands: [rows], program: (x) => ops.topK(x, 10).values, ms: 50 },
  cumsum: { about: "along rows, 256×4096", operands: [rows], program: (x) => ops.cumsum(x) },
  cummax: { about: "along rows, 256×4096", operands: [rows], program: (x) => ops.cummax(x).values },
  "log-cum-sum-exp": { about: "along rows, 256×4096", operands: [rows], program: (x) => ops.logCumSumExp(x), ms: 10 },
  prod: {
    about: "of rows, 256×4096",
    operands: [{ shape: [256, 4096], range: [0.98, 1.02] }],
    program: (x) => ops.prod(x, 1),
  },
  "log-sum-exp": { about: "of rows, 256×4096", operands: [rows], program: (x) => ops.logSumExp(x, 1) },
  histogram: {
    about: "64 bins, a million elements",
    operands: [floats(1_000_000)],
    program: (x) => ops.histogram(x, { bins: 64, range: [-1, 1] }).counts,
    ms: 10,
  },
  bincount: {
    about: "64 integers, a million elements",
    operands: [integers(64, 1_000_000)],
    program: (x) => ops.bincount(x, 64),
  },
  cholesky: { about: "of 32 of 32×32", operands: [matrices], program: (x) => ops.cholesky(definite(x)) },
  solve: { about: "32 of 32×32 by 32", operands: [matrices, matrices], program: (a, b) => ops.solve(definite(a), b) },
  qr: { about: "of 32 of 32×32", operands: [matrices], program: (x) => [...Object.values(ops.qr(x))] as Tensor[] },
  fft: { about: "256 of 1024 pairs", operands: [floats(256, 1024, 2)], program: (x) => ops.fft(x), ms: 5 },
  rfft: { about: "256 of 1024", operands: [floats(256, 1024)], program: (x) => ops.rfft(x), ms: 5 },
  einsum: {
    about: "bij,bjk,bk→bi, 64 of 64×64",
    operands: [floats(64, 64, 64), floats(64, 64, 64), floats(64, 64)],
    program: (a, b, c) => einsum("bij,bjk,bk->bi", a, b, c),
  },
  cdist: {
    about: "512 by 512 points of 64",
    operands: [floats(512, 64), floats(512, 64)],
    program: (a, b) => ops.cdist(a, b),
  },
  "cross-entropy-gradient": {
    about: "forward and backward, 4096 of 1000 classes",
    operands: [floats(4096, 1000), integers(1000, 4096)],
    program: (x, targets) => gradients(losses.crossEntropy(x, targets), [x]),
    ms: 10,
  },
  "ctc-gradient": {
    about: "forward and backward, 16 of 20 labels in 128 times, 32 classes",
    operands: [floats(16, 128, 32), integers(31, 16, 20)],
    program: (x, targets) => gradients(losses.ctc(x, targets.add(1)), [x]),
    ms: 10,
  },
};

export const cases: readonly Case[] = Object.entries(families).map(([name, { about, operands, program, ms = 2 }]) => {
  const calls = Math.max(1, Math.round(8 / ms));
  const workload = { kind: "family", name, operands } as const;
  return {
    name,
    about,
    unit: "ms",
    rounds: 15,
    calls,
    warmup: 3 * calls,
    workload,
    place: "backend",
    prepare: (backend) => planRunner(backend, program, fillAll(workload)),
  };
});
