// The control block: the words in shared memory through which threads wait for each other, the waiting itself, and the module through which
// JavaScript uses it. A thread spins for a while and then sleeps; nobody is woken while nobody sleeps.
import {
  atomics,
  call,
  type FunctionBuilder,
  type Integer,
  i32,
  type Local,
  ModuleBuilder,
  type Operand,
} from "../assembler/assembler.ts";

/** Byte offsets in the control block. What threads wait for and what they write have cache lines of their own. */
export const control = {
  /** Not 0 once a thread has failed: everybody leaves. */
  aborted: 8,
  /** Nanoseconds, as i64, after which the first part breaks off waiting. */
  patience: 16,
  /** Chunks of the phase that are finished. */
  finished: 128,
  /** What the latest job is. */
  job: 200,
  /** For each part, as i64: the phase in which a chunk of its share was last taken, in the upper half; the chunk that is next. */
  shares: 256,
} as const;

/** A word that threads wait for to move on: where it is in the control block, how many sleep until it does, and how often each looks again before it sleeps. */
export interface Gate {
  readonly word: number;
  readonly sleepers: number;
  readonly looks: number;
}

/** The phase, counted across runs. */
export const phaseGate: Gate = { word: 64, sleepers: 68, looks: 0 };
/** The latest job's first phase. */
export const jobGate: Gate = { word: 192, sleepers: 196, looks: 4 };

/** Bytes from one part's share to the next: a cache line. */
export const shareBytes = 64;
/** Bytes of the control block of this many parts. */
export const controlBytes = (parts: number) => control.shares + shareBytes * parts;
/** How far the phase moves when a thread fails: past all of any run. */
const pastAll = 2 ** 30;

/**
 * (address, expected, nanoseconds) → what memory.atomic.wait32 gives. A function of its own: V8 11's first compiler (Node 20) mistakes locals that
 * live across the instruction.
 */
export function sleepFunction(module: ModuleBuilder): FunctionBuilder {
  return module.shared("sleep", () => {
    const fn = module.function("sleep", ["i32", "i32", "i64"], ["i32"]);
    const [address, expected] = fn.parameters as Local<"i32">[];
    fn.emit(atomics.wait(address, expected, fn.parameters[2] as Local<"i64">));
    return fn;
  });
}

/** Waits until the gate's word isn't `seen` any more, or somebody has failed, or patience ends. */
export function waitAt(
  { word, sleepers, looks }: Gate,
  fn: FunctionBuilder,
  base: Local<"i32">,
  seen: Local<"i32">,
  nanoseconds: Operand<"i64">,
): void {
  const sleep = sleepFunction(fn.module);
  const isOver = i32.ne(atomics.load(base, word), seen);
  fn.block((done) => {
    const spins = fn.let(i32.load(base, looks));
    fn.loop((again) => {
      fn.branchIf(done, isOver);
      fn.branchIf(again, spins.tee(i32.sub(spins, 1)));
    });
    fn.drop(atomics.add(base, 1, sleepers));
    fn.block((awake) =>
      fn.loop((again) => {
        const ended = call<"i32">(sleep, i32.add(base, word), seen, nanoseconds);
        // 2: timed out.
        fn.branchIf(awake, i32.eq(ended, 2));
        fn.branchIf(awake, isOver);
        fn.branchIf(again, i32.eqz(atomics.load(base, control.aborted)));
      }),
    );
    fn.drop(atomics.add(base, -1, sleepers));
  });
}

/** Moves the gate's word on and wakes who sleeps for it. */
export function moveOn({ word, sleepers }: Gate, fn: FunctionBuilder, base: Local<"i32">, step: Integer): void {
  fn.drop(atomics.add(base, step, word));
  fn.when(atomics.load(base, sleepers), () => fn.drop(atomics.notify(base, -1, word)));
}

/**
 * The module through which JavaScript uses the control block: `park(control, seen)` waits for a job that doesn't begin with phase `seen`
 * and gives the phase with which it begins, as `latest(control)` does without waiting; `job(control)` then says which job it is.
 * `begin(control)` begins a run and gives its first phase, `dispatch(control, job)` begins one and gives it out as a job,
 * `abort(control)` releases all threads.
 */
export function controlModule(sharedMaximum: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ sharedMaximum });
  /** A function that is given the block's address and perhaps a number, and gives one. */
  const exported = (
    name: string,
    result: (fn: FunctionBuilder, base: Local<"i32">, number: Local<"i32">) => Integer,
  ): FunctionBuilder => {
    const fn = module.function(name, ["i32", "i32"], ["i32"], { exported: true });
    const [base, number] = fn.parameters as Local<"i32">[];
    fn.emit(result(fn, base, number));
    return fn;
  };
  exported("park", (fn, base, seen) => {
    waitAt(jobGate, fn, base, seen, -1n);
    return atomics.load(base, jobGate.word);
  });
  exported("latest", (_, base) => atomics.load(base, jobGate.word));
  exported("job", (_, base) => atomics.load(base, control.job));
  const begin = exported("begin", (_, base) => i32.add(atomics.add(base, 1, phaseGate.word), 1));
  exported("dispatch", (fn, base, number) => {
    const first = fn.let(call<"i32">(begin, base, 0));
    // The job first: a worker that takes it for an earlier one's finds nothing left to do.
    fn.emit(atomics.store(base, number, control.job));
    moveOn(jobGate, fn, base, i32.sub(first, atomics.load(base, jobGate.word)));
    return first;
  });
  exported("abort", (fn, base) => {
    fn.emit(atomics.store(base, 1, control.aborted));
    moveOn(phaseGate, fn, base, pastAll);
    return 0;
  });
  return module.encode();
}
