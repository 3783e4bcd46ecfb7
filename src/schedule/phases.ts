// What threads do from one barrier to the next: a phase is a few functions, in chunks that any thread may take in any order; each chunk is an
// independent range of what they share, so who takes which moves no bit. Functions that aren't worth sharing and follow one another are one
// phase of one chunk.
import { kernelIndices } from "../../kernels/kinds.ts";
import type { Loops } from "./loops.ts";
import type { Parallel } from "./parallel.ts";
import type { Locals } from "./places.ts";
import type { Group, Member } from "./rows.ts";

/** A kernel of a group, and its functions. */
export interface ScheduledMember extends Member {
  readonly loops: readonly Loops[];
}

/** A group and how it is run. */
export interface ScheduledGroup extends Group {
  readonly members: readonly ScheduledMember[];
  /** Into how many blocks its rows are divided; threads take blocks. */
  readonly blocks: number;
  /** Of all members, in elementary operations. */
  readonly work: number;
  readonly locals: Locals;
}

/** An output that is a copy of a value made elsewhere, done last. */
export interface ScheduledCopy {
  readonly from: number;
  readonly output: number;
  /** Of bytes. */
  readonly parallel: Parallel;
  readonly chunks: number;
}

/** A function of a phase. */
export type Call =
  | { readonly kind: "loops"; readonly group: ScheduledGroup; readonly member: ScheduledMember; readonly loops: Loops }
  | { readonly kind: "copy"; readonly copy: ScheduledCopy };

export interface Phase {
  /** In order, each of them in every chunk. */
  readonly calls: readonly Call[];
  readonly chunks: number;
  /** Whether it may find a bad index, after which nothing more is run. */
  readonly checks: boolean;
}

/** The phases of groups and then copies, in order. */
export function phasesOf(groups: readonly ScheduledGroup[], copies: readonly ScheduledCopy[]): Phase[] {
  const all = groups.flatMap((group): Phase[] => {
    const calls = group.members.flatMap((member) =>
      member.loops.map((loops): Call & { kind: "loops" } => ({ kind: "loops", group, member, loops })),
    );
    if (group.division) return [{ calls, chunks: group.blocks, checks: false }];
    return calls.map((call) => {
      const { member, loops } = call;
      const checks = kernelIndices(member.kernel).length > 0 && loops.kind !== "zeros";
      return { calls: [call], chunks: loops.chunks, checks };
    });
  });
  for (const copy of copies) all.push({ calls: [{ kind: "copy", copy }], chunks: copy.chunks, checks: false });
  const phases: Phase[] = [];
  for (const phase of all) {
    const last = phases[phases.length - 1];
    if (last && last.chunks === 1 && phase.chunks === 1 && !last.checks) {
      phases[phases.length - 1] = { ...phase, calls: [...last.calls, ...phase.calls] };
    } else phases.push(phase);
  }
  return phases;
}
