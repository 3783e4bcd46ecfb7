// What the processes of several test files need and takes seconds to make: the first that asks makes it, and the others wait for it.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

/** A folder that `make` fills, once for each run of the tests: it lies in that of the built library, and goes with it. */
export async function once(name: string, make: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(inject("built"), name);
  const unfinished = `${folder}.unfinished`;
  while (!existsSync(folder)) {
    if (mkdirUnless(unfinished)) {
      try {
        if (existsSync(folder)) break;
        await make(unfinished);
        renameSync(unfinished, folder);
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
    } else await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return folder;
}

/** Makes a folder; false where there is one. */
function mkdirUnless(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
