// The control block: the words in shared memory through which threads wait for each other, the waiting itself, and the module through which
// JavaScript uses it. A thread spins for a while and then sleeps; nobody is woken while nobody sleeps.
import {
  block,
  branchIf,
  type Code,
  drop,
  type FunctionBuilder,
  type Local,
  loop,
  ModuleBuilder,
  when,
} from "../assembler.ts";
import { atomics, i32, i64 } from "../instructions.ts";

/** Byte offsets in the control block. The words that threads wait for have cache lines of their own. */
export const control = {
  /** How many have arrived at the barrier. */
  arrived: 0,
  /** How often a thread that waits at a barrier looks again before it sleeps. */
  spins: 8,
  /** Not 0 once a thread has failed: everybody leaves. */
  aborted: 12,
  /** The barrier at which the first part broke off waiting, from 1, and the generation it waited with; 0: it is to begin at the beginning. */
  resume: 16,
  resumed: 20,
  /** Nanoseconds, as i64, after which the first part breaks off waiting. */
  patience: 24,
  /** How often a worker that waits for a job looks again before it sleeps. */
  idleSpins: 32,
  /** Goes up when all have arrived; and who sleeps until then. */
  generation: 64,
  sleepers: 68,
  /** Goes up with each job; who sleeps until then; and what the job is. */
  jobs: 128,
  idle: 132,
  job: 136,
  bytes: 192,
} as const;

/** What `run` and a barrier give. */
export const outcome = { done: 0, failed: 1, paused: 2 } as const;

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
  }: { offset: number; sleepers: number; looks: number; nanoseconds: Code<"i64"> },
): Code {
  const spins = fn.local("i32");
  const here = () => i32.ne(atomics.load(base.get, offset), seen.get);
  return block((done) => [
    spins.set(i32.load(base.get, looks)),
    loop((again) => [branchIf(done, here()), branchIf(again, spins.tee(i32.sub(spins.get, i32.const(1))))]),
    drop(atomics.add(base.get, i32.const(1), sleepers)),
    block((awake) => [
      loop((again) => [
        // 2: timed out.
        branchIf(awake, i32.eq(atomics.wait(base.get, seen.get, nanoseconds, offset), i32.const(2))),
        branchIf(awake, here()),
        branchIf(again, i32.eqz(atomics.load(base.get, control.aborted))),
      ]),
    ]),
    drop(atomics.add(base.get, i32.const(-1), sleepers)),
  ]);
}

/** Code that moves the word on and wakes who sleeps for it. */
export function moveOn(base: Local<"i32">, offset: number, sleepers: number): Code[] {
  return [
    drop(atomics.add(base.get, i32.const(1), offset)),
    when(atomics.load(base.get, sleepers), [drop(atomics.notify(base.get, i32.const(-1), offset))]),
  ];
}

/**
 * The module through which JavaScript uses the control block: `park(control, seen)` waits for a job after the `seen`-th and gives its
 * number in order, `job(control)` says which it is, `dispatch(control, job)` gives one out, `abort(control)` releases all threads.
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
    }),
    atomics.load(parkBase.get, control.jobs),
  );
  const job = module.function("job", ["i32"], ["i32"], { exported: true });
  job.body(atomics.load(job.parameters[0].get as Code<"i32">, control.job));
  const dispatch = module.function("dispatch", ["i32", "i32"], [], { exported: true });
  const [dispatchBase, number] = dispatch.parameters as Local<"i32">[];
  dispatch.body(
    atomics.store(dispatchBase.get, number.get, control.job),
    ...moveOn(dispatchBase, control.jobs, control.idle),
  );
  const abort = module.function("abort", ["i32"], [], { exported: true });
  const [abortBase] = abort.parameters as Local<"i32">[];
  abort.body(
    atomics.store(abortBase.get, i32.const(1), control.aborted),
    ...moveOn(abortBase, control.generation, control.sleepers),
  );
  return module.encode();
}
