// Packing for the matrix product: four lines at a time (rows of the left operand, columns of the right one) as [depth][4]. It is an indexed read of a
// view: each line has a place, and a table has the way from a line's first term to each of a chunk's. What is contiguous across or along the lines, as
// far as it is, goes by vectors. 16-bit floats are widened on the way.
import { elementBytes, type Stored } from "../../../../../kernels/kernel.ts";
import { isStraight, type Operand, type Walk } from "../../../../schedule/product.ts";
import { branchIf, type Code, type FunctionBuilder, type Local, loop, when } from "../../assembler/assembler.ts";
import { f32, i32, select, shuffle32, v128 } from "../../assembler/instructions.ts";
import type { Context } from "../context.ts";
import { Elements } from "../halves.ts";
import { countLoop } from "../nest.ts";

/** How an operand's elements are read, and the bytes each takes; packed ones are float32. */
interface Reading {
  readonly bytes: number;
  four(address: Code<"i32">, offset?: number): Code<"v128">;
  one(address: Code<"i32">): Code<"f32">;
}

function reading({ lanes, single }: Context, fn: FunctionBuilder, storage: Stored["storage"]): Reading {
  const [wide, narrow] = [lanes, single].map((each) => new Elements(fn, each, { type: "float32", storage }));
  return {
    bytes: elementBytes({ dtype: "float32", storage }),
    four: (address, offset) => wide.load(address, offset) as Code<"v128">,
    one: (address) => narrow.load(address) as Code<"f32">,
  };
}

type Transposed = { readonly code: readonly Code[]; readonly rows: readonly Code<"v128">[] };

/** Four vectors as the rows of a 4×4 matrix → its columns. */
function transpose(fn: FunctionBuilder, rows: readonly Code<"v128">[]): Transposed {
  const held = rows.map((row) => fn.hold(row));
  const [a, b, c, d] = held.map(([local]) => local);
  const pairs = [
    fn.hold(shuffle32(a.get, b.get, [0, 4, 1, 5])),
    fn.hold(shuffle32(a.get, b.get, [2, 6, 3, 7])),
    fn.hold(shuffle32(c.get, d.get, [0, 4, 1, 5])),
    fn.hold(shuffle32(c.get, d.get, [2, 6, 3, 7])),
  ];
  const [abLow, abHigh, cdLow, cdHigh] = pairs.map(([local]) => local);
  return {
    code: [...held, ...pairs].map(([, set]) => set),
    rows: [
      shuffle32(abLow.get, cdLow.get, [0, 1, 4, 5]),
      shuffle32(abLow.get, cdLow.get, [2, 3, 6, 7]),
      shuffle32(abHigh.get, cdHigh.get, [0, 1, 4, 5]),
      shuffle32(abHigh.get, cdHigh.get, [2, 3, 6, 7]),
    ],
  };
}

/** Neighbouring vectors from one place to another: all are read before the first is written, so that an engine can run pairs of them as one. */
function move(
  fn: FunctionBuilder,
  count: number,
  read: (i: number) => Code<"v128">,
  place: (i: number) => readonly [Code<"i32">, number],
): Code[] {
  const held = Array.from({ length: count }, (_, i) => fn.hold(read(i)));
  const stores = held.map(([vector], i) => {
    const [address, offset] = place(i);
    return v128.store(address, vector.get, offset);
  });
  return [...held.map(([, set]) => set), ...stores.reverse()];
}

/** A place on a walk: bytes from its first point, code that finds it, and how far along the innermost axis it is. */
interface Place {
  readonly way: Code<"i32">;
  readonly code: readonly Code[];
  readonly inner: Code<"i32">;
}

/** Where a walk's point `at` is; `stride`: from point to point, where it is straight. */
function placeOf(fn: FunctionBuilder, walk: Walk, at: Local<"i32">, stride: Code<"i32">): Place {
  if (isStraight(walk)) return { way: i32.mul(at.get, stride), code: [], inner: at.get };
  const code: Code[] = [];
  const coordinates: Code<"i32">[] = [];
  let rest = at;
  for (let axis = walk.extents.length - 1; axis > 0; axis--) {
    const extent = i32.const(walk.extents[axis]);
    const [outer, setOuter] = fn.hold(i32.divU(rest.get, extent));
    const [here, setHere] = fn.hold(i32.sub(rest.get, i32.mul(outer.get, extent)));
    code.push(setOuter, setHere);
    coordinates.unshift(here.get);
    rest = outer;
  }
  const ways = [rest.get, ...coordinates].map((each, axis) => i32.mul(each, i32.const(walk.strides[axis])));
  return { way: ways.reduce((sum, way) => i32.add(sum, way)), code, inner: coordinates[coordinates.length - 1] };
}

/** What functions of different walks have different in their names. */
const nameOf = (walk: Walk) => (isStraight(walk) ? "straight" : JSON.stringify(walk));

/** (table, first, terms): where the terms from `first` on lie, a word each. */
export function fillTable(context: Context, walk: Walk): FunctionBuilder {
  const name = `table ${nameOf(walk)}`;
  return context.module.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32"]);
    const [table, first, terms] = fn.parameters as Local<"i32">[];
    const [end, setEnd] = fn.hold(i32.add(first.get, terms.get));
    fn.body(
      setEnd,
      ...countLoop(fn, first, end, 1, (at) => {
        const { code, way } = placeOf(fn, walk, at, i32.const(0));
        return [...code, i32.store(table.get, way), table.set(i32.add(table.get, i32.const(4)))];
      }),
    );
    return fn;
  });
}

/** A line's terms, one after another: how far the next is from the first. `way`: bytes from term to term where that is straight, else the table. */
function farther(fn: FunctionBuilder, depth: Walk, way: Local<"i32">) {
  const far = fn.local("i32");
  if (isStraight(depth)) {
    const ahead = (count: number) => i32.add(far.get, i32.mul(way.get, i32.const(count)));
    return { far, begin: far.set(i32.const(0)), next: (count: number) => far.set(ahead(count)), ahead };
  }
  const entry = fn.local("i32");
  const read = (place: Code<"i32">) => far.set(i32.load(entry.tee(place)));
  return {
    far,
    begin: read(way.get),
    next: (count: number) => read(i32.add(entry.get, i32.const(4 * count))),
    ahead: (count: number) => i32.load(entry.get, 4 * count),
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
    const { four, one, bytes } = reading(context, fn, storage);
    const { far, begin, next, ahead } = farther(fn, depth, way);
    const [rest, write] = [fn.local("i32"), fn.local("i32")];
    const advance = (count: number) => [
      next(count),
      write.set(i32.add(write.get, i32.const(4 * width * count))),
      rest.set(i32.sub(rest.get, i32.const(count))),
    ];
    const rounds = (from: Code<"i32">, round: readonly Code[]) => [
      begin,
      rest.set(terms.get),
      write.set(from),
      loop((again) => [...round, branchIf(again, i32.gtS(rest.get, i32.const(0)))]),
    ];
    const beyond = (at: Local<"i32">, count: number) => i32.gtS(i32.add(at.get, i32.const(count)), end.get);
    /** Four lines of a panel, from its line `lane` on. */
    const fours = (at: Local<"i32">, lane: Local<"i32">): Code[] => {
      const lines = Array.from({ length: 4 }, (_, i) => {
        const [line, setLine] = fn.hold(i32.add(i32.add(at.get, lane.get), i32.const(i)));
        const clip = line.set(select(i32.sub(end.get, i32.const(1)), line.get, beyond(line, 1)));
        const { way, code } = placeOf(fn, across, line, stride.get);
        const [place, setPlace] = fn.hold(i32.add(base.get, way));
        return { place, code: [setLine, clip, ...code, setPlace] };
      });
      const from = i32.add(to.get, i32.shl(lane.get, i32.const(2)));
      const set = lines.flatMap(({ code }) => code);
      const addresses = lines.map(({ place }) => i32.add(place.get, far.get));
      const apart = [...addresses.map((each, i) => f32.store(write.get, one(each), 4 * i)), ...advance(1)];
      if (layout !== "along") return [...set, ...rounds(from, apart)];
      const { code, rows } = transpose(
        fn,
        addresses.map((each) => four(each)),
      );
      const together = [...code, ...rows.map((row, k) => v128.store(write.get, row, 4 * width * k)), ...advance(4)];
      const areNear = i32.eq(i32.sub(ahead(3), far.get), i32.const(3 * bytes));
      return [...set, ...rounds(from, [when(i32.and(i32.geS(rest.get, i32.const(4)), areNear), together, apart)])];
    };
    const panel = (at: Local<"i32">): Code[] => {
      const apart = countLoop(fn, 0, width, 4, (lane) => fours(at, lane));
      if (layout !== "across") return apart;
      const { way, code, inner } = placeOf(fn, across, at, stride.get);
      const [place, setPlace] = fn.hold(i32.add(base.get, way));
      const [from, setFrom] = fn.hold(i32.add(place.get, far.get));
      const vectors = [
        setFrom,
        ...move(
          fn,
          width / 4,
          (i) => four(from.get, 4 * bytes * i),
          (i) => [write.get, 16 * i],
        ),
      ];
      const run = across.extents[across.extents.length - 1];
      const isCut = isStraight(across) ? i32.const(0) : i32.gtS(inner, i32.const(run - width));
      const areNear = i32.eqz(i32.or(isCut, beyond(at, width)));
      return [...code, setPlace, when(areNear, rounds(to.get, [...vectors, ...advance(1)]), apart)];
    };
    fn.body(...countLoop(fn, first, end, width, (at) => [...panel(at), to.set(i32.add(to.get, pitch.get))]));
    return fn;
  });
}

/**
 * (from, to, terms, way, pitch, panels): lines that are neighbours in memory, term by term into panels of `width` of them, `pitch` bytes apart. `fixed`:
 * always so many, so far apart.
 */
export function packRows(
  context: Context,
  { storage, depth }: Operand,
  width: number,
  fixed?: { readonly panels: number; readonly pitch: number },
): FunctionBuilder {
  const name = `pack rows ${storage ?? ""} ${width} ${isStraight(depth)} ${fixed ? "fixed" : ""}`;
  return context.module.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32", "i32", "i32", "i32"]);
    const [from, to, terms, way, pitch, panels] = fn.parameters as Local<"i32">[];
    const [read, write] = [fn.local("i32"), fn.local("i32")];
    const { four, bytes } = reading(context, fn, storage);
    const { far, begin, next } = farther(fn, depth, way);
    const panel = (number: number) =>
      move(
        fn,
        width / 4,
        (i) => four(read.get, bytes * (width * number + 4 * i)),
        (i) => [write.get, (fixed?.pitch ?? 0) * number + 16 * i],
      );
    const all = fixed
      ? Array.from({ length: fixed.panels }, (_, number) => panel(number)).flat()
      : countLoop(fn, 0, panels, 1, () => [
          ...panel(0),
          read.set(i32.add(read.get, i32.const(bytes * width))),
          write.set(i32.add(write.get, pitch.get)),
        ]);
    fn.body(
      begin,
      ...countLoop(fn, 0, terms, 1, () => [
        read.set(i32.add(from.get, far.get)),
        write.set(to.get),
        ...all,
        next(1),
        to.set(i32.add(to.get, i32.const(4 * width))),
      ]),
    );
    return fn;
  });
}
