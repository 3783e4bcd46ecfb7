// Arguments of public functions: how many are given, and of which kind. A signature is built once, when its module is loaded; a call that
// fits it costs a loop over its arguments, and everything that words an error runs only once one is certain. Ranges are the functions' own.
import { dtypes } from "./dtype.ts";
import { ConfigError, refuse, showValue } from "./errors.ts";
import { unknownKey } from "./keys.ts";

/** What an argument may be. */
export interface Kind {
  /** In words: `a tensor`. */
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** Throws a more precise error than "isn't …", or says what to do about a value that isn't accepted, or about undefined where one must be. `what`: the parameter's name. */
  explain?(where: string, value: unknown, what?: string): string | undefined;
}

/** Kinds by parameter, in order: `name?` may be left out, `...name` takes all that follow. */
export type Kinds = Readonly<Record<string, Kind>>;

/** How a function may be called. */
export interface Signature {
  /** What errors call it. */
  readonly where: string;
  readonly names: readonly string[];
  readonly kinds: readonly Kind[];
  readonly required: number;
  /** The kind of all arguments after those named. */
  readonly rest?: Kind;
  /** What to say about a wrong number of arguments. */
  readonly hint?: string;
}

/** The signature of a function with these parameters. `hint`: what to say where arguments are too many, or too few. */
// @__NO_SIDE_EFFECTS__
export function signature(where: string, parameters: Kinds, hint?: string): Signature {
  const names = Object.keys(parameters);
  const isRest = (name: string) => name.startsWith("...");
  const named = names.filter((name) => !isRest(name));
  const rest = names.find(isRest);
  return {
    where,
    names,
    kinds: named.map((name) => parameters[name]),
    required: named.filter((name) => !name.endsWith("?")).length,
    rest: rest === undefined ? undefined : parameters[rest],
    hint,
  };
}

/** Throws ConfigError unless the arguments are as the signature says. What a kind explains may be another typed error. */
export function checkArguments(call: Signature, given: ArrayLike<unknown>): void {
  const { kinds, required, rest } = call;
  if (given.length > kinds.length && !rest) refuseMore(call, given);
  for (let i = 0; i < kinds.length; i++) {
    const value = given[i];
    if (value === undefined ? i < required : !kinds[i].accepts(value)) refuseOne(call, given, i);
  }
  for (let i = kinds.length; rest && i < given.length; i++) if (!rest.accepts(given[i])) refuseOne(call, given, i);
}

/** Throws ConfigError where what takes nothing is given something. */
export function checkNone(where: string, given: ArrayLike<unknown>, hint?: string): void {
  if (given.length > 0) checkArguments(signature(where, {}, hint), given);
}

/** Throws ConfigError unless the value is of the kind. */
export function checkKind(where: string, what: string, kind: Kind, value: unknown): void {
  if (!kind.accepts(value)) refuseValue(where, what, kind, value);
}

const plainName = (name: string) => name.replace(/^\.\.\.|\?$/g, "");

const shownCall = ({ where, names }: Signature) => `${where}(${names.join(", ")})`;

/** Undefined arguments at the end are none. */
function refuseMore(call: Signature, given: ArrayLike<unknown>): void {
  let count = given.length;
  while (count > call.kinds.length && given[count - 1] === undefined) count--;
  if (count === call.kinds.length) return;
  const mapped = count === 3 && Array.isArray(given[2]) && typeof given[1] === "number";
  const hint = mapped ? `map passes index and array too: map((x) => ${call.where}(x))` : call.hint;
  const got = `${count}: ${Array.from(given).slice(0, count).map(showValue).join(", ")}`;
  refuse(ConfigError, call.where, "too many arguments", got, shownCall(call), hint);
}

function refuseOne(call: Signature, given: ArrayLike<unknown>, i: number): never {
  const name = plainName(call.names[Math.min(i, call.names.length - 1)]);
  if (given[i] === undefined && i < call.required) {
    const problem = i < given.length ? `${name} is undefined` : `${name} is missing`;
    const hint = call.kinds[i].explain?.(call.where, undefined) ?? call.hint;
    refuse(ConfigError, call.where, problem, undefined, `${shownCall(call)}, ${name}: ${call.kinds[i].expected}`, hint);
  }
  return refuseValue(call.where, name, call.kinds[i] ?? call.rest!, given[i]);
}

function refuseValue(where: string, what: string, kind: Kind, value: unknown): never {
  const hint = kind.explain?.(where, value, what) ?? promised(value);
  refuse(ConfigError, where, `${what} isn't ${kind.expected}`, showValue(value), undefined, hint);
}

const promised = (value: unknown) =>
  value instanceof Promise ? "it is a promise: await it first, and give what it resolves to" : undefined;

/** A kind that a test of one value makes. */
// @__NO_SIDE_EFFECTS__
export function kind(expected: string, accepts: Kind["accepts"], explain?: Kind["explain"]): Kind {
  return { expected, accepts, explain };
}

/** Either of two kinds. */
// @__NO_SIDE_EFFECTS__
export function either(a: Kind, b: Kind): Kind {
  return {
    expected: `${a.expected} or ${b.expected}`,
    accepts: (value) => a.accepts(value) || b.accepts(value),
    explain: (where, value) => b.explain?.(where, value) ?? a.explain?.(where, value),
  };
}

/** An array, without holes, of values of a kind. */
// @__NO_SIDE_EFFECTS__
export function listOf(item: Kind, expected: string): Kind {
  const accepts = (value: unknown) => {
    if (!Array.isArray(value)) return false;
    for (let i = 0; i < value.length; i++) if (!item.accepts(value[i])) return false;
    return true;
  };
  return { expected, accepts, explain: item.explain };
}

/** One of some words. `other`: words of other libraries and the ones meant. */
// @__NO_SIDE_EFFECTS__
export function oneOf(words: readonly string[], other: Readonly<Record<string, string>> = {}): Kind {
  const expected = words.map((word) => `"${word}"`).join(" or ");
  return kind(
    expected,
    (value) => words.includes(value as string),
    (_, value) =>
      typeof value === "string" && Object.hasOwn(other, value) ? `here it is called ${other[value]}` : undefined,
  );
}

export const anything = kind("a value", () => true);
export const number = kind("a number", (value) => typeof value === "number");
/** A number to compare with. */
export const real = kind("a number, not NaN", (value) => typeof value === "number" && !Number.isNaN(value));
/** A number of things, or a place in an order. */
export const count = kind("an integer ≥ 0", (value) => Number.isSafeInteger(value) && (value as number) >= 0);
export const boolean = kind("true or false", (value) => typeof value === "boolean");
export const string = kind("a string", (value) => typeof value === "string");
export const callable = kind("a function", (value) => typeof value === "function");
export const numbers = listOf(number, "a list of numbers");
export const strings = listOf(string, "a list of strings");
export const shape: Kind = {
  ...listOf(number, "a shape: a list of integers ≥ 0"),
  explain: (_, value) => (typeof value === "number" ? `write [${value}]` : undefined),
};
/** Elements as the engine gives them. */
export const typedArray = kind(
  "a Float32Array, an Int32Array or a Uint8Array",
  (value) => value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array,
);
export const dtype = oneOf(dtypes, {
  float: "float32",
  "torch.float32": "float32",
  float64: "float32",
  double: "float32",
  int: "int32",
  int64: "int32",
  long: "int32",
  boolean: "bool",
  bfloat16: "float32, which roundTo narrows",
  float16: "float32, which roundTo narrows",
});

/** Whether it is a record written as one: no array, no class's instance. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const above = Object.getPrototypeOf(value);
  return above === null || Object.getPrototypeOf(above) === null;
}

/** What makes a record of options: every key of `O`, `key?` where it may be left out. */
export type OptionKinds<O> = {
  readonly [K in keyof O & string as undefined extends O[K] ? `${K}?` : K]-?: Kind;
};

/** A record of options with no other keys than these. A list that misses a key of `O` doesn't compile. */
// @__NO_SIDE_EFFECTS__
export function options<O extends object>(kinds: OptionKinds<O>): Kind {
  const entries = Object.entries(kinds as Kinds);
  const known = new Map(entries.map(([key, each]) => [plainName(key), each]));
  const required = entries.flatMap(([key]) => (key.endsWith("?") ? [] : [key]));
  const expected = entries.length === 0 ? "an empty record" : `options: { ${entries.map(([key]) => key).join(", ")} }`;
  const fits = (each: Kind | undefined, value: unknown) =>
    each !== undefined && (value === undefined || each.accepts(value));
  /** The first key that isn't known or has a value of another kind, else the first that is missing. */
  const wrong = (record: Readonly<Record<string, unknown>>) =>
    Object.keys(record).find((key) => !fits(known.get(key), record[key])) ??
    required.find((key) => record[key] === undefined);
  const accepts = (value: unknown) => isRecord(value) && wrong(value) === undefined;
  const explain = (where: string, value: unknown): undefined => {
    if (!isRecord(value)) return;
    const key = wrong(value);
    if (key === undefined) return;
    const [each, path] = [known.get(key), `${where}.${key}`];
    if (!each) throw unknownKey(path, key, [...known.keys()]);
    if (value[key] === undefined) refuse(ConfigError, path, "missing", undefined, each.expected);
    refuseValue(path, "it", each, value[key]);
  };
  return { expected, accepts, explain };
}
