// Prefixes of a fold along a line: what is combined so far stays in locals, of neighbouring lines in vectors.
import { input } from "../../../../kernels/expr.ts";
import { isArgument } from "../../../../kernels/kernel.ts";
import type { PrefixKernel } from "../../../../kernels/prefix.ts";
import type { Code, Local } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { ArgAccumulator } from "./accumulate.ts";
import type { Context } from "./context.ts";
import { along, ElementPrinter } from "./elements.ts";
import { Elements } from "./halves.ts";
import { type Cursor, loops } from "./nest.ts";
import type { Line } from "./rows.ts";

/** Prints one line, or several side by side. */
export function printPrefix(_: Context, { combine }: PrefixKernel, line: Line): readonly Code[] {
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
