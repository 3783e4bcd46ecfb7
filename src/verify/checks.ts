// What a verification looked at, row by row: what was found to be the same, what differs, and what nobody looked at and has to be believed.
import type { KindDifference } from "../run/facts.ts";
import { unquoted } from "../run/leaves.ts";
import type { Check, Verification } from "../run/verification.ts";

/** Rows in the order in which they were added. */
export class Checks {
  readonly rows: Check[] = [];

  /** Something compared: each phrase says how it differs; none, it is the same. */
  compared(what: string, differences: readonly string[], detail?: string): void {
    if (differences.length > 0) this.rows.push({ what, found: "differs", detail: differences.join("; ") });
    else this.rows.push({ what, found: "same", ...(detail !== undefined && { detail }) });
  }

  /** A value of the folder held against the replay's. */
  value(what: string, recorded: unknown, replayed: unknown): void {
    const [a, b] = [show(recorded), show(replayed)];
    this.compared(what, a === b ? [] : [differing(b, a)]);
  }

  /** Facts of the run held against the program's. */
  facts(what: string, differences: readonly KindDifference[], detail?: string): void {
    this.compared(what, differences.map(phrase), detail);
  }

  trusted(what: string, detail: string): void {
    this.rows.push({ what, found: "trusted", detail });
  }

  /** The verdict over all rows; `facts`: what differs beside them, and whether the run was stopped. */
  conclude({
    difference,
    stopped,
  }: Pick<Verification, "difference" | "stopped">): Pick<Verification, "verdict" | "equal" | "difference" | "checks"> {
    const rows = this.rows.flatMap(({ what, found, detail }) => (found === "differs" ? [`${what}: ${detail}`] : []));
    const told = difference ?? (rows.length > 0 ? rows.join("; ") : undefined);
    const verdict = told !== undefined ? "different" : stopped ? "same, stopped early" : "same";
    return { ...(told !== undefined && { difference: told }), verdict, equal: verdict === "same", checks: this.rows };
  }
}

/** `replayed, recorded recorded`: how every difference is told. */
export const differing = (replayed: string, recorded: string): string => `${replayed}, recorded ${recorded}`;

/** How a fact differs: recorded first, the replay's second. */
export const phrase = ({ kind, name, first, second }: KindDifference): string => {
  const told = differing(unquoted(second), unquoted(first));
  return kind === name ? told : `${name} is ${told}`;
};

/** Values as a file has them: numbers that JSON lacks are one. */
function show(value: unknown): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "not finite";
  if (value === null || value === "NaN" || value === "Infinity" || value === "-Infinity") return "not finite";
  return value === undefined ? "none" : String(value);
}

/** In which members two records of values differ, a phrase each: recorded ones held against the replay's. */
export function recordDifferences(
  recorded: Readonly<Record<string, unknown>>,
  replayed: Readonly<Record<string, unknown>>,
): string[] {
  return [...new Set([...Object.keys(replayed), ...Object.keys(recorded)])].flatMap((name) => {
    const [a, b] = [recorded, replayed].map((record) => (Object.hasOwn(record, name) ? show(record[name]) : "none"));
    return a === b ? [] : [`${name} is ${differing(b, a)}`];
  });
}
