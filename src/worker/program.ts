// Functions of a module in a worker, as its page calls them: compiled programs that train or predict, with batches whose memory goes over.
import { type Threads, threadsKind } from "../backend/load.ts";
import { anything, checkArguments, either, kind, options, signature, string } from "../core/arguments.ts";
import { absolute } from "./given.ts";
import { Link } from "./link.ts";

export interface ProgramOptions {
  /** What the module's function is called with beside the library. It is copied to the worker, but for the memory in `transfer`. */
  readonly options?: unknown;
  readonly transfer?: readonly Transferable[];
  /** The default backend's name in the worker: `wasm` unless given. */
  readonly backend?: string;
  /** As many as the machine runs at once, unless given; one where the page isn't cross-origin isolated. No bit depends on it. */
  readonly threads?: Threads;
}

const transferKind = kind("a list of what is transferred", Array.isArray);
const start = signature("startProgram", {
  module: either(
    string,
    kind("a URL", (value) => value instanceof URL),
  ),
  "options?": options<ProgramOptions>({
    "options?": anything,
    "transfer?": transferKind,
    "backend?": string,
    "threads?": threadsKind,
  }),
});
const calling = signature("call", {
  name: string,
  "args?": kind("a list of arguments", Array.isArray),
  "transfer?": transferKind,
});

/** A worker that has imported a module. */
export class WorkerProgram {
  /** The names of its functions, once it is there; rejects where the module can't be imported or its function fails. */
  readonly ready: Promise<readonly string[]>;
  readonly #link = new Link();

  /** Starts it: `startProgram` does. */
  constructor(module: string, { options, transfer = [], backend = "wasm", threads = "all" }: ProgramOptions) {
    this.ready = this.#link.ask({ order: "load", from: { module, options }, backend, threads }, transfer) as Promise<
      readonly string[]
    >;
    // Whoever calls a function hears of it there.
    this.ready.catch(() => {});
  }

  /**
   * Calls a function by its name. Arguments are numbers, texts and host arrays `{ data, shape, dtype }`, in records and lists: copied, but for the memory in `transfer`
   * (`[batch.data.buffer]`), which the page has no more. Tensors of the result come as host arrays. Calls run one after another. Rejects with the function's own error.
   */
  async call(name: string, args: readonly unknown[] = [], transfer: readonly Transferable[] = []): Promise<unknown> {
    checkArguments(calling, [name, args, transfer]);
    // It is sent at once: what is transferred is gone when this returns.
    const [, value] = await Promise.all([this.ready, this.#link.ask({ order: "call", name, args }, transfer)]);
    return value;
  }

  /** Ends the worker; what was called and isn't done rejects with BackendError. */
  close(): void {
    this.#link.end("it was closed");
  }
}

/** Imports a module in a worker, and gives what calls its functions: its default export is a `ProgramModule`. A relative URL is the page's. */
export function startProgram(module: URL | string, options: ProgramOptions = {}): WorkerProgram {
  checkArguments(start, arguments);
  return new WorkerProgram(absolute(module), options);
}
