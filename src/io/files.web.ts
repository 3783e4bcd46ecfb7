// Files where there are none (a browser): the same names as files.node. Once files are mounted they are in memory, to be read and written; before that each
// call is a typed error. What needs no files is there for real.

import { CheckpointError, DataError, refuse } from "../core/errors.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { checkCut } from "./cut.ts";
import type { AppendOptions, FileCalls, FileErrorClass, ProcessPlace } from "./files.node.ts";

export type { AppendOptions, FileCalls, FileErrorClass, ProcessPlace };

/** A file in memory: its bytes as they were written, part after part, and when, by the page's clock. */
interface MemoryFile {
  parts: Uint8Array[];
  written: number;
  /** SHA-256 of the bytes, where whoever gave them knew it. */
  sha256?: string;
}

let files: Map<string, MemoryFile> | undefined;
const folders = new Set<string>();

/** `./runs//a/` is `runs/a`. */
const plain = (path: string): string =>
  path
    .replace(/\/+/g, "/")
    .replace(/^(\.\/)+/, "")
    .replace(/(?<=.)\/$/, "");

/** From now on there are files, in memory: these, by their paths, beside any that were mounted before. `sha256`: of each, where it is known. */
export function mountFiles(added: Readonly<Record<string, Uint8Array>>, sha256?: string): void {
  files ??= new Map();
  for (const [path, bytes] of Object.entries(added))
    files.set(plain(path), { parts: [bytes], written: performance.now(), sha256 });
}

/** SHA-256 of a file's bytes in hex, where it is known without reading them. */
export function knownHash(path: string): string | undefined {
  return files?.get(plain(path))?.sha256;
}

/** The files below a folder as they are now, by their whole paths. Not copies. */
export function mountedFiles(folder: string): Record<string, Uint8Array> {
  const paths = [...(files?.keys() ?? [])].filter((path) => path.startsWith(`${plain(folder)}/`)).sort(compareUtf8);
  return Object.fromEntries(paths.map((path) => [path, whole(files!.get(path)!)]));
}

function mounted(path: string, kind: FileErrorClass): Map<string, MemoryFile> {
  if (files) return files;
  throw new kind({
    where: path,
    problem: "there is no file system here",
    expected: "Node, Bun or Deno",
    hint: "in a browser, fetch the bytes and hand them to the function that takes bytes, or give them to seedgrad/worker as files",
  });
}

function found(path: string, problem: string, kind: FileErrorClass): MemoryFile {
  const file = mounted(path, kind).get(plain(path));
  if (file) return file;
  throw new kind({
    where: path,
    problem,
    got: "ENOENT, no such file among those in memory",
    hint: "name it among the files that are given, by this path",
    cause: { code: "ENOENT" },
  });
}

function whole(file: MemoryFile): Uint8Array {
  if (file.parts.length !== 1) file.parts = [joined(file.parts)];
  return file.parts[0];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Nothing to replace. */
export function replaceFileCalls(_replacements: Partial<FileCalls>): () => void {
  refuse(DataError, "replaceFileCalls", "there is no file system here", undefined, "Node, Bun or Deno");
}

/** As in files.node. */
export const temporarySuffix = ".tmp";

/** As in files.node. */
export function read(path: string, kind: FileErrorClass = DataError): Uint8Array {
  return whole(found(path, "the file can't be read", kind)).slice();
}

/** As in files.node. */
export function readRange(path: string, offset: number, length: number, kind: FileErrorClass = DataError): Uint8Array {
  return whole(found(path, "the file can't be read", kind)).slice(offset, offset + length);
}

/** As in files.node. */
export function readText(path: string, kind: FileErrorClass = DataError): string {
  const bytes = whole(found(path, "the file can't be read", kind));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new kind({ where: path, problem: "the file is not UTF-8 text", got: String(cause), cause });
  }
}

/** Throws. */
export function gunzip(where: string, _bytes: Uint8Array, _most: number): Uint8Array | undefined {
  return gunzipStart(where, _bytes);
}

/** Throws. */
export function gunzipStart(where: string, _bytes: Uint8Array): Uint8Array {
  throw new DataError({
    where,
    problem: "there is no gunzip here that answers at once",
    hint: 'unpack the bytes first: new Response(blob.stream().pipeThrough(new DecompressionStream("gzip")))',
  });
}

/** Throws. */
export function inflate(where: string, _bytes: Uint8Array, _length: number): Uint8Array | undefined {
  return gunzipStart(where, _bytes);
}

/** Whether there is a file in memory, or a folder of some. */
export function exists(path: string): boolean {
  const name = plain(path);
  if (files === undefined) return false;
  return (
    files.has(name) || folders.has(name) || [...files.keys(), ...folders].some((other) => other.startsWith(`${name}/`))
  );
}

/** False: there are no links. */
export function isLink(_path: string): boolean {
  return false;
}

/** As in files.node. */
export function list(path: string, kind: FileErrorClass = DataError): string[] {
  if (!exists(path)) found(path, "the folder can't be read", kind);
  const below = `${plain(path)}/`;
  const paths = [...mounted(path, kind).keys(), ...folders].filter((other) => other.startsWith(below));
  return [...new Set(paths.map((other) => other.slice(below.length).split("/")[0]))].sort(compareUtf8);
}

/** As in files.node. */
export function size(path: string, kind: FileErrorClass = DataError): number {
  return found(path, "the file can't be read", kind).parts.reduce((sum, { length }) => sum + length, 0);
}

/** As in files.node. */
export function makeDirectory(path: string, kind: FileErrorClass = CheckpointError): void {
  mounted(path, kind);
  folders.add(plain(path));
}

/** As in files.node. */
export function remove(path: string, kind: FileErrorClass = CheckpointError): void {
  mounted(path, kind).delete(plain(path));
}

/** As in files.node. */
export function append(
  path: string,
  bytes: Uint8Array,
  { create = true, kind = CheckpointError }: AppendOptions = {},
): void {
  if (create && !mounted(path, kind).has(plain(path))) writeAtomic(path, [], kind);
  const file = found(path, "the file can't be added to", kind);
  file.parts.push(bytes.slice());
  file.written = performance.now();
  file.sha256 = undefined;
}

/** As in files.node. */
export function truncate(path: string, length: number, kind: FileErrorClass = CheckpointError): void {
  const file = found(path, "the file can't be cut", kind);
  checkCut(path, length, size(path, kind), kind);
  file.parts = [whole(file).slice(0, length)];
  file.sha256 = undefined;
}

/** As in files.node. */
export function create(path: string, bytes: Uint8Array, kind: FileErrorClass = CheckpointError): boolean {
  if (mounted(path, kind).has(plain(path))) return false;
  writeAtomic(path, bytes, kind);
  return true;
}

/** As in files.node: whoever reads the path finds the old content or the new one. */
export function writeAtomic(
  path: string,
  bytes: Uint8Array | Iterable<Uint8Array>,
  kind: FileErrorClass = CheckpointError,
): void {
  const parts = bytes instanceof Uint8Array ? [bytes.slice()] : Array.from(bytes, (part) => part.slice());
  mounted(path, kind).set(plain(path), { parts, written: performance.now() });
}

/** The only process is this page or worker. */
export function processIdentity(pid: number): string | undefined {
  return files && pid === 1 ? "running" : undefined;
}

/** This page or worker: nobody else has its files. */
export function thisProcess(): { pid: number; started: string } {
  mounted("process", CheckpointError);
  return { pid: 1, started: "running" };
}

/** This page or worker. */
export function thisPlace(): ProcessPlace {
  mounted("process", CheckpointError);
  return { host: "page", boot: "", namespace: "" };
}

/** As in files.node, by the page's own clock. */
export function modifiedAt(path: string): number | undefined {
  return files?.get(plain(path))?.written;
}

/** As in files.node. */
export function refresh(path: string, bytes: Uint8Array): boolean {
  const file = files?.get(plain(path));
  if (!file || size(path) !== bytes.length || !bytes.every((byte, i) => byte === whole(file)[i])) return false;
  file.written = performance.now();
  return true;
}

/** What runs this, as far as a browser says. */
export function machine(): Record<string, string | number> {
  const { navigator } = globalThis;
  return navigator?.userAgent === undefined ? {} : { engine: navigator.userAgent };
}

/** Undefined: no packages are installed. */
export function packageModule(_name: string): unknown {
  return undefined;
}

/** Where an npm package's files are in memory: `node_modules/NAME`, if any of them are. */
export function packageFolder(name: string): string | undefined {
  const folder = `node_modules/${name}`;
  return exists(folder) ? folder : undefined;
}

/** Where a folder that comes with this package is in memory, by its path in the sources, if any of its files are. */
export function ownFolder(path: string): string | undefined {
  const folder = `node_modules/seedgrad/${path}`;
  return exists(folder) ? folder : undefined;
}
