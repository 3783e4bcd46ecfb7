// Files where there is node:fs (Node, Bun, Deno), behind the condition `#files`. Synchronous: a run's files are written in order, between
// steps, and nothing else may happen meanwhile. Every failure is a typed error that names the path; a failed write loses nothing old.
import { constants as buffers } from "node:buffer";
import * as fs from "node:fs";
import * as os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as zlib from "node:zlib";
import { CheckpointError, DataError, type SeedgradError } from "../core/errors.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { checkCut, type FileErrorClass } from "./cut.ts";

export { knownHash, mountedFiles, mountFiles } from "./mount.node.ts";
export { ownFolder, packageFolder, packageModule } from "./packages.node.ts";
export { type ProcessPlace, processIdentity, thisPlace, thisProcess } from "./process.node.ts";
export type { FileErrorClass };

/** The calls under every write, so that a test can make one of them fail. */
export type FileCalls = Pick<
  typeof fs,
  "mkdirSync" | "openSync" | "writeSync" | "fsyncSync" | "closeSync" | "renameSync" | "rmSync" | "ftruncateSync"
>;

let calls: FileCalls = fs;

/** Puts other calls under every write (a full disk, a short write) and returns what puts the old ones back. For tests. */
export function replaceFileCalls(replacements: Partial<FileCalls>): () => void {
  const before = calls;
  calls = { ...before, ...replacements };
  return () => {
    calls = before;
  };
}

/** What `writeAtomic` adds to a path for its temporary file: a name that ends so is a write cut off, and never loaded. */
export const temporarySuffix = ".tmp";

const reasons: Record<string, string> = {
  ENOENT: "no such file or folder",
  EACCES: "no permission",
  EPERM: "not permitted",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is not a folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the device failed",
  EFBIG: "the file would be too large",
  ELOOP: "it is a symbolic link, which isn't written through",
};

function failure(path: string, problem: string, cause: unknown, kind: FileErrorClass): SeedgradError {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return new kind({
    where: path,
    problem,
    got: reasons[code] ? `${code}, ${reasons[code]}` : String(cause),
    hint:
      code === "ENOSPC" || code === "EDQUOT"
        ? "free some space and run again; what was there before is unchanged"
        : undefined,
    cause,
  });
}

function attempt<T>(path: string, problem: string, kind: FileErrorClass, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw failure(path, problem, cause, kind);
  }
}

/** A whole file's bytes. */
export function read(path: string, kind: FileErrorClass = DataError): Uint8Array {
  const buffer = attempt(path, "the file can't be read", kind, () => fs.readFileSync(path));
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** The bytes of a file from `offset` on: `length` of them, or fewer where it ends before. */
export function readRange(path: string, offset: number, length: number, kind: FileErrorClass = DataError): Uint8Array {
  let bytes = new Uint8Array(0);
  let done = 0;
  attempt(path, "the file can't be read", kind, () =>
    withDescriptor(path, "r", (descriptor) => {
      // No more memory than there are bytes: a length may be what a file says of itself.
      bytes = new Uint8Array(Math.max(0, Math.min(length, fs.fstatSync(descriptor).size - offset)));
      for (let got = -1; got !== 0 && done < bytes.length; done += got)
        got = fs.readSync(descriptor, bytes, done, bytes.length - done, offset + done);
    }),
  );
  return bytes.subarray(0, done);
}

/** A whole file as text; bytes that aren't UTF-8 are an error. A byte order mark is dropped. */
export function readText(path: string, kind: FileErrorClass = DataError): string {
  const bytes = read(path, kind);
  return attempt(path, "the file is not UTF-8 text", kind, () =>
    new TextDecoder("utf-8", { fatal: true }).decode(bytes),
  );
}

/** The beginning of what gzipped bytes hold: what their first 4 KiB give, at most 4 MiB. Throws DataError with `where` for damaged bytes. */
export function gunzipStart(where: string, bytes: Uint8Array): Uint8Array {
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  return attempt(where, damagedGzip, DataError, () => zlib.gunzipSync(bytes.subarray(0, 4096), { finishFlush }));
}

/** What gzipped bytes hold; undefined where that is more than `most` bytes, and then no more memory was taken. Throws DataError with `where` for damaged bytes. */
export const gunzip = (where: string, bytes: Uint8Array, most: number): Uint8Array | undefined =>
  unpack(where, zlib.gunzipSync, bytes, most);

/** As `gunzip`, of deflated bytes without a header, as a zip archive has them. */
export const inflate = (where: string, bytes: Uint8Array, most: number): Uint8Array | undefined =>
  unpack(where, zlib.inflateRawSync, bytes, most);

function unpack(where: string, call: typeof zlib.gunzipSync, bytes: Uint8Array, most: number): Uint8Array | undefined {
  return attempt(where, damagedGzip, DataError, () => {
    try {
      return call(bytes, { maxOutputLength: Math.max(1, Math.min(most, buffers.MAX_LENGTH)) });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return undefined;
      throw cause;
    }
  });
}

const damagedGzip = "the file is damaged: its packed data can't be unpacked";

/** Whether there is a file or folder of that name. */
export function exists(path: string): boolean {
  return fs.existsSync(path);
}

/** The names in a folder, sorted by their UTF-8 bytes. */
export function list(path: string, kind: FileErrorClass = DataError): string[] {
  return attempt(path, "the folder can't be read", kind, () => fs.readdirSync(path)).sort(compareUtf8);
}

/** A file's length in bytes. */
export function size(path: string, kind: FileErrorClass = DataError): number {
  return attempt(path, "the file can't be read", kind, () => fs.statSync(path).size);
}

/** Makes a folder and those above it; one that is there is fine. */
export function makeDirectory(path: string, kind: FileErrorClass = CheckpointError): void {
  attempt(path, "the folder can't be made", kind, () => makeFolders(path));
}

/** Node's own recursive mkdir never ends where a file system refuses a folder as if the one above were missing, as /proc does. Others may make the same folders meanwhile. */
function makeFolders(path: string): void {
  try {
    makeFolder(path);
  } catch (cause) {
    const above = dirname(path);
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT" || above === path) throw cause;
    makeFolders(above);
    makeFolder(path);
  }
}

function makeFolder(path: string): void {
  try {
    calls.mkdirSync(path);
  } catch (cause) {
    if (!fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw cause;
  }
}

/** Removes a file; one that isn't there is fine. A folder is an error, and of a symbolic link the link alone goes. */
export function remove(path: string, kind: FileErrorClass = CheckpointError): void {
  attempt(path, "it can't be removed", kind, () => calls.rmSync(path, { force: true }));
}

/** Whether a path is a symbolic link itself. */
export function isLink(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += calls.writeSync(descriptor, bytes, done, bytes.length - done);
}

const { O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_WRONLY, O_NOFOLLOW = 0 } = fs.constants;
/** How files are opened for writing: whoever put a symbolic link into a run's folder doesn't choose what is written to. */
const opened = {
  read: "r",
  append: O_WRONLY | O_APPEND | O_NOFOLLOW,
  create: O_CREAT,
  change: O_RDWR | O_NOFOLLOW,
  make: O_WRONLY | O_CREAT | O_EXCL,
} as const;

/** Opens, runs `body`, closes whatever happens; the first failure is the one that is thrown. */
function withDescriptor(path: string, flags: string | number, body: (descriptor: number) => void): void {
  const descriptor = calls.openSync(path, flags);
  let failed = true;
  try {
    body(descriptor);
    failed = false;
  } finally {
    try {
      calls.closeSync(descriptor);
    } catch (error) {
      // biome-ignore lint/correctness/noUnsafeFinally: a close that fails after a good write is the first failure
      if (!failed) throw error;
    }
  }
}

/** Runs a clean-up whose own failure must not hide the error that led to it. */
function quietly(body: () => void): void {
  try {
    body();
  } catch {}
}

export interface AppendOptions {
  /** Waits until the bytes, and the file's name, are on the disk. */
  readonly flush?: boolean;
  /** Whether a file that isn't there is made; where not, it is an error. */
  readonly create?: boolean;
  readonly kind?: FileErrorClass;
}

/** Adds bytes at a file's end. A failed append is taken back. */
export function append(
  path: string,
  bytes: Uint8Array,
  { flush = false, create = true, kind = CheckpointError }: AppendOptions = {},
): void {
  attempt(path, "the file can't be added to", kind, () =>
    withDescriptor(path, opened.append | (create ? opened.create : 0), (descriptor) => {
      const before = fs.fstatSync(descriptor).size;
      try {
        writeAll(descriptor, bytes);
        if (flush) calls.fsyncSync(descriptor);
      } catch (error) {
        quietly(() => calls.ftruncateSync(descriptor, before));
        throw error;
      }
    }),
  );
  if (flush) attempt(path, "the file's folder can't be flushed to the disk", kind, () => flushDirectory(dirname(path)));
}

/** Cuts a file to its first `length` bytes, on the disk when it returns. A file that is shorter is an error: it never grows. */
export function truncate(path: string, length: number, kind: FileErrorClass = CheckpointError): void {
  checkCut(path, length, size(path, kind), kind);
  attempt(path, "the file can't be cut", kind, () =>
    withDescriptor(path, opened.change, (descriptor) => {
      calls.ftruncateSync(descriptor, length);
      calls.fsyncSync(descriptor);
    }),
  );
}

/** Makes a new file with these bytes; false, and nothing done, if the name is taken. At most one of two that try at once gets true. */
export function create(path: string, bytes: Uint8Array, kind: FileErrorClass = CheckpointError): boolean {
  let made = false;
  try {
    withDescriptor(path, opened.make, (descriptor) => {
      made = true;
      writeAll(descriptor, bytes);
      calls.fsyncSync(descriptor);
    });
    return true;
  } catch (cause) {
    if (!made && (cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    if (made) quietly(() => calls.rmSync(path, { force: true }));
    throw failure(path, "the file can't be made", cause, kind);
  }
}

/**
 * Replaces a file's content, given whole or in parts, all at once: a temporary file beside it, written, fsynced, renamed over it, and the folder fsynced. Whoever reads
 * the path, after a crash too, finds the old content or the new one. A failure before the rename removes the temporary file and leaves the old one.
 */
export function writeAtomic(
  path: string,
  bytes: Uint8Array | Iterable<Uint8Array>,
  kind: FileErrorClass = CheckpointError,
): void {
  const temporary = path + temporarySuffix;
  try {
    // What an earlier write left, or a link that somebody put there.
    if (fs.lstatSync(temporary, { throwIfNoEntry: false })) calls.rmSync(temporary, { force: true });
    withDescriptor(temporary, opened.make, (descriptor) => {
      for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) writeAll(descriptor, part);
      calls.fsyncSync(descriptor);
    });
    calls.renameSync(temporary, path);
  } catch (cause) {
    quietly(() => calls.rmSync(temporary, { force: true }));
    throw failure(path, "the file can't be written", cause, kind);
  }
  attempt(path, "the file's folder can't be flushed to the disk", kind, () => flushDirectory(dirname(path)));
}

function flushDirectory(path: string): void {
  try {
    withDescriptor(path, opened.read, (descriptor) => calls.fsyncSync(descriptor));
  } catch (error) {
    // Some systems can't open or flush a folder; there the rename is as durable as it gets.
    if (!["EISDIR", "EPERM", "EINVAL", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** When a file was last written, in milliseconds of its own file system's clock; undefined where there is none. */
export function modifiedAt(path: string): number | undefined {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** Writes a file's own bytes again, so that it counts as written now; false, and nothing done, where it isn't there or holds others. */
export function refresh(path: string, bytes: Uint8Array): boolean {
  try {
    let same = false;
    withDescriptor(path, opened.change, (descriptor) => {
      const found = new Uint8Array(bytes.length + 1);
      const length = fs.readSync(descriptor, found, 0, found.length, 0);
      same = length === bytes.length && bytes.every((byte, i) => byte === found[i]);
      if (same) calls.writeSync(descriptor, bytes, 0, bytes.length, 0);
    });
    return same;
  } catch (cause) {
    if (["ENOENT", "ELOOP"].includes((cause as NodeJS.ErrnoException).code ?? "")) return false;
    throw failure(path, "the file can't be written", cause, CheckpointError);
  }
}

/** What runs this: package version, engine, operating system, processor. For information; what can't be known is left out. */
export function machine(): Record<string, string | number> {
  const { versions, arch } = process;
  const engine = (["bun", "deno", "node"] as const).find((name) => versions[name] !== undefined)!;
  const processors = os.cpus();
  const version = ownVersion();
  return {
    ...(version !== undefined && { version }),
    engine: `${engine} ${versions[engine]}`,
    os: `${os.platform()} ${os.release()}`,
    arch,
    ...(processors.length > 0 && { cpu: processors[0].model.trim(), cpus: processors.length }),
  };
}

/** The version in this package's own package.json, looked for in the folders above this file; undefined in a bundle that has no such file. */
function ownVersion(): string | undefined {
  if (!import.meta.url) return undefined;
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(fs.readFileSync(join(folder, "package.json"), "utf8"));
      if (name === "seedgrad") return version;
    } catch {
      // No package.json in this folder.
    }
  }
  return undefined;
}
