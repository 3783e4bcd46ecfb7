// Who has which bytes of a memory that a backend gives out in blocks.
import { align } from "../schedule/places.ts";

/** What is free of a memory: first fit, neighbours joined when they are given back. Blocks begin at multiples of 64 bytes, and take as many. */
export class Blocks {
  /** By address: [address, bytes]. */
  readonly #free: [number, number][] = [];

  /** The address of `bytes` bytes, undefined where no gap is as large. */
  take(bytes: number): number | undefined {
    const size = align(Math.max(1, bytes));
    const at = this.#free.findIndex(([, room]) => room >= size);
    if (at < 0) return undefined;
    const [address, room] = this.#free[at];
    if (room === size) this.#free.splice(at, 1);
    else this.#free[at] = [address + size, room - size];
    return address;
  }

  /** Gives back what `take(bytes)` gave, or adds what hasn't been given out yet. */
  give(address: number, bytes: number): void {
    const size = align(Math.max(1, bytes));
    let at = this.#free.findIndex(([other]) => other > address);
    if (at < 0) at = this.#free.length;
    this.#free.splice(at, 0, [address, size]);
    for (const left of [at, at - 1]) {
      const [here, next] = [this.#free[left], this.#free[left + 1]];
      if (here && next && here[0] + here[1] === next[0]) {
        here[1] += next[1];
        this.#free.splice(left + 1, 1);
      }
    }
  }

  /** Free bytes just before `end`. */
  tail(end: number): number {
    const last = this.#free.at(-1);
    return last && last[0] + last[1] === end ? last[1] : 0;
  }
}

/** Memory for what lives only while a plan runs: one block for all plans, since they run one after another, as large as the largest needs. */
export class Workspace {
  readonly #memory: { allocate(bytes: number): number; free(address: number, bytes: number): void };
  #address = 0;
  #bytes = 0;

  constructor(memory: { allocate(bytes: number): number; free(address: number, bytes: number): void }) {
    this.#memory = memory;
  }

  /** Where the workspace begins, after it has grown to at least `bytes`, which moves it. Call while no plan runs. */
  reserve(bytes: number): number {
    if (bytes > this.#bytes) {
      if (this.#bytes > 0) this.#memory.free(this.#address, this.#bytes);
      this.#bytes = 0;
      this.#address = this.#memory.allocate(bytes);
      this.#bytes = bytes;
    }
    return this.#address;
  }
}
