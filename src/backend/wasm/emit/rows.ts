// The one loop emitter: rows of neighbouring points along an axis of a nest, in rounds of a few vectors while there are as many, then of fewer, then one by
// one, or as a vector that ends with the row. What a round computes is the caller's: elements, a fold for each point, lines side by side.
import type { Expr } from "../../../../kernels/expr.ts";
import type { LineLoops } from "../../../schedule/line.ts";
import type { Segment } from "../../../schedule/split.ts";
import type { Rows } from "../../../schedule/vectorise.ts";
import { type FunctionBuilder, type Integer, i32, type Local, type Place } from "../assembler/assembler.ts";
import type { KernelFunction } from "./context.ts";
import type { Kept } from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, type Limit, least, loops, type Part } from "./nest.ts";

/** Points [begin, end) of a row: where it begins, and which inputs the axis' own bounds cover there. */
export interface Row {
  readonly here: readonly Cursor[];
  readonly inside: readonly boolean[];
  readonly begin: Limit;
  readonly end: Limit;
  /** What points compute, where that isn't the whole expression. */
  readonly body?: Expr;
  readonly kept?: Kept;
}

type Piece = Pick<Segment, "begin" | "end">;

/** Writes what stays the same for all rounds of `count` vectors of points, and gives what writes one round. */
export type Round = (lanes: Lanes, count: number) => () => void;

/** What a round computes line by line: `vectors` times the lanes' width of them, side by side. */
export interface Line {
  readonly loops: LineLoops;
  readonly lanes: Lanes;
  readonly vectors: number;
  readonly row: Row;
  /** Four times the number of the first line in the row. */
  readonly words: Local<"i32">;
}

/** Loops over the nest's axes from `from` on to its rows, cut at bounds and at the borders of a thread's part. */
export function rowsOf(
  fn: FunctionBuilder,
  { nest, axis, segments, bands }: Rows,
  from: number,
  cursors: readonly Cursor[],
  part: Part | undefined,
  body: (row: Row) => void,
): void {
  /** A piece of an axis, as far as it is the thread's. */
  const within = (own: number, { begin, end }: Piece, print: (begin: Limit, end: Limit) => void) => {
    if (part?.axis !== own) print(begin, end);
    else print(fn.let(least(part.begin, begin, true)), fn.let(least(part.end, end)));
  };
  const rows = (all: readonly Segment[], kept?: Kept) => (here: readonly Cursor[]) => {
    for (const each of all) within(axis, each, (begin, end) => body({ ...each, here, begin, end, kept }));
  };
  if (!bands) {
    loops(fn, nest, [from, axis], cursors, rows(segments), part);
    return;
  }
  const across = axis - 1;
  const inBands = (here: readonly Cursor[]) => {
    const kept: Kept = { place: fn.place(), locals: new Map() };
    for (const band of bands)
      within(across, band, (begin, end) =>
        loops(fn, nest, [across, axis], here, rows(band.segments, kept), { axis: across, begin, end }),
      );
  };
  loops(fn, nest, [from, across], cursors, inBands, part);
}

/** A row's rounds; `words` is four times the number of a round's first point. What stays the same for all is computed before them, or at the place `before`. */
export function rounds(
  { fn, lanes: vectors, single }: KernelFunction,
  { lanes, widths, overlaps }: Pick<Rows, "lanes" | "widths" | "overlaps">,
  { begin, end }: Pick<Row, "begin" | "end">,
  words: Local<"i32">,
  round: Round,
  before?: Place,
): void {
  const wide = lanes > 1 ? vectors : single;
  let left = typeof begin === "number" && typeof end === "number" ? end - begin : Number.NaN;
  const ends = overlaps && wide.width > 1 && left >= wide.width;
  const all = [...widths.map((count) => [wide, count] as const), ...(ends ? [] : [[single, 1] as const])];
  const prepare = (each: Lanes, count: number) =>
    before ? fn.at(before, () => round(each, count)) : round(each, count);
  words.set(fourTimes(begin));
  for (const [each, count] of all) {
    const points = each.width * count;
    if (left < points) continue;
    if (left < 2 * points) {
      prepare(each, count)();
      words.set(i32.add(words, 4 * points));
    } else whileFull(fn, words, points, end, () => prepare(each, count));
    left %= points;
  }
  if (!ends || !left) return;
  words.set(i32.sub(fourTimes(end), 4 * wide.width));
  prepare(wide, 1)();
}

/** while (words/4 + points <= end) { body; words += 4·points }, where `prepare` gives the body. */
function whileFull(
  fn: FunctionBuilder,
  words: Local<"i32">,
  points: number,
  end: Limit,
  prepare: () => () => void,
): void {
  fn.block((leave) => {
    const last = typeof end === "number" ? 4 * (end - points) : fn.let(i32.sub(fourTimes(end), 4 * points));
    fn.branchIf(leave, i32.gtS(words, last));
    const body = prepare();
    fn.loop((again) => {
      body();
      fn.branchIf(again, i32.leS(words.tee(i32.add(words, 4 * points)), last));
    });
  });
}

const fourTimes = (limit: Limit): Integer => (typeof limit === "number" ? 4 * limit : i32.shl(limit, 2));
