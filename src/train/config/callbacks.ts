// The callbacks that a config may name: `callbacks: [CheckLoss: {}]`.
import { z } from "zod";
import { CheckLoss } from "../callbacks/check-loss.ts";
import { EarlyStopping } from "../callbacks/early-stopping.ts";
import type { Callback } from "../hooks.ts";
import { Catalog, count, expected, rate, text, word } from "./values.ts";

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
  );

/** What a run from YAML has unless it is switched off with `Name: null`. */
export const defaultCallbacks: readonly string[] = ["CheckLoss"];
