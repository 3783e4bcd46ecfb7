// Pieces into a whole, in the passes that the kernel's description gives: a dispatch a piece.
import { type AssembleKernel, assemblePasses, placedPieces } from "../../../kernels/assemble.ts";
import { add, constant, input } from "../../../kernels/expr.ts";
import { sliceView } from "../../../kernels/view.ts";
import { written } from "../../schedule/merge.ts";
import { printPoints } from "./map.ts";
import type { Dispatch } from "./shader.ts";

export function printAssemble(kernel: AssembleKernel, isGuarded: boolean): Dispatch[] {
  const { shape, dtype, inputs } = kernel;
  const whole = written(kernel);
  const placed = placedPieces(kernel);
  return assemblePasses(shape, placed).flatMap((pass) => {
    if (pass.kind === "zeros") return printPoints(shape, [], constant(0, dtype), whole, isGuarded);
    return pass.pieces.flatMap((number) => {
      const { starts, steps, shape: extents } = placed[number];
      const place = { ...whole, view: sliceView(whole.view, starts, steps, extents) };
      const piece = inputs[number];
      if (pass.kind === "mark") return printPoints(extents, [], constant(-0, dtype), place, isGuarded);
      if (pass.kind === "copy") return printPoints(extents, [piece], input(0, dtype), place, isGuarded);
      const sum = add(input(1, dtype), input(0, dtype));
      return printPoints(extents, [piece, place], sum, place, isGuarded);
    });
  });
}
