// A plan's schedule: how its kernels run, and where what they hand on lives. Pure data, made by the rules beside this file; a backend prints
// it and decides nothing. It is in no hash, and no bit of a result depends on it.
import type { Plan, Value } from "../compile/plan.ts";
import type { Target } from "../compile/target.ts";
import { workOf } from "./parallel.ts";
import { type Arena, type Locals, layOutArena, placeLocals } from "./places.ts";
import { apart, type Group, groupKernels } from "./rows.ts";
import { transposeProducts } from "./transpose.ts";

/** A group and how it is run. */
export interface ScheduledGroup extends Group {
  /** Into how many blocks its rows are divided; threads take blocks. */
  readonly blocks: number;
  /** Of all members, in elementary operations. */
  readonly work: number;
  readonly locals: Locals;
}

export interface Schedule extends Arena {
  readonly plan: Plan;
  readonly target: Target;
  /** In order. */
  readonly groups: readonly ScheduledGroup[];
  /** Bytes of each thread's memory for the groups' packed right operands, and for their local values. */
  readonly panelBytes: number;
  readonly localBytes: number;
}

/** Schedules a plan for a target. */
export function schedulePlan(given: Plan, target: Target): Schedule {
  const plan = target.words ? { ...given, values: given.values.map(inWords) } : given;
  const found = target.groups ? groupKernels(plan, transposeProducts(plan)) : apart(plan.kernels);
  const groups = found.map((group): ScheduledGroup => {
    const work = group.members.reduce((sum, { kernel }) => sum + workOf(kernel), 0);
    const blocks = blockCount(group, work, target);
    return { ...group, work, blocks, locals: placeLocals(group, blocks, target) };
  });
  return {
    plan,
    target,
    groups,
    ...layOutArena(plan, groups),
    panelBytes: target.lanes > 1 ? Math.max(0, ...groups.map(({ panelBytes }) => panelBytes)) : 0,
    localBytes: Math.max(0, ...groups.map(({ locals }) => locals.bytes)),
  };
}

const inWords = (value: Value): Value => ({ ...value, storage: undefined });

/** A block's memory should stay in the first cache, and its calls should cost little beside its work. */
function blockCount({ cut, bytes }: Group, work: number, { shareFrom, firstCache }: Target): number {
  if (!cut) return 1;
  const { rows, grain } = cut;
  const wanted = Math.max(bytes / firstCache, Math.min(64, work / Math.max(1, shareFrom)));
  return Math.max(1, Math.min(Math.ceil(rows / grain), Math.ceil(wanted)));
}
