// Programs that were imported for configs, by content. A run's manifest records them; they are no part of the digest: what they make is, through
// the graph's hash.
import type { ImportedProgram, Manifest } from "./manifest.ts";

/** Whether a program is named by its path, and not as a package. */
export function isPath(name: string): boolean {
  return /^[./\\]|^[A-Za-z]:/.test(name);
}

/** The last part of a program's path, by which it is known where it lies elsewhere; a package's name. */
export function programName(name: string): string {
  return isPath(name) ? name.split(/[\\/]/).at(-1)! : name;
}

/** Where programs that are there now aren't those recorded, a sentence each. A program that has moved is known by its content or its file's name. */
export function changedImports(recorded: Manifest["imports"], now: Manifest["imports"] = {}): string[] {
  return Object.entries(recorded ?? {}).flatMap(([name, { sha256 }]) => {
    const programs = Object.entries(now);
    if (programs.some(([, program]) => program.sha256 === sha256)) return [];
    const found = programs.find(([other]) => programName(other) === programName(name));
    const was = `SHA-256 ${sha256.slice(0, 16)}… is recorded`;
    if (!found) return [`${name} wasn't imported: ${was}`];
    return [`${found[0]} has changed since: it is ${found[1].sha256.slice(0, 16)}…, and ${was}`];
  });
}

/** A program that was imported in this process. */
interface Import {
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
export function recordedImports(
  { imports = [] }: { readonly imports?: readonly string[] },
  folder: string,
): Manifest["imports"] {
  const known = imports.flatMap((name): [string, ImportedProgram][] => {
    const { sha256, pathFrom } = imported.get(name) ?? {};
    return sha256 === undefined ? [] : [[name, { sha256, ...(pathFrom && { path: pathFrom(folder) }) }]];
  });
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}
