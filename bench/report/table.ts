// Rows as lines of text, and the ratios to the peers.
import type { Absence, Row } from "../results.ts";

const columns = [
  ["case", 24],
  ["backend", 13],
  ["threads", 7],
  ["median ms", 10],
  ["min ms", 10],
  ["rate", 9],
  ["unit", 8],
  ["bits", 16],
] as const;

const rightAligned = new Set(["threads", "median ms", "min ms", "rate"]);

/** One line of the table. */
export function line(cells: readonly (string | number)[]): string {
  return cells
    .map((cell, i) => {
      const [name, width] = columns[i];
      return rightAligned.has(name) ? String(cell).padStart(width) : String(cell).padEnd(width);
    })
    .join("  ")
    .trimEnd();
}

export const header = line(columns.map(([name]) => name));

/** A row, and behind it the share of its ceiling. */
export function rowLine(row: Row): string {
  const cells = [row.case, row.backend, row.threads, row.median_ms, row.min_ms, row.rate, row.unit, row.bits || "–"];
  const share = row.share === undefined ? "" : `  ${percent(row.share)} of ${row.ceiling}`;
  return `${line(cells)}${share}`;
}

export const percent = (share: number): string => `${Math.round(100 * share)} %`;

export function absenceLine({ case: name, backend, reason }: Absence): string {
  return `${line([name, backend, "", "", "", "", ""]).trimEnd()}  can't: ${reason}`;
}

/** A row of seedgrad against one peer's fastest configuration. */
export interface Ratio {
  readonly row: Row;
  readonly peer: Row;
  /** Our time ÷ theirs, by medians. */
  readonly time: number;
}

/** `pytorch:1/2` → `pytorch`: its configurations of threads are one peer; the backends of the others are peers each. */
const family = (row: Row): string => (row.backend.startsWith("pytorch:") ? "pytorch" : row.backend);

/** Each row of wasm against each peer at its fastest, within one case. */
export function ratiosOf(rows: readonly Row[]): Ratio[] {
  const fastest = new Map<string, Row>();
  for (const row of rows) {
    if (row.peer === undefined) continue;
    const best = fastest.get(family(row));
    if (!best || row.median_ms < best.median_ms) fastest.set(family(row), row);
  }
  return rows
    .filter((row) => row.peer === undefined && row.backend === "wasm")
    .flatMap((row) => [...fastest.values()].map((peer) => ({ row, peer, time: row.median_ms / peer.median_ms })));
}

/** The ratios of a case, a line a row of ours: our time as a multiple of theirs. */
export function ratioLines(ratios: readonly Ratio[]): string[] {
  return [...new Set(ratios.map(({ row }) => row))].map((row) => {
    const parts = ratios
      .filter((ratio) => ratio.row === row)
      .map(({ peer, time }) => `${time.toPrecision(2)} × ${peer.backend}`);
    return `    time of ${row.backend} on ${row.threads}: ${parts.join(", ")}`;
  });
}
