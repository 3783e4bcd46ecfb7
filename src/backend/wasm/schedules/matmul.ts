// Matrix products: how one is shared out, alone or in a group with what surrounds it, and its loops over a batch.
import { chunkSize, type MatmulKernel } from "../../../../kernels/kernel.ts";
import { mergeAxes } from "../../../schedule/merge.ts";
import type { Nest } from "../../../schedule/nest.ts";
import type { RowBlocks } from "../../../schedule/rows.ts";
import {
  batchInputs,
  columnBlock,
  cornerBytes,
  gap,
  leftBytes,
  rowBlock,
  tileColumns,
  tileRows,
} from "../../../schedule/tile.ts";
import { type Context, cutShare, type KernelFunction, share, valueAddress } from "../context.ts";
import { i32 } from "../instructions.ts";
import { loops, start } from "../nest.ts";
import { BlockPrinter, type Mode, type Product, type ProductCode, type Share } from "./blocks.ts";
import { operandOf } from "./pack.ts";
import { printPlainMatmul } from "./plain.ts";

/** A product in a group: how it is cut, and for one that is cut by its rows where its packed right operand is. */
export interface Grouped {
  readonly cut: RowBlocks;
  readonly panels: number | undefined;
}

/** Prints a matrix product of any strides over its batch. */
export function printMatmul(context: Context, kernel: MatmulKernel, target: KernelFunction, grouped?: Grouped): void {
  const { fn } = target;
  const { product, nest } = productOf(kernel);
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const { rows, columns } = product;
  const most = Math.max(...nest.extents);
  const axis = grouped ? nest.outer : nest.extents.indexOf(most);
  // Who shares columns packs all of the left operand, who shares rows all of the right.
  const alone = most >= 8 ? "batch" : columns >= rows && columns >= 2 * tileColumns ? "columns" : "rows";
  const by = !grouped ? alone : grouped.panels === undefined ? "batch" : "rows";
  const [extent, grain] = {
    batch: [nest.extents[axis], 1],
    columns: [columns, tileColumns],
    rows: [rows, rows >= 16 * rowBlock ? rowBlock : tileRows],
  }[by];
  const [begin, end, limits] = grouped ? cutShare(target, extent, grouped.cut) : share(target, extent, grain);
  const part: Share = {
    rows: by === "rows" ? [begin, end] : [0, rows],
    columns: by === "columns" ? [begin, end] : [0, columns],
  };
  const one = context.isSimd
    ? blocked(context, target, product, part, grouped?.panels === undefined ? "both" : "tiles", grouped?.panels)
    : printPlainMatmul(context, fn, product, part);
  fn.body(
    ...code,
    ...limits,
    ...one.prelude,
    ...loops(fn, nest, [0, nest.extents.length], cursors, one.body, by === "batch" ? { axis, begin, end } : undefined),
  );
}

/** Prints what packs all of a product's right operand, before its rows are asked for. */
export function printPanels(context: Context, kernel: MatmulKernel, target: KernelFunction, panels: number): void {
  const { fn } = target;
  const { product, nest } = productOf(kernel);
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const part: Share = { rows: [0, product.rows], columns: [0, product.columns] };
  const { prelude, body } = blocked(context, target, product, part, "panels", panels);
  fn.body(...code, ...prelude, ...loops(fn, nest, [0, nest.extents.length], cursors, body));
}

function productOf(kernel: MatmulKernel): { product: Product; nest: Nest } {
  const { shape, depth, a, b } = kernel;
  const rank = shape.length;
  return {
    product: {
      rows: shape[rank - 2],
      columns: shape[rank - 1],
      depth,
      a: operandOf(a, rank - 1, rank - 2),
      b: operandOf(b, rank - 2, rank - 1),
    },
    nest: mergeAxes(shape.slice(0, -2), batchInputs(kernel)),
  };
}

function blocked(
  context: Context,
  target: KernelFunction,
  product: Product,
  part: Share,
  mode: Mode,
  panels = 0,
): ProductCode {
  const { fn } = target;
  const { columns, depth } = product;
  const pitch = 4 * tileColumns * Math.min(depth, chunkSize) + gap;
  const own = mode === "both" ? Math.ceil(Math.min(columns, columnBlock) / tileColumns) * pitch : 0;
  context.needScratch(leftBytes + cornerBytes + own);
  const [left, setLeft] = fn.hold(target.scratch.get);
  const [corner, setCorner] = fn.hold(i32.add(left.get, i32.const(leftBytes)));
  const [right, setRight] = fn.hold(
    mode === "both"
      ? i32.add(corner.get, i32.const(cornerBytes))
      : i32.add(target.scratch.get, i32.const(panels - context.panelBytes)),
  );
  return {
    prelude: [setLeft, setCorner, setRight],
    body: ([a, b, c]) => {
      const printer = new BlockPrinter(context, fn, product, part, { left, right, corner }, mode);
      return printer.print(a.at, b.at, c.at);
    },
  };
}
