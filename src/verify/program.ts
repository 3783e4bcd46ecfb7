// What a folder says of a run, held against the program that was replayed and what it came to: result, hyper-parameters, graphs, data, config. And
// the rows of what nobody can compare.
import { exists, list, readText } from "#files";
import type { DataLoader } from "../data/loader.ts";
import { compareFacts, type RunFacts } from "../run/facts.ts";
import { isRecord, tryJson } from "../run/fields.ts";
import { leavesOf, unquoted } from "../run/leaves.ts";
import type { Manifest } from "../run/manifest.ts";
import { changedImports, recordedImports } from "../run/programs.ts";
import { toYamlForm } from "../train/config/form.ts";
import type { TrainerView } from "../train/contract.ts";
import { describeOptions } from "../train/describe.ts";
import type { Run } from "../train/run.ts";
import { describeLoaders, validationDecides } from "../train/validations.ts";
import { type Checks, recordDifferences } from "./checks.ts";
import type { Recorded } from "./folder.ts";

/** Compares what the manifest says a run was made of. */
export function compareProgram(
  { folder, manifest, entries }: Recorded,
  { trainer, facts, validations }: { trainer: TrainerView; facts: RunFacts; validations: readonly DataLoader[] },
  checks: Checks,
): void {
  const { graphs, validation, imports } = manifest;
  checks.facts("manifest.json: hyperparameters", compareFacts(manifest, facts, ["numbers"]));
  const here = rolesOf(trainer.graphs, graphs);
  const both = Object.keys(graphs).filter((role) => Object.hasOwn(here, role));
  const of = (all: Readonly<Record<string, string>>) => ({
    graphs: Object.fromEntries(both.map((role) => [role, all[role]])),
  });
  checks.facts("manifest.json: graphs", compareFacts(of(graphs), of(here), ["graphs"]), both.join(", "));
  const alone = Object.keys(graphs).filter((role) => !Object.hasOwn(here, role));
  if (alone.length > 0) checks.trusted("manifest.json: graphs", `${alone.join(", ")}: the replay ran no such graph`);
  checks.facts("manifest.json: data", compareFacts(manifest, facts, ["data"]), "by SHA-256");
  checks.facts("manifest.json: shuffle seeds", compareFacts(manifest, facts, ["shuffle seed"]));
  if (validations.length > 0) {
    // That the best checkpoints are kept by validation is no option of a replay, which saves none: the manifest says so.
    const decides = validation !== undefined || validationDecides(trainer);
    const found = decides ? describeLoaders(trainer, validations) : [];
    const differences = compareFacts({ validation: validation ?? [] }, { validation: found }, ["validation"]);
    checks.facts("manifest.json: validation data", differences);
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

/**
 * Graphs that a replay ran, by the roles that they are recorded under: those of evaluations, and of all but a step's first shape, go by the order in which graphs ran. A part of the run meets
 * batches of several shapes in another order, and a trainer may have evaluated other batches before or meanwhile.
 */
function rolesOf(ran: Manifest["graphs"], recorded: Manifest["graphs"]): Manifest["graphs"] {
  const roles = new Map(Object.entries(recorded).map(([role, hash]) => [hash, role]));
  const all = Object.entries(ran);
  const isByOrder = ([role, hash]: [string, string]) => /^eval|Last/.test(role) && roles.has(hash);
  const known = all.filter(isByOrder).map(([, hash]) => [roles.get(hash), hash]);
  // What was recorded of a role is what a replay ran, whatever else ran first.
  return Object.fromEntries([...all.filter((each) => !isByOrder(each)), ...known]);
}

/** The folder's config file, the manifest's config, and the program as it was made again; gives whether the run saves checkpoints. */
function compareConfig(
  folder: string,
  { config }: Recorded["manifest"],
  trainer: TrainerView,
  checks: Checks,
): boolean {
  const own = trainer.options.config;
  if (config !== null && own) {
    const { init } = own.trainer;
    const seeded = { ...own, trainer: { ...own.trainer, init: { ...init, seed: init.seed ?? trainer.seed } } };
    const differences = compareFacts({ config }, { config: toYamlForm(seeded) }, ["config"]);
    // Where a run's folder was is no part of the run: folders move.
    const others = differences.filter(({ what }) => what !== "trainer.init.model_dir");
    checks.facts("config.yaml and manifest.json", others);
    return init.checkpoint !== null;
  }
  const path = `${folder}/config.json`;
  if (!exists(path)) {
    checks.trusted("config.json", "it isn't there");
    return false;
  }
  const read = tryJson(readText(path));
  const described = isRecord(read) ? read : {};
  const program: Record<string, unknown> = JSON.parse(describeOptions(trainer).text);
  // The numbers of parameter groups are among the hyper-parameters; here they may be those that a schedule had come to.
  const leaves = (value: unknown) =>
    Object.fromEntries([...leavesOf(value)].map(([path, leaf]) => [path, unquoted(leaf)]));
  const part = ({ seed, loss, metrics, optimizer, precision, loop }: Record<string, unknown>) =>
    leaves({ seed, loss, metrics, optimizer: isRecord(optimizer) ? optimizer.class : undefined, precision, loop });
  checks.compared(
    "config.json",
    recordDifferences(part(described), part(program)),
    "seed, loss, metrics, optimizer, precision, loop",
  );
  return isRecord(described.checkpoint);
}

/** Compares how the run ended. `cut`: only the recorded end made the replay end there. */
export function compareResult(
  { manifest }: Recorded,
  { trainer, run, validates, cut }: { trainer: TrainerView; run: Run; validates: boolean; cut: boolean },
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
  const named = [...trainer.callbacks.values()].find(({ endsRun, name }) => endsRun && stopped?.startsWith(`${name}:`));
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
