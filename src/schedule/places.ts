// Values that only one group writes and reads, row by row: a block's rows of them lie in the part's own memory, over and over the same, and
// never go out to the arena.
import { lifetimes, type Taken, takeGap } from "../compile/plan.ts";
import type { Group, RowBlocks } from "./rows.ts";
import type { Target } from "./target.ts";

export const align = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** Where the rows of a block lie, from the beginning of the part's local memory. */
export interface LocalPlace {
  readonly offset: number;
  /** Bytes a row, of which the whole value has `RowBlocks.rows`. */
  readonly rowBytes: number;
}

/** A group's local values, and the memory they take. */
export interface Locals {
  readonly places: ReadonlyMap<number, LocalPlace>;
  readonly bytes: number;
}

export const noLocals: Locals = { places: new Map(), bytes: 0 };

/** The most rows that one of `blocks` blocks has. */
const rowsOfBlock = ({ rows, grain }: RowBlocks, blocks: number): number =>
  Math.min(rows, Math.ceil(Math.ceil(rows / grain) / blocks) * grain);

/** Places for the group's local values when it runs in so many blocks: those alive together never overlap. None where they would be too large. */
export function placeLocals({ members, cut, local }: Group, blocks: number, { secondCache }: Target): Locals {
  if (!cut || local.size === 0) return noLocals;
  const rows = rowsOfBlock(cut, blocks);
  const spans = lifetimes(
    members.map(({ kernel }) => kernel),
    [],
  );
  const taken: Taken[] = [];
  const places = new Map<number, LocalPlace>();
  let bytes = 0;
  for (const [value, rowBytes] of local) {
    const needed = align(rows * rowBytes);
    const offset = takeGap(taken, needed, ...spans.get(value)!);
    places.set(value, { offset, rowBytes });
    bytes = Math.max(bytes, offset + needed);
  }
  return bytes > secondCache ? noLocals : { places, bytes };
}
