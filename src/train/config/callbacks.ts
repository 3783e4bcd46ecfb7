// The callbacks that a config may name: `callbacks: [CheckLoss: {}]`.
import { z } from "zod";
import { CheckLoss } from "../callbacks/check-loss.ts";
import { EarlyStopping } from "../callbacks/early-stopping.ts";
import { LoadCheckpointStates } from "../callbacks/load-checkpoint-states.ts";
import type { Callback } from "../hooks.ts";
import { Catalog, count, expected, flag, list, rate, text, word } from "./values.ts";

const finite = z.number(expected("a number"));
const monitor = { metric: text.default("loss"), mode: word(["min", "max"]).optional(), minDelta: rate.default(0) };

export const callbacks = new Catalog<Callback, void, "class">("class", "a callback: a map with one key")
  .add("CheckLoss", {}, () => new CheckLoss())
  .add(
    "EarlyStopping",
    {
      ...monitor,
      patience: count.default(3),
      stoppingThreshold: finite.optional(),
      divergenceThreshold: finite.optional(),
    },
    (options) => new EarlyStopping(options),
  )
  .add(
    "LoadCheckpointStates",
    { path: text, states: list(word(["model", "optimizer"])).default(["model"]), strict: flag.default(true) },
    (options) => new LoadCheckpointStates(options),
  );

/** What a run from YAML has unless it is switched off with `Name: null`. */
export const defaultCallbacks: readonly string[] = ["CheckLoss"];
