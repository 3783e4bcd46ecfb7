// Modules that few programs need, asked for where nothing can wait: what asks for one that isn't imported yet is refused, and whoever can wait imports it and begins again. So no one
// has to know beforehand what a graph will need, and where it is forgotten to wait, that is an error and never another way of computing. What can wait by itself writes `await import(…)`.
import { BackendError } from "./errors.ts";

/** Which module was missing where an error was thrown. */
const missing = new WeakMap<object, LazyModule<unknown>>();

/** A module that few programs need. */
export class LazyModule<M> {
  /** All that there are. */
  static readonly all = new Set<LazyModule<unknown>>();
  readonly #load: () => Promise<M>;
  #module: M | undefined;

  constructor(load: () => Promise<M>) {
    this.#load = load;
    LazyModule.all.add(this);
  }

  /** The module. Throws BackendError where it isn't imported yet: call under `importing`. */
  get module(): M {
    if (this.#module) return this.#module;
    const error = new BackendError({
      where: "import",
      problem: "a module is asked for before it is imported",
      got: String(this.#load),
      hint: "compile and run the graph, which imports it",
    });
    missing.set(error, this);
    throw error;
  }

  /** Throws BackendError where the module isn't imported yet, for who will ask for it later. */
  need(): void {
    void this.module;
  }

  /** Has the module at hand, for who imports it at once. */
  give(module: M): void {
    this.#module = module;
  }

  /** Imports it, unless it is at hand. Throws BackendError where it can't be imported; the next call tries again. */
  async load(): Promise<void> {
    try {
      this.#module ??= await this.#load();
    } catch (cause) {
      throw new BackendError({
        where: "import",
        problem: "a module of the engine can't be imported",
        got: String(cause),
        hint: "a page fetches modules as graphs need them: its server must still have the files of the same build",
        cause,
      });
    }
  }
}

/** Gives what `work` does, which is done again after each import of what it misses: until then it leaves nothing behind. */
export async function importing<T>(work: () => T): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      const lazy = missing.get(error as object);
      if (!lazy) throw error;
      await lazy.load();
    }
  }
}
