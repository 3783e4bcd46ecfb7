// Values of callbacks' states as JSON, and back, whole: what JSON would lose or change in silence (NaN, infinities, −0, undefined, bigint, Map, Set, Date, typed arrays) is
// a record under the key `$`; what can't come back is refused by its path.
import { CheckpointError } from "../core/errors.ts";

/** The key of a record that stands for something else; a record that has it itself is one too. */
const tag = "$";

const arrays = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;
type ArrayKind = keyof typeof arrays;

const tagged = (kind: string, value?: unknown) => ({ [tag]: kind, ...(value !== undefined && { value }) });
const isPlain = (value: object) => [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** A value as JSON. `where` says whose it is. Throws CheckpointError, with the path in it, for a function, a symbol, an object of a class, and one that holds itself. */
export function encodePlain(where: string, value: unknown, holders: readonly object[] = []): unknown {
  if (value === undefined) return tagged("undefined");
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : tagged("number", Object.is(value, -0) ? "-0" : String(value));
  if (typeof value === "bigint") return tagged("bigint", String(value));
  if (typeof value !== "object") refuse(where, typeof value);
  if (holders.includes(value)) refuse(where, "an object that holds itself");
  const within = [...holders, value];
  const items = (list: Iterable<unknown>) => [...list].map((item, i) => encodePlain(`${where}[${i}]`, item, within));
  if (Array.isArray(value)) return items(value);
  const kind = value.constructor?.name;
  if (Object.hasOwn(arrays, kind ?? "") && value instanceof arrays[kind as ArrayKind])
    return tagged(kind!, items(value as unknown as Iterable<unknown>));
  if (value instanceof Map) {
    const entries = [...value].map(([key, item], i) => [
      encodePlain(`${where}, key ${i}`, key, within),
      encodePlain(`${where}.get(${String(key)})`, item, within),
    ]);
    return tagged("Map", entries);
  }
  if (value instanceof Set) return tagged("Set", items(value));
  if (value instanceof Date) return tagged("Date", encodePlain(where, value.getTime()));
  if (!isPlain(value) || Object.getOwnPropertySymbols(value).length > 0)
    refuse(where, `an object of ${kind ?? "no class"}`);
  const entries = Object.entries(value).map(
    ([key, item]) => [key, encodePlain(`${where}.${key}`, item, within)] as const,
  );
  return Object.hasOwn(value, tag) ? tagged("record", entries) : Object.fromEntries(entries);
}

function refuse(where: string, got: string): never {
  throw new CheckpointError({
    where,
    problem: "a checkpoint can't hold it, so it wouldn't come back",
    got,
    expected: "numbers, texts, flags, null, undefined, bigints, lists, records, maps, sets, dates and typed arrays",
    hint: "let saveState give what loadState can make it again from",
  });
}

/** The value that `encodePlain` was given. Throws CheckpointError for what it never gives. */
export function decodePlain(where: string, json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((item, i) => decodePlain(`${where}[${i}]`, item));
  const record = json as Readonly<Record<string, unknown>>;
  if (!Object.hasOwn(record, tag))
    return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, decodePlain(`${where}.${key}`, item)]));
  const { [tag]: kind, value } = record;
  try {
    if (kind === "undefined") return undefined;
    if (kind === "number" && ["NaN", "Infinity", "-Infinity", "-0"].includes(value as string)) return Number(value);
    if (kind === "bigint" && typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
    const held = kind === "Date" ? decodePlain(where, value) : undefined;
    if (typeof held === "number") return new Date(held);
    // A record with a length would pass for a list, of any length.
    const items = Array.isArray(value) ? (decodePlain(where, value) as readonly unknown[]) : undefined;
    const pairs = items?.every(isPair) ? (items as readonly [never, never][]) : undefined;
    if (kind === "Map" && pairs) return new Map(pairs);
    if (kind === "Set" && items) return new Set(items);
    if (kind === "record" && pairs) return Object.fromEntries(pairs);
    const made = items && Object.hasOwn(arrays, String(kind)) ? arrayOf(kind as ArrayKind, items) : undefined;
    if (made) return made;
  } catch (cause) {
    throw damaged(where, record, cause);
  }
  throw damaged(where, record);
}

const isPair = (value: unknown) => Array.isArray(value) && value.length === 2;

/** A typed array of these elements; undefined where it can't hold one of them as it is. */
function arrayOf(kind: ArrayKind, items: readonly unknown[]): ArrayLike<unknown> | undefined {
  const made = (arrays[kind] as Float64ArrayConstructor).from(items as readonly number[]);
  return made.every((element, i) => Object.is(element, items[i])) ? made : undefined;
}

function damaged(where: string, record: object, cause?: unknown): CheckpointError {
  const got = JSON.stringify(record);
  return new CheckpointError({
    where,
    problem: "not what a callback's state is written as",
    got: got.length > 100 ? `${got.slice(0, 100)}…` : got,
    cause,
  });
}
