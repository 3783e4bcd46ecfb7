// The control block: the words in shared memory through which threads wait for each other, the waiting itself, and the module through which
// JavaScript uses it. A thread spins for a while and then sleeps; nobody is woken while nobody sleeps.
import {
  block,
  branchIf,
  type Code,
  call,
  drop,
  type FunctionBuilder,
  type Local,
  loop,
  ModuleBuilder,
  when,
} from "../assembler/assembler.ts";
import { atomics, i32, i64 } from "../assembler/instructions.ts";

/** Byte offsets in the control block. What threads wait for and what they write have cache lines of their own. */
export const control = {
  /** How often a thread that waits for a phase to end looks again before it sleeps. */
  spins: 0,
  /** How often a worker that waits for a job looks again before it sleeps. */
  idleSpins: 4,
  /** Not 0 once a thread has failed: everybody leaves. */
  aborted: 8,
  /** Nanoseconds, as i64, after which the first part breaks off waiting. */
  patience: 16,
  /** The phase, counted across runs; and who sleeps until it is over. */
  phase: 64,
  sleepers: 68,
  /** Chunks of the phase that are finished. */
  finished: 128,
  /** The latest job's first phase; who sleeps until there is another; and what the job is. */
  jobs: 192,
  idle: 196,
  job: 200,
  /** For each part, as i64: the phase in which a chunk of its share was last taken, in the upper half; the chunk that is next. */
  shares: 256,
} as const;

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
  const fn = module.function("sleep", ["i32", "i32", "i64"], ["i32"]);
  const [address, expected, nanoseconds] = fn.parameters;
  fn.body(atomics.wait(address.get as Code<"i32">, expected.get as Code<"i32">, nanoseconds.get as Code<"i64">));
  return fn;
}

/** Code that waits until the word at `offset` isn't `seen` any more, or somebody has failed, or patience ends. */
export function waitWhile(
  fn: FunctionBuilder,
  base: Local<"i32">,
  seen: Local<"i32">,
  {
    offset,
    sleepers,
    looks,
    nanoseconds,
    sleep,
  }: { offset: number; sleepers: number; looks: number; nanoseconds: Code<"i64">; sleep: FunctionBuilder },
): Code {
  const spins = fn.local("i32");
  const address = () => i32.add(base.get, i32.const(offset));
  const here = () => i32.ne(atomics.load(base.get, offset), seen.get);
  return block((done) => [
    spins.set(i32.load(base.get, looks)),
    loop((again) => [branchIf(done, here()), branchIf(again, spins.tee(i32.sub(spins.get, i32.const(1))))]),
    drop(atomics.add(base.get, i32.const(1), sleepers)),
    block((awake) => [
      loop((again) => [
        // 2: timed out.
        branchIf(awake, i32.eq(call<"i32">(sleep, address(), seen.get, nanoseconds), i32.const(2))),
        branchIf(awake, here()),
        branchIf(again, i32.eqz(atomics.load(base.get, control.aborted))),
      ]),
    ]),
    drop(atomics.add(base.get, i32.const(-1), sleepers)),
  ]);
}

/** Code that moves the word on and wakes who sleeps for it. */
export function moveOn(base: Local<"i32">, offset: number, sleepers: number, step: Code<"i32">): Code[] {
  return [
    drop(atomics.add(base.get, step, offset)),
    when(atomics.load(base.get, sleepers), [drop(atomics.notify(base.get, i32.const(-1), offset))]),
  ];
}

/**
 * The module through which JavaScript uses the control block: `park(control, seen)` waits for a job that doesn't begin with phase `seen`
 * and gives the phase with which it begins, as `latest(control)` does without waiting; `job(control)` then says which job it is.
 * `begin(control)` begins a run and gives its first phase, `dispatch(control, job)` begins one and gives it out as a job,
 * `abort(control)` releases all threads.
 */
export function controlModule(sharedMaximum: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ sharedMaximum });
  const park = module.function("park", ["i32", "i32"], ["i32"], { exported: true });
  const [parkBase, seen] = park.parameters as Local<"i32">[];
  park.body(
    waitWhile(park, parkBase, seen, {
      offset: control.jobs,
      sleepers: control.idle,
      looks: control.idleSpins,
      nanoseconds: i64.const(-1n),
      sleep: sleepFunction(module),
    }),
    atomics.load(parkBase.get, control.jobs),
  );
  const latest = module.function("latest", ["i32"], ["i32"], { exported: true });
  latest.body(atomics.load(latest.parameters[0].get as Code<"i32">, control.jobs));
  const job = module.function("job", ["i32"], ["i32"], { exported: true });
  job.body(atomics.load(job.parameters[0].get as Code<"i32">, control.job));
  const begin = module.function("begin", ["i32"], ["i32"], { exported: true });
  const [beginBase] = begin.parameters as Local<"i32">[];
  begin.body(i32.add(atomics.add(beginBase.get, i32.const(1), control.phase), i32.const(1)));
  const dispatch = module.function("dispatch", ["i32", "i32"], ["i32"], { exported: true });
  const [dispatchBase, number] = dispatch.parameters as Local<"i32">[];
  const first = dispatch.local("i32");
  dispatch.body(
    first.set(call<"i32">(begin, dispatchBase.get)),
    // The job first: a worker that takes it for an earlier one's finds nothing left to do.
    atomics.store(dispatchBase.get, number.get, control.job),
    ...moveOn(
      dispatchBase,
      control.jobs,
      control.idle,
      i32.sub(first.get, atomics.load(dispatchBase.get, control.jobs)),
    ),
    first.get,
  );
  const abort = module.function("abort", ["i32"], [], { exported: true });
  const [abortBase] = abort.parameters as Local<"i32">[];
  abort.body(
    atomics.store(abortBase.get, i32.const(1), control.aborted),
    ...moveOn(abortBase, control.phase, control.sleepers, i32.const(pastAll)),
  );
  return module.encode();
}
