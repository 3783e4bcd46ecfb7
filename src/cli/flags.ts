// Flags that several commands take, checked as they are read: only those that were given override the config.

import { type Command, InvalidArgumentError } from "commander";
import { checkBackendName, type Threads } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { ConfigError } from "../core/errors.ts";
import type { ConfigOverrides } from "../train/config/parse.ts";
import type { WeightsChoice } from "../train/run.ts";
import { seedFromText } from "./seed.ts";

/** The flags that say which programs may run. */
export interface ImportFlags {
  /** In a run's folder: in place of the programs that its config names. */
  readonly import?: readonly string[];
  /** Whether the programs that a run's folder names may run. */
  readonly trustImports?: boolean;
}

/** The flags of commands that run a config. */
export interface RunFlags extends ImportFlags {
  readonly seed?: bigint;
  readonly modelDir?: string;
  readonly maxSteps?: number;
  readonly set?: readonly string[];
  readonly backend?: string;
  readonly threads?: Threads;
  readonly ckpt?: string;
  readonly weights?: WeightsChoice;
  readonly fresh?: boolean;
  readonly json?: boolean;
}

/** Refuses flags that would have no effect: each key of `needs` says nothing without the flag beside it, and of a list in `apart` one alone may be given. Throws ConfigError. */
export function checkTogether<Flags extends object>(
  flags: Flags,
  needs: Partial<Record<keyof Flags & string, keyof Flags & string>>,
  apart: readonly (readonly (keyof Flags & string)[])[] = [],
): void {
  const isGiven = (name: keyof Flags) => flags[name] !== undefined && flags[name] !== false;
  for (const [name, other] of Object.entries(needs) as [keyof Flags & string, keyof Flags & string][]) {
    if (!isGiven(name) || isGiven(other)) continue;
    throw new ConfigError({
      where: flagOf(name),
      problem: `it has no effect without ${flagOf(other)}`,
      expected: `${flagOf(other)} too, or neither`,
    });
  }
  for (const names of apart) {
    const given = names.filter(isGiven).map(flagOf);
    if (given.length < 2) continue;
    throw new ConfigError({
      where: given[1],
      problem: `it can't be given together with ${given[0]}`,
      expected: "one of them",
    });
  }
}

/** shareSeed → --share-seed. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** A whole number ≥ 1. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (/^[1-9][0-9]*$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("expected an integer ≥ 1");
}

/** A number of threads, or all. */
function parseThreads(text: string): Threads {
  if (text === "all") return text;
  try {
    return parseCount(text);
  } catch {
    throw new InvalidArgumentError("expected an integer ≥ 1, or all");
  }
}

/** The vectors' width. */
function parseVectorWidth(text: string): VectorWidth {
  if (text === "auto") return text;
  if (text === "4") return 4;
  if (text === "8") return 8;
  throw new InvalidArgumentError("expected 4, 8 or auto");
}

/** A part of a whole. */
export function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("expected a number above 0, and at most 1");
}

/** A step's number: a whole number ≥ 0. */
export function parseStep(text: string): number {
  if (text === "0") return 0;
  try {
    return parseCount(text);
  } catch {
    throw new InvalidArgumentError("expected an integer ≥ 0");
  }
}

/** A seed in decimal digits. */
function parseSeedFlag(text: string): bigint {
  return seedFromText("--seed", text);
}

/** A backend's name. Throws BackendError for one that isn't there, before anything is begun. */
export function parseBackend(name: string): string {
  checkBackendName(name);
  return name;
}

/** What the flags put in place of the config's own. */
export function overridesOf({ seed, modelDir, maxSteps, set, backend, threads }: RunFlags): ConfigOverrides {
  return { seed, modelDir, maxSteps, set, backend, threads };
}

/** Which weights of a checkpoint. */
export function parseWeights(text: string): WeightsChoice {
  if (text === "raw" || text === "average") return text;
  throw new InvalidArgumentError("expected raw or average");
}

/** Left out: the latest. `none`: no checkpoint. Else a path. */
export function checkpointChoice({ ckpt }: RunFlags): { ckptPath?: string | null } {
  return ckpt === undefined ? {} : { ckptPath: ckpt === "none" ? null : ckpt };
}

/** Values of a flag that may be given again. */
export const addTo = (value: string, list: readonly string[] = []): string[] => [...list, value];

/** Adds the flag of the vectors' width. */
export const withVectorWidth = (command: Command): Command =>
  command.option(
    "--vector-width <n>",
    "elements that wasm computes together: 4, 8 or auto, which is 8 where the engine can; moves no bit",
    parseVectorWidth,
  );

/** Adds the flags of how a run is computed. */
export const withBackendFlags = (command: Command): Command =>
  withVectorWidth(command.option("--threads <n>", "threads, where the backend can: a number, or all", parseThreads));

/** Adds `ImportFlags`. */
export const withImport = (command: Command): Command =>
  command
    .option(
      "--import <program>",
      "a program to import first, whose classes the config names; of a run, in place of those it was made with; may be given again",
      addTo,
    )
    .option("--trust-imports", "run the programs that a run's folder names; without it none of them runs");

/** Adds `RunFlags` that every command with a config takes. */
export const withRunFlags = (command: Command): Command =>
  withBackendFlags(withImport(command))
    .option("--seed <n>", "seed, an integer in [0, 2^64), in place of the config's", parseSeedFlag)
    .option("--model-dir <folder>", "the run's folder, in place of the config's")
    .option("--max-steps <n>", "at most so many optimizer steps", parseCount)
    .option(
      "--set <key=value>",
      "any key of the config, as in trainer.init.optimizer.AdamW.learning_rate=0.01; may be given again",
      addTo,
    )
    .option("--backend <name>", "wasm, reference …: seedgrad doctor lists them", parseBackend)
    .option("--json", "the last line of stdout is one JSON object");
