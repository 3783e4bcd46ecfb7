// Matrix products: square ones, and the three of an MLP's step.
import { compile, type Tensor } from "../../src/index.ts";
import type { Case } from "../harness.ts";
import { numbers } from "./inputs.ts";

function product(
  name: string,
  rows: number,
  depth: number,
  columns: number,
  form: "nn" | "nt" | "tn",
  skip?: Case["skip"],
): Case {
  return {
    name,
    unit: "GFLOP/s",
    work: 2 * rows * depth * columns,
    skip,
    async prepare(backend) {
      const a = numbers(form === "tn" ? [depth, rows] : [rows, depth]);
      const b = numbers(form === "nt" ? [columns, depth] : [depth, columns]);
      const apply = compile(
        (x: Tensor, y: Tensor) => (form === "tn" ? x.transpose() : x).matmul(form === "nt" ? y.transpose() : y),
        { backend },
      );
      return () => apply(a, b);
    },
  };
}

const interpreted = "about a second a run in an interpreter";
const slow = { reference: interpreted, "gpujs:cpu": "seconds a run", "gpujs:webasm": "seconds a run" };

export const cases: readonly Case[] = [
  product("matmul-256", 256, 256, 256, "nn"),
  product("matmul-512", 512, 512, 512, "nn", { reference: interpreted }),
  product("matmul-1024", 1024, 1024, 1024, "nn", slow),
  product("matmul-mlp-forward", 64, 784, 128, "nt"),
  product("matmul-mlp-weight", 128, 64, 784, "tn"),
  product("matmul-odd", 37, 131, 67, "nn"),
];
