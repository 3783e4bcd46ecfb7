// The barrier: every thread waits until all have arrived.
import { block, branch, branchIf, type FunctionBuilder, type Local, type ModuleBuilder, when } from "../assembler.ts";
import { atomics, i32, i64 } from "../instructions.ts";
import { control, moveOn, outcome, waitWhile } from "./control.ts";

/**
 * (control, part, parts, number, resume) → `done` once every part has arrived, `failed` where one never will, `paused` where the first part
 * has waited for long: it is to come again with the barrier's number as `resume`, having left out what came before. The barriers of a
 * run are numbered from 1.
 */
export function barrierFunction(module: ModuleBuilder): FunctionBuilder {
  const fn = module.function("barrier", ["i32", "i32", "i32", "i32", "i32"], ["i32"]);
  const [base, part, parts, number, resume] = fn.parameters as Local<"i32">[];
  const seen = fn.local("i32");
  const last = i32.eq(atomics.add(base.get, i32.const(1), control.arrived), i32.sub(parts.get, i32.const(1)));
  const limit = fn.local("i64");
  const result = fn.local("i32");
  fn.body(
    limit.set(i64.const(-1n)),
    when(i32.eqz(part.get), [limit.set(i64.load(base.get, control.patience))]),
    seen.set(atomics.load(base.get, control.generation)),
    block((leave) => [
      branchIf(leave, i32.gtU(resume.get, number.get)),
      // Who fails says so first and then moves the generation on: one of the two is seen here or while waiting.
      branchIf(leave, atomics.load(base.get, control.aborted)),
      block((wait) => [
        when(i32.eq(resume.get, number.get), [seen.set(i32.load(base.get, control.resumed)), branch(wait)]),
        when(last, [
          atomics.store(base.get, i32.const(0), control.arrived),
          ...moveOn(base, control.generation, control.sleepers),
          branch(leave),
        ]),
      ]),
      waitWhile(fn, base, seen, {
        offset: control.generation,
        sleepers: control.sleepers,
        looks: control.spins,
        nanoseconds: limit.get,
      }),
      branchIf(leave, i32.ne(atomics.load(base.get, control.generation), seen.get)),
      branchIf(leave, atomics.load(base.get, control.aborted)),
      i32.store(base.get, number.get, control.resume),
      i32.store(base.get, seen.get, control.resumed),
      result.set(i32.const(outcome.paused)),
    ]),
    when(atomics.load(base.get, control.aborted), [result.set(i32.const(outcome.failed))]),
    result.get,
  );
  return fn;
}
