// Against an earlier file: which cases are slower or faster beyond noise, and whose bits are others.

import { line } from "./report/table.ts";
import { keyOf, type Results, type Row } from "./results.ts";

/** Changes smaller than this are never told from noise. */
const floor = 0.05;

/** How far a row's times lie apart: the quartiles' distance as a share of the median. */
const spread = ({ quartiles_ms: [first, third], median_ms }: Row): number => (third - first) / median_ms;

export type Verdict = "slower" | "faster" | "same" | "other bits";

export interface Comparison {
  readonly before: Row;
  readonly now: Row;
  /** Minimum now ÷ minimum before. */
  readonly minimum: number;
  readonly median: number;
  /** What a ratio must exceed to count. */
  readonly noise: number;
  readonly verdict: Verdict;
}

/**
 * Two measurements of one thing. Slower: minimum and median have both grown by more than the noise, which is 5 % or the larger spread of the two.
 * Other bits, where both have some and took as many steps to them, weigh more than any time.
 */
export function judge(before: Row, now: Row): Comparison {
  const minimum = now.min_ms / before.min_ms;
  const median = now.median_ms / before.median_ms;
  const noise = Math.max(floor, spread(before), spread(now));
  const bitsDiffer = now.peer === undefined && before.bits !== "" && now.bits !== "" && before.bits !== now.bits;
  const verdict: Verdict = bitsDiffer
    ? "other bits"
    : Math.min(minimum, median) > 1 + noise
      ? "slower"
      : Math.max(minimum, median) < 1 / (1 + noise)
        ? "faster"
        : "same";
  return { before, now, minimum, median, noise, verdict };
}

export interface Report {
  readonly compared: readonly Comparison[];
  /** Keys that only one of the files has. */
  readonly gone: readonly string[];
  readonly added: readonly string[];
  readonly failed: boolean;
}

/** Compares all rows that both have. It has failed where one is slower beyond noise, or has other bits under the same numerics. */
export function compareResults(before: Results, now: Results): Report {
  const known = new Map(before.rows.map((row) => [keyOf(row), row]));
  const keys = new Set(now.rows.map(keyOf));
  const compared = now.rows.flatMap((row) => {
    const earlier = known.get(keyOf(row));
    return earlier ? [judge(earlier, row)] : [];
  });
  const sameNumerics = before.machine.numerics === now.machine.numerics;
  return {
    compared,
    gone: [...known.keys()].filter((key) => !keys.has(key)),
    added: [...keys].filter((key) => !known.has(key)),
    failed: compared.some(
      ({ verdict, now: { peer } }) =>
        (verdict === "slower" && peer === undefined) || (verdict === "other bits" && sameNumerics),
    ),
  };
}

const times = (ratio: number) => `${ratio.toFixed(2)} ×`;

/** The report as lines: what changed, and what else to know. */
export function reportLines(before: Results, now: Results, { compared, gone, added }: Report): string[] {
  const changed = compared.filter(({ verdict }) => verdict !== "same");
  const lines = changed.map(
    ({ now: row, verdict, minimum, median, noise }) =>
      `${line([row.case, row.backend, row.threads])}  ${verdict.padEnd(10)}  minimum ${times(minimum)}, median ${times(median)}, noise ${Math.round(100 * noise)} %`,
  );
  lines.push(`${compared.length} compared, ${changed.length} changed beyond noise`);
  if (gone.length > 0) lines.push(`only in the earlier file: ${gone.join(", ")}`);
  if (added.length > 0) lines.push(`only now: ${added.join(", ")}`);
  if (before.machine.cpu !== now.machine.cpu || before.machine.engine !== now.machine.engine)
    lines.push(`another machine or engine then: ${before.machine.cpu}, ${before.machine.engine}`);
  const probe = compared.find(({ now: row }) => row.case === "probe-registers");
  if (probe && Math.abs(probe.minimum - 1) > floor)
    lines.push(
      `the core itself takes ${times(probe.minimum)} the time it took then (probe-registers): compare again in a quiet minute`,
    );
  return lines;
}
