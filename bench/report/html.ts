// Results as one page that needs nothing else: plots as inline SVG, the whole table, light and dark, narrow and wide.
import { busy } from "../machine.ts";
import type { Machine, Results, Row } from "../results.ts";
import { barChart, chartStyle, escapeMarkup, type Kind, kindNames } from "./charts.ts";
import { barsOf, labelOf, number, sectionsOf } from "./plots.ts";
import { percent, ratiosOf } from "./table.ts";

const style = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1c2126;--faint:#5b6670;--line:#d8dde2}
@media (prefers-color-scheme:dark){:root{--ground:#14181c;--ink:#e6e9ec;--faint:#9aa6b1;--line:#343c44}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
p,li,td,th{max-width:70ch}.faint{color:var(--faint)}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem}a{color:inherit}
.plots{columns:22rem 2;column-gap:2rem}.plots svg{width:100%;height:auto;display:block;break-inside:avoid;margin-bottom:.5rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:.15rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}td.bits{font-family:ui-monospace,monospace;font-size:.8rem}
summary{cursor:pointer;color:var(--faint)}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.85rem}.key svg{width:.8rem;height:.8rem;vertical-align:-.1rem;margin-right:.3rem}
${chartStyle()}`;

const anchor = (title: string) => title.toLowerCase().replace(/[^a-z]+/g, "-");

/** Machine and conditions in a sentence. */
export function machineLine(machine: Machine): string {
  const { cpu, cores, memory_gib, os, engine, numerics, load, day } = machine;
  const warning = busy(machine);
  return `${day}: ${cpu}, ${cores} cores, ${memory_gib} GiB, ${os}; ${engine}; numerics ${numerics}; load ${load[0]} before, ${load[1]} after${warning ? `; ${warning}` : ""}.`;
}

function tableOf(rows: readonly Row[]): string {
  const ratios = ratiosOf(rows);
  const cells = rows.map((row) => {
    const against = ratios.filter((ratio) => ratio.row === row);
    const values = [
      row.case,
      labelOf(row),
      number(row.median_ms),
      number(row.min_ms),
      number(row.rate),
      row.unit,
      row.share === undefined ? "" : percent(row.share),
      against.map(({ peer, time }) => `${time.toPrecision(2)} × ${peer.backend}`).join(", "),
    ];
    return `<tr>${values.map((value) => `<td>${escapeMarkup(value)}</td>`).join("")}<td class="bits">${escapeMarkup(row.bits)}</td></tr>`;
  });
  const head = ["case", "on", "median ms", "min ms", "rate", "unit", "of ceiling", "our time ÷ theirs", "bits"];
  return `<div class="scroll"><table><thead><tr>${head.map((name) => `<th>${name}</th>`).join("")}</tr></thead><tbody>${cells.join("")}</tbody></table></div>`;
}

/** The page. */
export function htmlPage(results: Results): string {
  const sections = sectionsOf(results);
  const kinds = Object.entries(kindNames) as [Kind, string][];
  const key = kinds.map(
    ([kind, name]) =>
      `<span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${kind}" width="10" height="10" rx="2"/></svg>${escapeMarkup(name)}</span>`,
  );
  const body = sections.map(({ title, cases }) => {
    const charts = cases.map(({ name, about, rows }) => barChart(`${name}: ${about}`, [barsOf(name, rows)]));
    const tables = cases.flatMap(({ rows }) => rows);
    return `<h2 id="${anchor(title)}">${escapeMarkup(title)}</h2><div class="plots">${charts.join("")}</div><details><summary>Table</summary>${tableOf(tables)}</details>`;
  });
  const absent = results.absent.map(
    ({ case: name, backend, reason }) =>
      `<tr><td>${escapeMarkup(name)}</td><td>${escapeMarkup(backend)}</td><td style="text-align:left">${escapeMarkup(reason)}</td></tr>`,
  );
  const missing = absent.length
    ? `<h2 id="absent">What couldn't be measured</h2><details><summary>${absent.length} cases</summary><div class="scroll"><table><thead><tr><th>case</th><th>on</th><th style="text-align:left">why</th></tr></thead><tbody>${absent.join("")}</tbody></table></div></details>`
    : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>seedgrad bench</title><style>${style}</style></head>
<body><h1>seedgrad bench</h1><p class="faint">${escapeMarkup(machineLine(results.machine))}</p>
<p>Medians over rounds in which all take turns. Bars show rates, or times where the unit is ms.</p>
<nav>${sections.map(({ title }) => `<a href="#${anchor(title)}">${escapeMarkup(title)}</a>`).join("")}</nav>
<p class="key">${key.join("")}</p>
${body.join("\n")}
${missing}
</body></html>
`;
}
