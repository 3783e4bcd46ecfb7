// The manifest of a run: what it was, in canonical JSON (RFC 8785), and how it ended. Only numerics id, train graph hash, seed and data enter
// the digest; the rest informs.
import { readText, writeAtomic } from "#files";
import { canonicalJson, float32Bits } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";

export type RunStatus = "running" | "finished" | "interrupted" | "failed";

/** A number as a manifest keeps it: its value (as text where JSON has no such number), and its bits as float32 in eight hex digits. */
export interface Hyperparameter {
  readonly value: number | string;
  readonly float32: string;
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
  /** The config as resolved, defaults included; null for a run made in code. */
  readonly config: unknown;
  /** Numbers of the optimizer and schedule, each as written and as the bits of its float32. */
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly deterministic: "strict" | "warn";
  readonly status: RunStatus;
  /** At the end. */
  readonly result?: {
    readonly digest: string;
    readonly steps: number;
    readonly loss: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly streamPosition: number;
  };
  /** Of the machine and the moment; part of no hash. */
  readonly environment: Readonly<Record<string, string | number>>;
}

/** A number for the manifest. */
export function hyperparameter(value: number): Hyperparameter {
  return {
    value: Number.isFinite(value) ? value : String(value),
    float32: float32Bits(value).toString(16).padStart(8, "0"),
  };
}

/** Numbers that JSON lacks become null. */
const finite = (value: unknown): unknown => (typeof value === "number" && !Number.isFinite(value) ? null : value);

/** Writes the manifest, all at once. Throws CheckpointError. */
export function writeManifest(path: string, manifest: Manifest): void {
  const plain = JSON.parse(
    JSON.stringify(manifest, (_, value) => finite(typeof value === "bigint" ? value.toString() : value)),
  );
  writeAtomic(path, new TextEncoder().encode(`${canonicalJson(plain)}\n`));
}

type Check = readonly [expected: string, holds: (value: unknown) => boolean];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): boolean => typeof value === "number";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash = (value: unknown): boolean => isText(value) && /^[0-9a-f]{64}$/.test(value);
const all = (holds: (value: unknown) => boolean) => (value: unknown) =>
  isRecord(value) && Object.values(value).every(holds);

const manifestChecks: Readonly<Record<keyof Manifest, Check>> = {
  format: ["1", (value) => value === 1],
  numericsId: ["a string", isText],
  seed: [
    "a decimal integer in [0, 2^64)",
    (value) => isText(value) && /^(0|[1-9]\d{0,19})$/.test(value) && BigInt(value) < 1n << 64n,
  ],
  seedGiven: ["true or false", (value) => typeof value === "boolean"],
  graphs: ["SHA-256 by role", all(isHash)],
  data: ["SHA-256 by name", all(isHash)],
  config: ["a record, or null", (value) => value === null || isRecord(value)],
  hyperparameters: [
    "numbers by name, each with its value and float32 bits",
    all(
      (item) =>
        isRecord(item) &&
        (isNumber(item.value) || isText(item.value)) &&
        isText(item.float32) &&
        /^[0-9a-f]{8}$/.test(item.float32),
    ),
  ],
  deterministic: ["strict or warn", (value) => value === "strict" || value === "warn"],
  status: [
    "running, finished, interrupted or failed",
    (value) => ["running", "finished", "interrupted", "failed"].includes(value as string),
  ],
  result: ["a record", (value) => value === undefined || isRecord(value)],
  environment: ["strings and numbers by name", all((value) => isText(value) || isNumber(value))],
};

const resultChecks: Readonly<Record<keyof NonNullable<Manifest["result"]>, Check>> = {
  digest: ["64 hex digits, after warn: or not", (value) => isText(value) && isHash(value.replace(/^warn:/, ""))],
  steps: ["a count", isCount],
  loss: ["a number", (value) => isNumber(value) || value === null],
  metrics: ["numbers by name", all((value) => isNumber(value) || value === null)],
  streamPosition: ["a count", isCount],
};

function checkFields(path: string, record: Record<string, unknown>, checks: Readonly<Record<string, Check>>): void {
  for (const [field, [expected, holds]] of Object.entries(checks)) {
    if (holds(record[field])) continue;
    const got = JSON.stringify(record[field]) ?? "nothing";
    throw new CheckpointError({
      where: `${path}: ${field}`,
      problem: "not what a manifest holds",
      got: got.length > 100 ? `${got.slice(0, 100)}…` : got,
      expected,
    });
  }
}

/** Reads a manifest. Throws CheckpointError naming file and field for one that is missing, damaged, or of another format. */
export function readManifest(path: string): Manifest {
  let manifest: unknown;
  const text = readText(path, CheckpointError);
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError({ where: path, problem: "the manifest isn't JSON", got: String(cause), cause });
  }
  if (!isRecord(manifest)) {
    throw new CheckpointError({ where: path, problem: "the manifest isn't a record", got: text.slice(0, 100) });
  }
  checkFields(path, manifest, manifestChecks);
  const { status, result } = manifest;
  if (status === "finished" || result !== undefined) {
    if (isRecord(result)) checkFields(`${path}: result`, result, resultChecks);
    else checkFields(path, manifest, { result: ["a record, since the run is finished", isRecord] });
  }
  return manifest as unknown as Manifest;
}
