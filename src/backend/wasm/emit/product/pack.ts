// Packing for the matrix product: four lines at a time (rows of the left operand, columns of the right one) as [depth][4]. It is an indexed read of a
// view: each line has a place, and a table has the way from a line's first term to each of a chunk's. What is contiguous across or along the lines, as
// far as it is, goes by vectors. 16-bit floats are widened on the way.
import { elementBytes } from "../../../../../kernels/kernel.ts";
import { isStraight, type Operand, type Walk } from "../../../../schedule/product.ts";
import {
  type Code,
  type FunctionBuilder,
  f32,
  i32,
  type Local,
  select,
  shuffle32,
  type Value,
  v128,
} from "../../assembler/assembler.ts";
import type { Context } from "../context.ts";
import { elementsAs } from "../kept.ts";
import { countLoop } from "../nest.ts";

/** Four vectors as the rows of a 4×4 matrix → its columns. */
function transpose(fn: FunctionBuilder, rows: readonly Value[]): Code<"v128">[] {
  const [a, b, c, d] = rows.map((row) => fn.let(row as Code<"v128">));
  const [abLow, abHigh] = [fn.let(shuffle32(a, b, [0, 4, 1, 5])), fn.let(shuffle32(a, b, [2, 6, 3, 7]))];
  const [cdLow, cdHigh] = [fn.let(shuffle32(c, d, [0, 4, 1, 5])), fn.let(shuffle32(c, d, [2, 6, 3, 7]))];
  return [
    shuffle32(abLow, cdLow, [0, 1, 4, 5]),
    shuffle32(abLow, cdLow, [2, 3, 6, 7]),
    shuffle32(abHigh, cdHigh, [0, 1, 4, 5]),
    shuffle32(abHigh, cdHigh, [2, 3, 6, 7]),
  ];
}

/** A place on a walk: bytes from its first point, and how far along the innermost axis it is. */
interface Place {
  readonly way: Code<"i32">;
  readonly inner: Code<"i32">;
}

/** Where a walk's point `at` is; `stride`: from point to point, where it is straight. */
function placeOf(fn: FunctionBuilder, walk: Walk, at: Local<"i32">, stride: Local<"i32"> | number): Place {
  if (isStraight(walk)) return { way: i32.mul(at, stride), inner: at };
  const coordinates: Local<"i32">[] = [];
  let rest = at;
  for (let axis = walk.extents.length - 1; axis > 0; axis--) {
    const extent = walk.extents[axis];
    const outer = fn.let(i32.divU(rest, extent));
    coordinates.unshift(fn.let(i32.sub(rest, i32.mul(outer, extent))));
    rest = outer;
  }
  const ways = [rest, ...coordinates].map((each, axis) => i32.mul(each, walk.strides[axis]));
  return { way: ways.reduce((sum, way) => i32.add(sum, way)), inner: coordinates[coordinates.length - 1] };
}

/** What functions of different walks have different in their names. */
const nameOf = (walk: Walk) => (isStraight(walk) ? "straight" : JSON.stringify(walk));

/** (table, first, terms): where the terms from `first` on lie, a word each. */
export function fillTable(context: Context, walk: Walk): FunctionBuilder {
  const name = `table ${nameOf(walk)}`;
  return context.module.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32"]);
    const [table, first, terms] = fn.parameters as Local<"i32">[];
    const end = fn.let(i32.add(first, terms));
    countLoop(fn, first, end, 1, (at) => {
      fn.emit(i32.store(table, placeOf(fn, walk, at, 0).way));
      table.set(i32.add(table, 4));
    });
    return fn;
  });
}

/** A line's terms, one after another: how far the next is from the first. `way`: bytes from term to term where that is straight, else the table. */
function farther(fn: FunctionBuilder, depth: Walk, way: Local<"i32">) {
  const far = fn.local("i32");
  if (isStraight(depth)) {
    const ahead = (count: number) => i32.add(far, i32.mul(way, count));
    return { far, begin: () => far.set(0), next: (count: number) => far.set(ahead(count)), ahead };
  }
  const entry = fn.local("i32");
  const read = (place: Code<"i32">) => far.set(i32.load(entry.tee(place)));
  return {
    far,
    begin: () => read(way),
    next: (count: number) => read(i32.add(entry, 4 * count)),
    ahead: (count: number) => i32.load(entry, 4 * count),
  };
}

/**
 * (base, first, end, stride, to, terms, way, pitch): lines [first, end) in panels of `width` of them, which lie `pitch` bytes apart; those beyond the end are
 * the last once more. There is at least one term.
 */
export function packPanels(context: Context, operand: Operand, width: number): FunctionBuilder {
  const { layout, storage, depth, across } = operand;
  const name = `pack ${width} ${layout} ${storage ?? ""} ${nameOf(across)} ${isStraight(depth)}`;
  return context.module.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
    const [base, first, end, stride, to, terms, way, pitch] = fn.parameters as Local<"i32">[];
    const element = { type: "float32", dtype: "float32", storage } as const;
    const [wide, single] = [context.lanes, context.single].map((lanes) => elementsAs(fn, lanes, element));
    const bytes = elementBytes(element);
    const { far, begin, next, ahead } = farther(fn, depth, way);
    const [rest, write] = [fn.local("i32"), fn.local("i32")];
    const advance = (count: number) => {
      next(count);
      write.set(i32.add(write, 4 * width * count));
      rest.set(i32.sub(rest, count));
    };
    const rounds = (from: Local<"i32">, round: () => void) => {
      begin();
      rest.set(terms);
      write.set(from);
      fn.loop((again) => {
        round();
        fn.branchIf(again, i32.gtS(rest, 0));
      });
    };
    const beyond = (at: Local<"i32">, count: number) => i32.gtS(i32.add(at, count), end);
    /** Four lines, from `at` on, wherever they lie. */
    const fours = (at: Local<"i32">, from: Local<"i32">) => {
      const addresses = [0, 1, 2, 3].map((i) => {
        const line = fn.let(i32.add(at, i));
        line.set(select(i32.sub(end, 1), line, beyond(line, 1)));
        return i32.add(fn.let(i32.add(base, placeOf(fn, across, line, stride).way)), far);
      });
      const term = () => {
        fn.emit(...addresses.map((each, i) => f32.store(write, single.load(each) as Code<"f32">, 4 * i)));
        advance(1);
      };
      const terms = () => {
        const columns = transpose(
          fn,
          addresses.map((each) => wide.load(each)),
        );
        fn.emit(...columns.map((column, k) => v128.store(write, column, 4 * width * k)));
        advance(4);
      };
      const areNear = () => i32.and(i32.geS(rest, 4), i32.eq(i32.sub(ahead(3), far), 3 * bytes));
      rounds(from, layout === "along" ? () => fn.when(areNear(), terms, term) : term);
    };
    /** `count` lines of a panel, from `at` on: all at once where they are neighbours, else by halves. */
    const lines = (at: Local<"i32">, count: number, from: Local<"i32">) => {
      const half = count / 2;
      const apart = () => {
        if (count === 4) fours(at, from);
        else
          countLoop(fn, 0, count, half, (lane) =>
            lines(fn.let(i32.add(at, lane)), half, fn.let(i32.add(from, i32.shl(lane, 2)))),
          );
      };
      if (layout !== "across") {
        apart();
        return;
      }
      const { way, inner } = placeOf(fn, across, at, stride);
      const place = fn.let(i32.add(base, way));
      const isCut = isStraight(across) ? 0 : i32.gtS(inner, across.extents[across.extents.length - 1] - count);
      const together = () =>
        rounds(from, () => {
          const near = fn.let(i32.add(place, far));
          // All are read before the first is written, so that an engine can run pairs of them as one.
          const held = Array.from({ length: count / 4 }, (_, i) => fn.let(wide.load(near, 4 * bytes * i)));
          fn.emit(...held.map((vector, i) => v128.store(write, vector as Code<"v128">, 16 * i)).reverse());
          advance(1);
        });
      fn.when(i32.eqz(i32.or(isCut, beyond(at, count))), together, apart);
    };
    countLoop(fn, first, end, width, (at) => {
      lines(at, width, to);
      to.set(i32.add(to, pitch));
    });
    return fn;
  });
}
