// Pieces added where they land, in their order: the first that lands on a point is copied, so that no zero is added.
import type { Placed } from "../../../kernels/assemble.ts";
import { contiguousView, sliceView } from "../../../kernels/view.ts";
import type { TypedArray } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { placesOf } from "./movement.ts";

/** Fills `out`, row-major over the shape. */
export type Assembler = (pieces: readonly TypedArray[], out: TypedArray) => void;

export function assembler(shape: Shape, placed: readonly Placed[]): Assembler {
  const places = placed.map((piece) =>
    placesOf(sliceView(contiguousView(shape), piece.starts, piece.steps, piece.shape)),
  );
  return (pieces, out) => {
    const landed = new Uint8Array(sizeOf(shape));
    out.fill(0);
    places.forEach((at, piece) => {
      at.forEach((to, i) => {
        out[to] = landed[to] ? out[to] + pieces[piece][i] : pieces[piece][i];
        landed[to] = 1;
      });
    });
  };
}
