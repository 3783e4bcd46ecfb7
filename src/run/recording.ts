// What is said of a recorded loop: what it is made with, what a step and a run of it are, and what a replay of it is told.
import type { Threads } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import type { HostArray } from "../core/array.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ChainLink } from "./chain.ts";
import type { RunState } from "./checkpoint.ts";
import type { RunFacts } from "./facts.ts";

export interface RecordOptions {
  /** In [0, 2⁶⁴). None: one is drawn, and stands in the result and the folder. */
  readonly seed?: bigint | number;
  /** The run's folder; none: nothing is written. A run that is in it goes on from its newest checkpoint. */
  readonly modelDir?: string;
  /** A checkpoint after so many steps, beside the one at the end. */
  readonly checkpointSteps?: number;
  readonly backend?: string | Backend;
  readonly threads?: Threads;
}

/** What a recorded run comes to. */
export interface RecordedRun {
  /** 64 hex digits that another person compares; `warn:` before them on a backend that isn't of class A. */
  readonly digest: string;
  /** Of the first step's graph. */
  readonly graphHash: string;
  readonly seed: bigint;
  readonly steps: number;
  /** What the last step recorded: `loss`, and the others by name. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly streamPosition: number;
  readonly backend: string;
  readonly threads: number;
  readonly modelDir?: string;
}

/** A step of a loop, from 1, and what of the loader's it takes: nothing where there is none. */
export interface RecordedStep {
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  /** By field: [batch, ...sample shape]. They are given back when the step ends. */
  readonly batch: Readonly<Record<string, Tensor>>;
  /** The batch's samples, by their numbers in the dataset. */
  readonly indices: ArrayLike<number>;
}

/** What a step came to, for who runs a loop again. */
export interface Replayed {
  readonly link: ChainLink;
  readonly backend: Backend;
  readonly facts: RunFacts;
  /** As a checkpoint of now would say. */
  readonly state: RunState;
  tensors(): Promise<[string, HostArray][]>;
}

/** How a loop is run again. */
export interface Replay {
  /** The checkpoint to begin from; null for none. */
  readonly checkpoint: string | null;
  /** Told of each step; one that throws ends the run. */
  readonly onStep: (step: Replayed) => Promise<void>;
}
