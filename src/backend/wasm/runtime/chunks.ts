// How threads share a phase: each takes chunks of its own share first and then of the others', and who finishes the last one moves the phase on.
// Nobody waits for a thread that holds no chunk, so one that the operating system keeps from running costs the chunk it is at and no more. Phases are
// numbered across runs; a word that says which chunk is next says of which phase, so that who comes late, even by a whole run, takes nothing.
import {
  block,
  branch,
  branchIf,
  type Code,
  call,
  type FunctionBuilder,
  type Local,
  loop,
  type ModuleBuilder,
  type Target,
  when,
} from "../assembler/assembler.ts";
import { atomics, i32, i64, select } from "../assembler/instructions.ts";
import { control, moveOn, shareBytes, sleepFunction, waitWhile } from "./control.ts";
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
  readonly status: Code<"i32">;
}

/** What a thread does in a phase. */
export interface Work {
  readonly chunks: number;
  /** Code before its first chunk. */
  readonly before?: readonly Code[];
  each(chunk: Local<"i32">): readonly Code[];
  /** The phase, counted from the run's first; the next one if left out. */
  readonly number?: Code<"i32">;
  /** By how many phases the run then moves on if its status isn't 0; 1 if left out. */
  readonly skips?: number | Code<"i32">;
}

/** Prints the phases of a run, one after another, into a function. */
export class PhasePrinter {
  readonly #result: Local<"i32">;
  readonly #thread: Thread;
  readonly #take: FunctionBuilder;
  readonly #finish: FunctionBuilder;
  readonly #chunk: Local<"i32">;
  readonly #count: Local<"i32">;
  #number = 0;

  constructor(module: ModuleBuilder, fn: FunctionBuilder, thread: Thread) {
    this.#thread = thread;
    this.#take = takeFunction(module);
    this.#finish = finishFunction(module);
    [this.#result, this.#chunk, this.#count] = Array.from({ length: 3 }, () => fn.local("i32"));
  }

  /** The run's outcome, once its phases are over or were left. */
  get outcome(): Code<"i32"> {
    const { control: home } = this.#thread;
    return select(i32.const(outcome.failed), this.#result.get, atomics.load(home.get, control.aborted));
  }

  /** The next phase; goes to `leave` where a run fails or is paused. */
  print(leave: Target, { chunks, before = [], each, number, skips = 1 }: Work): Code {
    const { control: home, part, parts, first, status } = this.#thread;
    const chunk = this.#chunk;
    const count = this.#count;
    const phase = i32.add(first.get, number ?? i32.const(this.#number++));
    const further = typeof skips === "number" ? i32.const(skips) : skips;
    const all = i32.const(chunks);
    const begin = before.length > 0 ? [when(i32.eqz(count.get), before)] : [];
    return block((over) => [
      branchIf(over, i32.ne(atomics.load(home.get, control.phase), phase)),
      count.set(i32.const(0)),
      block((none) => [
        loop((more) => [
          chunk.set(call<"i32">(this.#take, home.get, phase, part.get, parts.get, all)),
          branchIf(none, i32.ltS(chunk.get, i32.const(0))),
          ...begin,
          ...each(chunk),
          count.set(i32.add(count.get, i32.const(1))),
          branch(more),
        ]),
      ]),
      branchIf(
        leave,
        this.#result.tee(call<"i32">(this.#finish, home.get, phase, part.get, count.get, all, status, further)),
      ),
    ]);
  }
}

/**
 * (control, phase, part, parts, chunks) → a chunk of the phase that nobody else has, below `chunks`; −1: there is none left. What a thread takes
 * it must report to `finish`.
 */
function takeFunction(module: ModuleBuilder): FunctionBuilder {
  const fn = module.function("take", ["i32", "i32", "i32", "i32", "i32"], ["i32"]);
  const [base, phase, part, parts, chunks] = fn.parameters as Local<"i32">[];
  const [owner, left, at, chunk, end, result] = Array.from({ length: 6 }, () => fn.local("i32"));
  const [seen, claimed] = [fn.local("i64"), fn.local("i64")];
  const border = (of: Local<"i32">) =>
    i32.divU(i32.add(i32.mul(of.get, chunks.get), i32.sub(parts.get, i32.const(1))), parts.get);
  const first = fn.local("i32");
  fn.body(
    result.set(i32.const(-1)),
    owner.set(part.get),
    left.set(parts.get),
    block((none) => [
      loop((nextOwner) => [
        at.set(i32.add(base.get, i32.mul(owner.get, i32.const(shareBytes)))),
        first.set(border(owner)),
        owner.set(i32.add(owner.get, i32.const(1))),
        end.set(border(owner)),
        owner.set(select(i32.const(0), owner.get, i32.eq(owner.get, parts.get))),
        block((empty) => [
          loop((again) => [
            seen.set(atomics.load64(at.get, control.shares)),
            chunk.set(i32.wrapI64(seen.get)),
            when(i32.ne(i32.wrapI64(i64.shrU(seen.get, i64.const(32n))), phase.get), [
              // Of an earlier phase, unless this one is over.
              branchIf(none, i32.ne(atomics.load(base.get, control.phase), phase.get)),
              chunk.set(first.get),
            ]),
            branchIf(empty, i32.geU(chunk.get, end.get)),
            claimed.set(
              i64.or(
                i64.shl(i64.extendI32U(phase.get), i64.const(32n)),
                i64.extendI32U(i32.add(chunk.get, i32.const(1))),
              ),
            ),
            branchIf(again, i64.ne(atomics.exchange64(at.get, seen.get, claimed.get, control.shares), seen.get)),
          ]),
          result.set(chunk.get),
          branch(none),
        ]),
        branchIf(nextOwner, left.tee(i32.sub(left.get, i32.const(1)))),
      ]),
    ]),
    result.get,
  );
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
  const sleep = sleepFunction(module);
  const limit = fn.local("i64");
  const result = fn.local("i32");
  // Read once all chunks are finished: any of them may have written it.
  const step = select(skips.get, i32.const(1), i32.load(status.get));
  const finished = i32.add(atomics.add(base.get, count.get, control.finished), count.get);
  fn.body(
    limit.set(i64.const(-1n)),
    when(i32.eqz(part.get), [limit.set(i64.load(base.get, control.patience))]),
    block((leave) => [
      when(count.get, [
        when(i32.eq(finished, chunks.get), [
          atomics.store(base.get, i32.const(0), control.finished),
          ...moveOn(base, control.phase, control.sleepers, step),
          branch(leave),
        ]),
      ]),
      waitWhile(fn, base, phase, {
        offset: control.phase,
        sleepers: control.sleepers,
        looks: control.spins,
        nanoseconds: limit.get,
        sleep,
      }),
      branchIf(leave, i32.ne(atomics.load(base.get, control.phase), phase.get)),
      branchIf(leave, atomics.load(base.get, control.aborted)),
      result.set(i32.const(outcome.paused)),
    ]),
    result.get,
  );
  return fn;
}
