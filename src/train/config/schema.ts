// The one schema of a training run: what YAML says in snake_case and TypeScript in camelCase. A choice of class is held as
// `{ class: "AdamW", … }` here, and written `AdamW: {…}` in YAML. Each leaf's error text says what is expected.
import { z } from "zod";

/** A record without other keys; the error for an unknown key lists the known ones. */
function record<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? known : "a map of keys and values"),
  });
}

const expected = (error: string) => ({ error });
const count = z.int(expected("an integer ≥ 1")).min(1, expected("an integer ≥ 1"));
const rate = z.number(expected("a number ≥ 0")).min(0, expected("a number ≥ 0"));
const limit = z.number(expected("a number > 0")).gt(0, expected("a number > 0"));
const flag = z.boolean(expected("true or false"));
const text = z.string(expected("text")).min(1, expected("text that isn't empty"));
const decay = z
  .number(expected("a number in [0, 1)"))
  .min(0, expected("a number in [0, 1)"))
  .lt(1, expected("a number in [0, 1)"));
const probability = z
  .number(expected("a number in [0, 1]"))
  .min(0, expected("a number in [0, 1]"))
  .max(1, expected("a number in [0, 1]"));
const word = <const T extends readonly string[]>(words: T) => z.enum(words, expected(`one of ${words.join(", ")}`));
const list = <T extends z.ZodType>(item: T) => z.array(item, expected("a list"));

const seedText = "an integer in [0, 2^64), in decimal digits, or null for one that is drawn";
const seed = z
  .union(
    [
      z
        .bigint(expected(seedText))
        .min(0n, expected(seedText))
        .lt(2n ** 64n, expected(seedText)),
      z.int(expected(seedText)).min(0, expected(seedText)),
    ],
    expected(seedText),
  )
  .meta({ id: "seed" });

/** What a model may be in YAML, by `name`. */
const mlp = record({
  name: z.literal("mlp"),
  sizes: list(count).min(2, expected("at least two sizes, inputs first")),
  dropout: probability.default(0),
  activation: word(["relu", "gelu", "tanh", "sigmoid"]).default("relu"),
  bias: flag.default(true),
});
export const modelSchema = z.discriminatedUnion("name", [mlp], expected("a map with a name"));

const optimizerBase = { learningRate: rate, decayAll: flag.default(false) };
const adamShape = {
  ...optimizerBase,
  betas: z.tuple([decay, decay], expected("two numbers in [0, 1)")).default([0.9, 0.999]),
  epsilon: rate.default(1e-8),
};
export const optimizerSchema = z.discriminatedUnion(
  "class",
  [
    record({
      class: z.literal("SGD"),
      ...optimizerBase,
      weightDecay: rate.default(0),
      momentum: decay.default(0),
      nesterov: flag.default(false),
    }),
    record({ class: z.literal("Adam"), ...adamShape, weightDecay: rate.default(0) }),
    record({ class: z.literal("AdamW"), ...adamShape, weightDecay: rate.default(0.01) }),
  ],
  expected("one optimizer: a map with one key"),
);

const decayShape = { initialLearningRate: rate, endLearningRate: rate, totalIters: count };

/** A schedule as configured; schedules nest in SequentialLR. */
export type ScheduleConfig =
  | { class: "ConstantLR"; learningRate: number; totalIters?: number }
  | { class: "LinearLR" | "CosineDecayLR"; initialLearningRate: number; endLearningRate: number; totalIters: number }
  | { class: "SequentialLR"; schedulers: ScheduleConfig[]; milestones?: number[] };

export const scheduleSchema: z.ZodType<ScheduleConfig> = z.discriminatedUnion(
  "class",
  [
    record({ class: z.literal("ConstantLR"), learningRate: rate, totalIters: count.optional() }),
    record({ class: z.literal("LinearLR"), ...decayShape }),
    record({ class: z.literal("CosineDecayLR"), ...decayShape }),
    record({
      class: z.literal("SequentialLR"),
      schedulers: list(z.lazy(() => scheduleSchema)).min(1, expected("at least one scheduler")),
      milestones: list(count).optional(),
    }),
  ],
  expected("a scheduler: a map with one key"),
);

const frequency = expected("a number of steps ≥ 1, a fraction of all steps in (0, 1), epoch, or end");

export const loopSchema = record({
  numSteps: count.optional(),
  maxSteps: count.optional(),
  numEpochs: count.optional(),
  stepsPerEpoch: count.optional(),
  evalFrequency: z
    .union(
      [
        z.int(frequency).min(1, frequency),
        z.number(frequency).gt(0, frequency).lt(1, frequency),
        z.literal("epoch"),
        z.literal("end"),
      ],
      frequency,
    )
    .optional(),
  evalSteps: count.optional(),
});

export const checkpointSchema = record({
  steps: count.optional(),
  autoloadLastCheckpoint: flag.default(true),
  saveInitialCheckpoint: flag.default(false),
  checkpointName: z
    .string(expected("a file name that holds {step}"))
    .regex(/^[A-Za-z0-9._-]*\{step\}[A-Za-z0-9._-]*$/, expected("a file name that holds {step}"))
    .default("checkpoint_{step}"),
  keep: count.optional(),
});

export const precisionSchema = record({ maxGradientNorm: limit.optional(), maxGradientValue: limit.optional() });

export const loggingSchema = record({
  logSteps: count.default(10),
  logLevel: word(["debug", "info", "warn", "error", "silent"]).default("info"),
});

export const callbackSchema = z.discriminatedUnion(
  "class",
  [record({ class: z.literal("CheckLoss") })],
  expected("a callback: a map with one key"),
);

export const loggerSchema = z.discriminatedUnion(
  "class",
  [
    record({ class: z.literal("ProgressLogger") }),
    record({ class: z.literal("CSVLogger") }),
    record({ class: z.literal("JSONLLogger") }),
    record({ class: z.literal("TensorBoardLogger") }),
  ],
  expected("a logger: a map with one key"),
);

/** Arguments that the Trainer takes alike from TypeScript and YAML. */
export const sharedShape = {
  seed: seed.nullable().default(null),
  precision: precisionSchema.prefault({}),
  loop: loopSchema.prefault({}),
  checkpoint: checkpointSchema.nullable().prefault({}),
  logging: loggingSchema.prefault({}),
  backend: text.optional(),
  threads: count.optional(),
  deterministic: word(["strict", "warn"]).optional(),
};

const initSchema = record({
  seed: sharedShape.seed,
  modelDir: text.optional(),
  model: modelSchema,
  loss: word(["cross_entropy", "mse"]).optional(),
  metrics: list(word(["accuracy"])).default([]),
  optimizer: optimizerSchema.optional(),
  schedulers: list(scheduleSchema).default([]),
  precision: sharedShape.precision,
  loop: sharedShape.loop,
  checkpoint: sharedShape.checkpoint,
  logging: sharedShape.logging,
  callbacks: list(callbackSchema).default([]),
  loggers: list(loggerSchema).default([]),
  backend: sharedShape.backend,
  threads: sharedShape.threads,
  deterministic: sharedShape.deterministic,
});

const loaderBase = { batchSize: count, shuffle: flag.optional(), dropLast: flag.optional() };
export const loaderSchema = z.discriminatedUnion(
  "name",
  [record({ name: z.literal("mnist"), split: word(["train", "test"]), ...loaderBase, directory: text.optional() })],
  expected("a data loader: a map with a name"),
);

const checkpointPath = z
  .string(expected("a path, or null for none"))
  .min(1, expected("a path, or null for none"))
  .nullable()
  .optional();

export const configSchema = record({
  trainer: record({
    init: initSchema,
    fit: record({
      trainDataloader: loaderSchema,
      valDataloader: loaderSchema.optional(),
      ckptPath: checkpointPath,
    }).optional(),
    validate: record({ valDataloader: loaderSchema, ckptPath: checkpointPath }).optional(),
  }),
});

/** A whole run as configured, defaults filled in. */
export type Config = z.infer<typeof configSchema>;
export type InitConfig = Config["trainer"]["init"];
export type LoaderConfig = z.infer<typeof loaderSchema>;
export type ModelConfig = z.infer<typeof modelSchema>;
export type OptimizerConfig = z.infer<typeof optimizerSchema>;
export type LoopOptions = z.input<typeof loopSchema>;
export type CheckpointOptions = z.input<typeof checkpointSchema>;
export type PrecisionOptions = z.input<typeof precisionSchema>;
export type LoggingOptions = z.input<typeof loggingSchema>;
export type LogLevel = z.infer<typeof loggingSchema>["logLevel"];

/** Class names by the key under which they are chosen: how YAML's names, of any case, find theirs. */
export const classNames = {
  optimizer: ["SGD", "Adam", "AdamW"],
  schedulers: ["ConstantLR", "LinearLR", "CosineDecayLR", "SequentialLR"],
  callbacks: ["CheckLoss"],
  loggers: ["ProgressLogger", "CSVLogger", "JSONLLogger", "TensorBoardLogger"],
} as const;

/** Callbacks and loggers that a run from YAML has unless they are switched off with `Name: null`. */
export const defaultClasses = {
  callbacks: ["CheckLoss"],
  loggers: ["ProgressLogger", "CSVLogger", "JSONLLogger"],
} as const;
