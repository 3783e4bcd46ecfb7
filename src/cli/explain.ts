// `seedgrad explain CONFIG`: the graphs of a run, their hashes and plans, and the ledger of draws: which op owns which range of the stream.
// Nothing is trained and nothing is written.
import { ConfigError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { graphNodes } from "../graph/hash.ts";
import { printGraph } from "../graph/print.ts";
import { buildTrainer } from "../train/config/build.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { PlannedGraph } from "../train/explain.ts";
import { messages, type Outcome, table } from "./command.ts";
import { overridesOf, type RunFlags } from "./flags.ts";

interface LedgerRow {
  readonly role: string;
  /** Absolute for init, relative to each execution's base elsewhere. */
  readonly offset: number;
  readonly count: number;
  readonly op: string;
  readonly shape: readonly number[];
}

function ledgerOf({ role, graph }: PlannedGraph): LedgerRow[] {
  return graphNodes(graph, { watched: true }).flatMap(({ op, shape, draws }) =>
    draws ? [{ role, offset: draws.offset, count: draws.count, op, shape }] : [],
  );
}

/** Explains a config. */
export async function explain(file: string, flags: RunFlags): Promise<Outcome> {
  const config = loadConfig(file, overridesOf(flags));
  if (!config.trainer.fit) {
    throw new ConfigError({
      where: `${file}: trainer.fit`,
      problem: "a required key is missing",
      expected: "train_dataloader",
    });
  }
  const { trainer, train, val } = buildTrainer(config, { modelDir: undefined, checkpoint: null, loggers: [messages] });
  const planned = await trainer.explain(train!, val);
  const ledger = planned.flatMap(ledgerOf);
  const { graphHash } = planned.find(({ role }) => role === "train")!;
  const summary = planned.map(({ role, graphHash: hash, plan, graph }) => [
    role,
    hash.slice(0, 12),
    String(plan.nodeCount),
    String(plan.kernels.length),
    String(plan.arenaBytes),
    String(plan.lowerBoundBytes),
    String(graph.draws),
  ]);
  return {
    code: 0,
    json: {
      graphHash,
      seed: trainer.seed,
      backend: (await trainer.backend()).name,
      graphs: planned.map(({ role, graphHash: hash, plan, graph }) => ({
        role,
        graphHash: hash,
        nodes: plan.nodeCount,
        kernels: plan.kernels.length,
        arenaBytes: plan.arenaBytes,
        lowerBoundBytes: plan.lowerBoundBytes,
        draws: graph.draws,
      })),
      ledger,
      epochDraws: train!.drawsPerEpoch,
    },
    lines: [
      ...planned.flatMap(({ role, graph, graphHash: hash }) => [`# ${role} ${hash}`, printGraph(graph), ""]),
      "# plans",
      ...table([["graph", "hash", "nodes", "kernels", "arena bytes", "lower bound", "draws"], ...summary]),
      "",
      `# ledger of draws, seed ${trainer.seed}: init from 0; at each epoch's border ${train!.drawsPerEpoch} draws for the loader; each step its own range`,
      ...table([
        ["graph", "draws", "op", "shape"],
        ...ledger.map(({ role, offset, count, op, shape }) => [
          role,
          `${role === "init" ? "" : "base + "}[${offset}, ${offset + count})`,
          op,
          formatShape(shape),
        ]),
      ]),
      "",
      `graph ${graphHash}`,
    ],
  };
}
