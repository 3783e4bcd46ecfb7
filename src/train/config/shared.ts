// The Trainer's arguments that are the same from TypeScript and from YAML, of numbers and words alone.
import * as z from "zod";
import { float32Bits } from "../../core/canonical.ts";
import {
  count,
  countUpTo,
  duration,
  expected,
  flag,
  limit,
  matching,
  number,
  record,
  relative,
  seed,
  share,
  text,
  word,
} from "./values.ts";

const frequency = "a number of steps ≥ 1, a fraction of all steps in (0, 1), epochs as in 2ep, epoch, or end";

const loopSchema = record({
  numSteps: count.optional(),
  maxSteps: count.optional(),
  numEpochs: count.optional(),
  stepsPerEpoch: count.optional(),
  evalFrequency: z
    .union(
      [
        number(frequency, { integer: true, least: 1 }),
        number(frequency, { above: 0, below: 1 }),
        relative,
        z.literal("epoch"),
        z.literal("end"),
      ],
      expected(frequency),
    )
    .optional(),
  evalSteps: count.optional(),
  overfitBatches: count.optional(),
  gradAccumSteps: count.default(1),
});

const checkpointSchema = record({
  steps: duration.optional(),
  autoloadLastCheckpoint: flag.default(true),
  saveInitialCheckpoint: flag.default(false),
  checkpointName: matching("a file name that holds {step}", /^[A-Za-z0-9._-]*\{step\}[A-Za-z0-9._-]*$/).default(
    "checkpoint_{step}",
  ),
  keep: count.optional(),
  keepBest: record({
    metric: text,
    mode: word(["min", "max"]).optional(),
    k: count.default(1),
  }).optional(),
  strict: flag.default(true),
});

const scaleText = "a power of two in [2^-126, 2^127]";
const isScale = (value: number) => {
  const bits = float32Bits(value);
  return Math.fround(value) === value && bits % 2 ** 23 === 0 && bits > 0 && bits < 255 * 2 ** 23;
};
/** Scaling by it is exact. */
const lossScale = number(scaleText, {}).refine(isScale, expected(scaleText));
const factorText = `${scaleText}, or dynamic`;

const precisionSchema = record({
  enabled: flag.optional(),
  fp16Type: word(["float16", "bfloat16"]).optional(),
  lossScalingFactor: z.union([lossScale, z.literal("dynamic")], expected(factorText)).default(1),
  initialLossScale: lossScale.default(2 ** 16),
  stepsPerIncrease: countUpTo(2 ** 31 - 1).default(2000),
  minLossScale: lossScale.default(2 ** -14),
  maxLossScale: lossScale.default(2 ** 24),
  logLossScale: flag.default(false),
  maxGradientNorm: limit.optional(),
  maxGradientValue: limit.optional(),
});

/** The format that matrix products round to under a precision: null where mixed precision is off. It is on where a type is named. */
export function mixedFormat({ enabled, fp16Type }: PrecisionOptions): "float16" | "bfloat16" | null {
  return (enabled ?? fp16Type !== undefined) ? (fp16Type ?? "float16") : null;
}

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
const loggingSchema = record({
  logSteps: duration.default(10),
  trainMetrics: flag.optional(),
  logLevel: word(logLevels).default("info"),
});

/** Arguments that the Trainer takes alike from TypeScript and YAML. */
export const sharedShape = {
  seed: seed.nullable().default(null),
  precision: precisionSchema.prefault({}),
  loop: loopSchema.prefault({}),
  checkpoint: checkpointSchema.nullable().prefault({}),
  logging: loggingSchema.prefault({}),
  backend: text.optional(),
  threads: z.union([count, z.literal("all")], expected("an integer ≥ 1, or all")).optional(),
  audit: share.optional(),
  deterministic: word(["strict", "warn"]).optional(),
  /** A test before the run: a larger number is a slip. */
  fastDevRun: countUpTo(2 ** 16).optional(),
};

export type LoopOptions = z.input<typeof loopSchema>;
export type CheckpointOptions = z.input<typeof checkpointSchema>;
export type PrecisionOptions = z.input<typeof precisionSchema>;
export type LoggingOptions = z.input<typeof loggingSchema>;
export type LogLevel = z.infer<typeof loggingSchema>["logLevel"];
