// The graphs of a run as one page: a drawing per role, plans and kernels as tables, the ledger of draws. No scripts.
import { kernelCost, planCost } from "../compile/cost.ts";
import type { Plan } from "../compile/plan.ts";
import { typeText } from "../core/shape.ts";
import type { Graph } from "../graph/graph.ts";
import { printGraph } from "../graph/print.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { drawing, drawingKey, drawingStyle } from "./drawing.ts";
import { type Column, escapeHtml, htmlPage, tableHtml } from "./html.ts";
import { memoryOf } from "./memory.ts";
import { showSchedule } from "./schedule.ts";

/** A graph of a run, by role. */
export interface PlannedGraph {
  /** `init`, `train`, `trainLast` (the short last batch or group), `eval`, `evalLast`. */
  readonly role: string;
  readonly graph: Graph;
  readonly graphHash: string;
  readonly plan: Plan;
  /** How the run's backend runs it. */
  readonly schedule: Schedule;
}

const numbers = (count: number) => new Array<Column>(count).fill("number");

function section({ role, graph, graphHash, plan, schedule }: PlannedGraph): string {
  const { flops, bytesRead, bytesWritten } = planCost(plan);
  const { arena, lowerBound, state, constants, peak } = memoryOf(schedule);
  const kernels = plan.kernels.map((kernel, i) => {
    const cost = kernelCost(kernel, plan);
    return [i, kernel.kind, typeText(kernel), cost.flops, cost.bytesRead, cost.bytesWritten];
  });
  const costs = {
    nodes: plan.nodeCount,
    kernels: plan.kernels.length,
    FLOP: flops,
    "bytes read": bytesRead,
    "bytes written": bytesWritten,
    "arena bytes": arena,
    "lower bound": lowerBound,
    "state bytes": state,
    "constant bytes": constants,
    "peak bytes": peak,
    draws: graph.draws,
  };
  const listed = tableHtml(["kernel", "kind", "output", "FLOP", "bytes read", "bytes written"], kernels, [
    "number",
    "text",
    "text",
    ...numbers(3),
  ]);
  return `<section><h2 id="${role}">${role}</h2><p><code>${graphHash}</code></p>
${tableHtml(Object.keys(costs), [Object.values(costs)], numbers(11))}
${drawing(graph)}
<details><summary>kernels</summary>${listed}<pre>${escapeHtml(showSchedule(schedule))}</pre></details>
<details><summary>nodes</summary><pre>${escapeHtml(printGraph(graph))}</pre></details></section>`;
}

const style = `
main{max-width:100rem} .key span{display:inline-block;padding:0 .5rem;margin:0 .4rem .3rem 0;border:1px solid var(--line);border-radius:4px}${drawingStyle}`;

/** The page. `ledger`: its last section, as text. */
export function graphPage(name: string, seed: bigint, graphs: readonly PlannedGraph[], ledger: string): string {
  const body = `<h1>${escapeHtml(name)}, seed ${seed}</h1>
<p>${graphs.map(({ role }) => `<a href="#${role}">${role}</a>`).join(" · ")} · <a href="#ledger">ledger of draws</a></p>
<p class="key">${drawingKey} a blue frame: what the graph gives back</p>
${graphs.map(section).join("\n")}
<section><h2 id="ledger">ledger of draws</h2><pre>${escapeHtml(ledger)}</pre></section>`;
  return htmlPage({ title: `${name}: graphs`, style, body });
}
