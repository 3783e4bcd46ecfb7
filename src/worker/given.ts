// What a page gives by where it is: URLs of modules, and files by their paths, in bytes or by URL.
import { isRecord, type Kind, kind } from "../core/arguments.ts";
import { ConfigError, showValue } from "../core/errors.ts";
import type { WorkerFiles } from "./messages.ts";

/** Files by the paths under which they are looked for: their bytes, or where they are fetched. */
export type GivenFiles = Readonly<Record<string, Uint8Array | URL | string>>;

const isPlace = (value: unknown) => typeof value === "string" || value instanceof URL;
export const givenKind: Kind = kind(
  "files by their paths: bytes, or where they are fetched",
  (value) => isRecord(value) && Object.values(value).every((file) => file instanceof Uint8Array || isPlace(file)),
);

/** A URL as the worker takes it: whole, since its own place is another. Throws ConfigError. */
export function absolute(url: URL | string): string {
  try {
    return new URL(url, globalThis.location?.href).href;
  } catch (cause) {
    throw new ConfigError({
      where: "worker",
      problem: "not a URL",
      got: showValue(url),
      expected: 'a whole one, such as new URL("./model.js", import.meta.url)',
      cause,
    });
  }
}

/** Files as the worker takes them. Throws ConfigError. */
export function givenFiles(files: GivenFiles): WorkerFiles {
  return Object.fromEntries(
    Object.entries(files).map(([path, file]) => [path, file instanceof Uint8Array ? file : absolute(file)]),
  );
}
