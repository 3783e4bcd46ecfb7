// A run's folder on its way into the page and out of it: dropped, chosen, or in a zip archive.
import { unzip, type Zippable, zip } from "fflate";
import { DataError } from "../core/errors.ts";
import { contentOf } from "../io/gzip.ts";

/** Files by their paths. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** More than any run's folder that a page can replay. */
const most = 2 ** 30;

/** A zip archive of files, stored as they are: tensors don't get smaller. */
export function zipped(files: Files): Promise<Uint8Array> {
  const input: Zippable = { ...files };
  return new Promise((resolve, reject) => {
    zip(input, { level: 0 }, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

/** The files in a zip archive. Rejects with DataError for what is none, and for one that unpacks to more than 1 GiB. */
export function unzipped(name: string, bytes: Uint8Array): Promise<Files> {
  const fail = (problem: string, got: string, expected: string, cause?: unknown) =>
    new DataError({ where: name, problem, got, expected, cause });
  return new Promise((resolve, reject) => {
    let size = 0;
    const filter = ({ name: path, originalSize }: { name: string; originalSize: number }) => {
      size += originalSize;
      return !path.endsWith("/") && size <= most;
    };
    unzip(bytes, { filter }, (error, files) => {
      if (error) reject(fail("it can't be unpacked", told(error), "a zip archive of a run's folder", error));
      else if (size > most) reject(fail("it is too large for a page", `${size} bytes`, `at most ${most}`));
      else resolve(files);
    });
  });
}

const told = (error: unknown) => (error instanceof Error ? error.message : String(error));

const bytesOf = async (file: File) => new Uint8Array(await file.arrayBuffer());

/** What was given as one thing: an archive, a folder, or a plain file. */
interface Given {
  readonly kind: "archive" | "folder" | "file";
  readonly files: Files;
}

/** A file that was given: the files in it where it is a zip archive, else itself by its path. */
async function givenFile(file: File, path: string): Promise<Given> {
  const bytes = await bytesOf(file);
  if (/\.zip$/i.test(file.name)) return { kind: "archive", files: await unzipped(file.name, bytes) };
  return { kind: "file", files: { [path]: bytes } };
}

/** The runs in what was given at once. Archives and folders are one each; where plain files are among them, these and the folders are the inside of one. */
export function runsAmong(given: readonly Given[]): readonly Files[] {
  if (!given.some(({ kind }) => kind === "file")) return given.map(({ files }) => files);
  const archives = given.filter(({ kind }) => kind === "archive");
  const inside = given.filter(({ kind }) => kind !== "archive");
  return [...archives.map(({ files }) => files), Object.assign({}, ...inside.map(({ files }) => files))];
}

/** A file's bytes; those that it unpacks to where it is gzipped. */
export async function unpacked(file: File): Promise<Uint8Array> {
  return contentOf(file.name, await bytesOf(file));
}

/** What was chosen in a file input: each zip archive, the one folder, or the files of one. */
export async function chosen(list: FileList): Promise<readonly Files[]> {
  return runsAmong(
    await Promise.all(Array.from(list, (file) => givenFile(file, file.webkitRelativePath || file.name))),
  );
}

async function givenEntry(entry: FileSystemEntry): Promise<Given> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return givenFile(file, entry.fullPath.slice(1));
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: Record<string, Uint8Array> = {};
  // A reader gives its entries in lots, an empty one at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return { kind: "folder", files };
    for (const part of await Promise.all(entries.map(givenEntry))) Object.assign(files, part.files);
  }
}

/** What was dropped, as `chosen`; several folders are a run each. To be called while the event is being handled: afterwards it holds nothing. */
export function dropped(items: DataTransferItemList): Promise<readonly Files[]> {
  const things = Array.from(items).flatMap((item) => item.webkitGetAsEntry() ?? item.getAsFile() ?? []);
  const given = things.map((thing) => (thing instanceof File ? givenFile(thing, thing.name) : givenEntry(thing)));
  return Promise.all(given).then(runsAmong);
}

/** A run's folder among files, wherever it lies in them, moved to `folder`. Throws DataError where there is none. */
export function runIn(files: Files, folder: string): Files {
  const manifests = Object.keys(files).filter((path) => /(^|\/)manifest\.json$/.test(path));
  if (manifests.length !== 1) {
    throw new DataError({
      where: "run",
      problem: manifests.length === 0 ? "this is no run's folder" : "several runs are in it",
      got: manifests.length === 0 ? `${Object.keys(files).length} files without manifest.json` : manifests.join(", "),
      expected: "one folder that `fit` wrote, with its manifest.json",
    });
  }
  const base = manifests[0].slice(0, -"manifest.json".length);
  const own = Object.entries(files).filter(([path]) => path.startsWith(base));
  return Object.fromEntries(own.map(([path, bytes]) => [`${folder}/${path.slice(base.length)}`, bytes]));
}
