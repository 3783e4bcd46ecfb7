// Programs that a config needs, imported before it is checked: they register the models, loaders and other classes that it names. A run's manifest
// says where they were and what they held, so that a run can be checked from elsewhere.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../core/errors.ts";
import { sha256Hex } from "../io/files.node.ts";
import { type ImportedProgram, type Manifest, readManifest } from "../run/manifest.ts";
import { changedImports, isPath, noteImport, programName } from "../train/config/imports.ts";
import { importsOf, loadConfig, loadPhases } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import { overridesOf, type RunFlags } from "./flags.ts";

/** Files imported so far, by SHA-256: a copy of one registers nothing new. */
const imported = new Map<string, string>();

/** Imports a program once: a path is relative to the working folder, anything else a package found from there. Where a run recorded where it was, and what, it is looked for there too. Throws ConfigError naming the program. */
async function importProgram(name: string, run?: string, recorded?: ImportedProgram): Promise<ImportedProgram> {
  try {
    const file = fileOf(name, run, recorded);
    const sha256 = sha256Hex(readFileSync(file));
    if (!imported.has(sha256)) await import(pathToFileURL(file).href);
    imported.set(sha256, file);
    const pathFrom = (folder: string) => relative(folder, file).split(sep).join("/");
    noteImport(name, { sha256, ...(isPath(name) && { pathFrom }) });
    return { sha256 };
  } catch (cause) {
    if (cause instanceof ConfigError) throw refused(name, cause);
    throw new ConfigError({
      where: `import ${name}`,
      problem: "the program can't be imported",
      got: String(cause).split("\n")[0],
      hint:
        run === undefined
          ? "a path begins with ./ and is relative to the working folder; for TypeScript, run with node --import tsx"
          : `${run} was made with it: where it lies elsewhere now, give --import PATH`,
      cause,
    });
  }
}

/** What a program was refused for while it ran: mostly a name that is taken. */
function refused(name: string, cause: ConfigError): ConfigError {
  const { where, problem, got, expected } = cause;
  const before = [...imported.values()];
  const hint =
    before.length > 0
      ? `${before.join(", ")} ran before it: of two versions of a program only one can be imported at a time`
      : cause.hint;
  return new ConfigError({ where: `import ${name}: ${where}`, problem, got, expected, hint, cause });
}

/** The file of a program: where it was from the run's folder, or else where it is from the working folder; of two, the one that holds what was recorded. */
function fileOf(name: string, run: string | undefined, recorded: ImportedProgram | undefined): string {
  if (!isPath(name)) return createRequire(join(process.cwd(), "package.json")).resolve(name);
  const places = [resolve(name)];
  if (run !== undefined && recorded?.path !== undefined) places.unshift(resolve(run, recorded.path));
  const there = places.filter((place) => existsSync(place));
  return there.find((place) => sha256Hex(readFileSync(place)) === recorded?.sha256) ?? there[0] ?? resolve(name);
}

/** Imports programs by name, each once. */
export async function importPrograms(names: readonly string[]): Promise<void> {
  for (const name of new Set(names)) await importProgram(name);
}

/**
 * Imports what a config file, and `--import`, want. In a run's folder `--import` is in place of what the run's config names, and a program that isn't the one
 * that the run was made with is warned of by name. Returns the names that are wanted now.
 */
export async function importFor(file: string, given: readonly string[] = []): Promise<readonly string[]> {
  const own = importsOf(file);
  const run = runOf(file);
  if (run === undefined) {
    const names = [...new Set([...own, ...given])];
    await importPrograms(names);
    return names;
  }
  const { imports: recorded } = readManifest(join(run, "manifest.json"));
  const names = given.length > 0 ? given : own;
  const now: Record<string, ImportedProgram> = {};
  for (const name of new Set(names))
    now[name] = await importProgram(name, given.length > 0 ? undefined : run, recorded?.[name]);
  for (const changed of changedImports(recorded, now))
    process.stderr.write(`warning: ${run} was made with another program: ${changed}\n`);
  if (given.length > 0) standIn(own, given, recorded, now);
  return names;
}

/** Programs given stand for those that the run's config names: by content, or by the file's name. */
function standIn(
  own: readonly string[],
  given: readonly string[],
  recorded: Manifest["imports"],
  now: Readonly<Record<string, ImportedProgram>>,
): void {
  for (const name of own) {
    const same = given.find((other) => now[other].sha256 === recorded?.[name]?.sha256);
    const found = same ?? given.find((other) => programName(other) === programName(name));
    if (found !== undefined) noteImport(name, now[found]);
  }
}

/** The run's folder that a config lies in, if it is a run's own. */
function runOf(file: string): string | undefined {
  const folder = dirname(file);
  return basename(file) === "config.yaml" && existsSync(join(folder, "manifest.json")) ? folder : undefined;
}

/** The config file that a path means: itself, or the one in a run's folder; undefined where there is none. */
export function configOf(path: string): string | undefined {
  const inFolder = join(path, "config.yaml");
  if (existsSync(inFolder)) return inFolder;
  return /\.ya?ml$/i.test(path) && existsSync(path) ? path : undefined;
}

/** A config from its file, with the flags in place of what it says, after the programs that either wants. */
export async function readConfig(file: string, flags: RunFlags): Promise<Config> {
  const imports = await importFor(file, flags.import);
  return withImports(loadConfig(file, overridesOf(flags)), imports);
}

/** As `readConfig`, for a file of one trainer or of several phases. */
export async function readPhases(file: string, flags: RunFlags): Promise<Config[]> {
  const imports = await importFor(file, flags.import);
  return loadPhases(file, overridesOf(flags)).map((config) => withImports(config, imports));
}

/** The config with the programs that it was read with: those are saved with a run. */
function withImports({ imports: _, ...config }: Config, imports: readonly string[]): Config {
  return imports.length > 0 ? { imports: [...imports], ...config } : config;
}
