// Data that an npm package brings: found from the working folder, and refused unless its bytes are the published ones.
import { exists, gunzip, packageFolder, read } from "#files";
import { sha256Hex } from "../core/canonical.ts";
import { DataError } from "../core/errors.ts";

/** An npm package at the version whose bytes are known. */
export interface DataPackage {
  readonly name: string;
  readonly version: string;
}

const install = ({ name, version }: DataPackage) => `npm install --save-dev ${name}@${version}`;

/** The folder of the files: as given, or `data` in the npm package found from the working folder. Throws DataError where that isn't installed; `files` says what the folder should hold. */
export function dataFolder(where: string, source: DataPackage, files: string, directory?: string): string {
  if (directory !== undefined) return directory;
  const found = packageFolder(source.name);
  if (found !== undefined) return `${found}/data`;
  throw new DataError({
    where,
    problem: `the npm package ${source.name} isn't installed here`,
    hint: `${install(source)}, or give the folder of ${files} as directory`,
  });
}

/** Larger than any file that a package brings. */
const most = 2 ** 30;

function unpacked(path: string): Uint8Array {
  const bytes = gunzip(path, read(path), most);
  if (bytes) return bytes;
  throw new DataError({
    where: path,
    problem: "it unpacks to more than any published file",
    expected: `at most ${most} bytes`,
  });
}

/** A file's bytes; where it lies there gzipped, with `.gz`, those it unpacks to. Throws DataError where it is missing, or its SHA-256 is another than published. */
export function readPublished(path: string, source: DataPackage, sha256: string): Uint8Array {
  const bytes = exists(path) ? read(path) : exists(`${path}.gz`) ? unpacked(`${path}.gz`) : undefined;
  if (!bytes)
    throw new DataError({ where: path, problem: "the file isn't there", hint: `${install(source)} brings it` });
  const got = sha256Hex(bytes);
  if (got === sha256) return bytes;
  throw new DataError({
    where: path,
    problem: "these aren't the published bytes",
    got: `SHA-256 ${got}`,
    expected: sha256,
    hint: `the file was changed or cut off: install ${source.name} again`,
  });
}
