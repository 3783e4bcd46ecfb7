// The programs imported in this process for configs, as a run's manifest records them: who replays it is told when one has changed since.
import type { ImportedProgram, Manifest } from "../../run/manifest.ts";
import type { RunConfig } from "./options.ts";

/** A program that was imported in this process. */
export interface Import {
  /** Of the file itself, not of what it imports in turn: 64 hex digits. */
  readonly sha256: string;
  /** Where the file is from a folder; undefined for a package, which is found by its name. */
  readonly pathFrom?: (folder: string) => string;
}

const imported = new Map<string, Import>();

/** Notes that a program was imported under a name. */
export function noteImport(name: string, program: Import): void {
  imported.set(name, program);
}

/** What a manifest in `folder` records of a config's programs; undefined where none was imported. */
export function recordedImports({ imports = [] }: Pick<RunConfig, "imports">, folder: string): Manifest["imports"] {
  const known = imports.flatMap((name): [string, ImportedProgram][] => {
    const { sha256, pathFrom } = imported.get(name) ?? {};
    return sha256 === undefined ? [] : [[name, { sha256, ...(pathFrom && { path: pathFrom(folder) }) }]];
  });
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}
