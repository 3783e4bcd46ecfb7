// The one loop emitter: rows of neighbouring points along an axis of a nest, in rounds of a few vectors while there are as many, then of fewer, then one by
// one, or as a vector that ends with the row. What a round computes is the caller's: elements, a fold for each point, lines side by side.
import type { Expr } from "../../../../kernels/expr.ts";
import type { LineLoops } from "../../../schedule/line.ts";
import type { Segment } from "../../../schedule/split.ts";
import type { Rows } from "../../../schedule/vectorise.ts";
import { block, branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import type { Context } from "./context.ts";
import type { Kept } from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, type Limit, least, limitCode, loops, type Part } from "./nest.ts";

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

/** What a round computes, of `count` vectors of points, and what stays the same for all rounds and is computed before. */
export interface Round {
  readonly before: readonly Code[];
  readonly body: readonly Code[];
}

type Piece = Pick<Segment, "begin" | "end">;

/** What a round computes line by line: `vectors` times the lanes' width of them, side by side. */
export interface Line {
  readonly fn: FunctionBuilder;
  readonly loops: LineLoops;
  readonly lanes: Lanes;
  readonly vectors: number;
  readonly row: Row;
  /** Four times the number of the first line in the row. */
  readonly words: Local<"i32">;
  readonly scratch: Local<"i32">;
}

/** Loops over the nest's axes from `from` on to its rows, cut at bounds and at the borders of a thread's part. */
export function rowsOf(
  fn: FunctionBuilder,
  { nest, axis, segments, bands }: Rows,
  from: number,
  cursors: readonly Cursor[],
  part: Part | undefined,
  body: (row: Row) => readonly Code[],
): Code[] {
  /** A piece of an axis, as far as it is the thread's. */
  const within = (own: number, { begin, end }: Piece, print: (begin: Limit, end: Limit) => readonly Code[]) => {
    if (part?.axis !== own) return print(begin, end);
    const [first, setFirst] = fn.hold(least(limitCode(part.begin), i32.const(begin), true));
    const [stop, setStop] = fn.hold(least(limitCode(part.end), i32.const(end)));
    return [setFirst, setStop, ...print(first, stop)];
  };
  const rows = (all: readonly Segment[], kept?: Kept) => (here: readonly Cursor[]) =>
    all.flatMap((each) => within(axis, each, (begin, end) => body({ ...each, here, begin, end, kept })));
  if (!bands) return loops(fn, nest, [from, axis], cursors, rows(segments), part);
  const across = axis - 1;
  const inBands = (here: readonly Cursor[]) => {
    const kept: Kept = { code: [], locals: new Map() };
    const all = bands.flatMap((band) =>
      within(across, band, (begin, end) =>
        loops(fn, nest, [across, axis], here, rows(band.segments, kept), { axis: across, begin, end }),
      ),
    );
    return [...kept.code, ...all];
  };
  return loops(fn, nest, [from, across], cursors, inBands, part);
}

/** A row's rounds; `words` is four times the number of a round's first point. `hoisted` takes what is computed before them. */
export function rounds(
  context: Context,
  fn: FunctionBuilder,
  { lanes, widths, overlaps }: Pick<Rows, "lanes" | "widths" | "overlaps">,
  { begin, end }: Pick<Row, "begin" | "end">,
  words: Local<"i32">,
  round: (lanes: Lanes, count: number) => Round,
  hoisted?: Code[],
): Code[] {
  const wide = lanes > 1 ? context.lanes : context.single;
  let left = typeof begin === "number" && typeof end === "number" ? end - begin : undefined;
  const ends = overlaps && wide.width > 1 && left !== undefined && left >= wide.width;
  const all = [...widths.map((count) => [wide, count] as const), ...(ends ? [] : [[context.single, 1] as const])];
  const printed = (each: Lanes, count: number, loop: (body: readonly Code[], before: readonly Code[]) => Code[]) => {
    const { before, body } = round(each, count);
    hoisted?.push(...before);
    return loop(body, hoisted ? [] : before);
  };
  const full = all.flatMap(([each, count]) => {
    const points = each.width * count;
    if (left !== undefined && left < points) return [];
    if (left !== undefined) left %= points;
    return printed(each, count, (body, before) => [whileFull(fn, words, points, end, before, body)]);
  });
  const last = words.set(i32.sub(fourTimes(end), i32.const(4 * wide.width)));
  const rest = ends && left ? printed(wide, 1, (body, before) => [last, ...before, ...body]) : [];
  return [words.set(fourTimes(begin)), ...full, ...rest];
}

/** while (words/4 + points <= end) { body; words += 4·points } */
function whileFull(
  fn: FunctionBuilder,
  words: Local<"i32">,
  points: number,
  end: Limit,
  before: readonly Code[],
  body: readonly Code[],
): Code {
  const [last, setLast] =
    typeof end === "number"
      ? [i32.const(4 * (end - points)), []]
      : held(fn, i32.sub(fourTimes(end), i32.const(4 * points)));
  return block((leave) => [
    ...setLast,
    branchIf(leave, i32.gtS(words.get, last)),
    ...before,
    loop((again) => [...body, branchIf(again, i32.leS(words.tee(i32.add(words.get, i32.const(4 * points))), last))]),
  ]);
}

function held(fn: FunctionBuilder, code: Code<"i32">): [Code<"i32">, Code[]] {
  const [local, set] = fn.hold(code);
  return [local.get, [set]];
}

const fourTimes = (limit: Limit): Code<"i32"> =>
  typeof limit === "number" ? i32.const(4 * limit) : i32.shl(limit.get, i32.const(2));
