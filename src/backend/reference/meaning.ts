// What it is to compute a node.
import type { TypedArray } from "../../core/dtype.ts";

/** Where the run's draws are: the stream's seed, and the absolute offset of a node's first draw. */
export interface Draws {
  readonly seed: bigint;
  readonly offset: number;
}

/** A node made ready: its elements from its operands' elements, in an array that nobody writes to afterwards. */
export type Meaning = (operands: readonly TypedArray[], draws: Draws) => TypedArray;
