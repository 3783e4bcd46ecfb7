// Rules that the pages of runs share: colours of lines in light and dark, a head with its state, charts with their legends.

/** Of a run's report and of the page of several runs. A line's colour is its class, `s0` … `s7`. */
export const runsStyle = `
:root { --c0: #2563eb; --c1: #d95f02; --c2: #0f8f6a; --c3: #c2255c; --c4: #7048e8; --c5: #0b7285; --c6: #9c6f00; --c7: #6b7280; --good: #0f7b4f; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --c0: #6ea8fe; --c1: #ffa94d; --c2: #51cf9f; --c3: #ff8fab; --c4: #b197fc; --c5: #66d9e8; --c6: #e9c46a; --c7: #a0a7b1; --good: #63d29b; --bad: #ff8a80; } }
.head { display: flex; gap: 12px; align-items: center; flex-wrap: wrap; }
.pill { border: 1px solid currentColor; border-radius: 99px; padding: 1px 10px; font-size: .8rem; color: var(--soft); }
.pill.finished { color: var(--good); } .pill.failed, .pill.interrupted { color: var(--bad); }
.digest { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; margin: 18px 0; }
.digest code { font-size: .95rem; font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); gap: 14px; }
.chart { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 12px 10px; min-width: 0; }
.chart figcaption { display: flex; justify-content: space-between; gap: 8px; margin-bottom: 4px; }
.at, .keys { color: var(--soft); font-size: .8rem; font-variant-numeric: tabular-nums; }
.keys { margin: 4px 0 0; display: flex; flex-wrap: wrap; gap: 2px 14px; }
.key { overflow-wrap: anywhere; } .key b { color: var(--ink); font-weight: 600; }
.key i { display: inline-block; width: 10px; height: 3px; border-radius: 2px; background: var(--c); margin-right: 5px; vertical-align: middle; }
.chart svg { display: block; width: 100%; height: auto; touch-action: pan-y; }
.chart text { fill: var(--soft); font-size: 10.5px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke: var(--c); stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.chart circle { fill: var(--c); }
.cursor { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; visibility: hidden; }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); } .s4 { --c: var(--c4); } .s5 { --c: var(--c5); } .s6 { --c: var(--c6); } .s7 { --c: var(--c7); }
`;

/** How many colours of lines there are. */
export const colourCount = 8;
