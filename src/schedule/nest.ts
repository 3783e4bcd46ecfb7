// A loop nest as a schedule has it: extents, and for each input how far a step along each axis goes. Rules make one nest from another; a
// backend prints the last.
import type { ScalarType } from "../../kernels/expr.ts";
import { elementBytes, type Source, type Stored } from "../../kernels/kernel.ts";

/** A type and how it is kept. */
export interface Element {
  readonly type: ScalarType;
  readonly storage?: Stored["storage"];
}

/** `[low, high)` of the coordinates that are inside, or all. */
export type Bounds = readonly [number, number] | null;

/** One input in a simplified nest. It has a stride and bounds for each axis of the nest. */
export interface NestInput extends Element {
  readonly source: Source;
  readonly strides: readonly number[];
  readonly bounds: readonly Bounds[];
  /** In elements. */
  readonly offset: number;
  /** It is addressed by an index that is data: what another input of the nest reads, an element `stride` further on for each. */
  readonly index?: { readonly at: number; readonly extent: number; readonly stride: number };
  /** Along the last axis points come in pairs: the elements from a pair's first point to its second. The stride is that from pair to pair. */
  readonly pair?: number;
  /** Bytes from the cursor to the element. */
  readonly beyond?: number;
  /** An input before it whose cursor is its own. */
  readonly like?: number;
  /** No coordinate of the nest's but a point's number among those of a row that are computed at once. */
  readonly isPlace?: boolean;
  /** No point of the nest is inside. */
  readonly never: boolean;
  /** Bytes per element; 1 for coordinates and draws, whose "address" is the index itself. */
  readonly scale: number;
}

/** The last input is what is written. */
export interface Nest {
  readonly extents: readonly number[];
  /** How many of the axes come from before the border: at least one, and at least one comes after. */
  readonly outer: number;
  readonly inputs: readonly NestInput[];
}

/** What lies in scratch memory. */
export function inScratch(type: ScalarType, strides: readonly number[]): NestInput {
  const bounds = strides.map(() => null);
  return { type, source: 0, strides, bounds, offset: 0, never: false, scale: elementBytes({ dtype: type }) };
}
