// What is said of a run that was run again: the verdict, and what was looked at, row by row.

/** `same` and `differs`: compared with what the replay computed; `trusted`: taken as it is. */
export type Finding = "same" | "differs" | "trusted";

/** One row of a verification. */
export interface Check {
  /** `result: loss`, `checkpoints/checkpoint_20.safetensors`, `graph train`. */
  readonly what: string;
  readonly found: Finding;
  /** How it differs, or why it is taken on trust, for a reader. */
  readonly detail?: string;
}

/** `same, stopped early`: the same up to step k of N, where the recorded run ended for a reason that no replay can know, such as a person's. */
export type Verdict = "same" | "same, stopped early" | "different";

/** What a replay found. */
export interface Verification {
  readonly verdict: Verdict;
  /** Whether the verdict is `same`. */
  readonly equal: boolean;
  /** The replay's digest; undefined where it stopped before the end. */
  readonly digest?: string;
  /** The digest that was to come out, where the replay was to go to the end. */
  readonly expected?: string;
  /** The step it began at. */
  readonly from: number;
  /** Steps replayed. */
  readonly steps: number;
  /** For `same, stopped early`: the steps that the program would have taken, and why it says that it stopped. */
  readonly stopped?: { readonly of: number; readonly reason: string };
  /** The first step whose link differs, from 1. */
  readonly firstDifference?: number;
  /** What differs there, or in the end, for a reader. */
  readonly difference?: string;
  /** Row by row: what was compared, what differs, and what was taken on trust. */
  readonly checks: readonly Check[];
  readonly backend: string;
  readonly threads: number;
  /** Elements that neighbouring vectors computed together, where a Trainer replayed. */
  readonly vectorWidth?: number;
}
