// The thread pool: workers started once, which wait in WebAssembly between runs. The calling thread is part 0 of every run. A worker that
// dies ends the pool with a BackendError; it is never waited for without end.
import { availableThreads, startWorker, threadsRefused, type WorkerHandle } from "#workers";
import { BackendError, type ErrorDetails, refuse } from "../../../core/errors.ts";
import { control, controlBytes, controlModule, jobGate, phaseGate } from "./control.ts";
import { type Memory, maximumPages } from "./memory.ts";

/** What a worker does: it answers each message with "ready" and then waits in WebAssembly for jobs until one tells it to listen again. */
const workerSource = `
let home, pool, seen = 0;
const programs = new Map();
listen((message) => {
  try {
    if (message.home) {
      home = message.home;
      pool = new WebAssembly.Instance(home.module, { environment: { memory: home.memory } }).exports;
    }
    for (const id of message.forget) programs.delete(id);
    if (message.program) {
      const { id, module, bindings } = message.program;
      const { run } = new WebAssembly.Instance(module, { environment: { memory: home.memory } }).exports;
      programs.set(id, (first) => run(bindings, home.control, home.part, home.parts, first));
    }
    // Jobs given out before are over; the next one comes after this answer.
    seen = pool.latest(home.control);
    post({ ready: true });
  } catch (error) {
    post({ failed: String(error) });
    return;
  }
  serve();
});
function serve() {
  for (;;) {
    seen = pool.park(home.control, seen);
    const job = pool.job(home.control);
    if (job === 0) return;
    try {
      if (programs.get(job)(seen) !== 0) return;
    } catch (error) {
      pool.abort(home.control);
      post({ failed: String(error) });
      return;
    }
  }
}
`;

interface ControlExports {
  begin(control: number): number;
  dispatch(control: number, job: number): number;
  abort(control: number): void;
}

/** What a pool leaves behind. */
interface Crew {
  readonly workers: WorkerHandle[];
  abort(): void;
}

function dismiss({ workers, abort }: Crew): void {
  abort();
  for (const worker of workers.splice(0)) worker.stop();
}

/** Threads live as long as they are let: those of a pool that nobody has any more are ended, and so their memory is given back. */
const deserted = new FinalizationRegistry<Crew>(dismiss);
/** Pools that wait for their workers: until those have answered, nothing else may hold them. */
const listening = new Set<Pool>();

/** What a worker tells goes to its pool, if there still is one: a thread that runs is held by the engine, and all that hears it. */
function startFor(pool: WeakRef<Pool>): WorkerHandle {
  return startWorker(workerSource, {
    message: (message) => pool.deref()?.hear(message),
    ended: (reason) => pool.deref()?.lose(reason),
  });
}

/** How many threads a wish comes to: "all" is every core. Throws BackendError where several can't be had. */
export function threadCount(wish: number | "all"): number {
  const refused = threadsRefused();
  if (wish === "all") return refused ? 1 : availableThreads();
  if (!Number.isInteger(wish) || wish < 1 || wish > 64)
    refuse(BackendError, "threads", "not a number of threads", wish, "an integer in [1, 64]");
  if (wish > 1 && refused) {
    throw new BackendError({ where: "threads", problem: "several threads can't be used here", got: refused });
  }
  return wish;
}

export class Pool {
  readonly parts: number;
  /** Address of the control block. */
  readonly control: number;
  readonly #memory: Memory;
  readonly #module: WebAssembly.Module;
  readonly #exports: ControlExports;
  readonly #crew: Crew;
  /** Why nothing can be run any more. */
  #failure: ErrorDetails | undefined;
  #forget: number[] = [];
  #nextId = 1;
  #waiting: { left: number; resolve(): void; reject(error: unknown): void } | undefined;
  #queue: Promise<void> = Promise.resolve();
  #turns = 0;

  /** `patience`: milliseconds of waiting for a worker after which the calling thread looks whether it has died, and then waits on. */
  constructor(memory: Memory, parts: number, { patience = 250 }: { readonly patience?: number } = {}) {
    this.parts = parts;
    this.#memory = memory;
    this.control = memory.allocate(controlBytes(parts));
    // With more threads than cores, one that spins keeps another from working.
    const crowded = parts > availableThreads();
    memory.view.setInt32(this.control + phaseGate.looks, crowded ? 200 : 60_000, true);
    // Waking a worker costs more than most of what a program does between two steps: it waits for about a tenth of a millisecond.
    memory.view.setInt32(this.control + jobGate.looks, crowded ? 200 : 400_000, true);
    memory.view.setBigInt64(this.control + control.patience, BigInt(patience * 1e6), true);
    this.#module = new WebAssembly.Module(controlModule(maximumPages));
    const instance = new WebAssembly.Instance(this.#module, { environment: { memory: memory.memory } });
    const exports = instance.exports as unknown as ControlExports;
    this.#exports = exports;
    const { control: address } = this;
    this.#crew = { workers: [], abort: () => exports.abort(address) };
    deserted.register(this, this.#crew);
  }

  /** Starts the workers. */
  async start(): Promise<void> {
    const { parts } = this;
    const { workers } = this.#crew;
    const self = new WeakRef(this);
    try {
      while (workers.length < parts - 1) workers.push(startFor(self));
    } catch (cause) {
      this.stop();
      throw new BackendError({ where: "threads", problem: "a thread can't be started", got: String(cause), cause });
    }
    const home = { module: this.#module, memory: this.#memory.memory, control: this.control, parts };
    await this.#send((part) => ({ home: { ...home, part } }));
  }

  /** Gives every worker a program that runs on its bindings; the id is what `dispatch` takes. */
  async add(module: WebAssembly.Module, bindings: number): Promise<number> {
    const id = this.#nextId++;
    await this.turn(() => this.#send(() => ({ program: { id, module, bindings } })));
    return id;
  }

  /** Whether workers are being talked to or a run is paused: what else is wanted of them must wait its turn. */
  get isBusy(): boolean {
    return this.#turns > 0;
  }

  /** Does something with the workers after all that came before. */
  async turn<T>(body: () => T | Promise<T>): Promise<T> {
    this.#turns++;
    const done = this.#queue.then(body);
    this.#queue = done.then(
      () => {},
      () => {},
    );
    try {
      return await done;
    } finally {
      this.#turns--;
    }
  }

  /** Has the workers listen, and gives each a message; over when all have answered. */
  async #send(message: (part: number) => object): Promise<void> {
    this.check();
    this.#exports.dispatch(this.control, 0);
    const { workers } = this.#crew;
    listening.add(this);
    const answered = new Promise<void>((resolve, reject) => {
      this.#waiting = { left: workers.length, resolve, reject };
    });
    const forget = this.#forget.splice(0);
    workers.forEach((worker, i) => {
      worker.hold(true);
      worker.post({ ...message(i + 1), forget });
    });
    await answered;
  }

  /** Forgets a program, the next time the workers listen. */
  forget(id: number): void {
    this.#forget.push(id);
  }

  /** Begins a run, which the workers join if they have its program; the caller is its part 0. Gives the run's first phase. Throws BackendError if a worker has died. */
  begin(id: number | undefined): number {
    this.check();
    return id === undefined ? this.#exports.begin(this.control) : this.#exports.dispatch(this.control, id);
  }

  /** Throws BackendError if a worker has died, or the pool was stopped. */
  check(): void {
    if (this.#failure) throw new BackendError(this.#failure);
  }

  /** While a run is paused: hears what has happened meanwhile. Throws BackendError if a worker has died. */
  async look(): Promise<void> {
    // What a dead worker said, and that it is dead, arrive as events.
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.check();
  }

  /** After a run that failed: says so, as a BackendError. */
  async fail(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    this.lose("it didn't come to the barrier");
    this.check();
  }

  /** The calling thread's own part ended in a trap: so must the others', which would wait for it. Throws BackendError. */
  trapped(cause: unknown): void {
    this.#fail("the calling thread failed in a run", String(cause));
    this.check();
  }

  /** A worker has ended. */
  lose(reason: string): void {
    this.#fail("a worker thread has died", reason);
  }

  /** A worker has said something. */
  hear(message: unknown): void {
    const { failed } = message as { failed?: string };
    if (failed !== undefined) {
      this.lose(failed);
      return;
    }
    const waiting = this.#waiting;
    if (!waiting || --waiting.left > 0) return;
    this.#waiting = undefined;
    listening.delete(this);
    for (const worker of this.#crew.workers) worker.hold(false);
    waiting.resolve();
  }

  #fail(problem: string, got: string): void {
    if (this.#failure) return;
    const hint = "make a new backend and load the last checkpoint: what was in this one's memory may be half-written";
    this.#end({ where: "wasm", problem, got, hint });
  }

  /** Ends the workers; nothing can be run from now on. */
  stop(): void {
    this.#end({ where: "wasm", problem: "the backend was disposed", hint: "make a new one" });
  }

  #end(failure: ErrorDetails): void {
    this.#failure = failure;
    dismiss(this.#crew);
    listening.delete(this);
    this.#waiting?.reject(new BackendError(failure));
    this.#waiting = undefined;
  }
}
