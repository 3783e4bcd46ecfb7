// Pieces into a whole: each is walked through its own view and the view of where it lands, in the stages that the kernel's description gives. The
// pieces of one stage have no point in common, so neither their order nor threads matter within it.
import type { NestInput } from "../../../schedule/nest.ts";
import type { Piece, PieceLoops } from "../../../schedule/pieces.ts";
import type { Code, Local } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { Elements } from "./halves.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";

/** Prints a stage that writes pieces. */
export function printPieces(context: Context, { stage, pieces }: PieceLoops, target: KernelFunction): void {
  target.fn.body(...pieces.flatMap((piece) => printPiece(context, stage, piece, target)));
}

function printPiece(context: Context, stage: PieceLoops["stage"], piece: Piece, target: KernelFunction): Code[] {
  const { fn } = target;
  const { nest, parallel } = piece;
  const [written, input] = nest.inputs;
  const { type } = written;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const last = nest.extents.length - 1;
  const [begin, end, limits] = share(target, parallel);
  const isLast = parallel.axis === last;
  const [first, stop]: [Limit, Limit] = isLast ? [begin, end] : [0, nest.extents[last]];

  const move = (lanes: Lanes, to: Code<"i32">, from: Code<"i32">): Code<"none"> => {
    const whole = new Elements(fn, lanes, written);
    if (stage === "mark") return whole.store(to, lanes.constant(type, -0));
    const read = new Elements(fn, lanes, input).load(from);
    return whole.store(to, stage === "copy" ? read : lanes.binary("add", type, whole.load(to), read));
  };
  const along = ({ at }: Cursor, { strides, scale }: NestInput, i: Local<"i32">) =>
    i32.add(at.get, i32.mul(i.get, i32.const(strides[last] * scale)));
  const run = (here: readonly Cursor[], from: Limit, to: Limit, lanes: Lanes) =>
    countLoop(fn, from, to, lanes.width, (i) => {
      const [to, from] = here.map((cursor, at) => along(cursor, nest.inputs[at], i));
      return [move(lanes, to, from ?? to)];
    });
  const row = (here: readonly Cursor[]) => {
    if (piece.lanes === 1) return run(here, first, stop, context.single);
    // `first` is a multiple of 4, so the fours end where stop's own multiple of 4 is.
    const [fours, setFours] = fn.hold(i32.and(limitCode(stop), i32.const(-4)));
    return [setFours, ...run(here, first, fours, context.lanes), ...run(here, fours, stop, context.single)];
  };
  const part = isLast ? undefined : { axis: parallel.axis, begin, end };
  return [...code, ...limits, ...loops(fn, nest, [0, last], cursors, row, part)];
}
