// Between YAML's form of a config and the schema's: snake_case and camelCase, `AdamW: {…}` and `{ class: "AdamW", … }`, names of any case. Each
// path of the schema's form remembers the path it was written at.
import { ConfigError } from "../../core/errors.ts";
import { ownValue } from "../../core/keys.ts";
import { defaultChoices } from "./families.ts";
import { choices, singleChoices } from "./schema.ts";
import { type SourceMap, show, unknownKey } from "./validate.ts";
import { formatPath, type Path, type YamlSource } from "./yaml.ts";

/** learningRate → learning_rate, TMax → T_max, T0 → T_0. */
export const toSnake = (key: string): string =>
  key.startsWith("!")
    ? key.slice(1)
    : key.replace(/^T(?=\d)/, "T_").replace(/(?<=.)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** learning_rate → learningRate. */
export const toCamel = (key: string): string =>
  key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

type ChoiceKey = keyof typeof choices;
const isChoice = (key: string): key is ChoiceKey => Object.hasOwn(choices, key);
const defaultsOf = (key: string): readonly string[] => ownValue(defaultChoices, key) ?? [];
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Other names of keys. */
const synonyms: ReadonlyMap<string, string> = new Map([["lr", "learningRate"]]);
/** Whether two keys of YAML's are one. */
export const sameKey = (a: string, b: string): boolean =>
  a === b || (synonyms.get(a) ?? toCamel(a)) === (synonyms.get(b) ?? toCamel(b));
/** Whether a key of YAML's holds a choice by name, or a list of such. */
export const isNamed = (key: string): boolean => isChoice(toCamel(key));
/** Keys whose text is a name, of any case. */
const nameKeys = new Set(["name", "split", "activation", "evalFrequency", "deterministic", "logLevel"]);

/** A config in the schema's form, with how its author wrote it. */
export interface SchemaForm {
  readonly value: unknown;
  readonly author: SourceMap;
  /** The path that a path of the schema's form was written at. */
  origin(path: Path): Path;
}

/** Converts what YAML said. Throws ConfigError for a choice that isn't a map with one known name, and a key given by two names. */
export function toSchemaForm(source: YamlSource): SchemaForm {
  const origins = new Map<string, Path>();
  const author: SourceMap = {
    path: (path) => formatPath(origin(path)),
    key: toSnake,
    keyPosition: (path) => source.keyPosition(origin(path)),
    valuePosition: (path) => source.valuePosition(origin(path)),
  };
  const origin = (path: Path): Path => {
    const known = origins.get(JSON.stringify(path));
    if (known || path.length === 0) return known ?? [];
    const last = path[path.length - 1];
    return [
      ...origin(path.slice(0, -1)),
      ...(last === "class" ? [] : [typeof last === "string" ? toSnake(last) : last]),
    ];
  };

  const convert = (value: unknown, path: Path, from: Path, key: string): unknown => {
    origins.set(JSON.stringify(path), from);
    if (isChoice(key))
      return singleChoices.includes(key)
        ? convertChoice(key, value, path, from)
        : convertChoices(key, value, path, from);
    if (Array.isArray(value)) return value.map((item, i) => convert(item, [...path, i], [...from, i], key));
    if (isRecord(value)) return convertRecord(value, path, from, {});
    return typeof value === "string" && nameKeys.has(key) ? value.toLowerCase() : value;
  };

  const convertRecord = (value: Record<string, unknown>, path: Path, from: Path, into: Record<string, unknown>) => {
    for (const [raw, item] of Object.entries(value)) {
      // A key that isn't snake_case is none of the schema's, however it looks after conversion: it is marked.
      const known =
        toSnake(toCamel(raw)) === raw && !raw.startsWith("!") ? (synonyms.get(raw) ?? toCamel(raw)) : `!${raw}`;
      // One loader or a list under one name.
      const key = known === "valDataloader" && Array.isArray(item) ? "valDataloaders" : known;
      const childFrom = [...from, raw];
      if (Object.hasOwn(into, key)) {
        throw new ConfigError({
          where: formatPath(childFrom),
          problem: "a key is given twice, under two names",
          got: raw,
          expected: `${toSnake(key)} once`,
          position: source.keyPosition(childFrom),
        });
      }
      into[key] = convert(item, [...path, key], childFrom, key);
    }
    if (/^trainer(\[\d+\])?\.init$/.test(formatPath(path))) {
      for (const key of Object.keys(defaultChoices) as ChoiceKey[])
        into[key] ??= convertChoices(key, [], [...path, key], from);
    }
    return into;
  };

  const convertChoices = (key: ChoiceKey, value: unknown, path: Path, from: Path): unknown => {
    if (value === null) return [];
    const items: { item: unknown; from: Path }[] = Array.isArray(value)
      ? value.map((item, i) => ({ item, from: [...from, i] }))
      : [{ item: value, from }];
    const kept: typeof items = [];
    const named = new Set<string>();
    for (const { item, from: itemFrom } of items) {
      const [[name, options] = [], ...others] = isRecord(item) ? Object.entries(item) : [[item]];
      const off = options === null && others.length === 0 && defaultsOf(key).length > 0;
      if (off) named.add(className(key, name as string, [...itemFrom, name as string]).toLowerCase());
      else {
        kept.push({ item, from: itemFrom });
        named.add(String(name).toLowerCase());
      }
    }
    const added = defaultsOf(key)
      .filter((name) => !named.has(name.toLowerCase()))
      .map((name) => ({ class: name }));
    const first = key === "callbacks" ? added.length : 0;
    const out = kept.map(({ item, from: itemFrom }, i) => convertChoice(key, item, [...path, first + i], itemFrom));
    return key === "callbacks" ? [...added, ...out] : [...out, ...added];
  };

  const convertChoice = (key: ChoiceKey, value: unknown, path: Path, from: Path): unknown => {
    origins.set(JSON.stringify(path), from);
    const named = typeof value === "string" ? { [value]: {} } : value;
    if (named === undefined) return undefined;
    if (!isRecord(named) || Object.keys(named).length !== 1) {
      throw new ConfigError({
        where: formatPath(from),
        problem: "not one choice of class",
        got: show(value),
        expected: `a map with one key, one of ${choices[key].names.join(", ")}`,
        position: source.valuePosition(from),
      });
    }
    const [[name, options]] = Object.entries(named);
    const inner = typeof value === "string" ? from : [...from, name];
    const chosen = className(key, name, inner, typeof value === "string");
    origins.set(JSON.stringify(path), inner);
    if (options !== null && !isRecord(options)) {
      throw new ConfigError({
        where: formatPath(inner),
        problem: "not the options of a class",
        got: show(options),
        expected: "a map of keys and values, or {} for none",
        position: source.valuePosition(inner),
      });
    }
    return convertRecord(options ?? {}, path, inner, { class: chosen });
  };

  const className = (key: ChoiceKey, name: string, from: Path, bare = false): string => {
    const known = choices[key].names;
    const found = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (found) return found;
    throw unknownKey(
      from,
      name,
      known,
      { ...author, path: formatPath, keyPosition: bare ? source.valuePosition : source.keyPosition },
      "unknown class",
    );
  };

  return { value: convert(source.value, [], [], ""), author, origin };
}

/** The config in YAML's form, keys in the order of the schema; defaults that are off are written `Name: null`. Undefined values are left out. */
export function toYamlForm(config: unknown, key = ""): unknown {
  if (Array.isArray(config)) {
    const items = config.map((item) => toYamlForm(item));
    const defaults = defaultsOf(key);
    if (defaults.length === 0) return items;
    const given = new Set(config.map((item) => (item as { class: string }).class));
    return [...items, ...defaults.filter((name) => !given.has(name)).map((name) => ({ [name]: null }))];
  }
  if (!isRecord(config)) return config;
  const { class: name, ...rest } = config;
  const entries = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([childKey, value]) => [toSnake(childKey), toYamlForm(value, childKey)]);
  const record = Object.fromEntries(entries);
  return name === undefined ? record : { [name as string]: record };
}
