// What a folder says of a run, held against the program that was replayed and what it came to: result, hyper-parameters, graphs, data, config. And
// the rows of what nobody can compare.
import { exists, list, readText } from "#files";
import type { DataLoader } from "../../data/loader.ts";
import { isRecord } from "../../run/fields.ts";
import { hyperparameter } from "../../run/manifest.ts";
import { toYamlForm } from "../config/form.ts";
import { changedImports, recordedImports } from "../config/imports.ts";
import { describeOptions } from "../describe.ts";
import type { Run } from "../fit.ts";
import { leavesOf } from "../leaves.ts";
import type { Trainer } from "../trainer.ts";
import { describeLoaders, validationDecides, validationFacts } from "../validations.ts";
import { type Checks, recordDifferences } from "./checks.ts";
import type { ProgramFacts } from "./comparison.ts";
import type { Recorded } from "./recorded.ts";

/** Compares what the manifest says a run was made of. */
export function compareProgram(
  { folder, manifest, entries }: Recorded,
  { trainer, facts, validations }: { trainer: Trainer; facts: ProgramFacts; validations: readonly DataLoader[] },
  checks: Checks,
): void {
  const { hyperparameters, graphs, data, shuffleSeeds, validation, imports } = manifest;
  const numbers = Object.entries(facts.numbers).map(([name, value]) => [name, hyperparameter(value)] as const);
  const shown = (all: typeof hyperparameters) =>
    Object.fromEntries(Object.entries(all).map(([name, { value, float32 }]) => [name, `${value} (${float32})`]));
  checks.compared(
    "manifest.json: hyperparameters",
    recordDifferences(shown(hyperparameters), shown(Object.fromEntries(numbers))),
  );
  const here = trainer.graphs;
  const both = Object.keys(graphs).filter((role) => here[role] !== undefined);
  const of = (all: Readonly<Record<string, string>>) => Object.fromEntries(both.map((role) => [role, all[role]]));
  checks.compared("manifest.json: graphs", recordDifferences(of(graphs), of(here)), both.join(", "));
  const alone = Object.keys(graphs).filter((role) => here[role] === undefined);
  if (alone.length > 0) checks.trusted("manifest.json: graphs", `${alone.join(", ")}: the replay ran no such graph`);
  checks.compared("manifest.json: data", recordDifferences(data, facts.data), "by SHA-256");
  checks.value("manifest.json: shuffle seeds", shuffleSeeds, facts.shuffleSeeds);
  if (validations.length > 0) {
    // That the best checkpoints are kept by validation is no option of a replay, which saves none: the manifest says so.
    const found = validation || validationDecides(trainer) ? describeLoaders(trainer, validations) : undefined;
    checks.compared(
      "manifest.json: validation data",
      recordDifferences(Object.fromEntries(validationFacts(validation)), Object.fromEntries(validationFacts(found))),
    );
  } else if (validation) checks.trusted("manifest.json: validation data", "the replay has none");
  const saves = compareConfig(folder, manifest, trainer, checks);
  const last = manifest.result?.steps;
  if (saves && last !== undefined && entries.length > 0 && !entries.some(({ step }) => step === last))
    checks.compared("checkpoints/index.json", [`the run's last, step ${last}, isn't among them`]);
  const programs = recordedImports(trainer.options.config ?? {}, folder);
  const changed = imports ? changedImports(imports, programs) : ["manifest.json records none"];
  if (imports || programs)
    checks.trusted("imported code", changed.length > 0 ? changed.join("; ") : "by its files' SHA-256 alone");
}

/** The folder's config file, the manifest's config, and the program as it was made again; gives whether the run saves checkpoints. */
function compareConfig(folder: string, { config }: Recorded["manifest"], trainer: Trainer, checks: Checks): boolean {
  const leaves = (value: unknown) =>
    Object.fromEntries([...leavesOf(value)].map(([path, leaf]) => [path, leaf.replace(/^"(.*)"$/s, "$1")]));
  const own = trainer.options.config;
  if (config !== null && own) {
    const { init } = own.trainer;
    const seeded = { ...own, trainer: { ...own.trainer, init: { ...init, seed: init.seed ?? trainer.seed } } };
    // Where a run's folder was is no part of the run: folders move.
    const moved = (value: unknown) => ({ ...leaves(value), "trainer.init.model_dir": undefined });
    checks.compared("config.yaml and manifest.json", recordDifferences(moved(config), moved(toYamlForm(seeded))));
    return init.checkpoint !== null;
  }
  const path = `${folder}/config.json`;
  if (!exists(path)) {
    checks.trusted("config.json", "it isn't there");
    return false;
  }
  const described: Record<string, unknown> = parse(readText(path));
  const program: Record<string, unknown> = JSON.parse(describeOptions(trainer).text);
  // The numbers of parameter groups are among the hyper-parameters; here they may be those that a schedule had come to.
  const part = ({ seed, loss, metrics, optimizer, precision, loop }: Record<string, unknown>) =>
    leaves({ seed, loss, metrics, optimizer: isRecord(optimizer) ? optimizer.class : undefined, precision, loop });
  checks.compared(
    "config.json",
    recordDifferences(part(described), part(program)),
    "seed, loss, metrics, optimizer, precision, loop",
  );
  return isRecord(described.checkpoint);
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** Compares how the run ended. `cut`: only the recorded end made the replay end there. */
export function compareResult(
  { manifest }: Recorded,
  { trainer, run, validates, cut }: { trainer: Trainer; run: Run; validates: boolean; cut: boolean },
  checks: Checks,
): void {
  const { digest, steps, loss, streamPosition, metrics, stopped } = manifest.result!;
  checks.value("result: digest", digest, run.digest);
  checks.value("result: steps", steps, run.steps);
  checks.value("result: loss", loss, run.loss);
  checks.value("result: streamPosition", streamPosition, run.streamPosition);
  if (validates) checks.compared("result: metrics", recordDifferences(metrics, run.metrics));
  else if (Object.keys(metrics).length > 0)
    checks.trusted("result: metrics", "metrics not checked: no validation data");
  const named = trainer.hooks.callbacks.find(({ endsRun, name }) => endsRun && stopped?.startsWith(`${name}:`));
  if (!cut) checks.value("result: stopped", stopped, run.stopped);
  else if (named)
    checks.compared("result: stopped", [`the replay's ${named.name} doesn't stop it there, recorded ${stopped}`]);
  else checks.trusted("result: stopped", `nothing in the replay stops it there, recorded ${stopped}`);
}

const looked = new Set(["manifest.json", "chain.bin", "config.yaml", "config.json", "checkpoints", "lock"]);

/** The rows of what no replay can show. */
export function addTrusted({ folder, entries, manifest, from }: Recorded, checks: Checks): void {
  if (from > 0) checks.trusted(`steps 1 to ${from}`, `the checkpoint at step ${from} was taken as it is`);
  const inFolder = exists(`${folder}/checkpoints`) ? list(`${folder}/checkpoints`) : [];
  const unknown = inFolder.filter((file) => file !== "index.json" && !entries.some((entry) => entry.file === file));
  if (unknown.length > 0) checks.trusted("checkpoints", `not in index.json, and not read: ${unknown.join(", ")}`);
  if (entries.length === 0) checks.trusted("checkpoints", "there are none");
  const others = list(folder).filter((file) => !looked.has(file));
  if (others.length > 0) checks.trusted("other files", `not read: ${others.join(", ")}`);
  if (Object.keys(manifest.data).length > 0) checks.trusted("data", "what they are is known by SHA-256 alone");
  checks.trusted("manifest.json: environment, seedGiven", "they inform");
  checks.trusted("engine", "this package, and the machine it runs on");
}
