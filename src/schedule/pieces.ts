// Pieces into a whole, in the stages that the kernel's description gives: each piece is walked through its own view and the view of where it lands.
// The pieces of one stage have no point in common, so neither their order nor threads matter within it.
import type { AssembleKernel, PieceStage } from "../../kernels/assemble.ts";
import type { KernelInput } from "../../kernels/kernel.ts";
import { contiguousView, sliceView } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import { mergeAxes } from "./merge.ts";
import type { Nest } from "./nest.ts";
import { type Cost, type Parallel, parallelAxis, splitAxis } from "./parallel.ts";
import { inTiles } from "./split.ts";

/** Pieces that one function writes: a function of very many would be slow to compile. */
const mostPieces = 32;

/** One piece: where it lands, and, unless that is only marked, what it is read from. */
export interface Piece {
  readonly number: number;
  readonly nest: Nest;
  readonly lanes: number;
  readonly parallel: Parallel;
}

export interface PieceLoops {
  readonly kind: "pieces";
  readonly stage: PieceStage["kind"];
  readonly pieces: readonly Piece[];
}

export function pieceLoops(
  kernel: AssembleKernel,
  { kind, pieces }: PieceStage,
  target: Target,
): (PieceLoops & Cost)[] {
  return Array.from({ length: Math.ceil(pieces.length / mostPieces) }, (_, i) => {
    const own = pieces.slice(i * mostPieces, (i + 1) * mostPieces);
    return {
      kind: "pieces" as const,
      stage: kind,
      pieces: own.map((number) => pieceOf(kernel, kind, number, target)),
      work: own.reduce((sum, number) => sum + sizeOf(kernel.inputs[number].view.shape), 0),
      scratch: 0,
    };
  });
}

function pieceOf(kernel: AssembleKernel, stage: PieceStage["kind"], number: number, { lanes }: Target): Piece {
  const { shape, output, dtype, storage } = kernel;
  const input = kernel.inputs[number];
  const { starts, steps } = kernel.places[number];
  const view = sliceView(contiguousView(shape), starts, steps, input.view.shape);
  const written: KernelInput = { source: output, dtype, storage, view };
  const nest = inTiles(mergeAxes(view.shape, stage === "mark" ? [written] : [written, input]));
  const last = nest.extents.length - 1;
  const split = splitAxis(nest);
  const isSideBySide = nest.inputs.every(({ strides, scale }) => strides[last] === 1 && scale > 1);
  return {
    number,
    nest,
    lanes: isSideBySide ? lanes : 1,
    parallel: parallelAxis(split, nest.extents[split], split === last ? 16 : 1),
  };
}
