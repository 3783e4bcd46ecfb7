// The ledger of draws: which op owns which range of the stream. Made from graphs and from what a run reserves; it moves nothing.
import { watchOffset } from "../core/numerics.ts";
import { type Graph, graphNodes } from "../graph/hash.ts";
import { reachable } from "../graph/node.ts";

/** One owner's range [offset, offset + count) in the stream, or relative to a step's base. */
export interface LedgerRow {
  readonly owner: string;
  readonly offset: number;
  readonly count: number;
  /** Where in the source the op was made. */
  readonly site?: string;
}

/** The ranges of a graph's random nodes in making order, relative to its base: each with the first output that needs it; and what nodes took that no output needs. */
export function graphDraws(graph: Graph): LedgerRow[] {
  const outputs = graph.outputs.map(({ name, node }) => ({ name, nodes: new Set(reachable([node])) }));
  const rows = graphNodes(graph).flatMap((node) => {
    if (!node.draws || graph.captured?.has(node)) return [];
    const owner = outputs.find(({ nodes }) => nodes.has(node))?.name ?? "?";
    const offset = node.draws.offset - (node.draws.seed === undefined ? 0 : graph.base);
    return [
      { owner: `${node.op} [${node.shape.join(", ")}] for ${owner}`, offset, count: node.draws.count, site: node.site },
    ];
  });
  return withGaps(rows, graph.draws);
}

/** Rows by offset, and one for each part of [0, end) that is in none of them. */
function withGaps(rows: readonly LedgerRow[], end: number): LedgerRow[] {
  const filled: LedgerRow[] = [];
  let at = 0;
  const fill = (to: number) => {
    if (to > at) filled.push({ owner: "drawn, and not used", offset: at, count: to - at });
  };
  for (const row of [...rows].sort((a, b) => a.offset - b.offset)) {
    fill(row.offset);
    filled.push(row);
    at = Math.max(at, row.offset + row.count);
  }
  fill(end);
  return filled;
}

/** What a run reserves, beside its graphs. */
export interface RunDraws {
  readonly init?: Graph;
  readonly train: Graph;
  /** The graph of an epoch's last step, where its batch is short. */
  readonly trainLast?: Graph;
  /** Draws of the model callable in all. */
  readonly initDraws: number;
  readonly drawsPerEpoch: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** The ledger of a run from draw 0: init by tensor, then each epoch's border and its steps as one row each, then what only watches. */
export function runLedger(run: RunDraws): LedgerRow[] {
  const { init, train, trainLast, initDraws, drawsPerEpoch, stepsPerEpoch, totalSteps } = run;
  const rows = withGaps(
    init ? graphDraws(init).map((row) => ({ ...row, offset: row.offset + init.base })) : [],
    initDraws,
  ).map((row) => ({ ...row, owner: `init: ${row.owner}` }));
  let offset = initDraws;
  const add = (owner: string, count: number) => {
    rows.push({ owner, offset, count });
    offset += count;
  };
  for (let step = 0, epoch = 0; step < totalSteps; epoch++) {
    const steps = Math.min(stepsPerEpoch, totalSteps - step);
    const full = trainLast && steps === stepsPerEpoch ? steps - 1 : steps;
    if (drawsPerEpoch > 0) add(`epoch ${epoch}: the loader`, drawsPerEpoch);
    if (full > 0)
      add(`epoch ${epoch}: steps ${step + 1} to ${step + full}, ${train.draws} draws each`, full * train.draws);
    if (full < steps) add(`epoch ${epoch}: step ${step + steps}, the short last batch`, trainLast!.draws);
    step += steps;
  }
  rows.push({ owner: "validation and all that watches, anew each time", offset: watchOffset, count: 0 });
  return rows;
}

/** A row's range of draws as text. */
export function ledgerRange({ offset, count }: LedgerRow): string {
  if (count > 0) return `[${offset}, ${offset + count})`;
  return offset >= watchOffset ? `[${offset}, …)` : "none";
}

/** The ledger as a table, a line a row. */
export function printLedger(rows: readonly LedgerRow[]): string {
  const width = Math.max(0, ...rows.map((row) => ledgerRange(row).length));
  return rows
    .map((row) => `${ledgerRange(row).padEnd(width)}  ${row.owner}${row.site ? `  ${row.site}` : ""}`)
    .join("\n");
}
