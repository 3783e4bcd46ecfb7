// The rows of a verification as lines for people.
import type { Check, Finding } from "../run/verification.ts";
import { table } from "./command.ts";

/** On one line, and no longer than a few of a terminal's. */
export function short(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** So many rows of a kind are shown; all are in `--json`. */
const shownRows = 20;

/** The rows by what was found. */
export function showChecks(checks: readonly Check[]): string[] {
  const titles: Record<Finding, string> = {
    differs: "# differs",
    same: "# checked, and the same",
    trusted: "# taken on trust",
  };
  return (["differs", "same", "trusted"] as const).flatMap((finding) => {
    const rows = checks.filter(({ found }) => found === finding);
    if (rows.length === 0) return [];
    const shown = table(rows.slice(0, shownRows).map(({ what, detail = "" }) => [what, short(detail)]));
    const more = rows.length > shownRows ? [`… and ${rows.length - shownRows} more (--json)`] : [];
    return ["", titles[finding], ...shown, ...more];
  });
}
