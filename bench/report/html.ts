// Results as one page: plots, the whole table, what couldn't be measured.
import { barChart, barStyle } from "../../src/report/bars.ts";
import { type Column, escapeHtml, htmlPage as pageOf, tableHtml } from "../../src/report/html.ts";
import { busy } from "../machine.ts";
import type { Machine, Results, Row } from "../results.ts";
import { colours, type Kind, kindNames } from "./kinds.ts";
import { barsOf, labelOf, number, sectionsOf } from "./plots.ts";
import { percent, ratiosOf } from "./table.ts";

const style = `
nav,.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem} .key{font-size:.85rem} .key svg{width:.8rem;height:.8rem;vertical-align:-.1rem;margin-right:.3rem}
.plots{columns:22rem 2;column-gap:2rem} .plots svg{width:100%;height:auto;display:block;break-inside:avoid;margin-bottom:.5rem}
${barStyle(colours)}`;

const anchor = (title: string) => title.toLowerCase().replace(/[^a-z]+/g, "-");

/** Machine and conditions in a sentence. */
export function machineLine(machine: Machine): string {
  const { cpu, cores, memory_gib, os, engine, numerics, load, day } = machine;
  const warning = busy(machine);
  return `${day}: ${cpu}, ${cores} cores, ${memory_gib} GiB, ${os}; ${engine}; numerics ${numerics}; load ${load[0]} before, ${load[1]} after${warning ? `; ${warning}` : ""}.`;
}

function tableOf(rows: readonly Row[]): string {
  const ratios = ratiosOf(rows);
  const cells = rows.map((row) => [
    row.case,
    labelOf(row),
    number(row.median_ms),
    number(row.min_ms),
    number(row.rate),
    row.unit,
    row.share === undefined ? "" : percent(row.share),
    ratios
      .filter((ratio) => ratio.row === row)
      .map(({ peer, time }) => `${time.toPrecision(2)} × ${peer.backend}`)
      .join(", "),
    row.bits,
  ]);
  const head = ["case", "on", "median ms", "min ms", "rate", "unit", "of ceiling", "our time ÷ theirs", "bits"];
  const columns: Column[] = ["text", "text", "number", "number", "number", "text", "number", "text", "code"];
  return tableHtml(head, cells, columns);
}

/** The page. */
export function htmlPage(results: Results): string {
  const sections = sectionsOf(results);
  const kinds = Object.entries(kindNames) as [Kind, string][];
  const key = kinds.map(
    ([kind, name]) =>
      `<span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${kind}" width="10" height="10" rx="2"/></svg>${escapeHtml(name)}</span>`,
  );
  const body = sections.map(({ title, cases }) => {
    const charts = cases.map(({ name, about, rows }) => barChart(`${name}: ${about}`, [barsOf(name, rows)]));
    const tables = cases.flatMap(({ rows }) => rows);
    return `<h2 id="${anchor(title)}">${escapeHtml(title)}</h2><div class="plots">${charts.join("")}</div><details><summary>Table</summary>${tableOf(tables)}</details>`;
  });
  const absent = results.absent.map(({ case: name, backend, reason }) => [name, backend, reason]);
  const missing = absent.length
    ? `<h2 id="absent">What couldn't be measured</h2><details><summary>${absent.length} cases</summary>${tableHtml(["case", "on", "why"], absent, ["text", "text", "wrap"])}</details>`
    : "";
  const page = `<h1>seedgrad bench</h1><p class="soft">${escapeHtml(machineLine(results.machine))}</p>
<p>Medians over rounds in which all take turns. Bars show rates, or times where the unit is ms, and sizes where it is kB.</p>
<nav>${sections.map(({ title }) => `<a href="#${anchor(title)}">${escapeHtml(title)}</a>`).join("")}</nav>
<p class="key">${key.join("")}</p>
${body.join("\n")}
${missing}`;
  return pageOf({ title: "seedgrad bench", style, body: page });
}
