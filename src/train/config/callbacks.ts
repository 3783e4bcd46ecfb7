// The callbacks that a config may name: `callbacks: [CheckLoss: {}]`.
import { CheckLoss } from "../callbacks/check-loss.ts";
import type { Callback } from "../hooks.ts";
import { Catalog } from "./values.ts";

export const callbacks = new Catalog<Callback, void, "class">("class", "a callback: a map with one key").add(
  "CheckLoss",
  {},
  () => new CheckLoss(),
);

/** What a run from YAML has unless it is switched off with `Name: null`. */
export const defaultCallbacks: readonly string[] = ["CheckLoss"];
