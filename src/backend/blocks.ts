// Who has which bytes of a memory that a backend gives out in blocks.
import { align } from "../schedule/places.ts";

/** What gives out memory. */
interface Allocator {
  allocate(bytes: number): number;
  free(address: number, bytes: number): void;
}

/** A memory that grows, and who has what of it: first fit, neighbours joined when they are given back. Blocks begin at multiples of 64 bytes, and take as many. */
export abstract class Blocks implements Allocator {
  /** By address: [address, bytes]. */
  readonly #free: [number, number][] = [];
  /** From here on nothing has been given out yet: it is zero as it is. */
  #untouched = 0;

  /** Adds room for a block of `size` at the end, by `free`. Throws BackendError where there is no more memory. */
  protected abstract grow(size: number): void;
  /** Zeroes bytes that were given out before. */
  protected abstract clear(address: number, bytes: number): void;

  /** The address of `bytes` zeroed bytes, a multiple of 64. Throws BackendError where there is no more memory. */
  allocate(bytes: number): number {
    const size = align(Math.max(1, bytes));
    let address = this.#take(size);
    if (address === undefined) {
      this.grow(size);
      address = this.#take(size)!;
    }
    const end = address + size;
    if (address < this.#untouched) this.clear(address, Math.min(end, this.#untouched) - address);
    this.#untouched = Math.max(this.#untouched, end);
    return address;
  }

  /** The address of a block, undefined where no gap is as large. */
  #take(size: number): number | undefined {
    const at = this.#free.findIndex(([, room]) => room >= size);
    if (at < 0) return undefined;
    const [address, room] = this.#free[at];
    if (room === size) this.#free.splice(at, 1);
    else this.#free[at] = [address + size, room - size];
    return address;
  }

  /** Gives back what `allocate(bytes)` gave, or adds what hasn't been given out yet. */
  free(address: number, bytes: number): void {
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
  protected tail(end: number): number {
    const last = this.#free.at(-1);
    return last && last[0] + last[1] === end ? last[1] : 0;
  }
}

/** Memory for what lives only while a plan runs: one block for all plans, since they run one after another, as large as the largest needs. */
export class Workspace {
  readonly #memory: Allocator;
  #address = 0;
  #bytes = 0;

  constructor(memory: Allocator) {
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
