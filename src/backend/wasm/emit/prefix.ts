// Prefixes of a fold along a line: what is combined so far stays in locals, of neighbouring lines in vectors.
import { input } from "../../../../kernels/expr.ts";
import { type Argument, isArgument } from "../../../../kernels/kernel.ts";
import type { PrefixKernel } from "../../../../kernels/prefix.ts";
import { i32, type Local, type Value } from "../assembler/assembler.ts";
import { winnerOf } from "./accumulate.ts";
import type { KernelFunction } from "./context.ts";
import { along, elementPrinter } from "./elements.ts";
import { elementsAs } from "./kept.ts";
import { evenly } from "./lanes.ts";
import { type Cursor, least, loops } from "./nest.ts";
import type { Line } from "./rows.ts";

/** Prints one line, or several side by side. */
export function printPrefix(target: KernelFunction<PrefixKernel>, line: Line): void {
  const { fn, kernel } = target;
  const { combine } = kernel;
  const { lanes, vectors, row, words } = line;
  const { nest, axis, count, passed } = line.loops;
  if (passed && isArgument(combine)) {
    printWinners(target, combine, line, passed);
    return;
  }
  const { type } = nest.inputs[0];
  const out = nest.inputs.length - 1;
  const { [out]: output } = nest.inputs;
  const roots = Array.from({ length: out }, (_, i) => input(i, type));
  const prepare = elementPrinter(fn, lanes, nest, axis, ...roots);
  const elements = elementsAs(fn, lanes, output);
  const stride = output.strides[axis] * output.scale;
  const steps = Array.from({ length: vectors }, (_, step) => step);
  const winners = isArgument(combine) ? steps.map(() => winnerOf(fn, lanes, combine, type)) : undefined;
  /** What each step's elements come to so far. */
  const all = winners?.map(({ index }) => index) ?? steps.map(() => fn.local(lanes.valueType(type)));
  const joined = (sum: Local, [a, b]: readonly Value[]) =>
    combine === "linear"
      ? lanes.binary("add", type, lanes.binary("mul", type, sum, a), b)
      : lanes.binary(combine === "sum" ? "add" : "mul", type, sum, a);
  /** Writes what is so far once the elements at a place of the line have joined, their number `k`; left out: the first. */
  const at = (here: readonly Cursor[], k?: Local<"i32">) => {
    const points = prepare(here, row.inside);
    const to = fn.let(along(here[out].at, stride, words));
    for (const step of steps) {
      const values = points(words, step);
      if (winners) winners[step].join(values[0], k ?? fn.let(0));
      else all[step].set(k ? joined(all[step], values) : values[values.length - 1]);
      fn.emit(elements.store(to, all[step], step * lanes.width * stride));
    }
  };
  at(row.here);
  const rest = { axis: axis + 1, begin: 1, end: count };
  loops(fn, nest, [axis + 1, axis + 2], row.here, (here, [k]) => at(here, k), rest);
}

/** Where the best so far is, in a line of neighbours: most elements aren't better, and `vectors` of them at once are asked. */
function printWinners(
  { fn, lanes: wide, single }: KernelFunction,
  combine: Argument,
  { loops: { nest, axis, count }, row, words }: Line,
  vectors: number,
): void {
  const [x, output] = nest.inputs;
  const from = fn.let(along(row.here[0].at, x.strides[axis] * x.scale, words));
  const to = fn.let(along(row.here[1].at, output.strides[axis] * output.scale, words));
  const first = fn.let(from);
  const winner = winnerOf(fn, single, combine, x.type);
  const index = winner.index as Local<"i32">;
  const k = fn.let(0);
  const stop = fn.let(1);
  const elements = elementsAs(fn, wide, x);
  const results = elementsAs(fn, wide, output);
  const bound = fn.local(wide.valueType(x.type));
  const points = vectors * wide.width;
  const move = (by: number) => {
    from.set(i32.add(from, by * x.scale));
    to.set(i32.add(to, by * output.scale));
    k.set(i32.add(k, by));
  };
  const steps = Array.from({ length: vectors }, (_, step) => step * wide.width);
  const isNone = steps
    .map((step) => wide.compare(combine === "argmax" ? "ge" : "le", x.type, bound, elements.load(from, step * x.scale)))
    .reduce((a, b) => wide.binary("and", "bool", a, b));
  fn.loop((next) => {
    fn.loop((again) => {
      winner.join(elementsAs(fn, single, x).load(from), k);
      fn.emit(elementsAs(fn, single, output).store(to, index));
      move(1);
      fn.branchIf(again, i32.ltS(k, stop));
    });
    bound.set(elements.splat(i32.add(first, i32.mul(index, x.scale))));
    const everywhere = fn.let(wide.ramp(evenly(0), index));
    fn.block((leave) =>
      fn.loop((again) => {
        fn.branchIf(leave, i32.gtS(k, count - points));
        // A NaN, or anything beside one, is looked at by itself.
        fn.branchIf(leave, wide.some(wide.unary("not", "bool", isNone)));
        for (const step of steps) fn.emit(results.store(to, everywhere, step * output.scale));
        move(points);
        fn.branch(again);
      }),
    );
    stop.set(least(i32.add(k, points), count));
    fn.branchIf(next, i32.ltS(k, count));
  });
}
