// `seedgrad explain CONFIG`: the graphs of a run, their hashes and plans, and the ledger of draws: which op owns which range of the stream.
// Nothing is trained and nothing is written.
import { ConfigError } from "../core/errors.ts";
import { printGraph } from "../graph/print.ts";
import { graphDraws, type LedgerRow, printLedger } from "../run/ledger.ts";
import { buildTrainer } from "../train/config/build.ts";
import { messages, type Outcome, table } from "./command.ts";
import type { RunFlags } from "./flags.ts";
import { readConfig } from "./imports.ts";

/** Where a config's ops are made is the library's own affair. */
const withoutSite = ({ owner, offset, count }: LedgerRow): LedgerRow => ({ owner, offset, count });

/** Explains a config. */
export async function explain(file: string, flags: RunFlags): Promise<Outcome> {
  const config = await readConfig(file, flags);
  if (!config.trainer.fit) {
    throw new ConfigError({
      where: `${file}: trainer.fit`,
      problem: "a required key is missing",
      expected: "train_dataloader",
    });
  }
  const { trainer, train, val } = buildTrainer(config, { modelDir: undefined, checkpoint: null, loggers: [messages] });
  const planned = await trainer.explain(train!, val);
  const { graphHash } = planned.find(({ role }) => role === "train")!;
  const ledger = await trainer.ledger(train!);
  const draws = planned.filter(({ role, graph }) => role !== "init" && graph.draws > 0);
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
      steps: Object.fromEntries(draws.map(({ role, graph }) => [role, graphDraws(graph).map(withoutSite)])),
    },
    lines: [
      ...planned.flatMap(({ role, graph, graphHash: hash }) => [`# ${role} ${hash}`, printGraph(graph), ""]),
      "# plans",
      ...table([["graph", "hash", "nodes", "kernels", "arena bytes", "lower bound", "draws"], ...summary]),
      "",
      `# ledger of draws, seed ${trainer.seed}`,
      printLedger(ledger),
      "",
      "# in each step, from its own base",
      ...draws.flatMap(({ role, graph }) => [`${role}:`, printLedger(graphDraws(graph).map(withoutSite))]),
      "",
      `graph ${graphHash}`,
    ],
  };
}
