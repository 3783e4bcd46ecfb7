// The report's style and script, as they stand in the page. The script shows values under the pointer; without it the page is whole.
import { plotBox } from "./chart.ts";

export const style = `
:root { color-scheme: light dark; --bg: #fbfbfa; --card: #fff; --text: #1c1e21; --soft: #60656e; --line: #e3e4e6; --accent: #1f5fd0; --code: #f3f3f1;
  --c0: #2563eb; --c1: #d95f02; --c2: #0f8f6a; --c3: #c2255c; --c4: #7048e8; --c5: #0b7285; --c6: #9c6f00; --c7: #6b7280;
  --good: #0f7b4f; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #121417; --card: #1a1d21; --text: #e7e9ec; --soft: #9aa1ab; --line: #2c3036; --accent: #7fb0ff; --code: #20242a;
    --c0: #6ea8fe; --c1: #ffa94d; --c2: #51cf9f; --c3: #ff8fab; --c4: #b197fc; --c5: #66d9e8; --c6: #e9c46a; --c7: #a0a7b1;
    --good: #63d29b; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 36px 0 12px; }
h3 { font-size: .92rem; margin: 0; font-weight: 600; }
p { margin: 8px 0; }
code, pre, .mono { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
.head { display: flex; gap: 12px; align-items: center; flex-wrap: wrap; }
.pill { border: 1px solid currentColor; border-radius: 99px; padding: 1px 10px; font-size: .8rem; color: var(--soft); }
.pill.finished { color: var(--good); } .pill.failed, .pill.interrupted { color: var(--bad); }
.soft { color: var(--soft); }
.digest { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; margin: 18px 0; }
.digest code { font-size: .95rem; font-weight: 600; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 10px; margin: 0; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 9px 13px; min-width: 0; }
.cards dt { color: var(--soft); font-size: .78rem; }
.cards dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); gap: 14px; }
.chart { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 12px 10px; min-width: 0; }
.chart figcaption { display: flex; justify-content: space-between; gap: 8px; margin-bottom: 4px; }
.at, .keys { color: var(--soft); font-size: .8rem; font-variant-numeric: tabular-nums; }
.keys { margin: 4px 0 0; display: flex; flex-wrap: wrap; gap: 2px 14px; }
.key { overflow-wrap: anywhere; } .key b { color: var(--text); font-weight: 600; }
.key i { display: inline-block; width: 10px; height: 3px; border-radius: 2px; background: var(--c); margin-right: 5px; vertical-align: middle; }
svg { display: block; width: 100%; height: auto; touch-action: pan-y; }
svg text { fill: var(--soft); font-size: 10.5px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke: var(--c); stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.noise { fill: none; stroke: var(--c); stroke-width: 1; opacity: .28; }
circle { fill: var(--c); }
.cursor { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; visibility: hidden; }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); } .s4 { --c: var(--c4); } .s5 { --c: var(--c5); } .s6 { --c: var(--c6); } .s7 { --c: var(--c7); }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 13px; border-top: 1px solid var(--line); vertical-align: top; }
tr:first-child > * { border-top: 0; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; } th.number { text-align: right; }
td.break { overflow-wrap: anywhere; }
pre { margin: 0; padding: 12px 14px; overflow-x: auto; background: var(--code); border: 1px solid var(--line); border-radius: 10px; }
a { color: var(--accent); }
@media (max-width: 480px) { main { padding: 18px 12px 40px; } }
@media print { .chart, .cards div { break-inside: avoid; } }
`;

export const script = `
(() => {
  const { series } = JSON.parse(document.getElementById("series").textContent);
  const box = ${JSON.stringify(plotBox)};
  const show = (value) => {
    const number = Number(value);
    if (!Number.isFinite(number)) return String(value);
    if (Number.isInteger(number) && Math.abs(number) < 1e7) return String(number);
    const size = Math.abs(number);
    return size >= 1e5 || size < 1e-3 ? number.toExponential(2) : String(Number(number.toPrecision(4)));
  };
  /** The index of the step nearest to one. */
  const nearest = (steps, step) => {
    let low = 0, high = steps.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] < step) low = middle + 1; else high = middle;
    }
    return low > 0 && step - steps[low - 1] <= steps[low] - step ? low - 1 : low;
  };
  for (const chart of document.querySelectorAll(".chart")) {
    const svg = chart.querySelector("svg");
    const cursor = chart.querySelector(".cursor");
    const at = chart.querySelector(".at");
    const values = [...chart.querySelectorAll(".key b")];
    const own = JSON.parse(chart.dataset.names).map((name) => series[name]);
    const from = Number(chart.dataset.from), to = Number(chart.dataset.to);
    const before = [at.textContent, ...values.map((value) => value.textContent)];
    const read = (event) => {
      const { left, width } = svg.getBoundingClientRect();
      const x = (event.clientX - left) / width * box.width;
      const part = Math.min(1, Math.max(0, (x - box.left) / (box.right - box.left)));
      const wanted = from + part * (to - from);
      const all = own[0].steps.length >= own.reduce((most, one) => Math.max(most, one.steps.length), 0) ? own[0]
        : own.reduce((most, one) => one.steps.length > most.steps.length ? one : most);
      const step = all.steps[nearest(all.steps, wanted)];
      const place = box.left + (to > from ? (step - from) / (to - from) : 0.5) * (box.right - box.left);
      cursor.setAttribute("x1", place);
      cursor.setAttribute("x2", place);
      cursor.style.visibility = "visible";
      at.textContent = "step " + step;
      own.forEach((one, i) => { values[i].textContent = show(one.values[nearest(one.steps, step)]); });
    };
    svg.addEventListener("pointermove", read);
    svg.addEventListener("pointerdown", read);
    svg.addEventListener("pointerleave", () => {
      cursor.style.visibility = "hidden";
      at.textContent = before[0];
      values.forEach((value, i) => { value.textContent = before[i + 1]; });
    });
  }
})();
`;
