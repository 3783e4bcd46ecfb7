// One matrix product in blocks: for 512 columns, for 256 terms, the right operand is packed in panels of 8 or 16 columns; then for 4 or 16 rows the
// left operand is packed in panels of 4 and the tile runs over all pairs. A chunk of 256 terms is the tile's whole sum, so this order is
// the written one.
import { chunkSize } from "../../../../kernels/kernel.ts";
import type { ProductLoops } from "../../../schedule/product.ts";
import { columnBlock, gap, leftPitch, lineGroups, rowBlock, tileRows } from "../../../schedule/tile.ts";
import { type Code, call, type FunctionBuilder, type Local, when } from "../assembler.ts";
import type { Context } from "../context.ts";
import { i32, select } from "../instructions.ts";
import { type Cursor, countLoop, type Limit, limitCode } from "../nest.ts";
import { packLeft, packLeftGroup, packRight, packRightRows } from "./pack.ts";
import { cornerFunction, tileFunction } from "./tile.ts";

/** What a part does of one product: rows and columns [begin, end). */
export interface Share {
  readonly rows: readonly [Limit, Limit];
  readonly columns: readonly [Limit, Limit];
}

/** What a way of multiplying prints: code once a run, and for each product of the batch. */
export interface ProductCode {
  readonly prelude: readonly Code[];
  body(cursors: readonly Cursor[]): readonly Code[];
}

/** The right operand packed block by block and multiplied; packed whole; or multiplied after it was packed whole. */
export type Mode = "both" | "panels" | "tiles";

export class BlockPrinter {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #product: ProductLoops;
  readonly #part: Share;
  readonly #scratch: { left: Local<"i32">; right: Local<"i32">; corner: Local<"i32"> };
  readonly #mode: Mode;

  constructor(
    context: Context,
    fn: FunctionBuilder,
    product: ProductLoops,
    part: Share,
    scratch: { left: Local<"i32">; right: Local<"i32">; corner: Local<"i32"> },
    mode: Mode,
  ) {
    this.#mode = mode;
    this.#context = context;
    this.#fn = fn;
    this.#product = product;
    this.#part = part;
    this.#scratch = scratch;
  }

  print(a: Local<"i32">, b: Local<"i32">, c: Local<"i32">): Code[] {
    const fn = this.#fn;
    const { depth } = this.#product;
    const [begin, end] = this.#part.columns;
    return countLoop(fn, begin, end, columnBlock, (column) => {
      const [width, setWidth] = fn.hold(this.#least(i32.sub(limitCode(end), column.get), columnBlock));
      const whole = Math.floor(depth / chunkSize);
      const chunk = (k: Local<"i32"> | 0, terms: number, adds: boolean) =>
        this.#chunk(a, b, c, { column, width, k, terms, adds });
      const code: Code[] = [setWidth, ...chunk(0, Math.min(depth, chunkSize), false)];
      if (whole > 1) {
        code.push(...countLoop(fn, chunkSize, whole * chunkSize, chunkSize, (k) => chunk(k, chunkSize, true)));
      }
      if (whole > 0 && depth % chunkSize > 0) {
        const [k, set] = fn.hold(i32.const(whole * chunkSize));
        code.push(set, ...chunk(k, depth % chunkSize, true));
      }
      return code;
    });
  }

  /** One chunk of terms over one block of columns: pack the right operand, then run over the rows. */
  #chunk(
    a: Local<"i32">,
    b: Local<"i32">,
    c: Local<"i32">,
    at: { column: Local<"i32">; width: Local<"i32">; k: Local<"i32"> | 0; terms: number; adds: boolean },
  ): Code[] {
    const fn = this.#fn;
    const { a: aLies, b: bLies, columns, tileColumns } = this.#product;
    const { left, right, corner } = this.#scratch;
    const { column, width, k, terms, adds } = at;
    const bytes = (index: Local<"i32"> | 0, stride: number) =>
      index === 0 ? i32.const(0) : i32.mul(index.get, i32.const(stride));
    const tile = tileFunction(this.#context, tileColumns, adds);
    const store = tileFunction(this.#context, tileColumns, false);
    const patch = cornerFunction(this.#context, tileColumns, adds);
    const panel = fn.local("i32");
    const pitch = 4 * tileColumns * terms + gap;
    const [from, setFrom] = fn.hold(i32.add(i32.add(b.get, bytes(k, bLies.depth)), bytes(column, bLies.across)));
    const [source, setSource] = fn.hold(i32.add(a.get, bytes(k, aLies.depth)));
    const [out, setOut] = fn.hold(i32.add(c.get, i32.shl(column.get, i32.const(2))));
    const termBytes = i32.const(bLies.depth);
    // Rows that lie whole in memory are packed row by row, the rest panel by panel.
    const [first, setFirst] = fn.hold(i32.const(0));
    const shift = i32.const(Math.log2(tileColumns));
    const wholePanels = i32.shrU(width.get, shift);
    const whole = [
      first.set(i32.and(width.get, i32.const(-tileColumns))),
      call(
        packRightRows(this.#context, bLies, tileColumns),
        from.get,
        panel.get,
        i32.const(terms),
        termBytes,
        wholePanels,
        i32.const(pitch),
      ),
      panel.set(i32.add(panel.get, i32.mul(wholePanels, i32.const(pitch)))),
    ];
    const packing = [
      setFirst,
      ...(bLies.layout === "across" ? whole : []),
      ...countLoop(fn, first, width, tileColumns, (j) => [
        call(
          packRight(this.#context, bLies, tileColumns),
          i32.add(from.get, bytes(j, bLies.across)),
          panel.get,
          i32.const(terms),
          termBytes,
          i32.const(bLies.across),
          this.#least(i32.sub(width.get, j.get), tileColumns),
        ),
        panel.set(i32.add(panel.get, i32.const(pitch))),
      ]),
    ];
    const stride = i32.const(4 * columns);
    const packRows = (row: Code<"i32">, height: number | Local<"i32">, to: Code<"i32">): Code => {
      const isWhole = typeof height === "number";
      const line = (lane: number) => {
        // Rows beyond the last are the last once more; what they give is thrown away.
        const within = isWhole
          ? i32.const(lane)
          : select(i32.const(lane), i32.sub(height.get, i32.const(1)), i32.ltS(i32.const(lane), height.get));
        return i32.add(source.get, i32.mul(i32.add(row, within), i32.const(aLies.across)));
      };
      const layout = isWhole || aLies.layout === "along" ? aLies.layout : "scattered";
      const lines = Array.from({ length: tileRows }, (_, lane) => line(lane));
      return call(
        packLeft(this.#context, { ...aLies, layout }),
        ...lines,
        to,
        i32.const(terms),
        i32.const(aLies.depth),
      );
    };
    /** The tiles over `count` packed panels of rows, or over one that isn't `height` high. */
    const tiles = (row: Local<"i32">, count: number | Local<"i32">, height?: Local<"i32">): Code[] => {
      const [to, setTo] = fn.hold(i32.add(out.get, bytes(row, 4 * columns)));
      const [below, panelLeft] = [fn.local("i32"), fn.local("i32")];
      return [
        setTo,
        panel.set(right.get),
        ...countLoop(fn, 0, width, tileColumns, (j) => {
          const rest = i32.sub(width.get, j.get);
          const heightCode = height ? height.get : i32.const(tileRows);
          const partial = [
            call(store, panelLeft.get, panel.get, corner.get, i32.const(4 * tileColumns), i32.const(terms)),
            call(patch, corner.get, below.get, stride, heightCode, this.#least(rest, tileColumns)),
          ];
          const one = height
            ? partial
            : [
                when(
                  i32.geS(rest, i32.const(tileColumns)),
                  [call(tile, panelLeft.get, panel.get, below.get, stride, i32.const(terms))],
                  partial,
                ),
              ];
          return [
            below.set(to.get),
            panelLeft.set(left.get),
            ...countLoop(fn, 0, count, 1, () => [
              ...one,
              panelLeft.set(i32.add(panelLeft.get, i32.const(leftPitch))),
              below.set(i32.add(below.get, i32.const(4 * tileRows * columns))),
            ]),
            panel.set(i32.add(panel.get, i32.const(pitch))),
            to.set(i32.add(to.get, i32.const(4 * tileColumns))),
          ];
        }),
      ];
    };
    const group = (row: Local<"i32">): Code[] => [
      call(
        packLeftGroup(this.#context, aLies, lineGroups, leftPitch),
        i32.add(source.get, bytes(row, aLies.across)),
        left.get,
        i32.const(terms),
        i32.const(aLies.depth),
      ),
      ...tiles(row, lineGroups),
    ];
    const [begin, end] = this.#part.rows;
    const pack = [setFrom, panel.set(right.get), ...packing];
    // Packed whole, the chunks' panels follow one another.
    if (this.#mode === "panels") return [...pack, right.set(panel.get)];
    const panels = i32.shrU(i32.add(width.get, i32.const(tileColumns - 1)), shift);
    const onward = right.set(i32.add(right.get, i32.mul(panels, i32.const(pitch))));
    const isPacked = this.#mode === "tiles";
    const [top, setTop] = fn.hold(limitCode(begin));
    const [fours, setFours] = fn.hold(
      i32.add(top.get, i32.and(i32.sub(limitCode(end), top.get), i32.const(-tileRows))),
    );
    const inGroups =
      aLies.layout === "across" ? i32.and(i32.sub(limitCode(end), top.get), i32.const(-rowBlock)) : i32.const(0);
    const [groups, setGroups] = fn.hold(i32.add(top.get, inGroups));
    const [height, setHeight] = fn.hold(i32.sub(limitCode(end), fours.get));
    return [
      ...(isPacked ? [] : pack),
      setSource,
      setOut,
      setTop,
      setFours,
      setGroups,
      ...countLoop(fn, top, groups, rowBlock, group),
      ...countLoop(fn, groups, fours, tileRows, (row) => [packRows(row.get, tileRows, left.get), ...tiles(row, 1)]),
      setHeight,
      ...countLoop(fn, fours, end, tileRows, (row) => [packRows(row.get, height, left.get), ...tiles(row, 1, height)]),
      ...(isPacked ? [onward] : []),
    ];
  }

  #least(code: Code<"i32">, limit: number): Code<"i32"> {
    const local = this.#fn.local("i32");
    const first = local.tee(code);
    return select(first, i32.const(limit), i32.ltS(local.get, i32.const(limit)));
  }
}
