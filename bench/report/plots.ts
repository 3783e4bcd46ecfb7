// Which bars stand together: a chart a heading of the cases, a group of bars a case.
import type { BarGroup } from "../../src/report/bars.ts";
import { groups } from "../cases/index.ts";
import { lessIsBetter, type Results, type Row } from "../results.ts";
import { kindOf } from "./kinds.ts";

export const labelOf = ({ backend, threads, peer }: Pick<Row, "backend" | "threads" | "peer">): string =>
  peer === undefined && backend === "wasm" ? `wasm, ${threads} thread${threads > 1 ? "s" : ""}` : backend;

export const number = (value: number): string =>
  value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

/** One case's rows as bars: rates, or where less is better times and sizes. */
export function barsOf(title: string, rows: readonly Row[]): BarGroup {
  return {
    title: `${title}, ${rows[0].unit}${lessIsBetter(rows[0].unit) ? " (less is better)" : ""}`,
    bars: rows.map((row) => ({ label: labelOf(row), value: row.rate, text: number(row.rate), kind: kindOf(row) })),
  };
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Its cases in order, each with its rows. */
  readonly cases: readonly { readonly name: string; readonly about: string; readonly rows: readonly Row[] }[];
}

/** The results under the cases' headings; rows of cases that are no longer there come last. */
export function sectionsOf({ rows }: Pick<Results, "rows">): Section[] {
  const known = new Set(groups.flatMap(({ cases }) => cases.map(({ name }) => name)));
  const strangers = [...new Set(rows.map((row) => row.case))].filter((name) => !known.has(name));
  const headings = [
    ...groups.map(({ title, cases }) => ({ title, cases: cases.map(({ name, about }) => ({ name, about })) })),
    { title: "Others", cases: strangers.map((name) => ({ name, about: "" })) },
  ];
  return headings
    .map(({ title, cases }) => {
      const filled = cases
        .map(({ name, about }) => ({ name, about, rows: rows.filter((row) => row.case === name) }))
        .filter((entry) => entry.rows.length > 0);
      return { title, cases: filled, rows: filled.flatMap((entry) => entry.rows) };
    })
    .filter(({ rows: all }) => all.length > 0);
}
