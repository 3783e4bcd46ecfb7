// Folds over other axes than the last: every output adds its terms ascending in chunks of 256, chunk sums ascending. Neighbouring outputs run side by
// side, so that memory is read along its rows.
import { chunkSize, type FoldKernel, isArgument, neutral } from "../../../../kernels/kernel.ts";
import type { StridedFold } from "../../../schedule/folds.ts";
import { i32, type Local, type Value } from "../assembler/assembler.ts";
import { combined, winnerOf } from "./accumulate.ts";
import { type KernelFunction, overNest } from "./context.ts";
import { along, elementPrinter } from "./elements.ts";
import { loops } from "./nest.ts";
import { type Round, type Row, rounds, rowsOf } from "./rows.ts";

/** Prints a fold over other axes than the last. */
export function printColumns(target: KernelFunction<FoldKernel>, columns: StridedFold): void {
  const { fn, kernel } = target;
  const { nest, axis, count, writtenTerms } = columns;
  const { body, dtype, fold } = kernel;
  const { combine } = fold;
  const words = fn.local("i32");

  const roundOf =
    ({ here, inside }: Row): Round =>
    (lanes, group) => {
      const prepare = elementPrinter(fn, lanes, nest, axis, body);
      /** Writes the loops over the terms, which are used in order. */
      const eachTerm = (use: (at: (step: number) => Value) => void) =>
        loops(
          fn,
          nest,
          [nest.outer, nest.extents.length],
          here,
          (there) => {
            const points = prepare(there, inside);
            use((step) => points(words, step)[0]);
          },
          undefined,
          writtenTerms,
        );
      /** Where all terms are written out, what stays the same along the row is computed before it. */
      const written: ((step: number) => Value)[] = [];
      if (count <= writtenTerms) eachTerm((at) => written.push(at));
      const terms: typeof eachTerm = count <= writtenTerms ? (use) => written.forEach(use) : eachTerm;
      const to = along(here[here.length - 1].at, 4, words);
      if (isArgument(combine))
        return () => {
          const index = fn.let(0);
          const winner = winnerOf(fn, lanes, combine, body.type);
          terms((at) => {
            winner.join(at(0), index);
            index.set(i32.add(index, 1));
          });
          fn.emit(lanes.store(dtype, to, winner.index, 0));
        };
      const none = lanes.constant(dtype, neutral(combine, dtype));
      const join = (into: Local, value: Value) => into.set(combined(fn, lanes, combine, dtype, into, value));
      const zeros = () => Array.from({ length: group }, () => fn.let(none));
      return () => {
        const chunk = zeros();
        const isLong = count > chunkSize;
        const total = isLong ? zeros() : chunk;
        const flush = () => total.forEach((local, i) => join(local, chunk[i]));
        const left = fn.local("i32");
        if (isLong) left.set(chunkSize);
        terms((at) => {
          chunk.forEach((local, i) => join(local, at(i)));
          if (!isLong) return;
          fn.when(i32.eqz(left.tee(i32.sub(left, 1))), () => {
            flush();
            for (const local of chunk) local.set(none);
            left.set(chunkSize);
          });
        });
        if (isLong && count % chunkSize !== 0) flush();
        const place = fn.let(to);
        fn.emit(...total.map((local, i) => lanes.store(dtype, place, local, 4 * i * lanes.width)).reverse());
      };
    };
  overNest(target, columns, (cursors, part) =>
    rowsOf(fn, columns, 0, cursors, part, (row) => rounds(target, columns, row, words, roundOf(row))),
  );
}
