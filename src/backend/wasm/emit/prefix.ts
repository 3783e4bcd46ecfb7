// Prefixes of a fold along a line: what is combined so far stays in locals, of neighbouring lines in vectors.
import type { PrefixKernel } from "../../../../kernels/prefix.ts";
import type { Code, Local } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { ArgAccumulator } from "./accumulate.ts";
import type { Line } from "./context.ts";
import { Elements } from "./halves.ts";
import { countLoop } from "./nest.ts";

/** Prints one line, or several side by side. */
export function printPrefix({ combine }: PrefixKernel, { fn, lanes, vectors, count, ends }: Line): readonly Code[] {
  const out = ends[ends.length - 1];
  const [
    {
      input: { type },
    },
  ] = ends;
  const steps = Array.from({ length: vectors }, (_, step) => step);
  const each = ends.map(({ input }) => new Elements(fn, lanes, input));
  const skip = (n: number, step: number) => step * lanes.width * ends[n].input.scale;
  const read = (n: number, step: number) => each[n].load(ends[n].at.get, skip(n, step));
  const write = (step: number, value: Code) =>
    each[ends.length - 1].store(out.at.get, value, skip(ends.length - 1, step));
  const forward = ends.map(({ at, step }) => at.set(i32.add(at.get, i32.const(step))));
  const rest = (body: (k: Local<"i32">) => readonly Code[]) =>
    countLoop(fn, 1, count, 1, (k) => [...forward, ...body(k)]);
  if (combine === "argmax" || combine === "argmin") {
    const winners = steps.map(() => new ArgAccumulator(fn, lanes, combine, type));
    const [zero, setZero] = fn.hold(i32.const(0));
    const join = (k: Local<"i32">) =>
      winners.flatMap((winner, step) => [...winner.join(read(0, step), k), write(step, winner.index)]);
    return [...winners.flatMap((winner) => winner.start()), setZero, ...join(zero), ...rest(join)];
  }
  const sums = steps.map(() => fn.local(lanes.valueType(type)));
  const keep = (step: number, value: Code) => [sums[step].set(value as never), write(step, sums[step].get)];
  const next = (step: number): Code => {
    const s = sums[step].get;
    if (combine === "linear")
      return lanes.binary("add", type, lanes.binary("mul", type, s, read(0, step)), read(1, step));
    return lanes.binary(combine === "sum" ? "add" : "mul", type, s, read(0, step));
  };
  const first = combine === "linear" ? 1 : 0;
  return [
    ...steps.flatMap((step) => keep(step, read(first, step))),
    ...rest(() => steps.flatMap((step) => keep(step, next(step)))),
  ];
}
