// What goes between a page and its worker.
import type { Threads } from "../backend/load.ts";
import type { Sample } from "../report/samples.ts";
import type { ConfigOverrides } from "../train/config/parse.ts";
import type { MessageLevel, Metrics } from "../train/run.ts";
import type { DiffOptions } from "../verify/diff.ts";
import type { VerifyOptions } from "../verify/verify.ts";
import type { Failure } from "./failures.ts";

/** Files by the paths under which the run looks for them: their bytes, or where they are fetched. */
export type WorkerFiles = Readonly<Record<string, Uint8Array | string>>;

/** A module that the worker imports, and what its default export is called with beside the library. */
export interface ModuleOrder {
  readonly module: string;
  readonly options: unknown;
}

/** What a page asks of its worker. Each has one answer. */
export type Order =
  | {
      readonly order: "train";
      readonly from:
        | ModuleOrder
        | { readonly text: string; readonly name: string; readonly overrides: ConfigOverrides };
      readonly backend?: string;
      readonly threads: Threads;
      readonly files: WorkerFiles;
      readonly keepFiles: boolean;
    }
  | { readonly order: "load"; readonly from: ModuleOrder; readonly backend: string; readonly threads: Threads }
  | {
      readonly order: "verify";
      readonly folder: string;
      readonly files: WorkerFiles;
      readonly how: Pick<VerifyOptions, "threads" | "from" | "steps" | "against"> & { readonly backend?: string };
    }
  | {
      readonly order: "diff";
      readonly runs: readonly [string, string];
      readonly files: WorkerFiles;
      readonly how: Pick<DiffOptions, "threads" | "steps">;
    }
  | { readonly order: "probe"; readonly backend: string }
  | { readonly order: "call"; readonly name: string; readonly args: readonly unknown[] };

/** To a worker. */
export type ToWorker = { readonly id: number; readonly order: Order } | { readonly stop: true };

/** Where a training is. */
export interface TrainingProgress {
  /** Optimizer steps taken. */
  readonly step: number;
  readonly totalSteps: number;
  /** From 0. */
  readonly epoch: number;
  /** The last step's. */
  readonly loss: number;
  readonly learningRate: number;
  /** How long the last compiled step took. */
  readonly stepSeconds: number;
  /** Draws that the stream has given. */
  readonly draws: number;
}

/** What is told while a training runs, by name. */
export interface TrainingEvents {
  /** Now and then, and at the last step. */
  readonly progress: TrainingProgress;
  /** Numbers were logged, those of a validation as `val_…`. */
  readonly metrics: { readonly step: number; readonly values: Metrics };
  /** The model made something to be looked at: SampleImages, SampleText. */
  readonly sample: { readonly step: number; readonly name: string; readonly sample: Sample };
  /** A message for people. */
  readonly message: { readonly level: MessageLevel; readonly text: string };
}

export type TrainingEvent = {
  [K in keyof TrainingEvents]: { readonly type: K; readonly value: TrainingEvents[K] };
}[keyof TrainingEvents];

/** From a worker. */
export type FromWorker =
  | { readonly event: TrainingEvent }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure };
