// Programs that a config needs, imported before it is checked: they register the models, loaders and other classes that it names. A run's manifest
// says where they were and what they held, so that a run can be checked from elsewhere. A run's folder may come from a stranger: the programs that it
// names run only if the user says so.
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256Hex } from "../core/canonical.ts";
import { ConfigError } from "../core/errors.ts";
import { type ImportedProgram, type Manifest, readManifest } from "../run/manifest.ts";
import { changedImports, isPath, noteImport, programName } from "../run/programs.ts";
import { importsOf, loadConfig, loadPhases } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import { messages } from "./command.ts";
import { type ImportFlags, overridesOf, type RunFlags } from "./flags.ts";

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
  const before = [...imported.values()];
  const hint =
    before.length > 0
      ? `${before.join(", ")} ran before it: of two versions of a program only one can be imported at a time`
      : cause.hint;
  return new ConfigError({ ...cause, position: undefined, where: `import ${name}: ${cause.where}`, hint, cause });
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
 * Imports what a config file, and `--import`, want. In a run's folder (`run`, where the user named the folder and not the file) `--import` is in place of what the run's config names, which is imported only with
 * `--trust-imports`; a program that isn't the one that the run was made with is warned of by name. Returns the names that are wanted now. Throws ConfigError,
 * with the path and SHA-256 of what would run, where a folder's own programs aren't trusted.
 */
export async function importFor(
  file: string,
  { import: given = [], trustImports = false }: ImportFlags,
  run = runOf(file),
): Promise<readonly string[]> {
  const own = importsOf(file);
  if (run === undefined) {
    const names = [...new Set([...own, ...given])];
    await importPrograms(names);
    return names;
  }
  const manifest = join(run, "manifest.json");
  const recorded = existsSync(manifest) ? readManifest(manifest).imports : undefined;
  const names = given.length > 0 ? given : own;
  if (given.length === 0 && own.length > 0 && !trustImports) throw untrusted(run, own, recorded);
  const now: Record<string, ImportedProgram> = {};
  for (const name of new Set(names))
    now[name] = await importProgram(name, given.length > 0 ? undefined : run, recordedAs(recorded, name));
  for (const changed of changedImports(recorded, now))
    messages.logMessage?.("warn", `warning: ${run} was made with another program: ${changed}`);
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
    const same = given.find((other) => now[other].sha256 === recordedAs(recorded, name)?.sha256);
    const found = same ?? given.find((other) => programName(other) === programName(name));
    if (found !== undefined) noteImport(name, now[found]);
  }
}

/** How many programs a refusal lists. */
const mostListed = 4;

/** The error for a folder that names programs which its user hasn't allowed. */
function untrusted(run: string, own: readonly string[], recorded: Manifest["imports"]): ConfigError {
  const programs = [...new Set(own)].map((name) => `${name}: ${described(name, run, recorded)}`);
  const rest = programs.length - mostListed;
  return new ConfigError({
    where: run,
    problem: "the folder names programs, and what a folder brings along runs only if you say so",
    got: [...programs.slice(0, mostListed), ...(rest > 0 ? [`${rest} more`] : [])].join("; "),
    hint: "read them; --trust-imports runs them, --import PATH runs a program of yours instead",
  });
}

/** The file that would run for a name, and its SHA-256. */
function described(name: string, run: string, recorded: Manifest["imports"]): string {
  let file = name;
  try {
    file = fileOf(name, run, recordedAs(recorded, name));
    if (!statSync(file).isFile()) return `${file}, not a file`;
    return `${file}, SHA-256 ${sha256Hex(readFileSync(file))}`;
  } catch {
    return `${file}, not there`;
  }
}

const recordedAs = (recorded: Manifest["imports"], name: string): ImportedProgram | undefined =>
  recorded !== undefined && Object.hasOwn(recorded, name) ? recorded[name] : undefined;

/** What only a run's folder holds. */
const runFiles = ["manifest.json", "chain.bin", "checkpoints"];

/** The run's folder that a config lies in; undefined for a config of the user's own. */
function runOf(file: string): string | undefined {
  const paths = existsSync(file) ? [file, realpathSync(file)] : [file];
  return paths.map(dirname).find((folder) => runFiles.some((name) => existsSync(join(folder, name))));
}

/** The config file that a path means: itself, or the one in a run's folder; undefined where there is none. */
export function configOf(path: string): string | undefined {
  const inFolder = join(path, "config.yaml");
  if (existsSync(inFolder)) return inFolder;
  return /\.ya?ml$/i.test(path) && existsSync(path) ? path : undefined;
}

/** A config from its file (in `folder`, where the user named that), with the flags in place of what it says, after the programs that either wants. */
export async function readConfig(file: string, flags: RunFlags, folder?: string): Promise<Config> {
  const imports = await importFor(file, flags, folder);
  return withImports(loadConfig(file, overridesOf(flags)), imports);
}

/** As `readConfig`, for a file of one trainer or of several phases. */
export async function readPhases(file: string, flags: RunFlags): Promise<Config[]> {
  const imports = await importFor(file, flags);
  return loadPhases(file, overridesOf(flags)).map((config) => withImports(config, imports));
}

/** The config with the programs that it was read with: those are saved with a run. */
function withImports({ imports: _, ...config }: Config, imports: readonly string[]): Config {
  return imports.length > 0 ? { imports: [...imports], ...config } : config;
}
