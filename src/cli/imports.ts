// Programs that a config needs, imported before it is checked: they register the models, loaders and other classes that it names.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../core/errors.ts";
import { importsOf, loadConfig, loadPhases } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import { overridesOf, type RunFlags } from "./flags.ts";

/** Imports each program once: a path is relative to the working folder, anything else a package found from there. Throws ConfigError naming the program. */
export async function importPrograms(names: readonly string[]): Promise<void> {
  for (const name of new Set(names)) {
    try {
      const isPath = /^[./\\]|^[A-Za-z]:/.test(name);
      const file = isPath ? resolve(name) : createRequire(join(process.cwd(), "package.json")).resolve(name);
      await import(pathToFileURL(file).href);
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      throw new ConfigError({
        where: `import ${name}`,
        problem: "the program can't be imported",
        got: String(cause).split("\n")[0],
        hint: "a path begins with ./ and is relative to the working folder; for TypeScript, run with node --import tsx",
        cause,
      });
    }
  }
}

/** The config file that a path means: itself, or the one in a run's folder; undefined where there is none. */
export function configOf(path: string): string | undefined {
  const inFolder = join(path, "config.yaml");
  if (existsSync(inFolder)) return inFolder;
  return /\.ya?ml$/i.test(path) && existsSync(path) ? path : undefined;
}

/** A config from its file, with the flags in place of what it says, after the programs that either wants. */
export async function readConfig(file: string, flags: RunFlags): Promise<Config> {
  await importPrograms([...importsOf(file), ...(flags.import ?? [])]);
  return loadConfig(file, overridesOf(flags));
}

/** As `readConfig`, for a file of one trainer or of several phases. */
export async function readPhases(file: string, flags: RunFlags): Promise<Config[]> {
  await importPrograms([...importsOf(file), ...(flags.import ?? [])]);
  return loadPhases(file, overridesOf(flags));
}
