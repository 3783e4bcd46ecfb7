// One of two sides of a comparison: a run's folder, a config, or a program in code. Each is the facts that decide its bits, what it recorded, and
// how it is made again.

import { exists, readText } from "#files";
import type { Threads } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { toHex } from "../core/canonical.ts";
import { CheckpointError, ConfigError, SeedgradError } from "../core/errors.ts";
import type { Graph } from "../graph/hash.ts";
import { readGraph } from "../graph/record.ts";
import type { ChainLink } from "../run/chain.ts";
import { readChain } from "../run/chainfile.ts";
import { listCheckpoints, loadCheckpoint } from "../run/checkpoint.ts";
import { hyperparameter, type Manifest, readManifest } from "../run/manifest.ts";
import { tensorsDigest } from "../run/state.ts";
import { toYamlForm } from "../train/config/form.ts";
import { programName, recordedImports } from "../train/config/imports.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import { listOf } from "../train/evaluate.ts";
import { lengthOf } from "../train/fit.ts";
import { dataOf, numbersOf } from "../train/journal.ts";
import { leavesOf } from "../train/leaves.ts";
import type { Rebuild } from "../train/replay.ts";
import { recordedValidation, validationFacts } from "../train/validations.ts";
import { phasesOf, rebuildConfig, rebuildFromConfig } from "./verify.ts";

/** What decides a run's bits, each as text by name, in the order in which it is told. */
export interface Facts {
  readonly seed: string;
  /** Leaves of the config, `trainer.init.loop.num_epochs` → `3`. */
  readonly config: ReadonlyMap<string, string>;
  /** Numbers of optimizer, schedules and loader, with their float32 bits. */
  readonly numbers: ReadonlyMap<string, string>;
  readonly data: ReadonlyMap<string, string>;
  /** Of the loaders that a run's schedules, or its length, go by. */
  readonly validation: ReadonlyMap<string, string>;
  /** SHA-256 of the programs that its config's classes come from, by their files' names. */
  readonly imports: ReadonlyMap<string, string>;
  /** The training step's graph at the full batch. */
  readonly graphHash: string;
}

export interface Side {
  /** What it is called in reports. */
  readonly name: string;
  readonly facts: Facts;
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
  if (exists(`${path}/manifest.json`)) return runSide(path, options);
  if (/\.ya?ml$/i.test(path)) return configSide(path, options);
  const phases = phasesOf(path);
  const elsewhere = exists(path) ? "a run's folder is where fit wrote to: runs/…" : undefined;
  throw new ConfigError({
    where: path,
    problem: "neither a run's folder nor a config",
    expected: "a folder that holds manifest.json, or a .yaml file",
    hint: phases.length > 0 ? `it holds phases, each a run of its own: ${phases.join(", ")}` : elsewhere,
  });
}

function runSide(folder: string, { backend, rebuild }: SideOptions): Side {
  const manifest = readManifest(`${folder}/manifest.json`);
  const links = readChain(`${folder}/chain.bin`);
  const { status, result } = manifest;
  return {
    name: folder,
    facts: factsOfManifest(manifest),
    steps: links.length,
    status: status === "finished" ? result?.stopped : status,
    links,
    digest: result?.digest,
    folder,
    // Its config is read, and what it names must be there, only where the run is made again.
    rebuild: rebuild ?? (manifest.config === null ? undefined : (changes) => rebuildFromConfig(folder)(changes)),
    backend: backend ?? String(manifest.environment.backend ?? "wasm"),
    changes: changesOf(manifest),
  };
}

/** What a replay of a run needs beside its program. */
export function changesOf({ seed, deterministic }: Manifest): Side["changes"] {
  return { seed: BigInt(seed), ...(deterministic === "warn" && { deterministic: "warn" }) };
}

function factsOfManifest(manifest: Manifest): Facts {
  const { seed, config, hyperparameters, data, validation, imports, graphs } = manifest;
  const numbers = Object.entries(hyperparameters).map(
    ([name, { value, float32 }]) => [name, `${value} (${float32})`] as const,
  );
  return {
    seed,
    config: leavesOf(config),
    numbers: new Map(numbers),
    data: new Map(Object.entries(data)),
    validation: validationFacts(validation),
    imports: importFacts(imports),
    graphHash: graphs.train ?? "none",
  };
}

const importFacts = (imports: Manifest["imports"]) =>
  new Map(Object.entries(imports ?? {}).map(([name, { sha256 }]) => [programName(name), sha256]));

async function configSide(file: string, { backend, threads }: SideOptions): Promise<Side> {
  const config = loadConfig(file);
  const { init, fit } = config.trainer;
  const missing = !fit ? "trainer.fit" : init.seed === null ? "trainer.init.seed" : undefined;
  if (missing !== undefined) {
    throw new ConfigError({
      where: `${file}: ${missing}`,
      problem: "a required key is missing",
      expected:
        missing === "trainer.fit" ? "train_dataloader" : "a seed: without one a config is another run each time",
    });
  }
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
  const { trainer, graphHash, loader, validations } = await traced(rebuild, changes);
  const { stepsPerEpoch, totalSteps } = lengthOf(trainer.options.loop, loader);
  const numbers = Object.entries(numbersOf({ trainer, loader, stepsPerEpoch, totalSteps })).map(([key, value]) => {
    const { value: shown, float32 } = hyperparameter(value);
    return [key, `${shown} (${float32})`] as const;
  });
  const facts: Facts = {
    seed: trainer.seed.toString(),
    config: leavesOf(toYamlForm(config ?? trainer.options.config)),
    numbers: new Map(numbers),
    data: new Map(Object.entries(dataOf({ trainer, loader }))),
    validation: validationFacts(recordedValidation(trainer, validations)),
    imports: importFacts(recordedImports(config ?? trainer.options.config ?? {}, ".")),
    graphHash,
  };
  return { name, facts, steps: totalSteps, rebuild, backend, changes, folder };
}

async function traced(rebuild: Rebuild, changes: Side["changes"]) {
  const silent = {
    modelDir: undefined,
    checkpoint: null,
    loggers: [],
    callbacks: [],
    logging: { logLevel: "error" },
  } as const;
  const { trainer, train, val } = rebuild({ ...changes, ...silent });
  if (!train) throw new ConfigError({ where: "rebuild", problem: "there is no loader to train with", got: "no train" });
  const planned = await trainer.explain(train);
  const { graphHash, graph } = planned.find(({ role }) => role === "train")!;
  return { trainer, loader: train, validations: listOf(val), graph, graphHash };
}

/** The training graph of a side. Where a run's program can't be made here, or makes another by now: the graph that its folder recorded, which knows no lines of a program. */
export async function trainGraph({ links, folder, rebuild, changes, facts }: Side): Promise<Graph | undefined> {
  const path = `${folder}/graph.json`;
  const recorded = () => (links && exists(path) ? readGraph(path, readText(path, CheckpointError)) : undefined);
  try {
    const made = rebuild && (await traced(rebuild, changes));
    return made && (!links || made.graphHash === facts.graphHash) ? made.graph : (recorded() ?? made?.graph);
  } catch (error) {
    const graph = error instanceof SeedgradError ? recorded() : undefined;
    if (graph) return graph;
    throw error;
  }
}

/** What a run's own program makes here otherwise than its folder recorded: its graph, or its data. Undefined where all is as it was, and for a side that recorded nothing. */
export async function strayed({ links, facts, rebuild, changes }: Side): Promise<readonly string[] | undefined> {
  if (!links || !rebuild) return undefined;
  const { trainer, loader, graphHash } = await traced(rebuild, changes);
  const made = new Map(
    [...Object.entries(dataOf({ trainer, loader }))].map(([name, digest]) => [`data ${name}`, digest]),
  );
  made.set("graph", graphHash);
  const recorded = new Map([...facts.data].map(([name, digest]) => [`data ${name}`, digest])).set(
    "graph",
    facts.graphHash,
  );
  const names = [...new Set([...recorded.keys(), ...made.keys()])].filter(
    (name) => recorded.get(name) !== made.get(name),
  );
  return names.length === 0
    ? undefined
    : names.map((name) => `${name}: recorded ${recorded.get(name) ?? "none"}, made here ${made.get(name) ?? "none"}`);
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
