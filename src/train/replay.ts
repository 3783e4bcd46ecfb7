// A program run again, in memory: it writes nothing, and a callback that comes with it watches, compares, or ends it. What is made of that is
// verify/'s.
import type { Threads } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { ConfigError } from "../core/errors.ts";
import type { DataLoader } from "../data/loader.ts";
import type { PlannedGraph } from "../report/graph.ts";
import type { Verification } from "../run/verification.ts";
import type { Callback, TrainerOptions, TrainerView } from "./contract.ts";
import type { FitOptions, Loaders, Run } from "./run.ts";

/** A Trainer that is there to be run. */
export interface Fitting extends TrainerView {
  fit(train: DataLoader, validation?: Loaders, options?: FitOptions): Promise<Run>;
  explain(train: DataLoader): Promise<PlannedGraph[]>;
}

/**
 * The program of a run, made again: a new Trainer, with `changes` over its options, and its loaders; `val` for its validations. The callbacks of `changes`
 * come after those of the program's own that belong to the run.
 */
export type Rebuild = (changes: Partial<TrainerOptions>) => {
  readonly trainer: Fitting;
  readonly train?: DataLoader;
  readonly val?: Loaders;
};

export interface ReplayOptions {
  /** The backend to replay on, or its name; the run's own unless given. Any of class A must agree. */
  readonly backend?: string | Backend;
  readonly threads?: Threads;
  /** Replays from the run's checkpoint at this step, which is trusted; 0, the beginning, unless given. */
  readonly from?: number;
  /** Replays at most so many steps; to the end unless given. */
  readonly steps?: number;
  /** What the run must come to, in place of what its own manifest says: a digest, or a manifest's path, or the folder that holds one. */
  readonly against?: string;
}

/** The callbacks that a replay needs: all that don't say they only watch; where it validates, those too that validated numbers or the run's end depend on. */
export function replayed(callbacks: readonly Callback[], { validates }: { readonly validates: boolean }): Callback[] {
  return callbacks.filter(
    ({ changesTraining, changesValidation, endsRun }) =>
      changesTraining !== false || (validates && (changesValidation || endsRun)),
  );
}

/** Judges a program against the run in a folder. */
export type Judge = (folder: string, rebuild: Rebuild, options: ReplayOptions) => Promise<Verification>;

let judging: Judge | undefined;

/** Has `Trainer.verify` judge by a function: verify/ is made of Trainers, and so isn't known here. */
export function judgeBy(judge: Judge): void {
  judging = judge;
}

/** What `judgeBy` was given does. */
export function judge(...given: Parameters<Judge>): Promise<Verification> {
  if (judging) return judging(...given);
  throw new ConfigError({ where: "verify", problem: "no judge was given", hint: 'import { Trainer } from "seedgrad"' });
}
