// Between YAML's form of a config and the schema's: snake_case and camelCase, `AdamW: {…}` and `{ class: "AdamW", … }`, names of any case. Each
// path of the schema's form remembers the path it was written at.
import { isRecord } from "../../core/arguments.ts";
import { ConfigError, type ConfigPosition } from "../../core/errors.ts";
import { ownValue } from "../../core/keys.ts";
import { type Fields, seed, type Type, typeOf, word } from "../../core/options.ts";
import { defaultChoices, loaders, models } from "./families.ts";
import { choices, singleChoices } from "./schema.ts";
import { logLevels } from "./shared.ts";
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

/** Other names of keys. */
const synonyms: ReadonlyMap<string, string> = new Map([["lr", "learningRate"]]);
/** Whether two keys of YAML's are one. */
export const sameKey = (a: string, b: string): boolean =>
  a === b || (synonyms.get(a) ?? toCamel(a)) === (synonyms.get(b) ?? toCamel(b));
/** Whether a key of YAML's holds a choice by name, or a list of such. */
export const isNamed = (key: string): boolean => isChoice(toCamel(key));
/** What is known of a value: its type, that it is part of a config's own structure, or nothing, as within what a program registered: that is left as it is written. */
type Known = Type | "config" | undefined;
/** What is known of a record's values. */
type KnownFields = Fields | "config" | undefined;
/** Of a config's own structure, what isn't written as it is meant. */
const ownFields: Fields = {
  seed,
  evalFrequency: word("epoch", "end"),
  deterministic: word("strict", "warn"),
  logLevel: word(...logLevels),
};

function knownAt(fields: KnownFields, key: string): Known {
  const field = ownValue(fields === "config" ? ownFields : fields, key);
  return field ? typeOf(field) : fields === "config" ? "config" : undefined;
}

/** What a key of a config's own structure chooses from by `name: …`. */
const catalogOf = (key: string) => (key === "model" ? models : /Dataloaders?$/.test(key) ? loaders : undefined);

/** A word of any case as it is known; other texts as they are. */
function cased(text: string, known: Known): string {
  const words = typeof known === "object" && known.form.kind === "word" ? known.form.words : [];
  return words.find((each) => each.toLowerCase() === text.toLowerCase()) ?? text;
}

function fieldsWithin(value: Readonly<Record<string, unknown>>, key: string, known: Known): KnownFields {
  if (known !== "config") return known?.form.kind === "record" ? known.form.options.fields : undefined;
  const catalog = catalogOf(key);
  if (!catalog) return "config";
  const name = word(...catalog.names);
  return { ...(typeof value.name === "string" && catalog.recordOf(cased(value.name, name))?.fields), name };
}

/** Throws ConfigError where a seed is written as another number than decimal digits: YAML takes `1e3` and `0x10` for integers, too. */
export function checkSeedDigits(source: YamlSource, at: Path, where: string, position?: ConfigPosition): void {
  const written = source.plainText(at);
  if (written === undefined || /^(0|[1-9][0-9]*)$/.test(written)) return;
  throw new ConfigError({
    where,
    problem: "not a value for this key",
    got: written,
    expected: "an integer in [0, 2^64), in decimal digits",
    position,
  });
}

/** Converts what YAML said, and keeps how its author wrote it. Throws ConfigError for a choice that isn't a map with one known name, and a key given by two names. */
export function toSchemaForm(source: YamlSource): { readonly value: unknown; readonly author: SourceMap } {
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

  const convert = (value: unknown, path: Path, from: Path, key: string, known: Known): unknown => {
    origins.set(JSON.stringify(path), from);
    if (isChoice(key) && known !== undefined)
      return singleChoices.includes(key)
        ? convertChoice(key, value, path, from)
        : convertChoices(key, value, path, from);
    const form = typeof known === "object" ? known.form : undefined;
    if (Array.isArray(value)) {
      const item = form?.kind === "list" ? form.item : known;
      return value.map((each, i) => convert(each, [...path, i], [...from, i], key, item));
    }
    if (isRecord(value)) return convertRecord(value, path, from, {}, fieldsWithin(value, key, known));
    if (form?.kind === "seed" && ["number", "bigint"].includes(typeof value))
      checkSeedDigits(source, from, formatPath(from), source.valuePosition(from));
    return typeof value === "string" ? cased(value, known) : value;
  };

  const convertRecord = (value: object, path: Path, from: Path, into: Record<string, unknown>, fields: KnownFields) => {
    for (const [raw, item] of Object.entries(value)) {
      // A key that isn't snake_case is none of the schema's, however it looks after conversion: it is marked, but in a map of a registered thing's own.
      const isSnake = toSnake(toCamel(raw)) === raw && !raw.startsWith("!");
      const known = isSnake ? (synonyms.get(raw) ?? toCamel(raw)) : fields ? `!${raw}` : raw;
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
      into[key] = convert(item, [...path, key], childFrom, key, knownAt(fields, key));
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
    return convertRecord(options ?? {}, path, inner, { class: chosen }, choices[key].recordOf(chosen)?.fields ?? {});
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

  return { value: convert(source.value, [], [], "", "config"), author };
}

/** The config in YAML's form, keys in the order of the schema; defaults that are off are written `Name: null`. Undefined values are left out. `known`: not within what a program registered. */
export function toYamlForm(config: unknown, key = "", known = true): unknown {
  if (Array.isArray(config)) {
    const items = config.map((item) => toYamlForm(item, key, known));
    const defaults = known ? defaultsOf(key) : [];
    if (defaults.length === 0) return items;
    const given = new Set(config.map((item) => (item as { class: string }).class));
    return [...items, ...defaults.filter((name) => !given.has(name)).map((name) => ({ [name]: null }))];
  }
  if (!isRecord(config)) return config;
  const name = known ? config.class : undefined;
  const catalog = name === undefined ? catalogOf(key) : choices[key as ChoiceKey];
  const within = known && (!catalog || catalog.recordOf(String(name ?? config.name)) !== undefined);
  const entries = Object.entries(config)
    .filter(([childKey, value]) => value !== undefined && !(known && childKey === "class"))
    .map(([childKey, value]) => [toSnake(childKey), toYamlForm(value, childKey, within)]);
  const record = Object.fromEntries(entries);
  return name === undefined ? record : { [name as string]: record };
}
