// Matrix products: what threads share (who shares columns packs all of the left operand, who shares rows all of the right), the tile, and where
// packed operands lie.
import { chunkSize, elementBytes, type KernelInput, type Stored } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import type { Product } from "../../kernels/product.ts";
import type { Target } from "../compile/target.ts";
import { mergeAxes } from "./merge.ts";
import type { Nest } from "./nest.ts";
import { type Parallel, parallelAxis } from "./parallel.ts";
import type { Division } from "./rows.ts";
import { batchInputs, columnBlock, gap, isByRows, leftPitch, rowBlock, tileColumns, tileRows } from "./tile.ts";

/** How an operand lies: neighbours along the depth, neighbours across it, or neither. Where an axis isn't one walk, as far as they go. */
export type Layout = "along" | "across" | "scattered";

/** Steps through memory, outermost first: how many, and bytes from one to the next. */
export interface Walk {
  readonly extents: readonly number[];
  readonly strides: readonly number[];
}

/** An operand in memory: how it lies and is kept, and its walks from term to term and from row to row of the left or column to column of the right one. */
export interface Operand {
  readonly layout: Layout;
  readonly storage: Stored["storage"];
  readonly depth: Walk;
  readonly across: Walk;
}

/** Whether each step is as long as the one before. */
export const isStraight = ({ extents }: Walk) => extents.length === 1;

/** What the places of a chunk's terms take, a word each: where their walk isn't straight, they are found once for all lines. */
export const tableBytes = ({ depth }: Operand) => (isStraight(depth) ? 0 : 4 * chunkSize);

/** An input's axes [from, to) as a walk of as few steps as there can be. */
function walkOf({ view, ...input }: KernelInput, from: number, to: number): Walk {
  const range = <T>(values: readonly T[]) => values.slice(from, to);
  const shape = range(view.shape);
  const own = { ...input, view: { shape, strides: range(view.strides), bounds: range(view.bounds), offset: 0 } };
  const { extents, outer, inputs } = mergeAxes(shape, [own]);
  const [{ strides, scale }] = inputs;
  return { extents: extents.slice(outer), strides: strides.slice(outer).map((stride) => stride * scale) };
}

/** How many neighbours a walk finds at a time. */
const run = ({ extents, strides }: Walk, bytes: number) => (strides.at(-1) === bytes ? extents.at(-1)! : 1);

function operandOf(input: KernelInput, depth: Walk, across: Walk): Operand {
  const bytes = elementBytes(input);
  const [terms, others] = [run(depth, bytes), run(across, bytes)];
  const isAcross = others > 1 && (isStraight(across) || others >= terms);
  // Packing takes four terms as neighbours where the last lies three behind the first. With longer runs only one step of the three can leave a run,
  // so that this is exact; where runs are shorter two could, and cancel out.
  const layout = isAcross ? "across" : terms >= 4 ? "along" : "scattered";
  return { layout, storage: input.storage, depth, across };
}

/**
 * Whether the tile can read rows as they lie, each with its terms side by side, as well as packed: a product of 64 batches of 64 × 64 by 64 × 32 takes 0.88 of
 * the time on Node 26, 512 × 512 by 512 × 512 0.98. The right operand it can't: a step would read as many cache lines as there are columns, or lines far apart.
 */
const liesReady = ({ storage, depth, across }: Operand) =>
  !storage && isStraight(depth) && depth.strides[0] === 4 && isStraight(across);

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
  /** Columns of a tile and of a panel of the right operand. */
  readonly tileColumns: number;
  readonly by: "batch" | "rows" | "columns";
  readonly parallel: Parallel;
  /** Rows of the left operand are read as they lie: only those that fill no tile are packed. */
  readonly isInPlace: boolean;
  /** Where the right operand, packed whole before the group's first block, begins in each thread's packed operands; undefined: it is packed block by block. */
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
  const { batch, rows, columns, depth, axes, a, b } = product;
  const [border, end] = [batch.length + axes.rows, batch.length + axes.depth];
  const width = tileColumns(target);
  const nest = mergeAxes(batch, batchInputs(kernel, product));
  const most = Math.max(...nest.extents);
  const axis = group ? nest.outer : nest.extents.indexOf(most);
  const alone = most >= 8 ? "batch" : columns >= rows && columns >= 2 * width ? "columns" : "rows";
  const by = !group ? alone : isByRows(product) ? "rows" : "batch";
  const parallel = {
    batch: () => parallelAxis(axis, nest.extents[axis], 1, group),
    columns: () => parallelAxis(batch.length + 1, columns, width, group),
    rows: () => parallelAxis(batch.length, rows, rows >= 16 * rowBlock ? rowBlock : tileRows, group),
  }[by]();
  const pitch = 4 * width * Math.min(depth, chunkSize) + gap;
  const blockBytes = panels === undefined ? Math.ceil(Math.min(columns, columnBlock) / width) * pitch : 0;
  const [left, right] = [
    operandOf(a, walkOf(a, border, border + axes.depth), walkOf(a, batch.length, border)),
    operandOf(b, walkOf(b, batch.length, end), walkOf(b, end, end + axes.columns)),
  ];
  return {
    kind: "product",
    nest,
    rows,
    columns,
    depth,
    a: left,
    b: right,
    tileColumns: width,
    by,
    parallel,
    isInPlace: liesReady(left),
    panels,
    scratch: 4 * tileRows * width + tableBytes(left) + tableBytes(right) + leftPitch + blockBytes,
  };
}
