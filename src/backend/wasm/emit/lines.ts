// Kernels that take a whole line at a time: rows of lines side by side, as far as the schedule says so, and one printer for each kind.
import type { SpecialKernel, SpecialKind } from "../../../../kernels/kinds.ts";
import type { LineLoops } from "../../../schedule/line.ts";
import { type Context, type KernelFunction, overNest } from "./context.ts";
import { printPrefix } from "./prefix.ts";
import { type Line, type Row, rounds, rowsOf } from "./rows.ts";
import { printSort } from "./sort.ts";

type Printer<K extends SpecialKind> = (context: Context, kernel: SpecialKernel<K>, line: Line) => void;

const printers: { readonly [K in SpecialKind]?: Printer<K> } = { prefix: printPrefix, sort: printSort };

/** Prints a kernel line by line. */
export function printLines(context: Context, kernel: SpecialKernel, loops: LineLoops, target: KernelFunction): void {
  const { fn, scratch } = target;
  const print = printers[kernel.kind] as Printer<SpecialKind>;
  const words = fn.local("i32");
  const lines = (row: Row) =>
    rounds(context, fn, loops, row, words, (lanes, vectors) => () => {
      print(context, kernel, { fn, loops, lanes, vectors, row, words, scratch });
    });
  overNest(target, loops, (cursors, part) => rowsOf(fn, loops, 0, cursors, part, lines));
}
