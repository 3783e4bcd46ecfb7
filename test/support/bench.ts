// Rows and a machine for tests of the bench's reports.
import type { Machine, Row } from "../../bench/results.ts";

export const machine: Machine = {
  cpu: "Some <CPU>",
  cores: 2,
  memory_gib: 8,
  os: "Linux",
  engine: "Node 20",
  numerics: "f32-strict/1",
  load: [0.1, 0.2],
  day: "2026-01-31",
};

/** A row of add-4m on wasm, 1 ms, unless changed. */
export const row = (changes: Partial<Row> = {}): Row => ({
  case: "add-4m",
  backend: "wasm",
  threads: 1,
  median_ms: 1,
  min_ms: 1,
  quartiles_ms: [1, 1],
  rate: 4.194,
  unit: "Gelem/s",
  bits: "0123456789abcdef",
  rounds: 9,
  calls: 1,
  ...changes,
});
