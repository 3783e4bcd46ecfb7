// What moves while a Trainer works. The Trainer holds it, and hands it to its spine (fit, loop, step and what these are made of) alone: everyone else has a TrainerView.
import type { Backend } from "../compile/contract.ts";
import type { TableState } from "../data/dataset.ts";
import type { DataLoader } from "../data/loader.ts";
import type { Graph } from "../graph/graph.ts";
import type { Chain } from "../run/chain.ts";
import type { KeepBest } from "../run/checkpoint.ts";
import { LoggedNumbers } from "../run/history.ts";
import type { TrainerView } from "./contract.ts";
import { Hooks } from "./hooks.ts";
import { Occupancy } from "./occupancy.ts";
import type { Progress, Run, WeightsChoice } from "./run.ts";
import type { GradientScaler } from "./scaler.ts";
import { Exchange } from "./weights.ts";

/** Where the weights are from, if they are neither the model callable's nor this Trainer's steps': which method took them, and the file. After `fit`: the folder of a finished run that has none to take; after `finalWeights`: the callback that gave them. */
export interface Origin {
  readonly method: "loadCheckpoint" | "validate" | "test" | "validateAll" | "predict" | "fit" | "finalWeights";
  readonly path: string;
}

/** One Trainer at work. */
export class Session {
  readonly trainer: TrainerView;
  hooks = new Hooks([]);
  /** What precision does to gradients; a dynamic loss scale is its state. */
  scaler!: GradientScaler;
  readonly progress: { -readonly [key in keyof Progress]: Progress[key] } = {
    step: 0,
    epoch: 0,
    offset: null,
    cursor: 0,
    loss: null,
    metrics: {},
  };
  readonly graphs: Record<string, string> = {};
  /** Draws of the model callable. */
  initDraws = 0;
  backend: Backend | undefined;
  /** What gave the variables their first values. */
  initGraph: Graph | undefined;
  /** The chain of the steps taken so far. */
  chain: Chain | undefined;
  /** What a fit in progress writes down. */
  journal: { readonly chain: Chain; flush(): void } | undefined;
  /** What `checkpoint.keepBest` says, with its direction: from the beginning of a fit. */
  keepBest: KeepBest | undefined;
  lastRun: Run | undefined;
  lastLoaders: { readonly train?: DataLoader; readonly val?: readonly DataLoader[] } = {};
  readonly history = new LoggedNumbers();
  readonly occupancy = new Occupancy();
  readonly exchange = new Exchange();
  /** Whether the last step is done with, hooks, schedules and validation too: only then is there a state to save. */
  settled = true;
  /** Counts what changes the weights as a whole: a prediction goes on only under those it began with. */
  changes = 0;
  origin: Origin | undefined;
  /** The names of the inputs' columns that the model was trained on, where they came from a table: of the last fit, or of a checkpoint. */
  columns: readonly string[] | undefined;
  /** How a table's columns become inputs, where that was learned: of the last fit, or of a checkpoint. */
  table: TableState | undefined;
  weightsUsed: WeightsChoice = "raw";

  /** The parts of the run that are going on, the innermost last: a callback may have other things logged in them. */
  readonly parts: ("run" | "train" | "validate")[] = ["run"];

  constructor(trainer: TrainerView) {
    this.trainer = trainer;
  }

  /** Notes a graph that ran: the first is `role`, the next one `other`, and of batches of more shapes the rest are `other#2` and so on. */
  noteGraph(hash: string, role: string, other: string): void {
    let name = role;
    for (let n = 1; (this.graphs[name] ?? hash) !== hash; n++) name = n === 1 ? other : `${other}#${n}`;
    this.graphs[name] = hash;
  }

  /** Takes into the history what a logger has of it from earlier processes. */
  readBack(): void {
    const logger = this.hooks.callbacks.find((each) => each.readBack);
    for (const [step, name, value] of logger?.readBack?.() ?? []) this.history.add(step, { [name]: value });
  }

  /** Runs `body` as a part of the run. */
  async during<T>(part: "train" | "validate", body: () => Promise<T>): Promise<T> {
    this.parts.push(part);
    try {
      return await body();
    } finally {
      this.parts.splice(this.parts.lastIndexOf(part), 1);
    }
  }
}
