// Files where there are none (a browser): the same names as files.node, each a typed error. What needs no files is there for real.
import { CheckpointError, DataError } from "../core/errors.ts";
import type { AppendOptions, FileCalls, FileErrorClass, ProcessPlace } from "./files.node.ts";

export type { AppendOptions, FileCalls, FileErrorClass, ProcessPlace };

function none(path: string, kind: FileErrorClass): never {
  throw new kind({
    where: path,
    problem: "there is no file system here",
    expected: "Node, Bun or Deno",
    hint: "in a browser, fetch the bytes and hand them to the function that takes bytes",
  });
}

/** Nothing to replace. */
export function replaceFileCalls(_replacements: Partial<FileCalls>): () => void {
  return none("replaceFileCalls", DataError);
}

/** As in files.node. */
export const temporarySuffix = ".tmp";

/** Throws. */
export function read(path: string, kind: FileErrorClass = DataError): Uint8Array {
  return none(path, kind);
}

/** Throws. */
export function readRange(
  path: string,
  _offset: number,
  _length: number,
  kind: FileErrorClass = DataError,
): Uint8Array {
  return none(path, kind);
}

/** Throws. */
export function readText(path: string, kind: FileErrorClass = DataError): string {
  return none(path, kind);
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

/** False: there are no files. */
export function exists(_path: string): boolean {
  return false;
}

/** False: there are no files. */
export function isLink(_path: string): boolean {
  return false;
}

/** Throws. */
export function list(path: string, kind: FileErrorClass = DataError): string[] {
  return none(path, kind);
}

/** Throws. */
export function size(path: string, kind: FileErrorClass = DataError): number {
  return none(path, kind);
}

/** Throws. */
export function makeDirectory(path: string, kind: FileErrorClass = CheckpointError): void {
  none(path, kind);
}

/** Throws. */
export function remove(path: string, kind: FileErrorClass = CheckpointError): void {
  none(path, kind);
}

/** Throws. */
export function append(path: string, _bytes: Uint8Array, { kind = CheckpointError }: AppendOptions = {}): void {
  none(path, kind);
}

/** Throws. */
export function truncate(path: string, _length: number, kind: FileErrorClass = CheckpointError): void {
  none(path, kind);
}

/** Throws. */
export function create(path: string, _bytes: Uint8Array, kind: FileErrorClass = CheckpointError): boolean {
  return none(path, kind);
}

/** Throws. */
export function writeAtomic(
  path: string,
  _bytes: Uint8Array | Iterable<Uint8Array>,
  kind: FileErrorClass = CheckpointError,
): void {
  none(path, kind);
}

/** Undefined: there are no processes. */
export function processIdentity(_pid: number): string | undefined {
  return undefined;
}

/** Throws. */
export function thisProcess(): { pid: number; started: string } {
  return none("process", CheckpointError);
}

/** Throws. */
export function thisPlace(): ProcessPlace {
  return none("process", CheckpointError);
}

/** Undefined: there are no files. */
export function modifiedAt(_path: string): number | undefined {
  return undefined;
}

/** False: there are no files. */
export function refresh(_path: string, _bytes: Uint8Array): boolean {
  return false;
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

/** Undefined: no packages are installed. */
export function packageFolder(_name: string): string | undefined {
  return undefined;
}
