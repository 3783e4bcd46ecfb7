// One matrix product in blocks: for 512 columns, for 256 terms, the right operand is packed in panels of 8 or 16 columns; then for 4 or 16 rows the
// left operand is packed in panels of 4, unless it is read as it lies, and the tile runs over all pairs. The right operand may have been packed whole before.
// A chunk of 256 terms is the tile's whole sum, so this order is the written one.
import { chunkSize } from "../../../../../kernels/kernel.ts";
import { isStraight, type Operand, type ProductLoops, tableBytes } from "../../../../schedule/product.ts";
import { columnBlock, gap, leftPitch, tileRows } from "../../../../schedule/tile.ts";
import { type Code, call, type Integer, i32, type Local, select } from "../../assembler/assembler.ts";
import { type KernelFunction, share, valueAddress } from "../context.ts";
import { type Cursor, countLoop, type Limit, loops, type Part, start } from "../nest.ts";
import { fillTable, packPanels } from "./pack.ts";
import { cornerFunction, tileFunction } from "./tile.ts";

/** Terms from `k` on; 0: the first, which store what others add to. */
interface Chunk {
  readonly k: Limit;
  readonly terms: number;
}

/** Columns from one on, of all. */
interface Columns {
  readonly column: Local<"i32">;
  readonly width: Local<"i32">;
}

/** An operand's terms of a chunk: the place of its line 0, and the way from term to term. */
interface Terms {
  readonly base: Local<"i32">;
  readonly way: Local<"i32"> | number;
}

const strideOf = ({ across }: Operand) => (isStraight(across) ? across.strides[0] : 0);

/** Prints matrix products of any strides over their batch. */
export function printProduct(target: KernelFunction, product: ProductLoops): void {
  const { fn } = target;
  const { nest, by, parallel } = product;
  const cursors = start(fn, nest, (value) => valueAddress(target, value));
  const own = share(target, parallel);
  const { all } = blockPrinter(target, product, own);
  loops(fn, nest, [0, nest.extents.length], cursors, all, by === "batch" ? own : undefined);
}

/** Prints what packs all of the right operand, before the group's first block. */
export function printPanels(target: KernelFunction, product: ProductLoops): void {
  const cursors = start(target.fn, product.nest, (value) => valueAddress(target, value));
  blockPrinter(target, product).packing(cursors);
}

/** What prints the blocks of products, which cursors give the beginnings of: all of a part's `own`, or what packs the right operand whole. */
function blockPrinter(target: KernelFunction, product: ProductLoops, own?: Part) {
  const { fn, scratch, panelBytes } = target;
  const { a: operand, depth, columns: all, panels, isInPlace, tileColumns, by } = product;
  const [rows, columns] = (["rows", "columns"] as const).map((axis): Omit<Part, "axis"> => {
    return own && by === axis ? own : { begin: 0, end: product[axis] };
  });
  let taken = 0;
  const take = (bytes: number): Local<"i32"> => {
    taken += bytes;
    return fn.let(i32.add(scratch, taken - bytes));
  };
  /** A corner's sums. */
  const corner = take(4 * tileRows * tileColumns);
  const tables = { a: take(tableBytes(product.a)), b: take(tableBytes(product.b)) };
  /** What is packed. */
  const left = take(leftPitch);
  const right = panels === undefined ? take(0) : fn.let(i32.add(scratch, panels - panelBytes));

  const atMost = (code: Code<"i32">, limit: number): Code<"i32"> => {
    const local = fn.local("i32");
    const first = local.tee(code);
    return select(first, limit, i32.ltS(local, limit));
  };
  /** Bytes from one of a chunk's packed right panels to the next. */
  const pitchOf = ({ terms }: Chunk): number => 4 * tileColumns * terms + gap;
  /** In how many panels columns are. */
  const panelsOf = (width: Local<"i32">) => i32.divU(i32.add(width, tileColumns - 1), tileColumns);

  const eachBlock = (body: (block: Columns) => void) => {
    const { begin, end } = columns;
    countLoop(fn, begin, end, columnBlock, (column) => {
      body({ column, width: fn.let(atMost(i32.sub(end, column), columnBlock)) });
    });
  };
  const eachChunk = (body: (chunk: Chunk) => void) => {
    const whole = Math.floor(depth / chunkSize);
    body({ k: 0, terms: Math.min(depth, chunkSize) });
    if (whole > 1) countLoop(fn, chunkSize, whole * chunkSize, chunkSize, (k) => body({ k, terms: chunkSize }));
    if (whole > 0 && depth % chunkSize > 0) body({ k: fn.let(whole * chunkSize), terms: depth % chunkSize });
  };

  /** Where a chunk's terms are. A straight way is the bytes of a step, another a table of the places of the chunk's terms. */
  const termsOf = (side: "a" | "b", { at }: Cursor, { k, terms }: Chunk): Terms => {
    const walk = product[side].depth;
    if (isStraight(walk)) {
      const [way] = walk.strides;
      return { base: fn.let(i32.add(at, i32.mul(k, way))), way };
    }
    const table = tables[side];
    fn.emit(call(fillTable(target, walk), table, k, terms));
    return { base: at, way: table };
  };

  /** Packs lines of an operand, panel by panel. */
  const pack = (
    side: "a" | "b",
    { base, way }: Terms,
    chunk: Chunk,
    [first, end]: readonly [Integer, Integer],
    to: Local<"i32">,
  ) => {
    const lines = product[side];
    const [width, pitch] = side === "a" ? [tileRows, leftPitch] : [tileColumns, pitchOf(chunk)];
    const packing = packPanels(target, lines, width);
    fn.emit(call(packing, base, first, end, strideOf(lines), to, chunk.terms, way, pitch));
  };

  /** Packs the right operand's panels, and moves on behind them. */
  const packRight = (b: Cursor, { column, width }: Columns, chunk: Chunk, panel: Local<"i32">) => {
    pack("b", termsOf("b", b, chunk), chunk, [column, i32.add(column, width)], panel);
    panel.set(i32.add(panel, i32.mul(panelsOf(width), pitchOf(chunk))));
  };

  /** One chunk of terms over one block of columns: pack what isn't, and run the tile over rows and columns. */
  const multiply = ([a, b, c]: readonly Cursor[], block: Columns, chunk: Chunk) => {
    const { column, width } = block;
    const { k, terms } = chunk;
    const panel = fn.local("i32");
    const stride = 4 * all;
    const patch = cornerFunction(target, tileColumns, k !== 0);
    // Packed whole, the chunks' panels follow one another.
    if (panels === undefined) {
      panel.set(right);
      packRight(b, block, chunk, panel);
    }
    const ofA = termsOf("a", a, chunk);
    const out = fn.let(i32.add(c.at, i32.shl(column, 2)));
    /** The tiles over a few rows: `from`: where they are. `height`: how many, where they are packed and may be fewer than a tile's. */
    const tiles = (row: Integer, from: Code<"i32">, height?: Integer) => {
      const lies = isInPlace && height === undefined;
      const apart = lies ? [strideOf(operand)] : [];
      const tile = tileFunction(target, tileColumns, k !== 0, lies);
      const store = tileFunction(target, tileColumns, false, lies);
      const to = fn.let(i32.add(out, i32.mul(row, stride)));
      const panelLeft = fn.let(from);
      panel.set(right);
      countLoop(fn, 0, width, tileColumns, (j) => {
        const rest = i32.sub(width, j);
        const full = () => fn.emit(call(tile, panelLeft, panel, to, stride, terms, ...apart));
        const partial = () =>
          fn.emit(
            call(store, panelLeft, panel, corner, 4 * tileColumns, terms, ...apart),
            call(patch, corner, to, stride, height ?? tileRows, atMost(rest, tileColumns)),
          );
        if (height !== undefined) partial();
        else fn.when(i32.geS(rest, tileColumns), full, partial);
        panel.set(i32.add(panel, pitchOf(chunk)));
        to.set(i32.add(to, 4 * tileColumns));
      });
    };
    countLoop(fn, rows.begin, rows.end, tileRows, (row) => {
      const height = fn.let(atMost(i32.sub(rows.end, row), tileRows));
      const packRows = () => pack("a", ofA, chunk, [row, i32.add(row, height)], left);
      const last = () => {
        packRows();
        tiles(row, left, height);
      };
      fn.when(i32.ne(height, tileRows), last, () => {
        if (!isInPlace) packRows();
        tiles(row, isInPlace ? i32.add(ofA.base, i32.mul(row, strideOf(operand))) : left);
      });
    });
    if (panels === undefined) return;
    right.set(i32.add(right, i32.mul(panelsOf(width), pitchOf(chunk))));
  };

  return {
    all: (each: readonly Cursor[]) => eachBlock((block) => eachChunk((chunk) => multiply(each, block, chunk))),
    packing: ([, b]: readonly Cursor[]) =>
      eachBlock((block) => eachChunk((chunk) => packRight(b, block, chunk, right))),
  };
}
