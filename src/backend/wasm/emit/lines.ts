// Kernels that take a whole line at a time: rows of lines side by side, as far as the schedule says so, and one printer for each kind.
import type { SpecialKernel, SpecialKind } from "../../../../kernels/kinds.ts";
import type { LineLoops } from "../../../schedule/line.ts";
import { type KernelFunction, overNest } from "./context.ts";
import { printPrefix } from "./prefix.ts";
import { type Line, type Row, rounds, rowsOf } from "./rows.ts";
import { printSort } from "./sort.ts";

type Printer = (target: KernelFunction<never>, line: Line) => void;

const printers: { readonly [K in SpecialKind]?: Printer } = { prefix: printPrefix, sort: printSort };

/** Prints a kernel line by line. */
export function printLines(target: KernelFunction<SpecialKernel>, loops: LineLoops): void {
  const { fn, kernel } = target;
  const print = printers[kernel.kind]!;
  const words = fn.local("i32");
  const lines = (row: Row) =>
    rounds(target, loops, row, words, (lanes, vectors) => () => {
      print(target as KernelFunction<never>, { loops, lanes, vectors, row, words });
    });
  overNest(target, loops, (cursors, part) => rowsOf(fn, loops, 0, cursors, part, lines));
}
