// The bench's rules: every (case, backend) pair is warmed up, then all pairs of a case run in turn, round after round, so that a slow moment
// of the machine falls on all of them; the median and the minimum count; the result is read and its bits hashed beside the time.
import { createHash } from "node:crypto";
import type { Backend, Tensor } from "../src/index.ts";

/** One thing to measure. */
export interface Case {
  /** As in the peers' scripts: `matmul-512`, `add-4m` … */
  readonly name: string;
  readonly unit: "GFLOP/s" | "Gelem/s" | "ms";
  /** Operations or elements a run; for "ms" 0. */
  readonly work: number;
  /** Backends too slow for it to be worth the wait, as a reason by name. */
  readonly skip?: Readonly<Record<string, string>>;
  /** Makes a runner on the backend: each call does the work once and gives what it computed. */
  prepare(backend: Backend): Promise<() => Promise<Tensor>>;
}

/** One line of the table and of the JSON file. */
export interface Row {
  readonly case: string;
  readonly backend: string;
  readonly threads: number;
  readonly median_ms: number;
  readonly min_ms: number;
  readonly rate: number;
  readonly unit: string;
  /** First 16 hex digits of the SHA-256 of the result's bytes after the last run. */
  readonly bits: string;
  readonly runs: number;
}

/** How long a pair may take in all, in ms, and how many runs it gets at least and at most. */
const budget = 1500;
const fewest = 3;
const most = 50;

async function time(run: () => Promise<Tensor>): Promise<{ ms: number; result: Tensor }> {
  const start = performance.now();
  const result = await run();
  return { ms: performance.now() - start, result };
}

/** Measures a case on each backend, interleaved: one row a backend. */
export async function measure(subject: Case, backends: readonly Backend[]): Promise<Row[]> {
  const pairs = [];
  for (const backend of backends) {
    if (subject.skip?.[backend.name]) continue;
    const run = await subject.prepare(backend);
    await time(run);
    const { ms } = await time(run);
    pairs.push({
      backend,
      run,
      runs: Math.max(fewest, Math.min(most, Math.floor(budget / ms))),
      times: [] as number[],
      bits: "",
    });
  }
  // A step changes its state: the bits after it agree only where all backends took as many.
  if (subject.unit === "ms") for (const pair of pairs) pair.runs = Math.min(...pairs.map(({ runs }) => runs));
  const rounds = Math.max(0, ...pairs.map(({ runs }) => runs));
  for (let round = 0; round < rounds; round++) {
    for (const pair of pairs) {
      if (round >= pair.runs) continue;
      const { ms, result } = await time(pair.run);
      pair.times.push(ms);
      if (round === pair.runs - 1) pair.bits = await hashBits(result);
      else result.dispose();
    }
  }
  return pairs.map(({ backend, times, bits }) => {
    const sorted = [...times].sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    return {
      case: subject.name,
      backend: backend.name,
      threads: backend.threads,
      median_ms: round4(median),
      min_ms: round4(sorted[0]),
      rate: round4(subject.unit === "ms" ? median : subject.work / median / 1e6),
      unit: subject.unit,
      bits,
      runs: times.length,
    };
  });
}

async function hashBits(result: Tensor): Promise<string> {
  const data = await result.data();
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex")
    .slice(0, 16);
}

const round4 = (value: number) => Number(value.toPrecision(4));
