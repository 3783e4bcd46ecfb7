// Elements in memory, as they are kept there: as their dtype, or as the bits of a 16-bit float.
import type { NarrowFormat } from "../../../core/dtype.ts";
import { LazyModule } from "../../../core/lazy.ts";
import type { Element } from "../../../schedule/nest.ts";
import type { Code, FunctionBuilder, Value } from "../assembler/assembler.ts";
import type { Four, Held, Lanes } from "./lanes.ts";

/** What reads, writes and rounds to 16-bit floats. */
export const halves = new LazyModule(() => import("./halves.ts"));

/** The elements of an input or an output in memory, for a function's code. */
export class Elements {
  readonly #fn: FunctionBuilder;
  readonly #lanes: Lanes;
  readonly #held: Held;
  readonly #storage: NarrowFormat | undefined;

  constructor(fn: FunctionBuilder, lanes: Lanes, { type, storage }: Element) {
    this.#fn = fn;
    this.#lanes = lanes;
    this.#held = storage ? "half" : type;
    this.#storage = storage;
  }

  /** As the lanes' own. */
  load(address: Code<"i32">, offset = 0): Value {
    return this.#widened(this.#lanes.load(this.#held, address, offset));
  }

  /** As the lanes' own. */
  splat(address: Code<"i32">, offset = 0): Value {
    return this.#widened(this.#lanes.splat(this.#held, address, offset));
  }

  /** As the lanes' own. */
  spread(address: Code<"i32">, distances: Four): Value {
    return this.#widened(this.#lanes.spread(this.#held, address, distances));
  }

  /** As the lanes' own. */
  store(address: Code<"i32">, value: Value, offset = 0): Code<"none"> {
    const kept = this.#storage ? halves.module.narrow(this.#fn, this.#lanes, this.#storage, value) : value;
    return this.#lanes.store(this.#held, address, kept, offset);
  }

  #widened(read: Value): Value {
    return this.#storage ? halves.module.widen(this.#fn, this.#lanes, this.#storage, read) : read;
  }
}
