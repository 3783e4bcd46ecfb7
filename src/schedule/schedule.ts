// A plan's schedule: how its kernels run, and where what they hand on lives. Pure data, made by the rules beside this file; a backend prints
// it and decides nothing. It is in no hash, and no bit of a result depends on it.
import type { Plan, Value } from "../compile/plan.ts";
import type { Target } from "../compile/target.ts";
import { loopsOf, special } from "./functions.ts";
import { chunkCount, workOf } from "./parallel.ts";
import { type Phase, phasesIn, type ScheduledGroup, type Step, stepsOf } from "./phases.ts";
import { type Arena, align, layOutArena, placeLocals } from "./places.ts";
import { apart, type Group, groupKernels } from "./rows.ts";
import { transposeProducts } from "./transpose.ts";

export interface Schedule extends Arena {
  readonly plan: Plan;
  readonly target: Target;
  /** In order. */
  readonly groups: readonly ScheduledGroup[];
  /** What all that is, as threads do it. */
  readonly steps: readonly Step[];
  /** The phases among them, each once. */
  readonly phases: readonly Phase[];
  /** Whether anything in it is worth several threads. */
  readonly isParallel: boolean;
  /** Bytes of each thread's own memory: the groups' local values, their packed operands, and what kernels keep to themselves, one after another. */
  readonly localBytes: number;
  readonly panelBytes: number;
  readonly scratchBytes: number;
}

/** Schedules a plan for a target. */
export function schedulePlan(given: Plan, target: Target): Schedule {
  const plan = target.words ? { ...given, values: given.values.map(inWords) } : given;
  // Asked for first: where it must be imported, all that came before is done again.
  const rules = plan.kernels.some(({ kind }) => kind !== "loop") && special.module;
  const turned = target.groups ? transposeProducts(plan) : plan.kernels;
  const kernels = rules && turned.some(({ kind }) => kind === "sort") ? rules.keepFirst(plan, turned) : turned;
  const found = target.groups ? groupKernels(plan, kernels, target.lanes > 1) : apart(kernels);
  const groups = found.map((group): ScheduledGroup => {
    const members = group.members.map((member) => ({ ...member, loops: loopsOf(member, target, group.division) }));
    const work = members.reduce((sum, { kernel }) => sum + workOf(kernel), 0);
    const blocks = blockCount(group, work, target);
    return { ...group, members, work, blocks, locals: placeLocals(plan, group, blocks, target) };
  });
  const all = groups.flatMap(({ members }) => members.flatMap(({ loops }) => loops));
  const steps = stepsOf(groups);
  const phases = [...phasesIn(steps)];
  const most = (bytes: readonly number[]) => align(bytes.reduce((a, b) => Math.max(a, b), 0));
  return {
    plan,
    target,
    groups,
    steps,
    phases,
    isParallel: target.threads > 1 && phases.some(({ chunks }) => chunks > 1),
    ...layOutArena(plan, groups, target),
    localBytes: most(groups.map(({ locals }) => locals.bytes)),
    panelBytes: target.lanes > 1 ? most(groups.map(({ panelBytes }) => panelBytes)) : 0,
    scratchBytes: most(all.map(({ scratch }) => scratch)),
  };
}

const inWords = (value: Value): Value => ({ ...value, storage: undefined });

/**
 * Where not all rows stay in the second cache a block's should stay in the first. Else as few blocks as threads ask for, whose calls cost little beside their work: of 64 × 64
 * matrices `qr` takes 0.94 of the time on Node 26, `solve` 0.97.
 */
function blockCount({ division, bytes }: Group, work: number, target: Target): number {
  const { threads, shareFrom, firstCache, secondCache } = target;
  if (!division || (threads > 1 && work < shareFrom)) return 1;
  const { rows, grain } = division;
  const chunks = chunkCount(work, [{ axis: 0, extent: rows, grain }], target);
  const least = bytes > secondCache ? Math.ceil(bytes / firstCache) : 1;
  return Math.min(Math.ceil(rows / grain), Math.max(chunks, least));
}
