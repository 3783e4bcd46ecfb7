// Kernels that take a whole line at a time: the loops over lines, several side by side where the schedule says so, and one printer for each kind.
import type { SpecialKernel, SpecialKind } from "../../../../kernels/kinds.ts";
import type { LineLoops } from "../../../schedule/line.ts";
import type { Code } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { type Context, type KernelFunction, type Line, share, valueAddress } from "./context.ts";
import { type Cursor, countLoop, limitCode, loops, start } from "./nest.ts";
import { printPrefix } from "./prefix.ts";
import { printSort } from "./sort.ts";

type Printer<K extends SpecialKind> = (kernel: SpecialKernel<K>, line: Line) => readonly Code[];

const printers: { readonly [K in SpecialKind]?: Printer<K> } = { prefix: printPrefix, sort: printSort };

/** Prints a kernel line by line. */
export function printLines(
  context: Context,
  kernel: SpecialKernel,
  { nest, count, widths, parallel }: LineLoops,
  target: KernelFunction,
): void {
  const { fn, scratch } = target;
  const print = printers[kernel.kind] as Printer<SpecialKind>;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const last = nest.outer - 1;
  const isLast = parallel.axis === last;
  const row = (here: readonly Cursor[]): Code[] => {
    const [at, setAt] = fn.hold(isLast ? limitCode(begin) : i32.const(0));
    const stop = isLast ? limitCode(end) : i32.const(nest.extents[last]);
    const lines = (width: number): Code[] => {
      const lanes = width > 1 ? context.lanes : context.single;
      // Whole groups of them, from where the wider ones ended.
      const [groups, setGroups] = fn.hold(i32.sub(stop, i32.const(width - 1)));
      const rounds = countLoop(fn, at, groups, width, (i) => {
        const moved = nest.inputs.map((input, n) => {
          const [local, set] = fn.hold(
            i32.add(here[n].at.get, i32.mul(i.get, i32.const(input.strides[last] * input.scale))),
          );
          return { set, end: { at: local, input, step: input.strides[nest.outer] * input.scale } };
        });
        const line = { fn, lanes, vectors: width / lanes.width, count, ends: moved.map((each) => each.end), scratch };
        return [...moved.map(({ set }) => set), ...print(kernel, line), at.set(i32.add(i.get, i32.const(width)))];
      });
      return [setGroups, ...rounds];
    };
    return [setAt, ...widths.flatMap(lines)];
  };
  const part = isLast ? undefined : { axis: parallel.axis, begin, end };
  fn.body(...code, ...limits, ...loops(fn, nest, [0, last], cursors, row, part));
}
