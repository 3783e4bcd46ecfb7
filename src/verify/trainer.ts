// The Trainer as it is published: one whose `verify` is judged by this folder. That it is so is part of what makes each of these values, so that a
// bundler which drops unused modules can't drop it.
import { buildTrainer as build } from "../train/config/build.ts";
import { judgeBy } from "../train/replay.ts";
import { Trainer as Made } from "../train/trainer.ts";
import { replayRun } from "./replay.ts";

function judged<T>(maker: T): T {
  judgeBy(replayRun);
  return maker;
}

/** Trains and validates one model under one seed. */
export const Trainer = judged(Made);
export type Trainer = Made;
/** The Trainer of a config, and the loaders of its `fit`: `val` is the first of `vals`. `changes` replace options. Throws ConfigError. */
export const buildTrainer = judged(build);
