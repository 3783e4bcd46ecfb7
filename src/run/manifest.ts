// The manifest of a run: what it was, in canonical JSON (RFC 8785), and how it ended. Only numerics id, train graph hash, seed and data enter
// the digest; the rest informs.
import { exists, writeAtomic } from "#files";
import type { Certificate } from "../compile/contract.ts";
import { canonicalJson, float32Bits } from "../core/canonical.ts";
import {
  checkFields,
  checkNumerics,
  type FieldCheck,
  isCount,
  isFlag,
  isHash,
  isNumber,
  isRecord,
  isSeed,
  isText,
  listOf,
  maybe,
  numberOf,
  numbersOf,
  numbersText,
  numberText,
  readJson,
  recordOf,
  shaped,
} from "./fields.ts";

export type RunStatus = "running" | "finished" | "interrupted" | "failed";

/** A number as a manifest keeps it: its value (as text where JSON has no such number), and its bits as float32 in eight hex digits. */
export interface Hyperparameter {
  readonly value: number | string;
  readonly float32: string;
}

/** A program that a config's classes come from. */
export interface ImportedProgram {
  readonly sha256: string;
  /** From the run's folder; a package has none. */
  readonly path?: string;
}

/** What a run records of a loader that it validates on. */
export interface ValidationData {
  readonly name: string;
  /** Numbers, as text where JSON has no such number. */
  readonly batchSize: number | string;
  readonly samplesPerEpoch: number | string;
  readonly drawsPerEpoch: number | string;
  /** Batches that a validation takes of it, where not all. */
  readonly evalSteps?: number;
  /** Decimal; of a loader that has a seed of its own. */
  readonly shuffleSeed?: string;
  /** SHA-256 of the data under it, by name. */
  readonly digests: Readonly<Record<string, string>>;
}

/** What is written of a run. */
export interface Manifest {
  readonly format: 1;
  readonly numericsId: string;
  /** Decimal, since JSON numbers end at 2⁵³. */
  readonly seed: string;
  readonly seedGiven: boolean;
  /** Graph hashes by role: `init`, `train`, `trainLast`, `eval` … */
  readonly graphs: Readonly<Record<string, string>>;
  /** SHA-256 of the training data by name. */
  readonly data: Readonly<Record<string, string>>;
  /** Decimal: the seed that the training loader's order is drawn from, where it was given one of its own. */
  readonly shuffleSeeds?: readonly string[];
  /** The validation loaders, in their order, of a run whose rates or length depend on them. They enter no hash: what comes of them does. */
  readonly validation?: readonly ValidationData[];
  /** The config as resolved, defaults included; null for a run made in code. */
  readonly config: unknown;
  /** Programs that were imported for the config, by the names it has for them. They inform: what they make is in the graph's hash. */
  readonly imports?: Readonly<Record<string, ImportedProgram>>;
  /** Numbers of the optimizer and schedule, each as written and as the bits of its float32. */
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly deterministic: "strict" | "warn";
  readonly status: RunStatus;
  /** How many optimizer steps a Trainer's run has by its loop's limits. It informs: a run may end before. */
  readonly totalSteps?: number;
  /** At the end. */
  readonly result?: {
    readonly digest: string;
    readonly steps: number;
    readonly loss: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly streamPosition: number;
    /** Why it ended before the loop's limits did, if it did. */
    readonly stopped?: string;
  };
  /** What the device was found to compute, of a run on a backend of class B. It informs: where and how a run ran is no part of what it is. */
  readonly certificate?: Certificate;
  /** Of the machine and the moment; part of no hash. */
  readonly environment: Readonly<Record<string, string | number>>;
}

/** A number, as text where JSON has no such number. */
export const jsonNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

const isValue = (value: unknown): boolean => ["number", "string"].includes(typeof value);

/** A number for the manifest. */
export function hyperparameter(value: number): Hyperparameter {
  return {
    value: jsonNumber(value),
    float32: float32Bits(value).toString(16).padStart(8, "0"),
  };
}

/** Writes the manifest, all at once. Throws CheckpointError. */
export function writeManifest(path: string, manifest: Manifest): void {
  const { result } = manifest;
  const written = {
    ...manifest,
    ...(result && {
      result: { ...result, loss: numberText(result.loss), metrics: numbersText(result.metrics) },
    }),
  };
  const plain = JSON.parse(
    JSON.stringify(written, (_, value) => (typeof value === "bigint" ? value.toString() : value)),
  );
  writeAtomic(path, new TextEncoder().encode(`${canonicalJson(plain)}\n`));
}

/** The seed of the run that a folder holds; undefined where it holds none. */
export function seedOfFolder(folder: string): bigint | undefined {
  const path = `${folder}/manifest.json`;
  return exists(path) ? BigInt(readManifest(path).seed) : undefined;
}

const isTrial = shaped({ name: isText, sha256: isHash, fault: maybe(isText) });

const manifestChecks: Readonly<Record<keyof Manifest, FieldCheck>> = {
  format: ["1", (value) => value === 1],
  numericsId: ["a string", isText],
  seed: ["a decimal integer in [0, 2^64)", isSeed],
  seedGiven: ["true or false", isFlag],
  graphs: ["SHA-256 by role", recordOf(isHash)],
  data: ["SHA-256 by name", recordOf(isHash)],
  shuffleSeeds: ["decimal integers in [0, 2^64)", maybe(listOf(isSeed))],
  validation: [
    "validation loaders, each with its sizes and SHA-256 by name",
    maybe(
      listOf(
        shaped({
          name: isText,
          batchSize: isValue,
          samplesPerEpoch: isValue,
          drawsPerEpoch: isValue,
          evalSteps: maybe(isCount),
          shuffleSeed: maybe(isSeed),
          digests: recordOf(isHash),
        }),
      ),
    ),
  ],
  config: ["a record, or null", (value) => value === null || isRecord(value)],
  imports: [
    "programs by name, each with its SHA-256",
    maybe(recordOf(shaped({ sha256: isHash, path: maybe(isText) }))),
  ],
  hyperparameters: [
    "numbers by name, each with its value and float32 bits",
    recordOf(shaped({ value: isValue, float32: (bits) => isText(bits) && /^[0-9a-f]{8}$/.test(bits) })),
  ],
  deterministic: ["strict or warn", (value) => value === "strict" || value === "warn"],
  status: [
    "running, finished, interrupted or failed",
    (value) => ["running", "finished", "interrupted", "failed"].includes(value as string),
  ],
  totalSteps: ["a count", maybe(isCount)],
  result: ["a record, where the run is finished", maybe(isRecord)],
  certificate: [
    "a device, a numerics id, and trials by name, each with its SHA-256",
    maybe(
      shaped({
        device: isText,
        numericsId: isText,
        primitives: listOf(isTrial),
        kernels: listOf(isTrial),
        audit: shaped({ share: isNumber, tiles: isCount }),
      }),
    ),
  ],
  environment: ["strings and numbers by name", recordOf(isValue)],
};

const resultChecks: Readonly<Record<keyof NonNullable<Manifest["result"]>, FieldCheck>> = {
  digest: ["64 hex digits, after warn: or not", (value) => isText(value) && isHash(value.replace(/^warn:/, ""))],
  steps: ["a count", isCount],
  loss: ["a number", isNumber],
  metrics: ["numbers by name", recordOf(isNumber)],
  streamPosition: ["a count", isCount],
  stopped: ["text", maybe(isText)],
};

/** Reads a manifest. Throws CheckpointError naming file and field for one that is missing, damaged, or of another format or numerics id. */
export function readManifest(path: string): Manifest {
  const manifest = readJson(path, "the manifest isn't JSON");
  checkNumerics(path, "a manifest", manifest);
  checkFields(path, "a manifest", manifest, manifestChecks);
  const { status, result } = manifest as Manifest;
  if (status === "finished" || result !== undefined) checkFields(`${path}: result`, "a result", result, resultChecks);
  if (result === undefined) return manifest as Manifest;
  const { loss, metrics } = result;
  return { ...(manifest as Manifest), result: { ...result, loss: numberOf(loss), metrics: numbersOf(metrics) } };
}
