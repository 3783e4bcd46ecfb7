// One matrix product in blocks: for 512 columns, for 256 terms, the right operand is packed in panels of 8 or 16 columns; then for 4 or 16 rows the
// left operand is packed in panels of 4, unless it is read as it lies, and the tile runs over all pairs. The right operand may have been packed whole before.
// A chunk of 256 terms is the tile's whole sum, so this order is the written one.
import { chunkSize } from "../../../../../kernels/kernel.ts";
import { isStraight, type Operand, type ProductLoops } from "../../../../schedule/product.ts";
import { columnBlock, gap, leftPitch, tileRows } from "../../../../schedule/tile.ts";
import {
  type Code,
  call,
  type FunctionBuilder,
  type Integer,
  i32,
  type Local,
  select,
} from "../../assembler/assembler.ts";
import type { Context } from "../context.ts";
import { type Cursor, countLoop, type Limit, type Part } from "../nest.ts";
import { fillTable, packPanels } from "./pack.ts";
import { cornerFunction, tileFunction } from "./tile.ts";

/** What a part does of one product. */
export interface Share {
  readonly rows: Range;
  readonly columns: Range;
}

type Range = Omit<Part, "axis">;

/** Where a product keeps what it packs, a corner's sums, and its tables of terms. */
export interface Scratch {
  readonly left: Local<"i32">;
  readonly right: Local<"i32">;
  readonly corner: Local<"i32">;
  readonly tables: { readonly a: Local<"i32">; readonly b: Local<"i32"> };
}

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

export class BlockPrinter {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #product: ProductLoops;
  readonly #part: Share;
  readonly #scratch: Scratch;

  constructor(context: Context, fn: FunctionBuilder, product: ProductLoops, part: Share, scratch: Scratch) {
    this.#context = context;
    this.#fn = fn;
    this.#product = product;
    this.#part = part;
    this.#scratch = scratch;
  }

  /** Packs all of the right operand: block after block of columns, chunk after chunk. */
  prepare([, b]: readonly Cursor[]): void {
    const { right } = this.#scratch;
    this.#blocks((columns) => this.#chunks((chunk) => this.#packRight(b, columns, chunk, right)));
  }

  print([a, b, c]: readonly Cursor[]): void {
    this.#blocks((columns) => this.#chunks((chunk) => this.#multiply([a, b, c], columns, chunk)));
  }

  #blocks(body: (columns: Columns) => void): void {
    const { begin, end } = this.#part.columns;
    countLoop(this.#fn, begin, end, columnBlock, (column) => {
      body({ column, width: this.#fn.let(this.#least(i32.sub(end, column), columnBlock)) });
    });
  }

  #chunks(body: (chunk: Chunk) => void): void {
    const { depth } = this.#product;
    const whole = Math.floor(depth / chunkSize);
    body({ k: 0, terms: Math.min(depth, chunkSize) });
    if (whole > 1) countLoop(this.#fn, chunkSize, whole * chunkSize, chunkSize, (k) => body({ k, terms: chunkSize }));
    if (whole > 0 && depth % chunkSize > 0) body({ k: this.#fn.let(whole * chunkSize), terms: depth % chunkSize });
  }

  /** Where a chunk's terms are. A straight way is the bytes of a step, another a table of the places of the chunk's terms. */
  #terms(side: "a" | "b", { at }: Cursor, { k, terms }: Chunk): Terms {
    const { depth } = this.#product[side];
    if (isStraight(depth)) {
      const [way] = depth.strides;
      return { base: this.#fn.let(i32.add(at, i32.mul(k, way))), way };
    }
    const table = this.#scratch.tables[side];
    this.#fn.emit(call(fillTable(this.#context, depth), table, k, terms));
    return { base: at, way: table };
  }

  /** Packs lines of an operand, panel by panel. */
  #packPanels(
    side: "a" | "b",
    { base, way }: Terms,
    chunk: Chunk,
    [first, end]: readonly [Integer, Integer],
    to: Local<"i32">,
  ): void {
    const { [side]: operand } = this.#product;
    const [width, pitch] = side === "a" ? [tileRows, leftPitch] : [this.#product.tileColumns, this.#pitch(chunk)];
    const pack = packPanels(this.#context, operand, width);
    this.#fn.emit(call(pack, base, first, end, strideOf(operand), to, chunk.terms, way, pitch));
  }

  /** Packs the right operand's panels, and moves on behind them. */
  #packRight(b: Cursor, { column, width }: Columns, chunk: Chunk, panel: Local<"i32">): void {
    const terms = this.#terms("b", b, chunk);
    this.#packPanels("b", terms, chunk, [column, i32.add(column, width)], panel);
    panel.set(i32.add(panel, i32.mul(this.#panels(width), this.#pitch(chunk))));
  }

  /** One chunk of terms over one block of columns: pack what isn't, and run the tile over rows and columns. */
  #multiply([a, b, c]: readonly Cursor[], columns: Columns, chunk: Chunk): void {
    const fn = this.#fn;
    const { a: operand, columns: all, panels, isInPlace, tileColumns } = this.#product;
    const { left, right, corner } = this.#scratch;
    const { column, width } = columns;
    const { k, terms } = chunk;
    const { rows } = this.#part;
    const panel = fn.local("i32");
    const stride = 4 * all;
    const patch = cornerFunction(this.#context, tileColumns, k !== 0);
    // Packed whole, the chunks' panels follow one another.
    if (panels === undefined) {
      panel.set(right);
      this.#packRight(b, columns, chunk, panel);
    }
    const ofA = this.#terms("a", a, chunk);
    const out = fn.let(i32.add(c.at, i32.shl(column, 2)));
    /** The tiles over a few rows: `from`: where they are. `height`: how many, where they are packed and may be fewer than a tile's. */
    const tiles = (row: Integer, from: Code<"i32">, height?: Integer) => {
      const lies = isInPlace && height === undefined;
      const apart = lies ? [strideOf(operand)] : [];
      const tile = tileFunction(this.#context, tileColumns, k !== 0, lies);
      const store = tileFunction(this.#context, tileColumns, false, lies);
      const to = fn.let(i32.add(out, i32.mul(row, stride)));
      const panelLeft = fn.let(from);
      panel.set(right);
      countLoop(fn, 0, width, tileColumns, (j) => {
        const rest = i32.sub(width, j);
        const full = () => fn.emit(call(tile, panelLeft, panel, to, stride, terms, ...apart));
        const partial = () =>
          fn.emit(
            call(store, panelLeft, panel, corner, 4 * tileColumns, terms, ...apart),
            call(patch, corner, to, stride, height ?? tileRows, this.#least(rest, tileColumns)),
          );
        if (height !== undefined) partial();
        else fn.when(i32.geS(rest, tileColumns), full, partial);
        panel.set(i32.add(panel, this.#pitch(chunk)));
        to.set(i32.add(to, 4 * tileColumns));
      });
    };
    countLoop(fn, rows.begin, rows.end, tileRows, (row) => {
      const height = fn.let(this.#least(i32.sub(rows.end, row), tileRows));
      const pack = () => this.#packPanels("a", ofA, chunk, [row, i32.add(row, height)], left);
      const last = () => {
        pack();
        tiles(row, left, height);
      };
      fn.when(i32.ne(height, tileRows), last, () => {
        if (!isInPlace) pack();
        tiles(row, isInPlace ? i32.add(ofA.base, i32.mul(row, strideOf(operand))) : left);
      });
    });
    if (panels === undefined) return;
    right.set(i32.add(right, i32.mul(this.#panels(width), this.#pitch(chunk))));
  }

  /** In how many panels columns are. */
  #panels(width: Local<"i32">): Code<"i32"> {
    const { tileColumns } = this.#product;
    return i32.divU(i32.add(width, tileColumns - 1), tileColumns);
  }

  /** Bytes from one of a chunk's packed right panels to the next. */
  #pitch({ terms }: Chunk): number {
    return 4 * this.#product.tileColumns * terms + gap;
  }

  #least(code: Code<"i32">, limit: number): Code<"i32"> {
    const local = this.#fn.local("i32");
    const first = local.tee(code);
    return select(first, limit, i32.ltS(local, limit));
  }
}
