// The one schema of a training run: what YAML says in snake_case and TypeScript in camelCase. A choice of class is held as
// `{ class: "AdamW", … }` here, and written `AdamW: {…}` in YAML. What there is to choose from is in the catalogs.
import type * as z from "zod";
import {
  callbacks,
  loaders,
  loggers,
  losses,
  metrics,
  models,
  optimizers,
  schedulers,
  transforms,
} from "./families.ts";
import { sharedShape } from "./shared.ts";
import { count, expected, list, live, record, text, textOf, texts, word } from "./values.ts";

const initSchema = record({
  seed: sharedShape.seed,
  modelDir: text.optional(),
  model: live(() => models.schema),
  loss: live(() => losses.schema).optional(),
  metrics: list(live(() => metrics.schema)).default([]),
  optimizer: live(() => optimizers.schema).optional(),
  schedulers: list(live(() => schedulers.schema)).default([]),
  optimizers: list(
    record({
      optimizer: live(() => optimizers.schema),
      parameters: texts,
      frequency: count.default(1),
      minimizes: text.default("loss"),
      schedulers: list(live(() => schedulers.schema)).default([]),
    }),
  )
    .min(1, expected("at least one optimizer"))
    .optional(),
  precision: sharedShape.precision,
  loop: sharedShape.loop,
  checkpoint: sharedShape.checkpoint,
  logging: sharedShape.logging,
  callbacks: list(live(() => callbacks.schema)).default([]),
  loggers: list(live(() => loggers.schema)).default([]),
  backend: sharedShape.backend,
  threads: sharedShape.threads,
  audit: sharedShape.audit,
  deterministic: sharedShape.deterministic,
  fastDevRun: sharedShape.fastDevRun,
});

const loader = live(() => loaders.schema);
const loaderList = list(loader).min(1, expected("at least one data loader"));
const checkpointPath = textOf("a path, or null for none").nullable().optional();

const weights = word(["raw", "average"]).optional();

export const configSchema = record({
  imports: list(text).optional(),
  trainer: record({
    init: initSchema,
    fit: record({
      trainDataloader: loader,
      valDataloader: loader.optional(),
      valDataloaders: loaderList.optional(),
      ckptPath: checkpointPath,
    }).optional(),
    validate: record({ valDataloader: loader, ckptPath: checkpointPath, weights }).optional(),
    test: record({ testDataloader: loader, ckptPath: checkpointPath, weights }).optional(),
    validateAll: record({
      valDataloaders: loaderList,
      ckptPaths: texts.optional(),
      weights,
    }).optional(),
  }),
});

/** A whole run as configured, defaults filled in. */
export type Config = z.infer<typeof configSchema>;

/** The keys that choose by `Name: {…}`, and what each chooses from. */
export const choices = {
  loss: losses,
  metrics,
  augment: transforms,
  optimizer: optimizers,
  schedulers,
  scheduler: schedulers,
  callbacks,
  loggers,
} as const;
/** Of these, the ones that hold a single choice. */
export const singleChoices: readonly string[] = ["loss", "optimizer", "scheduler"];
