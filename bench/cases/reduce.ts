// Sums in both written orders, and what is made of them: softmax and layerNorm.
import type { Case } from "../harness.ts";
import { kernelCase } from "./kernels.ts";

const sum = (name: string, about: string, rows: number, columns: number, axis: 0 | 1 | "all", small = false): Case =>
  kernelCase(
    `sum-${name}`,
    { kind: "sum", rows, columns, axis },
    {
      about: `sum ${about} of ${rows}×${columns}`,
      microseconds: (rows * columns) / 9000,
      small,
    },
  );

const rowwise = (kind: "softmax" | "layerNorm", rows: number, columns: number, small = false): Case =>
  kernelCase(
    `${kind === "softmax" ? "softmax" : "layernorm"}-${rows}x${columns}`,
    { kind, rows, columns },
    {
      about: `${kind} over rows`,
      microseconds: (rows * columns) / 800,
      small,
    },
  );

export const cases: readonly Case[] = [
  sum("inner", "over the inner axis", 128, 1024, 1, true),
  sum("outer", "over the outer axis", 128, 1024, 0, true),
  sum("all", "of all", 128, 1024, "all", true),
  sum("4m", "of all", 4096, 1024, "all"),
  rowwise("softmax", 64, 1024, true),
  rowwise("softmax", 4096, 1024),
  rowwise("layerNorm", 64, 1024, true),
  rowwise("layerNorm", 4096, 1024),
];
