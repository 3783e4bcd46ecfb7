// Matrix products: what a part does of them, and their loops over a batch.
import { type ProductLoops, tableBytes } from "../../../../schedule/product.ts";
import { leftPitch, tileRows } from "../../../../schedule/tile.ts";
import { i32, type Local } from "../../assembler/assembler.ts";
import { type Context, type KernelFunction, share, valueAddress } from "../context.ts";
import { loops, start } from "../nest.ts";
import { BlockPrinter, type Share } from "./blocks.ts";

/** Prints matrix products of any strides over their batch. */
export function printProduct(context: Context, product: ProductLoops, target: KernelFunction): void {
  const { fn } = target;
  const { nest, rows, columns, by, parallel } = product;
  const cursors = start(fn, nest, (value) => valueAddress(target, value));
  const own = share(target, parallel);
  const part = {
    rows: by === "rows" ? own : { begin: 0, end: rows },
    columns: by === "columns" ? own : { begin: 0, end: columns },
  };
  const printer = printerOf(context, target, product, part);
  const batch = by === "batch" ? own : undefined;
  loops(fn, nest, [0, nest.extents.length], cursors, (each) => printer.print(each), batch);
}

/** Prints what packs all of the right operand, before the group's first block. */
export function printPanels(context: Context, product: ProductLoops, target: KernelFunction): void {
  const { nest, rows, columns } = product;
  const cursors = start(target.fn, nest, (value) => valueAddress(target, value));
  const all = { rows: { begin: 0, end: rows }, columns: { begin: 0, end: columns } };
  printerOf(context, target, product, all).prepare(cursors);
}

function printerOf(
  context: Context,
  { fn, scratch }: KernelFunction,
  product: ProductLoops,
  part: Share,
): BlockPrinter {
  const { panels, a, b, tileColumns } = product;
  let end = 0;
  const take = (bytes: number): Local<"i32"> => {
    end += bytes;
    return fn.let(i32.add(scratch, end - bytes));
  };
  return new BlockPrinter(context, fn, product, part, {
    corner: take(4 * tileRows * tileColumns),
    tables: { a: take(tableBytes(a)), b: take(tableBytes(b)) },
    left: take(leftPitch),
    right: panels === undefined ? take(0) : fn.let(i32.add(scratch, panels - context.panelBytes)),
  });
}
