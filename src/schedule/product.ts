// Matrix products: what threads share (who shares columns packs all of the left operand, who shares rows all of the right), the tile, and where
// packed operands lie.
import { chunkSize, elementBytes, type Kernel, type KernelInput, type Stored } from "../../kernels/kernel.ts";
import type { Product } from "../../kernels/product.ts";
import type { Target } from "../compile/target.ts";
import { mergeAxes } from "./merge.ts";
import type { Nest } from "./nest.ts";
import { type Parallel, parallelAxis } from "./parallel.ts";
import type { Division } from "./rows.ts";
import { batchInputs, columnBlock, gap, leftBytes, rowBlock, tileColumns, tileRows } from "./tile.ts";

/** How an operand lies: neighbours along the depth, neighbours across it, or neither. */
export type Layout = "along" | "across" | "scattered";

/** An operand in memory: how it lies and is kept, and the bytes from term to term and from row to row of the left or column to column of the right one. */
export interface Operand {
  readonly layout: Layout;
  readonly storage: Stored["storage"];
  readonly depth: number;
  readonly across: number;
}

/** The operand that an input is, whose axes these are. */
function operandOf(input: KernelInput, depthAxis: number, otherAxis: number): Operand {
  const { storage, view } = input;
  const { [depthAxis]: depth, [otherAxis]: across } = view.strides;
  const bytes = elementBytes(input);
  const layout = across === 1 ? "across" : depth === 1 ? "along" : "scattered";
  return { layout, storage, depth: bytes * depth, across: bytes * across };
}

/** Products of a batch, in tiles over packed operands. */
export interface ProductLoops {
  readonly kind: "product";
  /** Over the batch. */
  readonly nest: Nest;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly lanes: number;
  /** Columns of a tile and of a panel of the right operand. */
  readonly tileColumns: number;
  readonly by: "batch" | "rows" | "columns";
  readonly parallel: Parallel;
  /** Where the right operand, packed whole before the group's first block, begins in each thread's panels; undefined: packed block by block. */
  readonly panels: number | undefined;
  readonly scratch: number;
}

export function productLoops(
  kernel: Kernel,
  product: Product,
  target: Target,
  group: Division | undefined,
  panels: number | undefined,
): ProductLoops {
  const { batch, rows, columns, depth, a, b } = product;
  const rank = batch.length + 2;
  const width = tileColumns(target);
  const nest = mergeAxes(batch, batchInputs(kernel, product));
  const most = Math.max(...nest.extents);
  const axis = group ? nest.outer : nest.extents.indexOf(most);
  const alone = most >= 8 ? "batch" : columns >= rows && columns >= 2 * width ? "columns" : "rows";
  const by = !group ? alone : panels === undefined ? "batch" : "rows";
  const parallel = {
    batch: () => parallelAxis(axis, nest.extents[axis], 1, group),
    columns: () => parallelAxis(rank - 1, columns, width, group),
    rows: () => parallelAxis(rank - 2, rows, rows >= 16 * rowBlock ? rowBlock : tileRows, group),
  }[by]();
  const pitch = 4 * width * Math.min(depth, chunkSize) + gap;
  const right = panels === undefined ? Math.ceil(Math.min(columns, columnBlock) / width) * pitch : 0;
  return {
    kind: "product",
    nest,
    rows,
    columns,
    depth,
    a: operandOf(a, rank - 1, rank - 2),
    b: operandOf(b, rank - 2, rank - 1),
    lanes: target.lanes,
    tileColumns: width,
    by,
    parallel,
    panels,
    scratch: leftBytes + 4 * tileRows * width + right,
  };
}
