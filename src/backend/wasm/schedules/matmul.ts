// Matrix products: for 512 columns, for 256 terms, the right operand is packed in panels of 8 columns; then for 4 rows the left operand is
// packed and the tile runs over the panels. A chunk of 256 terms is the tile's whole sum, so this order is the written one.
import { chunkSize, type MatmulKernel } from "../../../../kernels/kernel.ts";
import { contiguousView, type View } from "../../../../kernels/view.ts";
import { type Code, call, type FunctionBuilder, type Local, when } from "../assembler.ts";
import { type Context, type KernelFunction, share, valueAddress } from "../context.ts";
import { i32, select } from "../instructions.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, simplify, start } from "../nest.ts";
import { layoutOf, packLeft, packRight } from "./pack.ts";
import { printPlainMatmul } from "./plain.ts";
import { cornerFunction, tileColumns, tileFunction, tileRows } from "./tile.ts";

const columnBlock = 512;
const leftBytes = 4 * tileRows * chunkSize;
const cornerBytes = 4 * tileRows * tileColumns;

/** Extents and strides (in elements) of the product. */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly a: { readonly row: number; readonly depth: number };
  readonly b: { readonly depth: number; readonly column: number };
}

/** What a part does of one product: rows and columns [begin, end). */
export interface Share {
  readonly rows: readonly [Limit, Limit];
  readonly columns: readonly [Limit, Limit];
}

/** Prints a matrix product of any strides over its batch. */
export function printMatmul(context: Context, kernel: MatmulKernel, target: KernelFunction): void {
  const { fn } = target;
  const { shape, depth, a, b } = kernel;
  const rank = shape.length;
  const product: Product = {
    rows: shape[rank - 2],
    columns: shape[rank - 1],
    depth,
    a: { row: a.view.strides[rank - 2], depth: a.view.strides[rank - 1] },
    b: { depth: b.view.strides[rank - 2], column: b.view.strides[rank - 1] },
  };
  const batch = shape.slice(0, -2);
  const head = (view: View): View => ({
    shape: batch,
    strides: view.strides.slice(0, -2),
    bounds: view.bounds.slice(0, -2),
    offset: view.offset,
  });
  const nest = simplify(batch, [
    { ...a, view: head(a.view) },
    { ...b, view: head(b.view) },
    { source: kernel.output, dtype: kernel.dtype, view: head(contiguousView(shape)) },
  ]);
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const last = nest.extents.length - 1;
  const { rows, columns } = product;
  const by = nest.extents[last] >= 8 ? "batch" : columns >= 64 ? "columns" : "rows";
  const [extent, grain] = { batch: [nest.extents[last], 1], columns: [columns, tileColumns], rows: [rows, tileRows] }[
    by
  ];
  const [begin, end, limits] = share(target, extent, grain);
  const part: Share = {
    rows: by === "rows" ? [begin, end] : [0, rows],
    columns: by === "columns" ? [begin, end] : [0, columns],
  };
  const one = context.isSimd ? blocked(context, target, product, part) : printPlainMatmul(fn, product, part);
  fn.body(
    ...code,
    ...limits,
    ...one.prelude,
    ...loops(fn, nest, [0, last + 1], cursors, one.body, by === "batch" ? { axis: last, begin, end } : undefined),
  );
}

/** What a way of multiplying prints: code once a run, and for each product of the batch. */
export interface ProductCode {
  readonly prelude: readonly Code[];
  body(cursors: readonly Cursor[]): readonly Code[];
}

function blocked(context: Context, target: KernelFunction, product: Product, part: Share): ProductCode {
  const { fn } = target;
  const { columns, depth } = product;
  const panelBytes = 4 * tileColumns * Math.min(depth, chunkSize);
  const panels = Math.ceil(Math.min(columns, columnBlock) / tileColumns);
  context.needScratch(leftBytes + cornerBytes + panels * panelBytes);
  const [left, setLeft] = fn.hold(target.scratch.get);
  const [corner, setCorner] = fn.hold(i32.add(left.get, i32.const(leftBytes)));
  const [right, setRight] = fn.hold(i32.add(corner.get, i32.const(cornerBytes)));
  return {
    prelude: [setLeft, setCorner, setRight],
    body: ([a, b, c]) => {
      const printer = new BlockPrinter(context, fn, product, part, { left, right, corner });
      return printer.print(a.at, b.at, c.at);
    },
  };
}

class BlockPrinter {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #product: Product;
  readonly #part: Share;
  readonly #scratch: { left: Local<"i32">; right: Local<"i32">; corner: Local<"i32"> };

  constructor(
    context: Context,
    fn: FunctionBuilder,
    product: Product,
    part: Share,
    scratch: { left: Local<"i32">; right: Local<"i32">; corner: Local<"i32"> },
  ) {
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
    const { a: aStrides, b: bStrides, columns, rows } = this.#product;
    const { left, right, corner } = this.#scratch;
    const { column, width, k, terms, adds } = at;
    const bytes = (index: Local<"i32"> | 0, stride: number) =>
      index === 0 ? i32.const(0) : i32.mul(index.get, i32.const(4 * stride));
    const tile = tileFunction(this.#context, adds);
    const store = tileFunction(this.#context, false);
    const patch = cornerFunction(this.#context, adds);
    const packB = packRight(this.#context, layoutOf(bStrides.depth, bStrides.column));
    const aLayout = layoutOf(aStrides.depth, aStrides.row);
    const panel = fn.local("i32");
    const panelBytes = i32.const(4 * tileColumns * terms);
    const [from, setFrom] = fn.hold(i32.add(i32.add(b.get, bytes(k, bStrides.depth)), bytes(column, bStrides.column)));
    const [source, setSource] = fn.hold(i32.add(a.get, bytes(k, aStrides.depth)));
    const [out, setOut] = fn.hold(i32.add(c.get, i32.shl(column.get, i32.const(2))));
    const packing = countLoop(fn, 0, width, tileColumns, (j) => [
      call(
        packB,
        i32.add(from.get, bytes(j, bStrides.column)),
        panel.get,
        i32.const(terms),
        i32.const(4 * bStrides.depth),
        i32.const(4 * bStrides.column),
        this.#least(i32.sub(width.get, j.get), tileColumns),
      ),
      panel.set(i32.add(panel.get, panelBytes)),
    ]);
    const run = (row: Local<"i32">, height: number | Local<"i32">): Code[] => {
      const isWhole = height === tileRows;
      const heightCode = typeof height === "number" ? i32.const(height) : height.get;
      const line = (lane: number) => {
        // Rows beyond the last are the last once more; what they give is thrown away.
        const within = isWhole
          ? i32.const(lane)
          : select(i32.const(lane), i32.sub(heightCode, i32.const(1)), i32.ltS(i32.const(lane), heightCode));
        return i32.add(source.get, i32.mul(i32.add(row.get, within), i32.const(4 * aStrides.row)));
      };
      const packA = packLeft(this.#context, isWhole || aLayout === "along" ? aLayout : "scattered");
      const [to, setTo] = fn.hold(i32.add(out.get, bytes(row, columns)));
      const stride = i32.const(4 * columns);
      return [
        call(packA, line(0), line(1), line(2), line(3), left.get, i32.const(terms), i32.const(4 * aStrides.depth)),
        setTo,
        panel.set(right.get),
        ...countLoop(fn, 0, width, tileColumns, (j) => {
          const whole = call(tile, left.get, panel.get, to.get, stride, i32.const(terms));
          const partial = [
            call(store, left.get, panel.get, corner.get, i32.const(4 * tileColumns), i32.const(terms)),
            call(patch, corner.get, to.get, stride, heightCode, this.#least(i32.sub(width.get, j.get), tileColumns)),
          ];
          return [
            ...(isWhole
              ? [when(i32.geS(i32.sub(width.get, j.get), i32.const(tileColumns)), [whole], partial)]
              : partial),
            panel.set(i32.add(panel.get, panelBytes)),
            to.set(i32.add(to.get, i32.const(4 * tileColumns))),
          ];
        }),
      ];
    };
    const [begin, end] = this.#part.rows;
    const [stop, setStop] = fn.hold(i32.and(limitCode(end), i32.const(-tileRows)));
    const code = [setFrom, panel.set(right.get), ...packing, setSource, setOut];
    if (typeof end === "number" && rows % tileRows === 0) {
      return [...code, ...countLoop(fn, begin, end, tileRows, (row) => run(row, tileRows))];
    }
    const [height, setHeight] = fn.hold(i32.sub(limitCode(end), stop.get));
    return [
      ...code,
      setStop,
      ...countLoop(fn, begin, stop, tileRows, (row) => run(row, tileRows)),
      setHeight,
      ...countLoop(fn, stop, end, tileRows, (row) => run(row, height)),
    ];
  }

  #least(code: Code<"i32">, limit: number): Code<"i32"> {
    const local = this.#fn.local("i32");
    const first = local.tee(code);
    return select(first, i32.const(limit), i32.ltS(local.get, i32.const(limit)));
  }
}
