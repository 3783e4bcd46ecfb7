// Classes of one's own in configs: registered under a name, they are chosen like those that come with the package. A program that registers is
// imported before a config that names them is read: `seedgrad fit config.yaml --import ./mine.js`.

import type * as z from "zod";
import { callable, checkArguments, isRecord, kind as kindOf, signature, string } from "../../core/arguments.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { OptionRecord } from "../../core/options.ts";
import { atOnce } from "../../core/promise.ts";
import type { DataLoader } from "../../data/loader.ts";
import type { RandomTransform } from "../../data/transforms/transform.ts";
import type { Loss } from "../../nn/losses.ts";
import type { Metric } from "../../nn/metrics.ts";
import type { Module } from "../../nn/module.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import type { Schedule } from "../../optim/schedules/index.ts";
import type { Callback, Logger } from "../contract.ts";
import type { Catalog } from "./catalog.ts";
import { families } from "./families.ts";

/** What a config says beside the name, with keys in camelCase. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/** What can be registered, and how each is made. A model draws its weights when it is made; a data loader may not draw. */
export interface Registrable {
  readonly model: (options: GivenOptions) => Module;
  readonly dataloader: (options: GivenOptions) => DataLoader;
  readonly transform: (options: GivenOptions) => RandomTransform;
  readonly optimizer: (options: GivenOptions, model: Module) => Optimizer;
  readonly scheduler: (options: GivenOptions) => Schedule;
  readonly loss: (options: GivenOptions) => Loss;
  readonly metric: (options: GivenOptions) => Metric;
  readonly callback: (options: GivenOptions) => Callback;
  readonly logger: (options: GivenOptions) => Logger;
}

const call = signature("register", {
  kind: string,
  name: string,
  factory: callable,
  "shape?": kindOf(
    "a record of options, or zod types by key",
    (value) =>
      value instanceof OptionRecord ||
      (isRecord(value) &&
        Object.values(value).every((type) => typeof (type as Partial<z.ZodType> | null)?.safeParse === "function")),
  ),
});

/**
 * Lets configs name a class of one's own: `register("model", "resnet", ({ depth }) => new ResNet(depth))`. `shape` checks its options: a record of them as the library's own have, or zod types by camelCase
 * key; without it they come unchecked. Throws ConfigError for an unknown kind and a name that is taken (of whatever case).
 */
export function register<K extends keyof Registrable>(
  kind: K,
  name: string,
  factory: Registrable[K],
  shape?: OptionRecord | z.ZodRawShape,
): void {
  checkArguments(call, arguments);
  if (!Object.hasOwn(families, kind))
    refuse(
      ConfigError,
      "register",
      "nothing of this kind can be registered",
      String(kind),
      Object.keys(families).join(", "),
    );
  const catalog = families[kind] as Catalog<unknown, unknown>;
  if (!/^[A-Za-z_][\w-]*$/.test(name))
    refuse(ConfigError, "register", "not a name", String(name), "letters, digits, _ and -");
  if (catalog.names.some((known) => known.toLowerCase() === name.toLowerCase()))
    refuse(ConfigError, "register", `there is a ${kind} of this name`, name, "a name of its own");
  const make = (options: unknown, context: unknown): unknown => {
    const made = atOnce(`${kind} ${name}`, (factory as (...args: unknown[]) => unknown)(options, context));
    if ((typeof made === "object" && made !== null) || typeof made === "function") return made;
    throw new ConfigError({ where: `${kind} ${name}`, problem: "the factory returned no object", got: String(made) });
  };
  catalog.register(name, shape, make);
}
