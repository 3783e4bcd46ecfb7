// Pieces into a whole, in the passes that the kernel's description gives: each piece is walked through its own view and the view of where it lands.
// The pieces of one pass have no point in common, so neither their order nor threads matter within it.
import type { AssembleKernel, PiecePass } from "../../kernels/assemble.ts";
import { add, constant, input } from "../../kernels/expr.ts";
import { sliceView } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import type { ElementLoops } from "./elements.ts";
import { mergeAxes, written } from "./merge.ts";
import { type Cost, parallelAxis, splitAxis } from "./parallel.ts";
import { inTiles } from "./split.ts";
import { rowLoops } from "./vectorise.ts";

/** Pieces that one function writes: a function of very many would be slow to compile. */
const mostPieces = 32;

export interface PieceLoops {
  readonly kind: "pieces";
  readonly pass: PiecePass["kind"];
  readonly pieces: readonly (ElementLoops & { readonly number: number })[];
}

export function pieceLoops(
  kernel: AssembleKernel,
  { kind, pieces }: PiecePass,
  target: Target,
): (PieceLoops & Partial<Cost>)[] {
  return Array.from({ length: Math.ceil(pieces.length / mostPieces) }, (_, i) => {
    const own = pieces.slice(i * mostPieces, (i + 1) * mostPieces);
    return {
      kind: "pieces" as const,
      pass: kind,
      pieces: own.map((number) => ({ number, ...pieceOf(kernel, kind, number, target) })),
      work: own.reduce((sum, number) => sum + sizeOf(kernel.inputs[number].view.shape), 0),
    };
  });
}

function pieceOf(kernel: AssembleKernel, pass: PiecePass["kind"], number: number, target: Target): ElementLoops {
  const { dtype } = kernel;
  const piece = kernel.inputs[number];
  const { starts, steps } = kernel.places[number];
  const whole = written(kernel);
  const place = { ...whole, view: sliceView(whole.view, starts, steps, piece.view.shape) };
  const [reads, body] = {
    mark: () => [[], constant(-0, dtype)] as const,
    copy: () => [[piece], input(0, dtype)] as const,
    add: () => [[piece, place], add(input(1, dtype), input(0, dtype))] as const,
  }[pass]();
  const nest = inTiles(mergeAxes(place.view.shape, [...reads, place]));
  const axis = splitAxis(nest);
  const isLast = axis === nest.extents.length - 1;
  const rows = rowLoops(nest, body, target, { isCut: isLast, hasScratch: false });
  return { kind: "elements", ...rows, parallel: parallelAxis(axis, nest.extents[axis], isLast ? 16 : 1) };
}
