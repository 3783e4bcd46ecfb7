// Values put into a config from outside its file: `--set trainer.init.optimizer.AdamW.learning_rate=0.01`, or a sweep's settings. A path is as the file has it, a value
// is YAML, and the schema then checks both as it does the file; an error is where the assignment was written. It knows which keys choose by a name, and nothing else of
// what a config means.
import { isRecord } from "../../core/arguments.ts";
import { ConfigError, type ConfigPosition, refuse } from "../../core/errors.ts";
import { isNamed, sameKey } from "./form.ts";
import { show } from "./validate.ts";
import { formatPath, type Path, parseYaml, type YamlSource } from "./yaml.ts";

/** A value for one key of a config. */
export interface Assignment {
  readonly path: Path;
  /** The value is at its top. */
  readonly value: YamlSource;
  /** Where the key is written. */
  readonly position: ConfigPosition;
}

const begins = (path: Path, start: Path): boolean => start.every((part, i) => path[i] === part);

/** What `parse` makes of a config with assignments, one after the other: a later one may be of a key inside what an earlier one gave. A value that the schema refuses and that may be a text is tried as one. Throws ConfigError, for two of one key too, by whichever of its names. */
export function withAssignments<T>(
  source: YamlSource,
  assignments: readonly Assignment[],
  parse: (source: YamlSource) => T,
): T {
  const refusals = new Map<number, ConfigError>();
  for (;;) {
    const written = new Map<string, Assignment>();
    const whole = assignments.reduce((sofar, each, i) => {
      const { source: after, path } = assigned(sofar, refusals.has(i) ? asText(each) : each);
      const before = written.get(formatPath(path));
      if (before) throw twice(before, each);
      written.set(formatPath(path), each);
      return after;
    }, source);
    try {
      return parse(whole);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const at = assignments.map(({ value }) => samePlace(error.position, value.valuePosition([]))).lastIndexOf(true);
      if (at < 0 || !mayBeText(assignments[at])) throw error;
      if (refusals.has(at)) throw refusals.get(at);
      refusals.set(at, error);
    }
  }
}

function twice(before: Assignment, { path, position }: Assignment): ConfigError {
  const { file, line, column } = before.position;
  return new ConfigError({
    where: formatPath(path),
    problem: "a key that is given twice",
    got: `${formatPath(before.path)} before, at ${file}:${line}:${column}`,
    expected: "each key once, by one of its names",
    position,
  });
}

const samePlace = (a: ConfigPosition | undefined, b: ConfigPosition): boolean =>
  a !== undefined && a.file === b.file && a.line === b.line && a.column === b.column;

/** Whether the value is a number or a flag without quotes, which a key of texts would take as it is written. */
const mayBeText = ({ value }: Assignment): boolean =>
  value.plainText([]) !== undefined && ["number", "bigint", "boolean"].includes(typeof value.value);

/** The same with the value as it is written. */
const asText = (given: Assignment): Assignment => ({
  ...given,
  value: { ...given.value, value: given.value.plainText([]), plainText: () => undefined },
});

/** `KEY=VALUE`, as the command line has it. Throws ConfigError, whose file is the flag with the key. */
export function flagAssignment(text: string): Assignment {
  const key = text.slice(0, Math.max(0, text.indexOf("="))).trim();
  const file = `--set ${key}`;
  const path = pathOf(key);
  if (!path) {
    const expected = "KEY=VALUE, as in trainer.init.optimizer.AdamW.learning_rate=0.01 or trainer.init.schedulers[0]…";
    refuse(ConfigError, "--set", "not an assignment", JSON.stringify(text), expected);
  }
  if (path[0] === "imports") {
    throw new ConfigError({
      where: "--set imports",
      problem: "programs are imported before the config is read",
      hint: "give --import PROGRAM",
    });
  }
  return {
    path,
    value: parseYaml(text.slice(text.indexOf("=") + 1), file),
    position: { file, line: 1, column: 1 },
  };
}

/** Keys with dots between them, places in lists in brackets; undefined for what isn't such. */
export function pathOf(key: string): Path | undefined {
  const path = [...key.matchAll(/([^.[\]\s]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
  return path.length > 0 && formatPath(path) === key && !path.includes("__proto__") ? path : undefined;
}

/** The source with an assignment, and its path by the keys that are there. */
function assigned(source: YamlSource, given: Assignment): { source: YamlSource; path: Path } {
  const { value, position } = given;
  const { path, from, value: whole } = put(source.value, given.path, value.value, position);
  return { source: over({ ...source, value: whole }, { path, from, value, position }), path };
}

/** The value with `item` at a path; the path by the keys that are there, and how much of it was there. */
function put(
  value: unknown,
  path: Path,
  item: unknown,
  position: ConfigPosition,
  done: Path = [],
): { value: unknown; path: Path; from: number } {
  const [part, ...rest] = path;
  if (part === undefined) return { value: item, path: done, from: done.length };
  const fail = (problem: string, expected: string): never => {
    throw new ConfigError({ where: formatPath([...done, part]), problem, got: show(value), expected, position });
  };
  const parent = done.at(-1);
  const names = typeof parent === "string" && isNamed(parent);
  if (Array.isArray(value)) {
    const named = value.flatMap((entry, i) => (names && nameIn(entry, String(part)) !== undefined ? [i] : []));
    const index = typeof part === "number" ? part : named.length === 1 ? named[0] : -1;
    if (!(index in value)) {
      const what = `[0] to [${value.length - 1}]${names ? ", or the name of one of them" : ""}`;
      fail("no such item of the list", value.length === 0 ? "an item that is there" : what);
    }
    const inner = put(value[index], typeof part === "number" ? rest : path, item, position, [...done, index]);
    return { ...inner, value: value.map((entry, i) => (i === index ? inner.value : entry)) };
  }
  if (typeof part === "number") return fail("not a list", "a list");
  const isName = names || (typeof parent === "number" && isNamed(String(done.at(-2))));
  const record = isName && typeof value === "string" ? { [value]: {} } : (value ?? {});
  if (!isRecord(record)) return fail("not a map of keys", "a map of keys and values");
  const key = isName ? nameIn(record, part) : Object.keys(record).find((known) => sameKey(known, part));
  const inner = put(record[key ?? part], rest, item, position, [...done, key ?? part]);
  return {
    path: inner.path,
    from: key === undefined ? done.length + 1 : inner.from,
    value: Object.assign(Object.create(null), record, { [key ?? part]: inner.value }),
  };
}

/** How a choice writes a name: in any case. */
function nameIn(choice: unknown, name: string): string | undefined {
  const names = isRecord(choice) ? Object.keys(choice) : [String(choice)];
  return names.find((known) => known.toLowerCase() === name.toLowerCase());
}

/** An assignment by the keys that are there. */
interface Placed extends Assignment {
  /** What was there before keeps its places in the file; from here on the path is the assignment's. */
  readonly from: number;
}

/** A source with an assignment's places over its own. */
function over(source: YamlSource, { path, value, position, from }: Placed): YamlSource {
  const isMine = (at: Path) => begins(at, path.slice(0, from));
  const isValue = (at: Path) => begins(at, path);
  const below = (at: Path) => at.slice(path.length);
  return {
    value: source.value,
    keyPosition: (at) =>
      at.length > path.length && isValue(at)
        ? value.keyPosition(below(at))
        : isMine(at)
          ? position
          : source.keyPosition(at),
    valuePosition: (at) =>
      isValue(at) ? value.valuePosition(below(at)) : isMine(at) ? position : source.valuePosition(at),
    plainText: (at) => (isValue(at) ? value.plainText(below(at)) : isMine(at) ? undefined : source.plainText(at)),
  };
}
