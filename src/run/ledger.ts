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

/** The ranges of a graph's random nodes in making order, relative to its base; `by` names the output that first reaches each. */
export function graphDraws(graph: Graph): LedgerRow[] {
  const outputs = graph.outputs.map(({ name, node }) => ({ name, nodes: new Set(reachable([node])) }));
  return graphNodes(graph).flatMap((node) => {
    if (!node.draws || graph.captured?.has(node)) return [];
    const owner = outputs.find(({ nodes }) => nodes.has(node))?.name ?? "?";
    const offset = node.draws.offset - (node.draws.seed === undefined ? 0 : graph.base);
    return [
      { owner: `${node.op} [${node.shape.join(", ")}] for ${owner}`, offset, count: node.draws.count, site: node.site },
    ];
  });
}

/** What a run reserves, beside its graphs. */
export interface RunDraws {
  readonly init?: Graph;
  readonly train: Graph;
  /** Draws of the model callable in all. */
  readonly initDraws: number;
  readonly drawsPerEpoch: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** The ledger of a run from draw 0: init by tensor, then each epoch's border and its steps as one row each, then what only watches. */
export function runLedger({ init, train, initDraws, drawsPerEpoch, stepsPerEpoch, totalSteps }: RunDraws): LedgerRow[] {
  const rows: LedgerRow[] = init
    ? graphDraws(init).map((row) => ({ ...row, owner: `init: ${row.owner}`, offset: row.offset + init.base }))
    : [];
  let offset = initDraws;
  for (let step = 0, epoch = 0; step < totalSteps; epoch++) {
    const steps = Math.min(stepsPerEpoch, totalSteps - step);
    if (drawsPerEpoch > 0) rows.push({ owner: `epoch ${epoch}: the loader`, offset, count: drawsPerEpoch });
    offset += drawsPerEpoch;
    rows.push({
      owner: `epoch ${epoch}: steps ${step + 1} to ${step + steps}, ${train.draws} draws each`,
      offset,
      count: steps * train.draws,
    });
    offset += steps * train.draws;
    step += steps;
  }
  rows.push({ owner: "validation and all that watches, anew each time", offset: watchOffset, count: 0 });
  return rows;
}

/** The ledger as a table, a line a row. */
export function printLedger(rows: readonly LedgerRow[]): string {
  const range = ({ offset, count }: LedgerRow) => (count > 0 ? `[${offset}, ${offset + count})` : `[${offset}, …)`);
  const width = Math.max(0, ...rows.map((row) => range(row).length));
  return rows.map((row) => `${range(row).padEnd(width)}  ${row.owner}${row.site ? `  ${row.site}` : ""}`).join("\n");
}
