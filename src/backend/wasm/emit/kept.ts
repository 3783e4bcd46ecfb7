// Elements in memory, as they are kept there: as their dtype, or as the bits of a 16-bit float.
import { LazyModule } from "../../../core/lazy.ts";
import type { Element } from "../../../schedule/nest.ts";
import type { Code, FunctionBuilder, Value } from "../assembler/assembler.ts";
import type { Four, Held, Lanes } from "./lanes.ts";

/** What reads, writes and rounds to 16-bit floats. */
export const halves = new LazyModule(() => import("./halves.ts"));

/** The elements of an input or an output in memory, for a function's code: as the lanes' own. */
export function elementsAs(fn: FunctionBuilder, lanes: Lanes, { type, storage }: Element) {
  const held: Held = storage ? "half" : type;
  const widened = (read: Value) => (storage ? halves.module.widen(fn, lanes, storage, read) : read);
  const narrowed = (value: Value) => (storage ? halves.module.narrow(fn, lanes, storage, value) : value);
  return {
    load: (address: Code<"i32">, offset = 0) => widened(lanes.load(held, address, offset)),
    splat: (address: Code<"i32">, offset = 0) => widened(lanes.splat(held, address, offset)),
    spread: (address: Code<"i32">, distances: Four) => widened(lanes.spread(held, address, distances)),
    store: (address: Code<"i32">, value: Value, offset = 0) => lanes.store(held, address, narrowed(value), offset),
  };
}
