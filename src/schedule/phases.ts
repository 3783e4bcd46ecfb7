// What threads do from one barrier to the next: a phase is a few functions, in chunks that any thread may take in any order; each chunk is an
// independent range of what they share, so who takes which moves no bit. Functions that aren't worth sharing and follow one another are one
// phase of one chunk.
import type { Repeat } from "../../kernels/kernel.ts";
import { kernelIndices } from "../../kernels/kinds.ts";
import { type Nested, nested } from "../compile/nested.ts";
import type { Loops } from "./loops.ts";
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

/** A function of a phase. */
export interface Call {
  readonly group: ScheduledGroup;
  readonly member: ScheduledMember;
  readonly loops: Loops;
}

export interface Phase {
  /** In order, each of them in every chunk. */
  readonly calls: readonly Call[];
  readonly chunks: number;
  /** Whether it may find a bad index, after which nothing more is run. */
  readonly checks: boolean;
}

/** Phases that are run position after position. */
export interface RepeatedPhases {
  readonly repeat: Repeat;
  readonly body: readonly Step[];
}

/** What threads do, in order. */
export type Step = Phase | RepeatedPhases;

/** What groups come to, in order. */
export const stepsOf = (groups: readonly ScheduledGroup[]): Step[] =>
  merged(groupSteps(nested(groups, ({ members }) => members[0].kernel.repeat)));

function groupSteps(groups: readonly Nested<ScheduledGroup>[]): Step[] {
  return groups.flatMap((each): Step[] => {
    if ("repeat" in each) return [{ repeat: each.repeat, body: merged(groupSteps(each.body)) }];
    const { item: group } = each;
    const calls = group.members.flatMap((member) => member.loops.map((loops): Call => ({ group, member, loops })));
    if (group.division) return [{ calls, chunks: group.blocks, checks: false }];
    return calls.map((call) => {
      const { member, loops } = call;
      const checks = kernelIndices(member.kernel).length > 0 && loops.kind !== "zeros";
      return { calls: [call], chunks: loops.chunks, checks };
    });
  });
}

/** Neighbours of one chunk as one phase. */
function merged(all: readonly Step[]): Step[] {
  const steps: Step[] = [];
  for (const step of all) {
    const last = steps[steps.length - 1];
    const isOne = last && !("repeat" in last) && !("repeat" in step) && last.chunks === 1 && step.chunks === 1;
    if (isOne && !last.checks) steps[steps.length - 1] = { ...step, calls: [...last.calls, ...step.calls] };
    else steps.push(step);
  }
  return steps;
}

/** All phases, each once. */
export function* phasesIn(steps: readonly Step[]): Iterable<Phase> {
  for (const step of steps) {
    if ("repeat" in step) yield* phasesIn(step.body);
    else yield step;
  }
}

/** How many phases a run of steps goes through. */
export function phaseCount(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + ("repeat" in step ? step.repeat.count * phaseCount(step.body) : 1), 0);
}
