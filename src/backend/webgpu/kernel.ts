// A kernel as dispatches, one after another.
import { isFold } from "../../../kernels/kernel.ts";
import type { Kernel, SpecialKernel, SpecialKind } from "../../../kernels/kinds.ts";
import { asProduct } from "../../../kernels/product.ts";
import { printAssemble } from "./assemble.ts";
import { printFold } from "./fold.ts";
import { printPrefix, printSort } from "./line.ts";
import { printMap } from "./map.ts";
import { printProduct } from "./product.ts";
import { repairOf } from "./program.ts";
import { printSampler } from "./sampler.ts";
import { printScatter } from "./scatter.ts";
import type { Dispatch } from "./shader.ts";

type Printer<K extends SpecialKind = SpecialKind> = (kernel: SpecialKernel<K>, isGuarded: boolean) => Dispatch[];

const printers: { readonly [K in SpecialKind]: Printer<K> } = {
  scatter: printScatter,
  assemble: printAssemble,
  random: printSampler,
  prefix: printPrefix,
  sort: printSort,
};

/** The dispatches of a kernel. `isGuarded`: it writes state, which stays as it is once an index was out of range. */
export function printKernel(kernel: Kernel, isGuarded: boolean): Dispatch[] {
  if (kernel.kind !== "loop") return (printers[kernel.kind] as Printer)(kernel, isGuarded);
  if (!isFold(kernel)) return printMap(kernel, isGuarded);
  const product = asProduct(kernel);
  const repair = product && product.depth > 0 ? repairOf(kernel, isGuarded) : null;
  return product && repair ? printProduct(kernel, product, repair, isGuarded) : printFold(kernel, isGuarded);
}
