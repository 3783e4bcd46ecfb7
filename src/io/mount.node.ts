// Files given in memory, for `#files`: where there is a file system nobody needs them.
import { DataError } from "../core/errors.ts";

/** Throws DataError: files are on the disk here, where they can be read by their paths. */
export function mountFiles(added: Readonly<Record<string, Uint8Array>>, _sha256?: string): void {
  const [first] = Object.keys(added);
  if (first === undefined) return;
  throw new DataError({
    where: first,
    problem: "files aren't given in memory where there is a file system",
    hint: "write it to the disk, and name its path",
  });
}

/** Undefined: nobody says it of a file on the disk. */
export function knownHash(_path: string): string | undefined {
  return undefined;
}

/** Throws DataError: as `mountFiles`. */
export function mountedFiles(folder: string): Record<string, Uint8Array> {
  throw new DataError({ where: folder, problem: "the folder is on the disk", hint: "read its files there" });
}
