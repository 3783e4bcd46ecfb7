// `seedgrad explain WHAT`: the graphs of a config or a run, their hashes and plans, what their kernels cost, and the ledger of draws: which op owns
// which range of the stream. Nothing is trained.

import { writeAtomic } from "#files";
import { wordOf } from "../../kernels/word.ts";
import { findCompiled } from "../compile/cache.ts";
import type { Backend } from "../compile/contract.ts";
import { kernelCost, planCost } from "../compile/cost.ts";
import { missingKey } from "../core/keys.ts";
import { printGraph } from "../graph/print.ts";
import { graphPage, type PlannedGraph } from "../report/graph.ts";
import { memoryOf } from "../report/memory.ts";
import { showSchedule } from "../report/schedule.ts";
import { graphDraws, type LedgerRow, printLedger } from "../run/ledger.ts";
import { buildTrainer } from "../train/config/build.ts";
import { compareGraphs } from "../verify/graphs.ts";
import { showNode } from "../verify/show.ts";
import { messages, type Outcome, table } from "./command.ts";
import type { RunFlags } from "./flags.ts";
import { configOf, readConfig } from "./imports.ts";

/** The flags of `explain`. */
export interface ExplainFlags extends RunFlags {
  readonly kernels?: boolean;
  readonly html?: string;
  readonly against?: string;
}

/** Where a config's ops are made is the library's own affair. */
const withoutSite = ({ owner, offset, count }: LedgerRow): LedgerRow => ({ owner, offset, count });

/** The graphs of a config, or of the config in a run's folder. */
async function planned(what: string, flags: RunFlags) {
  const file = configOf(what) ?? what;
  const config = await readConfig(file, flags, file === what ? undefined : what);
  if (!config.trainer.fit) throw missingKey(`${file}: trainer.fit`, "train_dataloader");
  const changes = {
    modelDir: undefined,
    checkpoint: null,
    loggers: [messages],
    logging: { logLevel: "warn" },
  } as const;
  const { trainer, train, val } = buildTrainer(config, changes);
  return { trainer, train: train!, graphs: await trainer.explain(train!, val) };
}

/** Explains a config or a run. With `against`, exit code 1 where the two have other graphs. */
export async function explain(what: string, flags: ExplainFlags): Promise<Outcome> {
  if (flags.against !== undefined) return compare(what, flags.against, flags);
  const { trainer, train, graphs } = await planned(what, flags);
  const of = (role: string) => graphs.find((entry) => entry.role === role);
  const { graphHash } = of("train")!;
  const ledger = (await trainer.ledger(train)).map(withoutSite);
  const draws = graphs.filter(({ role, graph }) => role !== "init" && graph.draws > 0);
  const backend = await trainer.backend();
  const sources = flags.kernels ? await kernelTexts(backend, graphs) : [];
  if (flags.html !== undefined) {
    const page = graphPage(what, trainer.seed, graphs, printLedger(ledger));
    writeAtomic(flags.html, new TextEncoder().encode(page));
  }
  return {
    code: 0,
    json: {
      graphHash,
      seed: trainer.seed,
      backend: backend.name,
      graphs: graphs.map((each) => graphJson(each, backend)),
      ledger,
      steps: Object.fromEntries(draws.map(({ role, graph }) => [role, graphDraws(graph).map(withoutSite)])),
      ...(flags.html !== undefined && { html: flags.html }),
    },
    lines: [
      ...graphs.flatMap(({ role, graph, graphHash: hash }) => [`# ${role} ${hash}`, printGraph(graph), ""]),
      ...sources,
      "# plans",
      ...planTable(graphs, backend),
      "",
      "# kernels of the training step that cost most",
      ...kernelTable(of("train")!),
      "",
      `# ledger of draws, seed ${trainer.seed}`,
      printLedger(ledger),
      "",
      "# in each step, from its own base",
      ...draws.flatMap(({ role, graph }) => [`${role}:`, printLedger(graphDraws(graph).map(withoutSite))]),
      "",
      ...(flags.html === undefined ? [] : [`drawn in ${flags.html}`]),
      `graph ${graphHash}`,
    ],
  };
}

/** What kernels keep to themselves while the plan runs, on all threads. */
function scratchOf(backend: Backend, { plan }: PlannedGraph): number {
  return findCompiled(backend, plan.key)?.scratchBytes ?? 0;
}

function graphJson(each: PlannedGraph, backend: Backend) {
  const { role, graphHash, plan, graph, schedule } = each;
  const memory = memoryOf(schedule);
  return {
    role,
    graphHash,
    nodes: plan.nodeCount,
    kernels: plan.kernels.length,
    arenaBytes: memory.arena,
    lowerBoundBytes: memory.lowerBound,
    scratchBytes: scratchOf(backend, each),
    draws: graph.draws,
    ...planCost(plan),
    memory,
  };
}

function planTable(graphs: readonly PlannedGraph[], backend: Backend): string[] {
  const heads = [
    "graph",
    "hash",
    "nodes",
    "kernels",
    "FLOP",
    "B read",
    "B written",
    "arena B",
    "lower bound",
    "scratch B",
    "state B",
    "peak B",
    "draws",
  ];
  const rows = graphs.map((each) => {
    const { role, graphHash, plan, graph, schedule } = each;
    const { flops, bytesRead, bytesWritten } = planCost(plan);
    const { arena, lowerBound, state, peak } = memoryOf(schedule);
    const counts = [
      plan.nodeCount,
      plan.kernels.length,
      flops,
      bytesRead,
      bytesWritten,
      arena,
      lowerBound,
      scratchOf(backend, each),
      state,
      peak,
      graph.draws,
    ];
    return [role, graphHash.slice(0, 12), ...counts.map(String)];
  });
  return table([heads, ...rows]);
}

/** So many kernels are shown without `--kernels`. */
const mostKernels = 12;

function kernelTable({ plan }: PlannedGraph): string[] {
  const costs = plan.kernels.map((kernel, i) => ({ i, kernel, ...kernelCost(kernel, plan) }));
  const bytes = ({ bytesRead, bytesWritten }: (typeof costs)[number]) => bytesRead + bytesWritten;
  const rows = [...costs]
    .sort((a, b) => b.flops - a.flops || bytes(b) - bytes(a) || a.i - b.i)
    .slice(0, mostKernels)
    .map(({ i, kernel, flops, bytesRead, bytesWritten }) => [
      String(i),
      wordOf(kernel),
      `[${kernel.shape.join(", ")}]`,
      String(flops),
      String(bytesRead),
      String(bytesWritten),
    ]);
  const rest = costs.length - rows.length;
  return [
    ...table([["kernel", "kind", "shape", "FLOP", "B read", "B written"], ...rows]),
    ...(rest > 0 ? [`… and ${rest} more: --kernels lists all, with what each computes`] : []),
  ];
}

/** Every kernel as text; and as the backend generated it, where it generates text. */
async function kernelTexts(backend: Backend, graphs: readonly PlannedGraph[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { role, plan, schedule } of graphs) {
    lines.push(`# kernels of ${role}`, showSchedule(schedule), "");
    const executable = await backend.load(plan);
    for (const { kernel, where, source, fault } of executable.sources) {
      if (fault !== undefined) lines.push(`## kernel ${kernel} runs on ${where}: ${backend.name} failed ${fault}`, "");
      if (source !== undefined) lines.push(`## kernel ${kernel} as ${where} has it`, source, "");
    }
    executable.dispose();
  }
  return lines;
}

/** Where the graphs of two configs or runs differ, node by node. */
async function compare(first: string, second: string, flags: RunFlags): Promise<Outcome> {
  const [a, b] = [await planned(first, flags), await planned(second, flags)];
  const roles = [...new Set([...a.graphs, ...b.graphs].map(({ role }) => role))];
  const found = roles.map((role) => {
    const [x, y] = [a, b].map(({ graphs }) => graphs.find((entry) => entry.role === role));
    const hashes = [x?.graphHash ?? "none", y?.graphHash ?? "none"];
    const differences = x && y ? compareGraphs(x.graph, y.graph).differences.flatMap(showNode) : [];
    const seeds = x && y && x.graph.seed !== y.graph.seed ? [`seed: ${x.graph.seed} | ${y.graph.seed}`] : [];
    return { role, equal: hashes[0] === hashes[1], hashes, differences: [...seeds, ...differences] };
  });
  const equal = found.every((entry) => entry.equal);
  return {
    code: equal ? 0 : 1,
    json: { equal, graphs: found },
    lines: [
      ...found.flatMap(({ role, equal: same, hashes, differences }) =>
        same
          ? [`${role}: the same, ${hashes[0]}`]
          : [`${role}: ${hashes.join(" | ")}`, ...differences.map((line) => `  ${line}`)],
      ),
      equal ? "the same graphs" : "DIFFERENT graphs",
    ],
  };
}
