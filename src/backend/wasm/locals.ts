// Values that only one group writes and reads, row by row: a block's rows of them lie in the part's own memory, over and over the same, and
// never go out to the arena.
import { lifetimes, type Taken, takeGap } from "../../compile/plan.ts";
import { align, type Cut, type LocalPlace, type Locals, noLocals } from "./context.ts";
import type { Group } from "./groups.ts";

/** More than this would leave the second cache. */
const mostBytes = 512 * 1024;

/** The most rows that one of `blocks` blocks has. */
const rowsOfBlock = ({ rows, grain }: Cut, blocks: number): number =>
  Math.min(rows, Math.ceil(Math.ceil(rows / grain) / blocks) * grain);

/** Places for the group's local values when it runs in so many blocks: those alive together never overlap. None where they would be too large. */
export function placeLocals({ members, cut, local }: Group, blocks: number): Locals {
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
  return bytes > mostBytes ? noLocals : { places, bytes };
}
