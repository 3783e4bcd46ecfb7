// Tensors that a callback watches in a step: their elements are put into one in the step's plan, and read back only when someone asks. Which they are may differ from step
// to step: a group of fewer micro-batches, and a step of fewer optimizers, are programs of their own.

import type { TypedArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import { watch } from "../../program/trace.ts";
import { concat } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Names and sizes, in the order in which a step puts them into one. */
type Layout = readonly { readonly name: string; readonly size: number }[];

/** Named tensors under one name for `watch`. */
export class WatchedTensors {
  readonly #key: string;
  /** Of each program that was traced. */
  readonly #layouts: Layout[] = [];

  /** `key`: unlike that of any other callback. */
  constructor(key: string) {
    this.#key = key;
  }

  /** In `onTrace`: has the step compute float32 tensors. */
  watch(entries: readonly (readonly [name: string, value: Tensor])[]): void {
    if (entries.length === 0) return;
    const layout: Layout = entries.map(([name, { shape }]) => ({ name, size: sizeOf(shape) }));
    // A step that is traced again, as strict mode does, is watched under the same name.
    const known = this.#layouts.findIndex((other) => JSON.stringify(other) === JSON.stringify(layout));
    const elements = concat(entries.map(([, value]) => value.reshape([-1])));
    watch(`${this.#key}/${known < 0 ? this.#layouts.push(layout) - 1 : known}`, elements);
  }

  /** Their elements in a step that has run, in the order given. */
  async read(watched: Readonly<Record<string, Tensor>>): Promise<[name: string, elements: TypedArray][]> {
    const at = this.#layouts.findIndex((_, i) => watched[`${this.#key}/${i}`]);
    if (at < 0) return [];
    const elements = await watched[`${this.#key}/${at}`].data();
    let end = 0;
    return this.#layouts[at].map(({ name, size }) => {
      end += size;
      return [name, elements.subarray(end - size, end)];
    });
  }

  /** As `read`, of scalars. */
  async numbers(watched: Readonly<Record<string, Tensor>>): Promise<[string, number][]> {
    return (await this.read(watched)).map(([name, [value]]) => [name, value]);
  }
}
