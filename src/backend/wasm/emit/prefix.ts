// Prefixes of a fold along a line: what is combined so far stays in locals, of neighbouring lines in vectors.
import { input } from "../../../../kernels/expr.ts";
import { type Argument, isArgument } from "../../../../kernels/kernel.ts";
import type { PrefixKernel } from "../../../../kernels/prefix.ts";
import { block, branch, branchIf, type Code, type Local, loop } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { ArgAccumulator } from "./accumulate.ts";
import type { Context } from "./context.ts";
import { along, ElementPrinter } from "./elements.ts";
import { Elements } from "./halves.ts";
import { evenly } from "./lanes.ts";
import { type Cursor, least, loops } from "./nest.ts";
import type { Line } from "./rows.ts";

/** Prints one line, or several side by side. */
export function printPrefix(context: Context, { combine }: PrefixKernel, line: Line): readonly Code[] {
  if (line.loops.passed && isArgument(combine)) return printWinners(context, combine, line, line.loops.passed);
  const { fn, lanes, vectors, row, words } = line;
  const { nest, axis, count } = line.loops;
  const { type } = nest.inputs[0];
  const out = nest.inputs.length - 1;
  const { [out]: output } = nest.inputs;
  const steps = Array.from({ length: vectors }, (_, step) => step);
  const roots = Array.from({ length: out }, (_, i) => input(i, type));
  const printer = new ElementPrinter(fn, lanes, nest, axis, ...roots);
  const elements = new Elements(fn, lanes, output);
  const stride = output.strides[axis] * output.scale;
  /** What is written of each step's elements, at a place of the line. */
  const at = (
    here: readonly Cursor[],
    next: (step: number, values: readonly Code[]) => readonly [readonly Code[], Code],
  ) => {
    const { before, all } = printer.prepare(here, row.inside);
    const [to, setTo] = fn.hold(along(here[out].at, stride, words));
    const each = steps.flatMap((step) => {
      const [code, value] = next(step, all(words, step));
      return [...code, elements.store(to.get, value, step * lanes.width * stride)];
    });
    return [...before, setTo, ...each];
  };
  const rest = (body: (here: readonly Cursor[], k: Local<"i32">) => readonly Code[]) =>
    loops(fn, nest, [axis + 1, axis + 2], row.here, (here, [k]) => body(here, k), {
      axis: axis + 1,
      begin: 1,
      end: count,
    });
  if (isArgument(combine)) {
    const winners = steps.map(() => new ArgAccumulator(fn, lanes, combine, type));
    const [zero, setZero] = fn.hold(i32.const(0));
    const join =
      (k: Local<"i32">) =>
      (step: number, [x]: readonly Code[]) =>
        [winners[step].join(x, k), winners[step].index] as const;
    const first = at(row.here, join(zero));
    return [...winners.flatMap((winner) => winner.start()), setZero, ...first, ...rest((here, k) => at(here, join(k)))];
  }
  const sums = steps.map(() => fn.local(lanes.valueType(type)));
  const keep = (step: number, value: Code) => [[sums[step].set(value as never)], sums[step].get] as const;
  const next = (step: number, [a, b]: readonly Code[]) => {
    const s = sums[step].get;
    if (combine === "linear") return keep(step, lanes.binary("add", type, lanes.binary("mul", type, s, a), b));
    return keep(step, lanes.binary(combine === "sum" ? "add" : "mul", type, s, a));
  };
  const first = (step: number, values: readonly Code[]) => keep(step, values[values.length - 1]);
  return [...at(row.here, first), ...rest((here) => at(here, next))];
}

/** Where the best so far is, in a line of neighbours: most elements aren't better, and `vectors` of them at once are asked. */
function printWinners(context: Context, combine: Argument, line: Line, vectors: number): readonly Code[] {
  const { fn, row, words } = line;
  const { nest, axis, count } = line.loops;
  const { lanes: wide, single } = context;
  const [x, output] = nest.inputs;
  const [from, setFrom] = fn.hold(along(row.here[0].at, x.strides[axis] * x.scale, words));
  const [to, setTo] = fn.hold(along(row.here[1].at, output.strides[axis] * output.scale, words));
  const [first, setFirst] = fn.hold(from.get);
  const winner = new ArgAccumulator(fn, single, combine, x.type);
  const index = winner.index as Code<"i32">;
  const [k, setK] = fn.hold(i32.const(0));
  const [stop, setStop] = fn.hold(i32.const(1));
  const elements = new Elements(fn, wide, x);
  const results = new Elements(fn, wide, output);
  const bound = fn.local(wide.valueType(x.type));
  const points = vectors * wide.width;
  const moved = (by: number) =>
    (
      [
        [from, x.scale],
        [to, output.scale],
        [k, 1],
      ] as const
    ).map(([local, step]) => local.set(i32.add(local.get, i32.const(by * step))));
  const one = [
    ...winner.join(new Elements(fn, single, x).load(from.get), k),
    new Elements(fn, single, output).store(to.get, index),
    ...moved(1),
  ];
  const steps = Array.from({ length: vectors }, (_, step) => step * wide.width);
  const isNone = steps
    .map((step) =>
      wide.compare(combine === "argmax" ? "ge" : "le", x.type, bound.get, elements.load(from.get, step * x.scale)),
    )
    .reduce((a, b) => wide.binary("and", "bool", a, b));
  const [everywhere, setEverywhere] = fn.hold(wide.ramp(index, evenly(0)) as Code<"v128">);
  const pass = block((leave) => [
    loop((again) => [
      branchIf(leave, i32.gtS(k.get, i32.const(count - points))),
      // A NaN, or anything beside one, is looked at by itself.
      branchIf(leave, wide.some(wide.unary("not", "bool", isNone))),
      ...steps.map((step) => results.store(to.get, everywhere.get, step * output.scale)),
      ...moved(points),
      branch(again),
    ]),
  ]);
  const all = loop((next) => [
    loop((again) => [...one, branchIf(again, i32.ltS(k.get, stop.get))]),
    bound.set(elements.splat(i32.add(first.get, i32.mul(index, i32.const(x.scale)))) as never),
    setEverywhere,
    pass,
    stop.set(least(i32.add(k.get, i32.const(points)), i32.const(count))),
    branchIf(next, i32.ltS(k.get, i32.const(count))),
  ]);
  return [setFrom, setTo, setFirst, ...winner.start(), setK, setStop, all];
}
