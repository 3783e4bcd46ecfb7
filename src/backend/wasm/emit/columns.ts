// Folds over other axes than the last: every output adds its terms ascending in chunks of 256, chunk sums ascending. Neighbouring outputs run side by
// side, so that memory is read along its rows.
import { chunkSize, type FoldKernel, isArgument, neutral } from "../../../../kernels/kernel.ts";
import type { StridedFold } from "../../../schedule/folds.ts";
import { type Code, type Local, when } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { ArgAccumulator, combined } from "./accumulate.ts";
import { type Context, type KernelFunction, nestCode } from "./context.ts";
import { along, ElementPrinter } from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, loops } from "./nest.ts";
import { type Round, type Row, rounds, rowsOf } from "./rows.ts";

/** Prints a fold over other axes than the last. */
export function printColumns(context: Context, kernel: FoldKernel, columns: StridedFold, target: KernelFunction): void {
  const { fn } = target;
  const { nest, axis, count, writtenTerms } = columns;
  const { body, dtype, fold } = kernel;
  const { combine } = fold;
  const words = fn.local("i32");

  const round = ({ here, inside }: Row, lanes: Lanes, group: number): Round => {
    const printer = new ElementPrinter(fn, lanes, nest, axis, body);
    /** Where all terms are written out, what stays the same along the row is computed before it. */
    const isWritten = count <= writtenTerms;
    const hoisted: Code[] = [];
    const terms = (use: (at: (step: number) => Code) => readonly Code[]) => {
      const uses: Code[] = [];
      const term = (there: readonly Cursor[]) => {
        const { before, at } = printer.prepare(there, inside);
        const used = use((step) => at(words, step));
        if (!isWritten) return [...before, ...used];
        uses.push(...used);
        return before;
      };
      const all = loops(fn, nest, [nest.outer, nest.extents.length], here, term, undefined, writtenTerms);
      if (!isWritten) return all;
      hoisted.push(...all);
      return uses;
    };
    const to = along(here[here.length - 1].at, 4, words);
    if (isArgument(combine)) {
      const winner = new ArgAccumulator(fn, lanes, combine, body.type);
      const [index, setIndex] = fn.hold(i32.const(0));
      const next = index.set(i32.add(index.get, i32.const(1)));
      const join = terms((at) => [...winner.join(at(0), index), next]);
      return { before: hoisted, body: [setIndex, ...winner.start(), ...join, lanes.store(dtype, to, winner.index, 0)] };
    }
    const locals = () => Array.from({ length: group }, () => fn.local(lanes.valueType(dtype)));
    const clear = (each: Local[]) =>
      each.map((local) => local.set(lanes.constant(dtype, neutral(combine, dtype)) as never));
    const join = (into: Local, value: Code) => into.set(combined(fn, lanes, combine, dtype, into, value) as never);
    const chunk = locals();
    const isLong = count > chunkSize;
    const total = isLong ? locals() : chunk;
    const flush = total.map((local, i) => join(local, chunk[i].get));
    const left = fn.local("i32");
    const again = left.set(i32.const(chunkSize));
    const isFull = i32.eqz(left.tee(i32.sub(left.get, i32.const(1))));
    const onward = isLong ? [when(isFull, [...flush, ...clear(chunk), again])] : [];
    const [place, setPlace] = fn.hold(to);
    return {
      before: hoisted,
      body: [
        ...clear(chunk),
        ...(isLong ? [...clear(total), again] : []),
        ...terms((at) => [...chunk.map((local, i) => join(local, at(i))), ...onward]),
        ...(isLong && count % chunkSize !== 0 ? flush : []),
        setPlace,
        ...total.map((local, i) => lanes.store(dtype, place.get, local.get, 4 * i * lanes.width)).reverse(),
      ],
    };
  };
  const row = (row: Row) => rounds(context, fn, columns, row, words, (lanes, group) => round(row, lanes, group));
  fn.body(...nestCode(target, columns, (cursors, part) => rowsOf(fn, columns, 0, cursors, part, row)));
}
