// Matrix products: what a part does of them, and their loops over a batch.
import type { ProductLoops } from "../../../../schedule/product.ts";
import { type KernelFunction, share, valueAddress } from "../context.ts";
import { loops, start } from "../nest.ts";
import { blockPrinter } from "./blocks.ts";

/** Prints matrix products of any strides over their batch. */
export function printProduct(target: KernelFunction, product: ProductLoops): void {
  const { fn } = target;
  const { nest, rows, columns, by, parallel } = product;
  const cursors = start(fn, nest, (value) => valueAddress(target, value));
  const own = share(target, parallel);
  const part = {
    rows: by === "rows" ? own : { begin: 0, end: rows },
    columns: by === "columns" ? own : { begin: 0, end: columns },
  };
  const printer = blockPrinter(target, product, part);
  const batch = by === "batch" ? own : undefined;
  loops(fn, nest, [0, nest.extents.length], cursors, printer.all, batch);
}

/** Prints what packs all of the right operand, before the group's first block. */
export function printPanels(target: KernelFunction, product: ProductLoops): void {
  const { nest, rows, columns } = product;
  const cursors = start(target.fn, nest, (value) => valueAddress(target, value));
  const all = { rows: { begin: 0, end: rows }, columns: { begin: 0, end: columns } };
  blockPrinter(target, product, all).packing(cursors);
}
