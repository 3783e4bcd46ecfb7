// Programs that were imported for configs, by content. A run's manifest records them; they are no part of the digest: what they make is, through
// the graph's hash.
import type { Manifest } from "./manifest.ts";

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
