// What is said of two sides none of whose steps differ: that they are the same, or the same as far as they were compared, and which goes on. A
// chain's link holds all links before it, so that two equal links prove their pasts, and nothing needs to be run again.
import { compareChains } from "../run/compare.ts";
import type { Side } from "./side.ts";

/** How far two sides are the same. */
export interface Agreement {
  /** Whether that is all that was asked for: both end there with one digest, or the comparison was to end there. */
  readonly equal: boolean;
  /** Where it isn't the whole of both. */
  readonly same?: {
    /** So many steps from the first on are the same. */
    readonly steps: number;
    /** What comes after them, for a reader. */
    readonly after?: string;
  };
}

/** The agreement of two recorded chains in their first `most` steps; undefined where one of those steps, or the end of both, differs. */
export function chainsAgree(a: Side, b: Side, most = Number.POSITIVE_INFINITY): Agreement | undefined {
  const [x, y] = [a, b].map(({ links }) => links!.slice(0, most));
  const difference = compareChains(x, y);
  if (difference && difference.kind !== "length") return undefined;
  const steps = Math.min(x.length, y.length);
  if (steps === most) return firstSteps(steps);
  if (difference) return oneGoesOn([a, b], steps, [a.links!.length, b.links!.length]);
  if (a.digest === b.digest) return { equal: true };
  const unfinished = [a, b].find(({ digest }) => digest === undefined);
  return unfinished && { equal: false, same: { steps, after: `${ended(unfinished)}, and has no digest to compare` } };
}

/** The agreement of all steps that were asked for. */
export function firstSteps(steps: number): Agreement {
  return { equal: true, same: { steps } };
}

/** The agreement of two sides that are the same up to the end of one. `lengths`: how many steps each has. */
export function oneGoesOn(sides: readonly [Side, Side], steps: number, lengths: readonly [number, number]): Agreement {
  const longer = lengths[0] > lengths[1] ? 0 : 1;
  const after = `${ended(sides[1 - longer])}, ${sides[longer].name} goes on to step ${lengths[longer]}`;
  return { equal: false, same: { steps, after } };
}

const ended = ({ name, status }: Side) => `${name} ends there${status === undefined ? "" : ` (${status})`}`;

/** The last line of a comparison. */
export function showAgreement({ equal, same }: Agreement): string {
  if (!same) return equal ? "the same" : "DIFFERENT: see above";
  const steps = `the first ${same.steps === 1 ? "step" : `${same.steps} steps`}`;
  return `the same for ${steps}${same.after === undefined ? "" : `: ${same.after}`}`;
}
