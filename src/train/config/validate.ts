// From the schema's complaint to a ConfigError: the path as its author wrote it, what is there, what should be, and the nearest known key.
import type * as z from "zod";
import { isRecord } from "../../core/arguments.ts";
import { ConfigError, type ConfigPosition, didYouMean } from "../../core/errors.ts";
import * as keys from "../../core/keys.ts";
import { formatPath, type Path } from "./yaml.ts";

/** How a path in the schema's form is shown to the config's author. */
export interface SourceMap {
  path(path: Path): string;
  /** A key as the author writes it. */
  key(key: string): string;
  keyPosition?(path: Path): ConfigPosition | undefined;
  valuePosition?(path: Path): ConfigPosition | undefined;
}

/** Who writes TypeScript: paths as they are. */
const codeAuthor: SourceMap = { path: formatPath, key: (key) => key };

/** Whether it is a class, which can't be called. */
export const isClass = (value: unknown) => typeof value === "function" && /^class\b/.test(String(value));

/** A value for a message. */
export function show(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return `a map of ${Object.keys(value).join(", ") || "nothing"}`;
  if (typeof value === "bigint") return `${value}`;
  return isClass(value) ? "a class" : typeof value === "function" ? "a function" : String(value);
}

/** The value as the schema has it, defaults filled in. Throws ConfigError for the first thing that is wrong. */
export function validate<T extends z.ZodType>(schema: T, value: unknown, author: SourceMap = codeAuthor): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  throw errorOf(issues.find((issue) => issue.code === "unrecognized_keys") ?? issues[0], value, author);
}

function errorOf(issue: z.core.$ZodIssue, value: unknown, author: SourceMap): ConfigError {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const known = issue.message
      .split(", ")
      .map(author.key)
      .filter((name) => name !== "" && name !== "class");
    return unknownKey([...path, key], author.key(key), known, author);
  }
  const got = valueAt(value, path);
  const where = author.path(path) || "config";
  if (issue.code === "invalid_union" && issue.discriminator !== undefined && isRecord(valueAt(value, parent(path)))) {
    const options = ((issue as { options?: readonly unknown[] }).options ?? []).map(String);
    if (got === undefined) return keys.missingKey(where, options.join(", "), author.valuePosition?.(parent(path)));
    return unknownKey(
      path,
      typeof got === "string" ? got : show(got),
      options,
      author,
      issue.discriminator === "class" ? "unknown class" : "unknown name",
    );
  }
  if (got === undefined) return keys.missingKey(where, issue.message, author.valuePosition?.(parent(path)));
  const words = issue.code === "invalid_value" ? issue.values.map(String) : [];
  return new ConfigError({
    where,
    problem: "not a value for this key",
    got: show(got),
    expected: issue.message,
    hint: typeof got === "string" ? didYouMean(got, words) : undefined,
    position: author.valuePosition?.(path),
  });
}

const ownHint = "one of your own is registered by a program: imports: [./mine.js], or --import ./mine.js";

/** The error for a key or name that isn't known. */
export function unknownKey(
  path: Path,
  got: string,
  known: readonly string[],
  author: SourceMap,
  problem = "unknown key",
): ConfigError {
  return keys.unknownKey(author.path(path), got, known, {
    problem,
    hint: problem === "unknown key" ? undefined : ownHint,
    position: author.keyPosition?.(path),
  });
}

const parent = (path: Path): Path => path.slice(0, -1);

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === "object" ? keys.ownValue(at as Record<string, unknown>, String(part)) : undefined),
    value,
  );
}
