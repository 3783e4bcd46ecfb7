// One run of a sweep, as a machine that has never heard of it is given it: the resolved config, and what the bits depend on beside it. Pure data, without anything of who gave it or of how to get at queue and store.
import { ConfigError, DataError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import type { DataLoader } from "../data/loader.ts";
import { checkFields, type FieldCheck, isHash, isText, listOf, maybe, recordOf } from "../run/fields.ts";
import { recordedImports } from "../run/programs.ts";
import { loaders } from "../train/config/families.ts";
import { fitValidations } from "../train/config/loaders.ts";
import { parseConfig, parsePhases } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";

/** A run to be made. */
export interface Job {
  readonly format: 1;
  /** The run's: 16 hex digits, of its config's hash. */
  readonly name: string;
  readonly numericsId: string;
  /** The resolved config as YAML. */
  readonly config: string;
  /** SHA-256 by name, of the training loader's data and then of each validation loader's. */
  readonly data: readonly Readonly<Record<string, string>>[];
  /** SHA-256 of the programs that the config's classes come from, by the names it has for them. */
  readonly imports?: Readonly<Record<string, string>>;
}

const checks: Readonly<Record<keyof Job, FieldCheck>> = {
  format: ["1", (value) => value === 1],
  name: ["16 hex digits", isRunName],
  numericsId: ["a string", isText],
  config: ["a config as YAML", isText],
  data: ["for each loader, SHA-256 by name", listOf(recordOf(isHash))],
  imports: ["SHA-256 by name", maybe(recordOf(isHash))],
};

/** How a job ends that isn't done: not begun, for a reason of this machine; stopped, to be resumed; by an error of its own, which it would have anywhere; or by an accident. */
export type Unmade =
  | { readonly type: "unfit"; readonly why: string }
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly error: Error }
  | { readonly type: "crashed"; readonly how: string };

/** Whether a text is a run's name: it is part of paths. */
export function isRunName(value: unknown): value is string {
  return isText(value) && /^[0-9a-f]{16}$/.test(value);
}

/** Checks what a queue held. Throws CheckpointError naming `where` and the field. */
export function checkJob(where: string, value: unknown): Job {
  checkFields(where, "a job", value, checks);
  return value as Job;
}

const digestsOf = (all: readonly DataLoader[]): Job["data"] => all.map(({ digests }) => ({ ...digests }));

/** The loaders that a config trains and validates with. Throws DataError where their data isn't there. */
function loadersOf({ trainer }: Config): readonly DataLoader[] {
  const train = loaders.make(trainer.fit!.trainDataloader);
  return [train, ...fitValidations(trainer.fit!, train)];
}

/** Makes jobs of planned runs; data that several have in common are read once. Throws DataError where this machine lacks them: nothing else says which they are; ConfigError for a run of several phases. */
export function jobsOf(runs: readonly { readonly name: string; readonly config: string }[]): Job[] {
  const known = new Map<string, Job["data"]>();
  return runs.map(({ name, config: text }) => {
    const [config, ...others] = parsePhases(text, name);
    if (others.length > 0) {
      throw new ConfigError({
        where: `run ${name}`,
        problem:
          "a queue holds runs of one trainer, and this one has phases, each a run that begins with the weights of the one before",
        got: `${others.length + 1} phases`,
        hint: "make it without --queue: on this machine, or by --emit",
      });
    }
    const key = JSON.stringify(config.trainer.fit, (_, value) => (typeof value === "bigint" ? String(value) : value));
    const data = known.get(key) ?? digestsOf(loadersOf(config));
    known.set(key, data);
    const programs = Object.entries(recordedImports(config, ".") ?? {});
    const imports = Object.fromEntries(programs.map(([program, { sha256 }]) => [program, sha256]));
    return { format: 1, name, numericsId, config: text, data, ...(programs.length > 0 && { imports }) };
  });
}

/** Why this version can't make a job's run, whatever is installed; undefined where it may. */
export function foreignNumerics(job: Job): string | undefined {
  if (job.numericsId === numericsId) return undefined;
  return `its numerics id is ${numericsId}, the job's is ${job.numericsId}`;
}

/** A job that this machine can't do, and that another may. */
export class Unfit extends Error {}

/** The config of a job, in a folder; `programs`: those that were imported here. Throws Unfit with the reason where this machine lacks a program or the data, or has others. */
export function configFor(job: Job, folder: string, programs: readonly string[]): Config {
  const foreign = foreignNumerics(job);
  if (foreign !== undefined) throw new Unfit(foreign);
  const here = new Map(
    Object.entries(recordedImports({ imports: [...programs] }, ".") ?? {}).map(([name, { sha256 }]) => [sha256, name]),
  );
  const imports = Object.entries(job.imports ?? {}).map(([name, sha256]) => {
    const found = here.get(sha256);
    if (found === undefined) throw new Unfit(`it has no program ${name}, SHA-256 ${sha256}: --import PATH`);
    return found;
  });
  const { imports: _, ...config } = parseConfig(job.config, `job ${job.name}`, { modelDir: folder });
  const data = attempted(config);
  for (const [i, wanted] of job.data.entries()) {
    for (const [name, sha256] of Object.entries(wanted)) {
      const found = data[i]?.[name];
      if (found === sha256) continue;
      throw new Unfit(
        found === undefined ? `it has no ${name}` : `it has another ${name}: SHA-256 ${found}, the job's is ${sha256}`,
      );
    }
  }
  return imports.length > 0 ? { imports, ...config } : config;
}

function attempted(config: Config): Job["data"] {
  try {
    return digestsOf(loadersOf(config));
  } catch (error) {
    if (error instanceof DataError || error instanceof ConfigError)
      throw new Unfit(`it lacks the data: ${error.message}`);
    throw error;
  }
}
