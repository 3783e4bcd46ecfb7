// What every page of this folder is built from: escaping, numbers for people, tables, and the frame with its theme. A page is one file that
// opens offline: nothing is fetched, and it is readable in light and dark, wide and narrow.

/** Text for HTML and attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A number for people: four digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** How a column is set: numbers to the right, text on one line, text that wraps anywhere (hashes, paths), or in a fixed width. */
export type Column = "number" | "text" | "wrap" | "code";

/** A table that scrolls by itself where it is wider than the page. `columns`: by position; "wrap" where none is given. */
export function tableHtml(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  columns: readonly Column[] = [],
): string {
  const cells = (tag: "td" | "th", row: readonly (string | number)[]) =>
    `<tr>${row.map((cell, i) => `<${tag} class="${columns[i] ?? "wrap"}">${escapeHtml(String(cell))}</${tag}>`).join("")}</tr>`;
  return `<div class="wide"><table><thead>${cells("th", head)}</thead><tbody>${rows.map((row) => cells("td", row)).join("")}</tbody></table></div>`;
}

/** Colours and forms that the pages share; each adds the rules of its own drawings. */
export const theme = `
:root{color-scheme:light dark;--ground:#fbfbfa;--card:#fff;--ink:#1c1e21;--soft:#60656e;--line:#e3e4e6;--accent:#1f5fd0;--code:#f3f3f1}
@media (prefers-color-scheme:dark){:root{--ground:#121417;--card:#1a1d21;--ink:#e7e9ec;--soft:#9aa1ab;--line:#2c3036;--accent:#7fb0ff;--code:#20242a}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere} h2{font-size:1.05rem;margin:36px 0 12px} h3{font-size:.92rem;margin:0;font-weight:600}
p{margin:8px 0} a{color:var(--accent)} .soft{color:var(--soft)} summary{cursor:pointer;padding:3px 0}
code,pre,.code{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace} code{overflow-wrap:anywhere}
pre{margin:0;padding:12px 14px;overflow-x:auto;background:var(--code);border:1px solid var(--line);border-radius:10px}
.wide{overflow-x:auto;margin:12px 0;background:var(--card);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:6px 13px;border-top:1px solid var(--line);vertical-align:top;white-space:nowrap}
thead tr:first-child>*{border-top:0} th{font-weight:600;color:var(--soft)} .number{text-align:right} td.wrap{white-space:normal;overflow-wrap:anywhere}
@media (max-width:480px){main{padding:18px 12px 40px}}`;

/** What a page is made of, beside the theme. */
export interface Page {
  readonly title: string;
  /** CSS rules of its own. */
  readonly style: string;
  /** HTML inside `main`. */
  readonly body: string;
  /** HTML behind `main`: data and scripts. */
  readonly scripts?: string;
}

/** A whole page. */
export function htmlPage({ title, style, body, scripts = "" }: Page): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${theme}
${style.trim()}</style></head>
<body><main>
${body}
</main>${scripts && `\n${scripts}`}
</body></html>
`;
}
