// Values that only one group writes and reads, row by row: a block's rows of them lie in the part's own memory, over and over the same, and
// never go out to the arena.
import { kernelInputs } from "../../../kernels/kernel.ts";
import { align, type Cut, type LocalPlace, type Locals, noLocals } from "./context.ts";
import type { Group, Member } from "./groups.ts";

/** More than this would leave the second cache. */
const mostBytes = 512 * 1024;

/** The most rows that one of `blocks` blocks has. */
const rowsOfBlock = ({ rows, grain }: Cut, blocks: number): number =>
  Math.min(rows, Math.ceil(Math.ceil(rows / grain) / blocks) * grain);

/** Places for the group's local values when it runs in so many blocks: those alive together never overlap. None where they would be too large. */
export function placeLocals({ members, cut, local }: Group, blocks: number): Locals {
  if (!cut || local.size === 0) return noLocals;
  const rows = rowsOfBlock(cut, blocks);
  const placed: { from: number; to: number; start: number; end: number }[] = [];
  const places = new Map<number, LocalPlace>();
  let bytes = 0;
  for (const [value, rowBytes] of local) {
    const [from, to] = lifetime(members, value);
    const needed = align(rows * rowBytes);
    let start = 0;
    for (const other of [...placed].sort((a, b) => a.start - b.start)) {
      if (other.to < from || to < other.from) continue;
      if (start + needed <= other.start) break;
      start = Math.max(start, other.end);
    }
    placed.push({ from, to, start, end: start + needed });
    places.set(value, { offset: start, rowBytes });
    bytes = Math.max(bytes, start + needed);
  }
  return bytes > mostBytes ? noLocals : { places, bytes };
}

/** The first and last member that touches a value. */
function lifetime(members: readonly Member[], value: number): [number, number] {
  const touching = members.flatMap(({ kernel }, at) =>
    kernel.output === value || kernelInputs(kernel).some(({ source }) => source === value) ? [at] : [],
  );
  return [touching[0], touching[touching.length - 1]];
}
