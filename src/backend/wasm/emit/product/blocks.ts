// One matrix product in blocks: for 512 columns, for 256 terms, the right operand is packed in panels of 8 or 16 columns; then for 4 or 16 rows the
// left operand is packed in panels of 4, unless it is read as it lies, and the tile runs over all pairs. One of them may have been packed whole before.
// A chunk of 256 terms is the tile's whole sum, so this order is the written one.
import { chunkSize } from "../../../../../kernels/kernel.ts";
import { isStraight, type Operand, type ProductLoops } from "../../../../schedule/product.ts";
import { columnBlock, gap, leftPitch, lineGroups, rowBlock, tileRows } from "../../../../schedule/tile.ts";
import { type Code, call, type FunctionBuilder, type Local, when } from "../../assembler/assembler.ts";
import { i32, select } from "../../assembler/instructions.ts";
import type { Context } from "../context.ts";
import { type Cursor, countLoop, type Limit, limitCode } from "../nest.ts";
import { fillTable, packPanels, packRows } from "./pack.ts";
import { cornerFunction, tileFunction } from "./tile.ts";

/** What a part does of one product: rows and columns [begin, end). */
export interface Share {
  readonly rows: readonly [Limit, Limit];
  readonly columns: readonly [Limit, Limit];
}

/** Where a product keeps what it packs, a corner's sums, and its tables of terms. */
export interface Scratch {
  readonly left: Local<"i32">;
  readonly right: Local<"i32">;
  readonly corner: Local<"i32">;
  readonly tables: { readonly a: Local<"i32">; readonly b: Local<"i32"> };
}

/** Terms from `k` on; 0: the first, which store what others add to. */
interface Chunk {
  readonly k: Local<"i32"> | 0;
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
  readonly way: Code<"i32">;
  readonly code: readonly Code[];
}

const strideOf = ({ across }: Operand) => i32.const(isStraight(across) ? across.strides[0] : 0);

/** Lines that are neighbours throughout are packed term by term, others panel by panel. */
const isInRows = ({ layout, across }: Operand) => layout === "across" && isStraight(across);

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

  /** Packs the operand that is packed whole: chunk after chunk, of the right one block after block of columns. */
  prepare([a, b]: readonly Cursor[]): Code[] {
    const { rows, whole } = this.#product;
    const { left, right } = this.#scratch;
    if (whole === "a")
      return this.#chunks((chunk) => {
        const terms = this.#terms("a", a, chunk);
        const all = this.#packPanels("a", terms, chunk, [i32.const(0), i32.const(rows)], left.get);
        return [...terms.code, all, left.set(i32.add(left.get, i32.const(Math.ceil(rows / tileRows) * leftPitch)))];
      });
    return this.#blocks((columns) => this.#chunks((chunk) => this.#packRight(b, columns, chunk, right)));
  }

  print([a, b, c]: readonly Cursor[]): Code[] {
    return this.#blocks((columns) => this.#chunks((chunk) => this.#multiply([a, b, c], columns, chunk)));
  }

  #blocks(body: (columns: Columns) => readonly Code[]): Code[] {
    const [begin, end] = this.#part.columns;
    return countLoop(this.#fn, begin, end, columnBlock, (column) => {
      const [width, setWidth] = this.#fn.hold(this.#least(i32.sub(limitCode(end), column.get), columnBlock));
      return [setWidth, ...body({ column, width })];
    });
  }

  #chunks(body: (chunk: Chunk) => readonly Code[]): Code[] {
    const { depth } = this.#product;
    const whole = Math.floor(depth / chunkSize);
    const code = [...body({ k: 0, terms: Math.min(depth, chunkSize) })];
    if (whole > 1) {
      code.push(...countLoop(this.#fn, chunkSize, whole * chunkSize, chunkSize, (k) => body({ k, terms: chunkSize })));
    }
    if (whole > 0 && depth % chunkSize > 0) {
      const [k, set] = this.#fn.hold(i32.const(whole * chunkSize));
      code.push(set, ...body({ k, terms: depth % chunkSize }));
    }
    return code;
  }

  /** Where a chunk's terms are. A straight way is the bytes of a step, another a table of the places of the chunk's terms. */
  #terms(side: "a" | "b", { at }: Cursor, { k, terms }: Chunk): Terms {
    const { depth } = this.#product[side];
    const first = k === 0 ? i32.const(0) : k.get;
    if (isStraight(depth)) {
      const step = i32.const(depth.strides[0]);
      const [base, setBase] = this.#fn.hold(i32.add(at.get, i32.mul(first, step)));
      return { base, way: step, code: [setBase] };
    }
    const table = this.#scratch.tables[side].get;
    return { base: at, way: table, code: [call(fillTable(this.#context, depth), table, first, i32.const(terms))] };
  }

  /** Packs lines of an operand, panel by panel. */
  #packPanels(
    side: "a" | "b",
    { base, way }: Terms,
    chunk: Chunk,
    [first, end]: readonly [Code<"i32">, Code<"i32">],
    to: Code<"i32">,
  ): Code {
    const { [side]: operand } = this.#product;
    const [width, pitch] = side === "a" ? [tileRows, leftPitch] : [this.#product.tileColumns, this.#pitch(chunk)];
    const pack = packPanels(this.#context, operand, width);
    const terms = i32.const(chunk.terms);
    return call(pack, base.get, first, end, strideOf(operand), to, terms, way, i32.const(pitch));
  }

  /** Packs the right operand's panels, and moves on behind them. */
  #packRight(b: Cursor, { column, width }: Columns, chunk: Chunk, panel: Local<"i32">): Code[] {
    const fn = this.#fn;
    const { b: operand, tileColumns } = this.#product;
    const terms = this.#terms("b", b, chunk);
    const pitch = i32.const(this.#pitch(chunk));
    const [panels, setPanels] = fn.hold(i32.divU(width.get, i32.const(tileColumns)));
    const [first, setFirst] = fn.hold(column.get);
    const from = i32.add(terms.base.get, i32.mul(column.get, strideOf(operand)));
    const onward = (count: Code<"i32">) => panel.set(i32.add(panel.get, i32.mul(count, pitch)));
    const rows = packRows(this.#context, operand, tileColumns);
    const inRows = [
      call(rows, from, panel.get, i32.const(chunk.terms), terms.way, pitch, panels.get),
      onward(panels.get),
      first.set(i32.add(first.get, i32.mul(panels.get, i32.const(tileColumns)))),
    ];
    const end = i32.add(column.get, width.get);
    const left = i32.sub(end, first.get);
    return [
      ...terms.code,
      setPanels,
      setFirst,
      ...(isInRows(operand) ? inRows : []),
      this.#packPanels("b", terms, chunk, [first.get, end], panel.get),
      onward(i32.divU(i32.add(left, i32.const(tileColumns - 1)), i32.const(tileColumns))),
    ];
  }

  /** One chunk of terms over one block of columns: pack what isn't, and run the tile over rows and columns. */
  #multiply([a, b, c]: readonly Cursor[], columns: Columns, chunk: Chunk): Code[] {
    const fn = this.#fn;
    const { a: operand, rows, columns: all, whole, isInPlace, tileColumns } = this.#product;
    const { left, right, corner } = this.#scratch;
    const { column, width } = columns;
    const { k, terms } = chunk;
    const panel = fn.local("i32");
    const pitch = this.#pitch(chunk);
    const [out, setOut] = fn.hold(i32.add(c.at.get, i32.shl(column.get, i32.const(2))));
    const stride = i32.const(4 * all);
    const patch = cornerFunction(this.#context, tileColumns, k !== 0);
    /** The tiles over `count` panels of rows, or over a packed one that is no more than `height` high; `from`: where the panels are. */
    const tiles = (row: Code<"i32">, count: number | Local<"i32">, from: Code<"i32">, height?: Code<"i32">): Code[] => {
      const lies = isInPlace && !height;
      const apart = lies ? [strideOf(operand)] : [];
      const tile = tileFunction(this.#context, tileColumns, k !== 0, lies);
      const store = tileFunction(this.#context, tileColumns, false, lies);
      const [to, setTo] = fn.hold(i32.add(out.get, i32.mul(row, stride)));
      const [below, panelLeft] = [fn.local("i32"), fn.local("i32")];
      return [
        setTo,
        panel.set(right.get),
        ...countLoop(fn, 0, width, tileColumns, (j) => {
          const rest = i32.sub(width.get, j.get);
          const partial = [
            call(store, panelLeft.get, panel.get, corner.get, i32.const(4 * tileColumns), i32.const(terms), ...apart),
            call(patch, corner.get, below.get, stride, height ?? i32.const(tileRows), this.#least(rest, tileColumns)),
          ];
          const whole = call(tile, panelLeft.get, panel.get, below.get, stride, i32.const(terms), ...apart);
          const one = height ? partial : [when(i32.geS(rest, i32.const(tileColumns)), [whole], partial)];
          return [
            below.set(to.get),
            panelLeft.set(from),
            ...countLoop(fn, 0, count, 1, () => [
              ...one,
              panelLeft.set(i32.add(panelLeft.get, i32.const(leftPitch))),
              below.set(i32.add(below.get, i32.const(4 * tileRows * all))),
            ]),
            panel.set(i32.add(panel.get, i32.const(pitch))),
            to.set(i32.add(to.get, i32.const(4 * tileColumns))),
          ];
        }),
      ];
    };
    // Packed whole, the chunks' panels follow one another.
    const packed = whole === "b" ? [] : [panel.set(right.get), ...this.#packRight(b, columns, chunk, panel)];
    const panels = i32.divU(i32.add(width.get, i32.const(tileColumns - 1)), i32.const(tileColumns));
    const onward = right.set(i32.add(right.get, i32.mul(panels, i32.const(this.#pitch(chunk)))));
    if (whole === "a") {
      const [fours, rest] = [Math.floor(rows / tileRows), rows % tileRows];
      const bytes = Math.ceil(rows / tileRows) * leftPitch;
      const number = k === 0 ? i32.const(0) : i32.divU(k.get, i32.const(chunkSize));
      const [from, setFrom] = fn.hold(i32.add(left.get, i32.mul(number, i32.const(bytes))));
      const last = i32.add(from.get, i32.const(fours * leftPitch));
      return [
        ...packed,
        setOut,
        setFrom,
        ...(fours > 0 ? tiles(i32.const(0), fours, from.get) : []),
        ...(rest > 0 ? tiles(i32.const(fours * tileRows), 1, last, i32.const(rest)) : []),
      ];
    }
    const ofA = this.#terms("a", a, chunk);
    const inGroups = isInRows(operand);
    const [begin, end] = this.#part.rows;
    const most = inGroups ? rowBlock : tileRows;
    const group = (row: Local<"i32">): Code[] => {
      const [height, setHeight] = fn.hold(this.#least(i32.sub(limitCode(end), row.get), most));
      const [fours, setFours] = fn.hold(i32.shrU(height.get, i32.const(2)));
      const rest = i32.and(height.get, i32.const(tileRows - 1));
      const inPanels = this.#packPanels("a", ofA, chunk, [row.get, i32.add(row.get, height.get)], left.get);
      const lying = i32.add(ofA.base.get, i32.mul(row.get, strideOf(operand)));
      const inRows = () =>
        call(
          packRows(this.#context, operand, tileRows, { panels: lineGroups, pitch: leftPitch }),
          lying,
          left.get,
          i32.const(terms),
          ofA.way,
          i32.const(leftPitch),
          i32.const(lineGroups),
        );
      const last = i32.add(left.get, i32.mul(fours.get, i32.const(leftPitch)));
      const cut = tiles(i32.add(row.get, i32.and(height.get, i32.const(-tileRows))), 1, last, rest);
      const full = tiles(row.get, inGroups ? fours : 1, isInPlace ? lying : left.get);
      const packed = isInPlace ? when(rest, [inPanels]) : inPanels;
      return [
        setHeight,
        setFours,
        inGroups ? when(i32.eq(height.get, i32.const(most)), [inRows()], [inPanels]) : packed,
        ...(inGroups ? [...full, when(rest, cut)] : [when(rest, cut, full)]),
      ];
    };
    return [
      ...packed,
      ...ofA.code,
      setOut,
      ...countLoop(fn, begin, end, most, group),
      ...(whole === "b" ? [onward] : []),
    ];
  }

  /** Bytes from one of a chunk's packed right panels to the next. */
  #pitch({ terms }: Chunk): number {
    return 4 * this.#product.tileColumns * terms + gap;
  }

  #least(code: Code<"i32">, limit: number): Code<"i32"> {
    const local = this.#fn.local("i32");
    const first = local.tee(code);
    return select(first, i32.const(limit), i32.ltS(local.get, i32.const(limit)));
  }
}
