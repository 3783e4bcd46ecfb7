// What a run is asked for and what it gives: which checkpoint and which weights, where it is, what was logged, and what it came to.

import type { DataLoader } from "../data/loader.ts";
import type { Compiled } from "../program/compiled.ts";
import type { History } from "../run/history.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Numbers by name: of a validation `loss` and each metric. */
export type Metrics = Readonly<Record<string, number>>;

/** A batch as a step gets it, traced. */
export type TracedBatch = Readonly<Record<string, Tensor>>;

/** Micro-batches, and each one's share of the group's samples. */
export interface TracedGroup {
  readonly batches: readonly TracedBatch[];
  readonly shares: readonly Tensor[];
}

export type TrainStep = Compiled<[TracedBatch | TracedGroup], Tensor>;
/** Gives terms that add up over batches, by metric; `loss` is [loss · samples, samples]. */
export type EvalStep = Compiled<[TracedBatch], Record<string, Tensor>>;

/** `raw`: as training has them. `average`: as a callback (ExponentialMovingAverage, StochasticWeightAveraging) keeps them. */
export type WeightsChoice = "raw" | "average";

export interface WeightsOptions {
  /** Left out: what the run's own validations see, the average of the callback that has `validate`, once it has begun; else raw. */
  readonly weights?: WeightsChoice;
}

/** Which checkpoint a fit or validation starts from: left out or `last`, the latest in the run's folder; `best`, the best of those that `checkpoint.keepBest` keeps; null, none; else that file. */
export interface CheckpointChoice {
  readonly ckptPath?: string | null;
}

/** Which weights of which checkpoint. */
export interface ChosenWeights extends CheckpointChoice, WeightsOptions {}

/** One data loader, or several. */
export type Loaders = DataLoader | readonly DataLoader[];

export interface FitOptions extends CheckpointChoice {
  /** Aborted: the fit finishes the step it is in, saves, and rejects with InterruptedError. */
  readonly signal?: AbortSignal;
}

/** How a validation is made. */
export interface EvaluateOptions extends WeightsOptions {
  /** On so many batches of each loader, in place of `loop.evalSteps`. */
  readonly steps?: number;
  /** No hook is called and nothing is logged. */
  readonly silent?: boolean;
}

export type MessageLevel = "debug" | "info" | "warn" | "error";

/** What a finished fit gives. */
export interface Run {
  /** 64 hex digits that another person compares; `warn:` before them where the run couldn't promise its bits. */
  readonly digest: string;
  /** The training step's, at the full batch. */
  readonly graphHash: string;
  readonly seed: bigint;
  /** Optimizer steps. */
  readonly steps: number;
  /** The last step's. */
  readonly loss: number;
  /** The last validation's, by name: `loss` and the metrics. */
  readonly metrics: Metrics;
  /** The best checkpoint that `checkpoint.keepBest` keeps: its file, its step, and the validated number that it was kept for. */
  readonly best?: { readonly path: string; readonly step: number; readonly metric: string; readonly value: number };
  /** What was logged up to its end. Of what was logged in another process: as far as a logger's file in the folder has it (CSVLogger, JSONLLogger). */
  readonly history: History;
  readonly seconds: number;
  /** The share of the steps' time in which they waited for data, in [0, 1]; undefined where no step was taken. */
  readonly dataShare?: number;
  readonly backend: string;
  readonly threads: number;
  readonly streamPosition: number;
  readonly directory?: string;
  /** Why it ended before the loop's limits did, if it did. */
  readonly stopped?: string;
}

/** Where a run's next step takes its data. */
export interface Place {
  /** From 0. */
  readonly epoch: number;
  /** Batches of the loader taken in this epoch. */
  readonly cursor: number;
}

/** Where a run is: with the stream's position, all that the loop's next step depends on. */
export interface Progress extends Place {
  /** Optimizer steps taken. */
  readonly step: number;
  /** The offset of the epoch's range of draws, which is known from its number; null before its first batch. */
  readonly offset: number | null;
  /** The last step's loss. */
  readonly loss: number | null;
  /** The last validation's values. */
  readonly metrics: Metrics;
  /** Why the run ends before its last step, if it does. */
  readonly stopped?: string;
}
