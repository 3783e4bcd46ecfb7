// The ledger of draws: which op owns which range of the stream. Made from graphs and from what a run reserves; it moves nothing.
import { epochDraws } from "../data/draws.ts";
import type { DataLoader } from "../data/loader.ts";
import { firstDraw, type Graph, graphNodes } from "../graph/graph.ts";
import { reachable } from "../graph/node.ts";
import { dataOffset, watchOffset } from "../rng/regions.ts";

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
    const offset = firstDraw(node, graph.base);
    return [
      {
        owner: `${node.op} [${node.shape.join(", ")}] for ${owner}`,
        offset,
        count: node.draws.count,
        site: node.made?.line,
      },
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
  readonly loader: Pick<DataLoader, "name" | "drawsPerEpoch" | "shuffleSeed" | "splitDraws">;
  readonly seed: bigint;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** The ledger of a run, by region: the program from draw 0 (init by tensor, then each epoch's steps as a row), the data's orders, and what only watches. */
export function runLedger(run: RunDraws): LedgerRow[] {
  const { init, train, trainLast, initDraws, stepsPerEpoch, totalSteps } = run;
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
    if (full > 0)
      add(`epoch ${epoch}: steps ${step + 1} to ${step + full}, ${train.draws} draws each`, full * train.draws);
    if (full < steps) add(`epoch ${epoch}: step ${step + steps}, the short last batch`, trainLast!.draws);
    step += steps;
  }
  rows.push(...dataRows(run));
  rows.push({ owner: "validation and all that watches, anew each time", offset: watchOffset, count: 0 });
  return rows;
}

/** The orders of the data, by epoch one after another. */
function dataRows({ loader, seed, stepsPerEpoch, totalSteps }: RunDraws): LedgerRow[] {
  const { drawsPerEpoch: draws, shuffleSeed, splitDraws = 0 } = loader;
  const epochs = Math.ceil(totalSteps / stepsPerEpoch);
  const split = splitDraws > 0 ? [{ owner: "the split of the data", offset: dataOffset, count: splitDraws }] : [];
  if (draws === 0 || epochs === 0) return split;
  const { offset } = epochDraws(loader, seed, 0);
  epochDraws(loader, seed, epochs - 1);
  const which = epochs === 1 ? "epoch 0" : `epochs 0 to ${epochs - 1}, ${draws} draws each`;
  const stream = shuffleSeed === undefined ? "" : `, of the stream of seed ${shuffleSeed}`;
  return [...split, { owner: `the order of the data: ${which}${stream}`, offset, count: epochs * draws }];
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
