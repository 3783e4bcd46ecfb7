// The bench's results: what --json writes and --from, --compare and the reports read.
import { readFileSync } from "node:fs";

export type Unit = "GFLOP/s" | "Gelem/s" | "GB/s" | "ms" | "kB";

/** Whether less is better: the number is a time, or a size in a time's place, and no rate. */
export const lessIsBetter = (unit: Unit): boolean => unit === "ms" || unit === "kB";

/** One contestant on one case. */
export interface Row {
  /** `matmul-512`, `add-4m` … */
  readonly case: string;
  /** A backend of seedgrad, `host` for what needs none, or a peer with its configuration: `pytorch:1/2` (threads of torch and of its BLAS). */
  readonly backend: string;
  readonly threads: number;
  /** A call's time: median and minimum over the rounds, and the first and third quartile. */
  readonly median_ms: number;
  readonly min_ms: number;
  readonly quartiles_ms: readonly [number, number];
  /** Work by the median time; for `ms` and `kB` the median itself. */
  readonly rate: number;
  readonly unit: Unit;
  /** First 16 hex digits of the SHA-256 of the result's bits; empty where there is none to compare. */
  readonly bits: string;
  readonly rounds: number;
  readonly calls: number;
  /** The peer and its version, where it is one. */
  readonly peer?: string;
  /** The rate as a share of a ceiling measured in the same rounds, times threads. */
  readonly share?: number;
  /** What that ceiling is. */
  readonly ceiling?: string;
}

/** What was measured where. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly os: string;
  readonly engine: string;
  readonly numerics: string;
  /** Load averages over a minute, before and after. */
  readonly load: readonly [number, number];
  /** The day, as in 2026-01-31. */
  readonly day: string;
}

/** A contestant that couldn't run a case, and why. */
export interface Absence {
  readonly case: string;
  readonly backend: string;
  readonly reason: string;
}

export interface Results {
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly absent: readonly Absence[];
}

/** Which row of another file is the same measurement. */
export const keyOf = ({ case: name, backend, threads }: Pick<Row, "case" | "backend" | "threads">): string =>
  `${name} ${backend} ${threads}`;

/** A mistake in how the bench was called: printed without a stack, exit code 2. */
export class UsageError extends Error {}

const numeric = ["threads", "median_ms", "min_ms", "rate", "rounds", "calls"] as const;

function checkRow(row: Partial<Row> | null): string | undefined {
  if (typeof row !== "object" || row === null) return "a row isn't a record";
  for (const field of ["case", "backend", "unit", "bits"] as const)
    if (typeof row[field] !== "string") return `a row's ${field} isn't text`;
  for (const field of numeric) if (!Number.isFinite(row[field])) return `${row.case}: ${field} isn't a number`;
  const { quartiles_ms: quartiles } = row;
  if (!Array.isArray(quartiles) || quartiles.length !== 2 || !quartiles.every(Number.isFinite))
    return `${row.case}: quartiles_ms aren't two numbers`;
  return undefined;
}

/** Reads what --json wrote. Throws UsageError naming the file and what is wrong with it. */
export function readResults(path: string): Results {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${path}: can't be read: ${(cause as Error).message}`);
  }
  return parseResults(path, text);
}

/** The same, from text. */
export function parseResults(path: string, text: string): Results {
  let value: Partial<Results> | null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path}: not JSON: ${(cause as Error).message}`);
  }
  if (!Array.isArray(value?.rows) || typeof value.machine !== "object" || value.machine === null)
    throw new UsageError(`${path}: not a file that --json wrote: expected machine and rows`);
  for (const row of value.rows) {
    const problem = checkRow(row);
    if (problem) throw new UsageError(`${path}: not a file that --json wrote: ${problem}`);
  }
  return { machine: value.machine, rows: value.rows, absent: value.absent ?? [] };
}
