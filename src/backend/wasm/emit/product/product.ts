// Matrix products: what a part does of them, and their loops over a batch.
import { type ProductLoops, tableBytes } from "../../../../schedule/product.ts";
import { leftBytes, tileRows } from "../../../../schedule/tile.ts";
import type { Code } from "../../assembler/assembler.ts";
import { i32 } from "../../assembler/instructions.ts";
import { type Context, type KernelFunction, share, valueAddress } from "../context.ts";
import { loops, start } from "../nest.ts";
import { BlockPrinter, type Share } from "./blocks.ts";

/** Prints matrix products of any strides over their batch. */
export function printProduct(context: Context, product: ProductLoops, target: KernelFunction): void {
  const { fn } = target;
  const { nest, rows, columns, by, parallel } = product;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const part: Share = {
    rows: by === "rows" ? [begin, end] : [0, rows],
    columns: by === "columns" ? [begin, end] : [0, columns],
  };
  const { printer, places } = printerOf(context, target, product, part);
  const batch = by === "batch" ? { axis: parallel.axis, begin, end } : undefined;
  const all = loops(fn, nest, [0, nest.extents.length], cursors, (each) => printer.print(each), batch);
  fn.body(...code, ...limits, ...places, ...all);
}

/** Prints what packs all of an operand, before the group's first block. */
export function printPanels(context: Context, product: ProductLoops, target: KernelFunction): void {
  const { fn } = target;
  const { nest, rows, columns } = product;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const { printer, places } = printerOf(context, target, product, { rows: [0, rows], columns: [0, columns] });
  fn.body(...code, ...places, ...printer.prepare(cursors));
}

function printerOf(
  context: Context,
  { fn, scratch }: KernelFunction,
  product: ProductLoops,
  part: Share,
): { readonly printer: BlockPrinter; readonly places: readonly Code[] } {
  const { whole, panels } = product;
  let end = 0;
  const take = (bytes: number) => {
    const [place, set] = fn.hold(i32.add(scratch.get, i32.const(end)));
    end += bytes;
    return { place, set };
  };
  const packed = () => {
    const [place, set] = fn.hold(i32.add(scratch.get, i32.const(panels! - context.panelBytes)));
    return { place, set };
  };
  const [corner, a, b] = [
    take(4 * tileRows * product.tileColumns),
    take(tableBytes(product.a)),
    take(tableBytes(product.b)),
  ];
  const left = whole === "a" ? packed() : take(leftBytes);
  const right = whole === "b" ? packed() : take(0);
  const tables = { a: a.place, b: b.place };
  const places = { left: left.place, right: right.place, corner: corner.place, tables };
  return {
    printer: new BlockPrinter(context, fn, product, part, places),
    places: [corner, a, b, left, right].map(({ set }) => set),
  };
}
