// Matrix products: what a part does of them, and their loops over a batch.
import type { ProductLoops } from "../../../schedule/product.ts";
import { leftBytes, tileRows } from "../../../schedule/tile.ts";
import { type Context, type KernelFunction, share, valueAddress } from "../context.ts";
import { i32 } from "../instructions.ts";
import { loops, start } from "../nest.ts";
import { BlockPrinter, type Mode, type ProductCode, type Share } from "./blocks.ts";

/** Prints matrix products of any strides over their batch. */
export function printProduct(context: Context, product: ProductLoops, target: KernelFunction): void {
  const { fn } = target;
  const { nest, rows, columns, by, parallel, panels } = product;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const part: Share = {
    rows: by === "rows" ? [begin, end] : [0, rows],
    columns: by === "columns" ? [begin, end] : [0, columns],
  };
  const one = blocked(context, target, product, part, panels === undefined ? "both" : "tiles");
  const batch = by === "batch" ? { axis: parallel.axis, begin, end } : undefined;
  fn.body(...code, ...limits, ...one.prelude, ...loops(fn, nest, [0, nest.extents.length], cursors, one.body, batch));
}

/** Prints what packs all of a product's right operand, before its rows are asked for. */
export function printPanels(context: Context, product: ProductLoops, target: KernelFunction): void {
  const { fn } = target;
  const { nest, rows, columns } = product;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const { prelude, body } = blocked(context, target, product, { rows: [0, rows], columns: [0, columns] }, "panels");
  fn.body(...code, ...prelude, ...loops(fn, nest, [0, nest.extents.length], cursors, body));
}

function blocked(
  context: Context,
  target: KernelFunction,
  product: ProductLoops,
  part: Share,
  mode: Mode,
): ProductCode {
  const { fn } = target;
  const [left, setLeft] = fn.hold(target.scratch.get);
  const [corner, setCorner] = fn.hold(i32.add(left.get, i32.const(leftBytes)));
  const [right, setRight] = fn.hold(
    mode === "both"
      ? i32.add(corner.get, i32.const(4 * tileRows * product.tileColumns))
      : i32.add(target.scratch.get, i32.const(product.panels! - context.panelBytes)),
  );
  return {
    prelude: [setLeft, setCorner, setRight],
    body: ([a, b, c]) => {
      const printer = new BlockPrinter(context, fn, product, part, { left, right, corner }, mode);
      return printer.print(a.at, b.at, c.at);
    },
  };
}
