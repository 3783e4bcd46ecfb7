// Scalars that a callback watches in a step: computed in the step's plan, read back as one small tensor, and only when someone asks.

import { watch } from "../../program/trace.ts";
import { stack } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Named scalars under one name for `watch`. */
export class WatchedScalars {
  readonly #key: string;
  #names: readonly string[] = [];

  /** `key`: unlike that of any other callback. */
  constructor(key: string) {
    this.#key = key;
  }

  /** In `onTrace`: has the step compute float32 scalars. */
  watch(entries: readonly (readonly [name: string, value: Tensor])[]): void {
    this.#names = entries.map(([name]) => name);
    if (entries.length > 0) watch(this.#key, stack(entries.map(([, value]) => value)));
  }

  /** Their values in a step that has run, in the order given. */
  async read(watched: Readonly<Record<string, Tensor>>): Promise<[string, number][]> {
    const tensor = watched[this.#key];
    if (!tensor) return [];
    const values = await tensor.data();
    return this.#names.map((name, i) => [name, values[i]]);
  }
}
