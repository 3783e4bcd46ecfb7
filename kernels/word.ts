// What a kernel is called where people read about it.
import { isFold } from "./kernel.ts";
import type { Kernel, SpecialKind } from "./kinds.ts";
import { asProduct } from "./product.ts";

export type KernelWord = "map" | "reduce" | "matmul" | "gather" | SpecialKind;

/** A loop is named by its form: a map, a gather, a reduce, a matmul. */
export function wordOf(kernel: Kernel): KernelWord {
  if (kernel.kind !== "loop") return kernel.kind;
  if (isFold(kernel)) return asProduct(kernel) ? "matmul" : "reduce";
  return kernel.inputs.some(({ index }) => index) ? "gather" : "map";
}
