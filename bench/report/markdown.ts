// Results as Markdown tables between two marks of a page, and the plot beside it.
import { type BarGroup, barChart, barStyle } from "../../src/report/bars.ts";
import type { Results, Row } from "../results.ts";
import { UsageError } from "../results.ts";
import { machineLine } from "./html.ts";
import { colours } from "./kinds.ts";
import { barsOf, number, type Section, sectionsOf } from "./plots.ts";
import { percent, ratiosOf } from "./table.ts";

const begin = "<!-- bench: generated -->";
const end = "<!-- bench: end -->";

/** What the plot shows. */
const plotted = ["mlp-small", "mlp-large", "cnn", "gpt", "matmul-512"];

type Cells = readonly (string | number)[];

function table(head: readonly string[], rows: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** The best of the rows by median, or undefined. */
const fastest = (rows: readonly Row[]): Row | undefined =>
  rows.reduce<Row | undefined>((best, row) => (best && best.median_ms <= row.median_ms ? best : row), undefined);

interface Column {
  readonly title: string;
  pick(rows: readonly Row[]): Row | undefined;
}

/** The host, wasm by threads, and each peer. */
function columnsOf(rows: readonly Row[]): Column[] {
  const named = (name: string): Column => ({
    title: name,
    pick: (own) => own.find(({ backend }) => backend === name),
  });
  const threads = [...new Set(rows.filter(({ backend }) => backend === "wasm").map((row) => row.threads))].sort(
    (a, b) => a - b,
  );
  return [
    named("host"),
    ...threads.map((count) => ({
      title: `wasm, ${count}`,
      pick: (own: readonly Row[]) => own.find((row) => row.backend === "wasm" && row.threads === count),
    })),
    {
      title: "PyTorch's best",
      pick: (own) => fastest(own.filter(({ backend }) => backend.startsWith("pytorch:"))),
    },
    named("tfjs:wasm"),
    named("jax-js:wasm"),
  ];
}

function cell(row: Row | undefined): string {
  if (!row) return "";
  const configuration = row.backend.startsWith("pytorch:") ? ` (${row.backend.slice("pytorch:".length)})` : "";
  return `${number(row.rate)}${configuration}`;
}

/** Our time on the most threads ÷ PyTorch's best. */
function againstTorch(rows: readonly Row[]): string {
  const ratios = ratiosOf(rows).filter(({ peer }) => peer.backend.startsWith("pytorch:"));
  const own = ratios.reduce<(typeof ratios)[number] | undefined>(
    (best, ratio) => (best && best.row.threads >= ratio.row.threads ? best : ratio),
    undefined,
  );
  return own ? number(own.time) : "";
}

/** wasm on the most threads, as another file has it: the same machine under another engine. */
function besideColumn({ machine, rows }: Results): Column {
  const most = Math.max(...rows.filter(({ backend }) => backend === "wasm").map(({ threads }) => threads));
  return {
    title: `wasm, ${most}: ${machine.engine.split(",")[0]}`,
    pick: ([{ case: name }]) => rows.find((row) => row.case === name && row.backend === "wasm" && row.threads === most),
  };
}

function sectionTable({ title, rows, cases }: Section, beside?: Results): string {
  // Those that have anything to say here.
  const columns = [...columnsOf(rows), ...(beside ? [besideColumn(beside)] : [])].filter((column) =>
    cases.some((entry) => column.pick(entry.rows)),
  );
  const named = cases.filter((entry) => columns.some((column) => column.pick(entry.rows)));
  const hasTorch = columns.some((column) => column.title.startsWith("PyTorch"));
  const hasShare = rows.some(({ share }) => share !== undefined);
  const units = [...new Set(named.map((entry) => entry.rows[0].unit))];
  const lines = named.map((entry): Cells => {
    const picked = columns.map((column) => column.pick(entry.rows));
    const share = picked.find((row) => row?.share !== undefined);
    return [
      `\`${entry.name}\``,
      ...picked.map(cell),
      ...(units.length > 1 ? [entry.rows[0].unit] : []),
      ...(hasShare ? [share ? percent(share.share!) : ""] : []),
      ...(hasTorch ? [againstTorch(entry.rows)] : []),
      entry.about,
    ];
  });
  const head = [
    units.length > 1 ? "case" : `case, ${units[0]}`,
    ...columns.map((column) => column.title),
    ...(units.length > 1 ? ["unit"] : []),
    ...(hasShare ? ["of ceiling"] : []),
    ...(hasTorch ? ["time ÷ PyTorch's"] : []),
    "what",
  ];
  return `### ${title}\n\n${table(head, lines)}`;
}

const interpreters = ["reference", "gpujs:webasm", "gpujs:cpu"];

/** The backends that interpret or go through GPU.js, as times beside wasm's. */
function otherBackends({ rows }: Results): string {
  const names = interpreters.filter((name) => rows.some(({ backend }) => backend === name));
  if (names.length === 0) return "";
  const cases = [...new Set(rows.filter(({ backend }) => names.includes(backend)).map((row) => row.case))];
  const time = (name: string, backend: string) => {
    const row = rows.find((other) => other.case === name && other.backend === backend && other.threads === 1);
    return row ? number(row.median_ms) : "";
  };
  const lines = cases.map((name) => [`\`${name}\``, ...["wasm", ...names].map((backend) => time(name, backend))]);
  return `### The other backends, ms a call\n\n${table(["case", "wasm, 1", ...names], lines)}`;
}

/** What a reader sees at a glance: steps in ms, and one product. */
export function plotOf({ rows }: Results): string {
  const shown = plotted.flatMap((name): BarGroup[] => {
    const own = rows.filter((row) => row.case === name);
    const torch = fastest(own.filter(({ backend }) => backend.startsWith("pytorch:")));
    const bars = own.filter((row) => ["wasm", "tfjs:wasm", "jax-js:wasm"].includes(row.backend) || row === torch);
    return bars.length > 0 ? [barsOf(name, bars)] : [];
  });
  return barChart("seedgrad and peers", shown, barStyle(colours));
}

/** The generated part: machines and tables. */
export function markdownTables(results: Results, beside?: Results): string {
  const parts = [
    machineLine(results.machine),
    beside ? `Beside it: ${machineLine(beside.machine)}` : "",
    ...sectionsOf(results).map((section) => sectionTable(section, beside)),
    otherBackends(results),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** The page with what stands between its marks replaced. Throws UsageError where the marks aren't there. */
export function fillPage(path: string, page: string, results: Results, beside?: Results): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new UsageError(`--markdown: ${path} needs the lines "${begin}" and "${end}"`);
  return `${page.slice(0, from + begin.length)}\n\n${markdownTables(results, beside)}\n\n${page.slice(to)}`;
}
