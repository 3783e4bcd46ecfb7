// A toy run, and what its callbacks logged and said.
import type { Callback, Logger, TrainerOptions } from "../../src/train/contract.ts";
import type { Run } from "../../src/train/run.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { toyTest, toyTrain, toyTrainer } from "./toy.ts";

export interface Recorded {
  readonly run: Run;
  readonly trainer: Trainer;
  /** By name: [step, value] in the order logged. */
  readonly metrics: Readonly<Record<string, [number, number][]>>;
  readonly messages: readonly string[];
}

/** Fits the toy model, logging each step unless `changes` say otherwise, validating at the end of the epoch. */
export async function recorded(
  callbacks: readonly Callback[],
  changes: Partial<TrainerOptions> = {},
): Promise<Recorded> {
  const metrics: Record<string, [number, number][]> = {};
  const messages: string[] = [];
  const logger: Logger = {
    logMetrics(values, step) {
      for (const [name, value] of Object.entries(values)) {
        metrics[name] ??= [];
        metrics[name].push([step, value]);
      }
    },
    logMessage: (level, text) => void messages.push(`${level}: ${text}`),
  };
  const trainer = toyTrainer({
    callbacks,
    loggers: [logger],
    loop: { numSteps: 4, evalFrequency: "epoch" },
    logging: { logSteps: 1, logLevel: "info" },
    ...changes,
  });
  return { run: await trainer.fit(toyTrain(), toyTest()), trainer, metrics, messages };
}
