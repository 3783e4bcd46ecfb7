// How threads share a phase: each takes chunks of its own share first and then of the others', and who finishes the last one moves the phase on.
// Nobody waits for a thread that holds no chunk, so one that the operating system keeps from running costs the chunk it is at and no more. Phases are
// numbered across runs; a word that says which chunk is next says of which phase, so that who comes late, even by a whole run, takes nothing.
import {
  atomics,
  call,
  type FunctionBuilder,
  type Integer,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
  select,
  type Target,
} from "../assembler/assembler.ts";
import { control, moveOn, phaseGate, shareBytes, waitAt } from "./control.ts";
import { outcome } from "./outcome.ts";

/** What a thread is called with. */
export interface Thread {
  /** Address of the control block. */
  readonly control: Local<"i32">;
  readonly part: Local<"i32">;
  readonly parts: Local<"i32">;
  /** The run's first phase. */
  readonly first: Local<"i32">;
  /** Address of a word that is 0 until a chunk finds that the run can't go on. */
  readonly status: Integer;
}

/** What a thread does in a phase. */
export interface Work {
  readonly chunks: number;
  /** Before its first chunk. */
  before?(): void;
  each(chunk: Local<"i32">): void;
  /** The phase, counted from the run's first. */
  readonly number: Integer;
  /** By how many phases the run then moves on if its status isn't 0. */
  readonly skips: Integer;
}

/** What prints the phases of a run, one after another, into a function. */
export function phasePrinter(fn: FunctionBuilder, { control: home, part, parts, first, status }: Thread) {
  const take = takeFunction(fn.module);
  const finish = finishFunction(fn.module);
  const [result, chunk, count] = Array.from({ length: 3 }, () => fn.local("i32"));
  return {
    /** The run's outcome, once its phases are over or were left. */
    outcome: select(outcome.failed, result, atomics.load(home, control.aborted)),

    /** The next phase; goes to `leave` where a run fails or is paused. */
    print(leave: Target, { chunks, before, each, number, skips }: Work): void {
      const phase = i32.add(first, number);
      fn.block((over) => {
        fn.branchIf(over, i32.ne(atomics.load(home, phaseGate.word), phase));
        count.set(0);
        fn.block((none) =>
          fn.loop((more) => {
            chunk.set(call<"i32">(take, home, phase, part, parts, chunks));
            fn.branchIf(none, i32.ltS(chunk, 0));
            if (before) fn.when(i32.eqz(count), before);
            each(chunk);
            count.set(i32.add(count, 1));
            fn.branch(more);
          }),
        );
        fn.branchIf(leave, result.tee(call<"i32">(finish, home, phase, part, count, chunks, status, skips)));
      });
    },
  };
}

/**
 * (control, phase, part, parts, chunks) → a chunk of the phase that nobody else has, below `chunks`; −1: there is none left. What a thread takes
 * it must report to `finish`.
 */
function takeFunction(module: ModuleBuilder): FunctionBuilder {
  const fn = module.function("take", ["i32", "i32", "i32", "i32", "i32"], ["i32"]);
  const [base, phase, part, parts, chunks] = fn.parameters as Local<"i32">[];
  const [at, first, end, chunk] = Array.from({ length: 4 }, () => fn.local("i32"));
  const seen = fn.local("i64");
  const result = fn.let(-1);
  const owner = fn.let(part);
  const left = fn.let(parts);
  const border = (of: Local<"i32">) => i32.divU(i32.add(i32.mul(of, chunks), i32.sub(parts, 1)), parts);
  fn.block((none) =>
    fn.loop((nextOwner) => {
      at.set(i32.add(base, i32.mul(owner, shareBytes)));
      first.set(border(owner));
      owner.set(i32.add(owner, 1));
      end.set(border(owner));
      owner.set(select(0, owner, i32.eq(owner, parts)));
      fn.block((empty) => {
        fn.loop((again) => {
          seen.set(atomics.load64(at, control.shares));
          chunk.set(i32.wrapI64(seen));
          fn.when(i32.ne(i32.wrapI64(i64.shrU(seen, 32n)), phase), () => {
            // Of an earlier phase, unless this one is over.
            fn.branchIf(none, i32.ne(atomics.load(base, phaseGate.word), phase));
            chunk.set(first);
          });
          fn.branchIf(empty, i32.geU(chunk, end));
          const next = i64.extendI32U(i32.add(chunk, 1));
          const claimed = fn.let(i64.or(i64.shl(i64.extendI32U(phase), 32n), next));
          fn.branchIf(again, i64.ne(atomics.exchange64(at, seen, claimed, control.shares), seen));
        });
        result.set(chunk);
        fn.branch(none);
      });
      fn.branchIf(nextOwner, left.tee(i32.sub(left, 1)));
    }),
  );
  fn.emit(result);
  return fn;
}

/**
 * (control, phase, part, count, chunks, status, skips) → `done` once the phase is over, or a thread has failed; `paused` where the first part has waited for
 * long, and is to come again with a count of 0. `count` is how many of the phase's `chunks` the thread has finished; who finishes the last one moves
 * on by one phase, or by `skips` where there is something at the address `status`.
 */
function finishFunction(module: ModuleBuilder): FunctionBuilder {
  const fn = module.function("finish", ["i32", "i32", "i32", "i32", "i32", "i32", "i32"], ["i32"]);
  const [base, phase, part, count, chunks, status, skips] = fn.parameters as Local<"i32">[];
  const result = fn.local("i32");
  const nanoseconds = fn.let(-1n);
  fn.when(i32.eqz(part), () => nanoseconds.set(i64.load(base, control.patience)));
  fn.block((leave) => {
    fn.when(count, () => {
      const finished = i32.add(atomics.add(base, count, control.finished), count);
      fn.when(i32.eq(finished, chunks), () => {
        fn.emit(atomics.store(base, 0, control.finished));
        // Read once all chunks are finished: any of them may have written it.
        moveOn(phaseGate, fn, base, select(skips, 1, i32.load(status)));
        fn.branch(leave);
      });
    });
    waitAt(phaseGate, fn, base, phase, nanoseconds);
    fn.branchIf(leave, i32.ne(atomics.load(base, phaseGate.word), phase));
    fn.branchIf(leave, atomics.load(base, control.aborted));
    result.set(outcome.paused);
  });
  fn.emit(result);
  return fn;
}
