// The bindings of a program: the words in memory from which its code reads where its values are, and what else a run is told.
import { align } from "../../../schedule/places.ts";

/** Byte offsets in a run's bindings. The kernels' lists of addresses follow the header, one word a value. */
export const bindings = {
  /** Not 0 once an index was out of range: 1 + the kernel's number; the index itself is at `badIndex`. */
  status: 0,
  badIndex: 4,
  /** Address of the first part's scratch memory; in the next word, how far apart those of the parts are. */
  scratch: 8,
  /** The stream's state before draw 0, its increment, and the absolute offset that draws are relative to, as u64. */
  state: 16,
  increment: 24,
  base: 32,
  values: 64,
} as const;

/** Bytes of bindings whose lists have this many addresses in all. */
export const bindingsBytes = (addresses: number) => align(bindings.values + 4 * addresses);
