// The manifest of a run: what it was, in canonical JSON (RFC 8785), and how it ended. Only numerics id, train graph hash, seed and data enter
// the digest; the rest informs.
import { read, writeAtomic } from "#files";
import { canonicalJson, float32Bits } from "../core/canonical.ts";
import { CheckpointError } from "../core/errors.ts";

export type RunStatus = "running" | "finished" | "interrupted" | "failed";

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
  readonly hyperparameters: Readonly<Record<string, { readonly value: number; readonly float32: string }>>;
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

/** A number as a manifest keeps it: its value, and the bits it has as float32 in eight hex digits. */
export function hyperparameter(value: number): { value: number; float32: string } {
  return { value, float32: float32Bits(value).toString(16).padStart(8, "0") };
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

/** Reads a manifest. Throws CheckpointError naming file and field for one that is missing, damaged, or of another format. */
export function readManifest(path: string): Manifest {
  const text = new TextDecoder().decode(read(path, CheckpointError));
  let manifest: Record<string, unknown>;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError({ where: path, problem: "the manifest isn't JSON", got: String(cause), cause });
  }
  const check = (field: string, expected: string, holds: (value: unknown) => boolean) => {
    if (holds(manifest?.[field])) return;
    throw new CheckpointError({
      where: `${path}: ${field}`,
      problem: "not what a manifest holds",
      got: JSON.stringify(manifest?.[field]) ?? "nothing",
      expected,
    });
  };
  const isRecord = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  const allStrings = (value: unknown) =>
    isRecord(value) && Object.values(value as object).every((item) => typeof item === "string");
  check("format", "1", (value) => value === 1);
  check("numericsId", "a string", (value) => typeof value === "string");
  check(
    "seed",
    "a decimal integer in [0, 2^64)",
    (value) => typeof value === "string" && /^(0|[1-9]\d{0,19})$/.test(value) && BigInt(value) < 1n << 64n,
  );
  check("graphs", "hashes by role", allStrings);
  check("data", "hashes by name", allStrings);
  check("status", "running, finished, interrupted or failed", (value) =>
    ["running", "finished", "interrupted", "failed"].includes(value as string),
  );
  check("result", "a record with a digest, where the run is finished", (value) =>
    manifest.status === "finished"
      ? isRecord(value) && typeof (value as { digest: unknown }).digest === "string"
      : true,
  );
  return manifest as unknown as Manifest;
}
