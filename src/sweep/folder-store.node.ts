// A shared folder as a store: a file for each key. Several machines may write one key at once, so each writes a file of its own, flushes it, and renames it.
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CheckpointError } from "../core/errors.ts";
import { makeDirectory } from "../io/files.node.ts";
import { drawSeed } from "../rng/stream.ts";
import type { Store } from "./store.ts";

/** What a file is called while it is written: no key begins so. */
const writing = ".writing-";

/** The store in a folder, which is made with the first key. */
export function folderStore(folder: string): Store {
  const root = resolve(folder);
  const where = `file:${root}`;
  const attempt = async <T>(problem: string, key: string, body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (cause) {
      throw new CheckpointError({ where: `${where}/${key}`, problem, got: String(cause), cause });
    }
  };
  const unlessGone = async <T>(body: Promise<T>): Promise<T | undefined> => {
    try {
      return await body;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  };
  return {
    where,
    get: (key) => attempt("the store can't be read", key, () => unlessGone(readFile(join(root, key)))),
    put: (key, bytes) =>
      attempt("the store can't be written", key, async () => {
        const path = join(root, key);
        makeDirectory(dirname(path));
        const temporary = join(dirname(path), `${writing}${drawSeed()}`);
        try {
          const file = await open(temporary, "wx");
          try {
            await file.writeFile(bytes);
            await file.sync();
          } finally {
            await file.close();
          }
          await rename(temporary, path);
        } finally {
          await rm(temporary, { force: true });
        }
      }),
    list: (prefix) =>
      attempt("the store can't be read", prefix, async () => {
        const found = (await unlessGone(readdir(join(root, prefix), { recursive: true, withFileTypes: true }))) ?? [];
        return found
          .filter((entry) => entry.isFile() && !entry.name.startsWith(writing))
          .map((entry) =>
            join(entry.parentPath, entry.name)
              .slice(root.length + 1)
              .replaceAll("\\", "/"),
          )
          .sort();
      }),
    remove: (key) => attempt("the store can't be written", key, () => rm(join(root, key), { force: true })),
  };
}
