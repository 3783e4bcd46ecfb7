// One of two sides of a comparison: a run's folder, a config, or a program in code. Each is the facts that decide its bits, what it recorded, and
// how it is made again.

import { exists, readText } from "#files";
import type { Threads } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { toHex } from "../core/canonical.ts";
import { CheckpointError, SeedgradError } from "../core/errors.ts";
import { missingKey } from "../core/keys.ts";
import type { Graph } from "../graph/graph.ts";
import { tensorsDigest } from "../io/state.ts";
import type { PlannedGraph } from "../report/graph.ts";
import type { ChainLink } from "../run/chain.ts";
import { readChain } from "../run/chainfile.ts";
import { listCheckpoints, loadCheckpoint } from "../run/checkpoint.ts";
import { compareFacts, type RunFacts } from "../run/facts.ts";
import { readGraph } from "../run/graph.ts";
import { readManifest } from "../run/manifest.ts";
import { recordedImports } from "../run/programs.ts";
import { toYamlForm } from "../train/config/form.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import { programFacts } from "../train/facts.ts";
import { lengthOf, limited } from "../train/length.ts";
import type { Rebuild } from "../train/replay.ts";
import { requireRun } from "./folder.ts";
import { type LiveProgram, makeLive } from "./live.ts";
import { changesOf } from "./replay.ts";
import { rebuildConfig, rebuildFromConfig } from "./verify.ts";

export interface Side {
  /** What it is called in reports. */
  readonly name: string;
  readonly facts: RunFacts;
  /** Its optimizer steps: those of a run that there are, or those a program is to take. */
  readonly steps: number;
  /** How a run ended, where it didn't just come to its loop's end. */
  readonly status?: string;
  /** What a run recorded. */
  readonly links?: readonly ChainLink[];
  readonly digest?: string;
  /** The run's folder, whose checkpoints a replay may begin from. */
  readonly folder?: string;
  /** How it is made again; undefined where no one knows. */
  readonly rebuild?: Rebuild;
  /** The backend it ran on, or is to run on. */
  readonly backend: string | Backend;
  readonly changes: Parameters<Rebuild>[0];
  /** Its program made here and traced, once: what it is made of, and its training graph. Undefined where no one knows how. */
  readonly trace: () => Promise<Traced> | undefined;
  /** The program that was made to be traced, for whoever runs it first; undefined where it wasn't, or was taken. */
  readonly take: () => LiveProgram | undefined;
}

/** A program as it is here. */
interface Traced {
  readonly facts: RunFacts;
  readonly graph: Graph;
  readonly steps: number;
}

/** How a path is opened. */
export interface SideOptions {
  readonly backend?: string | Backend;
  readonly threads?: Threads;
  /** For a run made in code. */
  readonly rebuild?: Rebuild;
}

/** Opens a run's folder or a config file. Throws ConfigError where the path is neither, and what reading them throws. */
export async function openSide(path: string, options: SideOptions = {}): Promise<Side> {
  if (/\.ya?ml$/i.test(path) && !exists(`${path}/manifest.json`)) return configSide(path, options);
  requireRun(path, "a folder that holds manifest.json, or a .yaml file");
  return runSide(path, options);
}

function runSide(folder: string, { backend, rebuild: given }: SideOptions): Side {
  const manifest = readManifest(`${folder}/manifest.json`);
  const links = readChain(`${folder}/chain.bin`);
  const { status, result } = manifest;
  // Its config is read, and what it names must be there, only where the run is made again.
  const own: Rebuild | undefined =
    manifest.config === null ? undefined : (changes) => rebuildFromConfig(folder)(changes);
  const rebuild = given ?? own;
  const changes = changesOf(manifest);
  const chosen = backend ?? String(manifest.environment.backend ?? "wasm");
  return {
    name: folder,
    facts: manifest,
    steps: links.length,
    status: status === "finished" ? result?.stopped : status,
    links,
    digest: result?.digest,
    folder,
    rebuild,
    backend: chosen,
    changes,
    ...tracing(() => rebuild && traced(rebuild, { backend: chosen, changes })),
  };
}

/** A program that is made once, when it is first asked what it is. */
function tracing(
  make: () => Promise<Traced & { readonly live: LiveProgram }> | undefined,
): Pick<Side, "trace" | "take"> {
  let program: LiveProgram | undefined;
  const trace = once(() =>
    make()?.then(({ live, ...found }): Traced => {
      program = live;
      return found;
    }),
  );
  const take = () => {
    const taken = program;
    program = undefined;
    return taken;
  };
  return { trace, take };
}

/** What a function gives, asked for once. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

async function configSide(file: string, { backend, threads }: SideOptions): Promise<Side> {
  const config = loadConfig(file);
  const { init, fit } = config.trainer;
  if (!fit) throw missingKey(`${file}: trainer.fit`, "train_dataloader");
  const expected = "a seed: without one a config is another run each time";
  if (init.seed === null) throw missingKey(`${file}: trainer.init.seed`, expected);
  const chosen = backend ?? init.backend ?? "wasm";
  const rebuild = rebuildConfig(config);
  return programSide(file, rebuild, { backend: chosen, config, changes: threads === undefined ? {} : { threads } });
}

/** A program that is there to be run: its facts are found by making it and tracing its graphs. */
export async function programSide(
  name: string,
  rebuild: Rebuild,
  {
    backend,
    config,
    changes = {},
    folder,
  }: { backend: string | Backend; config?: Config; changes?: Side["changes"]; folder?: string },
): Promise<Side> {
  const made = tracing(() => traced(rebuild, { backend, changes, config }));
  const { facts, steps } = (await made.trace())!;
  return { name, facts, steps, rebuild, backend, changes, folder, ...made };
}

async function traced(
  rebuild: Rebuild,
  { backend, changes, config }: { backend: string | Backend; changes: Side["changes"]; config?: Config },
): Promise<Traced & { readonly live: LiveProgram }> {
  const live = await makeLive(rebuild, backend, changes);
  const { trainer, train, validations } = live;
  // Closures of its own end V8's asynchronous stack here: an op's line would else be that of whoever awaits the comparison.
  const planned = await new Promise<readonly PlannedGraph[]>((resolve, reject) => {
    trainer.explain(train).then(
      (found) => resolve(found),
      (error) => reject(error),
    );
  });
  const { graphHash, graph } = planned.find(({ role }) => role === "train")!;
  const facts = programFacts(trainer, train, validations);
  const { options } = trainer;
  const { totalSteps: steps } = lengthOf(options.loop, limited(train, options.loop));
  const chosen = config ?? options.config;
  const found = {
    ...facts,
    graphs: { ...facts.graphs, train: graphHash },
    config: chosen ? toYamlForm(chosen) : null,
    imports: recordedImports(chosen ?? {}, "."),
  };
  return { facts: found, graph, steps, live };
}

/** The training graph of a side. Where a run's program can't be made here, or makes another by now: the graph that its folder recorded, which knows no lines of a program. */
export async function trainGraph({ links, folder, trace, facts }: Side): Promise<Graph | undefined> {
  const path = `${folder}/graph.json`;
  const recorded = () => (links && exists(path) ? readGraph(path, readText(path, CheckpointError)) : undefined);
  try {
    const made = await trace();
    const same = made && (!links || compareFacts(facts, made.facts, ["graph"]).length === 0);
    return same ? made.graph : (recorded() ?? made?.graph);
  } catch (error) {
    const graph = error instanceof SeedgradError ? recorded() : undefined;
    if (graph) return graph;
    throw error;
  }
}

/** What a run's own program makes here otherwise than its folder recorded: its graph, or its data. Undefined where all is as it was, and for a side that recorded nothing. */
export async function strayed({ links, facts, trace }: Side): Promise<readonly string[] | undefined> {
  const made = links && (await trace());
  const differences = made ? compareFacts(facts, made.facts, ["data", "graph"]) : [];
  if (differences.length === 0) return undefined;
  return differences.map(({ what, first, second }) => `${what}: recorded ${first}, made here ${second}`);
}

/** The latest checkpoint before a step that both sides have, with the same tensors in both: where a replay of both may begin. */
export function commonCheckpoint(a: Side, b: Side, before: number): readonly [string, string] | undefined {
  if (a.folder === undefined || b.folder === undefined) return undefined;
  const [first, second] = [a.folder, b.folder].map((folder) => `${folder}/checkpoints`);
  const others = new Map(listCheckpoints(second).map(({ step, file }) => [step, `${second}/${file}`]));
  const candidates = listCheckpoints(first)
    .filter(({ step }) => step > 0 && step < before && others.has(step))
    .sort((x, y) => y.step - x.step);
  for (const { step, file } of candidates) {
    const paths = [`${first}/${file}`, others.get(step)!] as const;
    const [x, y] = paths.map((path) => loadCheckpoint(path));
    if (x.state.chain === y.state.chain && toHex(tensorsDigest(x.tensors)) === toHex(tensorsDigest(y.tensors)))
      return paths;
  }
  return undefined;
}
