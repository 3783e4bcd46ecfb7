// Folders as a whole, for runs that are put into a store and taken from it.
import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";

/** The paths of the files in a folder and in those below it, from the folder on, with `/`, in order; symbolic links are left out. */
export function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** Removes a folder and all in it; one that isn't there is fine. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Makes an empty folder among the system's temporary ones. */
export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), "seedgrad-runner-"));
}

/** Gives a folder another name. */
export function moveFolder(from: string, to: string): void {
  renameSync(from, to);
}
