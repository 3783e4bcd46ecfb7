// Matrix products: square, those of the training steps, batched, tall and thin, odd; and the convolutions that are made of them.
import type { Case } from "../harness.ts";
import type { Workload } from "../workloads.ts";
import { kernelCase } from "./kernels.ts";
import { registerProbe } from "./probe.ts";

type Product = Extract<Workload, { kind: "matmul" }>;

function product(
  name: string,
  about: string,
  [rows, depth, columns]: readonly [number, number, number],
  form: Product["form"],
  { batch, small }: { readonly batch?: number; readonly small?: boolean } = {},
): Case {
  const work = 2 * (batch ?? 1) * rows * depth * columns;
  return kernelCase(
    `matmul-${name}`,
    { kind: "matmul", batch, rows, depth, columns, form },
    {
      about: `${about}, ${batch ? `${batch} × ` : ""}${rows}×${depth} · ${depth}×${columns}, ${form.toUpperCase()}`,
      microseconds: work / 50_000,
      small,
      ceiling: { subject: registerProbe, work, perThread: true },
    },
  );
}

function convolution(name: string, inputs: number, outputs: number, extent: number): Case {
  const work = 2 * 9 * 64 * inputs * outputs * extent ** 2;
  return kernelCase(
    `conv2d-${name}`,
    { kind: "conv2d", batch: 64, inputs, outputs, extent },
    {
      about: `3×3, 64 images, ${inputs} → ${outputs} channels of ${extent}×${extent}`,
      microseconds: work / 20_000,
      ceiling: { subject: registerProbe, work, perThread: true },
    },
  );
}

export const cases: readonly Case[] = [
  product("256", "square", [256, 256, 256], "nn", { small: true }),
  product("512", "square", [512, 512, 512], "nn"),
  product("1024", "square", [1024, 1024, 1024], "nn"),
  product("512-nt", "square", [512, 512, 512], "nt"),
  product("512-tn", "square", [512, 512, 512], "tn"),
  product("mlp-small-forward", "a layer forward", [64, 784, 128], "nt", { small: true }),
  product("mlp-small-weight", "a weight's gradient", [128, 64, 784], "tn"),
  product("mlp-large-forward", "a layer forward", [128, 1024, 1024], "nt"),
  product("mlp-large-input", "an input's gradient", [128, 1024, 1024], "nn"),
  product("mlp-large-weight", "a weight's gradient", [1024, 128, 1024], "tn"),
  product("attention-scores", "queries by keys", [64, 32, 64], "nt", { batch: 64 }),
  product("attention-values", "weights by values", [64, 64, 32], "nn", { batch: 64 }),
  product("tall", "many rows", [8192, 64, 64], "nn"),
  product("deep", "few outputs", [64, 8192, 64], "nn"),
  product("vector", "one row", [1, 1024, 1024], "nn"),
  product("odd", "odd extents", [37, 131, 67], "nn", { small: true }),
  convolution("first", 1, 16, 28),
  convolution("second", 16, 32, 14),
];
