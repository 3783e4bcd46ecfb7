// Data ahead of the step: while a step runs, the next one's batches are asked for already, and the time that training spends on waiting for
// data is measured. Neither changes what comes or in which order: a loader's batches are a pure function of where the epoch's draws begin.

import { now } from "../runtime/clock.ts";
import type { DataLoader, LoadedBatch } from "./loader.ts";

/** How long training takes, and how much of that it waits for data: for what only informs. */
export class DataClock {
  readonly #begun = now();
  #waited = 0;
  #excluded = 0;
  #waiting = false;

  /** The share of the time until now, without what was excluded, in which data was waited for or made: in [0, 1]. */
  get share(): number {
    return this.#waited / (now() - this.#begun - this.#excluded);
  }

  /** Takes work that is no part of a step out of the time. */
  async excluding<T>(work: () => Promise<T>): Promise<T> {
    const begin = now();
    try {
      return await work();
    } finally {
      this.#excluded += now() - begin;
    }
  }

  /** Measures a wait. */
  async wait<T>(work: () => Promise<T>): Promise<T> {
    const begin = now();
    this.#waiting = true;
    try {
      return await work();
    } finally {
      this.#waiting = false;
      this.#waited += now() - begin;
    }
  }

  /** Measures work that is done at once, and isn't part of a wait. */
  work<T>(body: () => T): T {
    const begin = now();
    try {
      return body();
    } finally {
      if (!this.#waiting) this.#waited += now() - begin;
    }
  }

  /** The loader, with the time in which it makes its batches measured. */
  measure(loader: DataLoader): Pick<DataLoader, "name" | "batches"> {
    const batches: DataLoader["batches"] = (epoch, start) => {
      const source = this.work(() => loader.batches(epoch, start));
      const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
      type Next = Iterator<LoadedBatch> & AsyncIterator<LoadedBatch>;
      const { next, return: end } = iterator as Next;
      return {
        [Symbol.asyncIterator]: () => ({
          next: async () => this.work(() => next.call(iterator)),
          return: async () => (await end?.call(iterator)) ?? { done: true, value: undefined },
        }),
      };
    };
    return { name: loader.name, batches };
  }
}

/** What `source` gives, at most `count` values, each asked for while the one before is in use. An error comes where its value would have come; what isn't wanted any more isn't asked for, and the source is closed. */
export async function* prefetch<T>(source: AsyncIterable<T>, count: number, clock: DataClock): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const ask = (left: number): Promise<IteratorResult<T>> | undefined => {
    if (left <= 0) return undefined;
    const next = iterator.next();
    // It is thrown where it is waited for; if nobody does, nobody needs it.
    next.catch(() => {});
    return next;
  };
  let next = ask(count);
  try {
    for (let left = count - 1; next; left--) {
      const asked = next;
      const { done, value } = await clock.wait(() => asked);
      if (done) return;
      next = ask(left);
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
