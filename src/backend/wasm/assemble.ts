// Pieces into a whole: each is walked through its own view and the view of where it lands, in the stages that the kernel's description gives. The
// pieces of one stage have no point in common, so neither their order nor threads matter within it.
import type { AssembleStage, PieceStage } from "../../../kernels/assemble.ts";
import type { AssembleKernel, KernelInput } from "../../../kernels/kernel.ts";
import { contiguousView, sliceView } from "../../../kernels/view.ts";
import { mergeAxes } from "../../schedule/merge.ts";
import type { NestInput } from "../../schedule/nest.ts";
import { splitAxis } from "../../schedule/parallel.ts";
import { inTiles } from "../../schedule/split.ts";
import type { Code, Local } from "./assembler.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { Elements } from "./halves.ts";
import { i32 } from "./instructions.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops, start } from "./nest.ts";

/** Pieces that one function writes: a function of very many would be slow to compile. */
const mostPieces = 32;

/** Stages of the kernel, each with no more pieces than one function writes. */
export function inFunctions(stages: readonly AssembleStage[]): AssembleStage[] {
  return stages.flatMap((stage): AssembleStage[] => {
    if (stage.kind === "zeros") return [stage];
    const { kind, pieces } = stage;
    return Array.from({ length: Math.ceil(pieces.length / mostPieces) }, (_, i) => ({
      kind,
      pieces: pieces.slice(i * mostPieces, (i + 1) * mostPieces),
    }));
  });
}

/** Prints a stage that writes pieces. */
export function printPieces(
  context: Context,
  kernel: AssembleKernel,
  { kind, pieces }: PieceStage,
  target: KernelFunction,
): void {
  target.fn.body(...pieces.flatMap((piece) => printPiece(context, kernel, kernel.pieces[piece], kind, target)));
}

function printPiece(
  context: Context,
  { shape, output, dtype, storage }: AssembleKernel,
  { input, starts, steps }: AssembleKernel["pieces"][number],
  kind: PieceStage["kind"],
  target: KernelFunction,
): Code[] {
  const { fn } = target;
  const view = sliceView(contiguousView(shape), starts, steps, input.view.shape);
  const written: KernelInput = { source: output, dtype, storage, view };
  const nest = inTiles(mergeAxes(view.shape, kind === "mark" ? [written] : [written, input]));
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const last = nest.extents.length - 1;
  const split = splitAxis(nest);
  const [begin, end, limits] = share(target, nest.extents[split], split === last ? 16 : 1);
  const [first, stop]: [Limit, Limit] = split === last ? [begin, end] : [0, nest.extents[last]];

  const move = (lanes: Lanes, to: Code<"i32">, from: Code<"i32">): Code<"none"> => {
    const whole = new Elements(fn, lanes, { type: dtype, storage });
    if (kind === "mark") return whole.store(to, lanes.constant(dtype, -0));
    const piece = new Elements(fn, lanes, { type: dtype, storage: input.storage }).load(from);
    return whole.store(to, kind === "copy" ? piece : lanes.binary("add", dtype, whole.load(to), piece));
  };
  const along = ({ at }: Cursor, { strides, scale }: NestInput, i: Local<"i32">) =>
    i32.add(at.get, i32.mul(i.get, i32.const(strides[last] * scale)));
  const run = (here: readonly Cursor[], from: Limit, to: Limit, lanes: Lanes) =>
    countLoop(fn, from, to, lanes.width, (i) => {
      const [to, from] = here.map((cursor, at) => along(cursor, nest.inputs[at], i));
      return [move(lanes, to, from ?? to)];
    });
  const isWide = context.isSimd && nest.inputs.every(({ strides, scale }) => strides[last] === 1 && scale > 1);
  const row = (here: readonly Cursor[]) => {
    if (!isWide) return run(here, first, stop, context.single);
    // `first` is a multiple of 4, so the fours end where stop's own multiple of 4 is.
    const [fours, setFours] = fn.hold(i32.and(limitCode(stop), i32.const(-4)));
    return [setFours, ...run(here, first, fours, context.lanes), ...run(here, fours, stop, context.single)];
  };
  const part = split === last ? undefined : { axis: split, begin, end };
  return [...code, ...limits, ...loops(fn, nest, [0, last], cursors, row, part)];
}
