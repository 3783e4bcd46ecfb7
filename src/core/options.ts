// Options of whatever has some, written once: a record says of each option its type, its range and its default. TypeScript's type of the options, the checks of a
// constructor, and what a config may say (train/config) all come from that record; an option's documentation is its JSDoc there.
import {
  boolean,
  checkArguments,
  checkKind,
  either as eitherKind,
  count as integer,
  type Kind,
  kind,
  listOf,
  number as numberKind,
  oneOf,
  options as recordKind,
  type Signature,
  signature,
  string,
} from "./arguments.ts";
import { ConfigError, type ErrorDetails, type SeedgradError, showValue } from "./errors.ts";

/** Bounds of a number; `above` and `below` are no values themselves. */
export interface Bounds {
  readonly integer?: boolean;
  readonly odd?: boolean;
  readonly least?: number;
  readonly above?: number;
  readonly below?: number;
  readonly most?: number;
}

/** How a value looks where it is written as text. */
export type Form =
  | ({ readonly kind: "number" } & Bounds)
  | { readonly kind: "flag" }
  | { readonly kind: "seed" }
  | { readonly kind: "text"; readonly empty: boolean; readonly pattern?: RegExp; readonly path?: "file" | "folder" }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "list"; readonly item: Type; readonly least: number }
  | { readonly kind: "tuple"; readonly items: readonly Type[] }
  | { readonly kind: "either"; readonly types: readonly Type[] }
  | { readonly kind: "record"; readonly options: OptionRecord }
  /** A choice from a family of things: a loss, a scheduler. */
  | { readonly kind: "part"; readonly family: string }
  /** What only a program can give: a function. */
  | { readonly kind: "code" };

type Failing = new (details: ErrorDetails) => SeedgradError;

/** What is wrong with a value of the right kind; `at`: where in it. */
interface Fault {
  readonly at?: string;
  readonly problem: string;
  readonly value: unknown;
  /** The value in words, where it says more than the value itself. */
  readonly got?: string;
  readonly expected: string;
}

/** What an option may be: its kind, and what else must hold. `T`: its TypeScript type. */
export class Type<T = unknown> {
  declare readonly value: T;
  /** In words, range included: `a number ≥ 0`. */
  readonly expected: string;
  readonly kind: Kind;
  readonly form: Form;
  readonly #fault: (value: never) => Fault | undefined;

  constructor(expected: string, kind: Kind, form: Form, fault: (value: never) => Fault | undefined = () => undefined) {
    this.expected = expected;
    this.kind = kind;
    this.form = form;
    this.#fault = fault;
  }

  /** What is wrong with a value of this kind, if anything is. */
  fault(value: unknown): Fault | undefined {
    return this.#fault(value as never);
  }

  accepts(value: unknown): value is T {
    return this.kind.accepts(value) && this.fault(value) === undefined;
  }

  /** Throws ConfigError unless the value is one of these; `Failure`: another class for one of the right kind. */
  check(where: string, value: unknown, Failure: Failing = ConfigError): undefined {
    checkKind(where, "it", this.kind, value);
    const fault = this.fault(value);
    if (!fault) return;
    const { at = "", problem, got = showValue(fault.value), expected } = fault;
    throw new Failure({ where: where + at, problem, got, expected });
  }

  /** May be left out, and is this value then. */
  default(value: T): Option<T | undefined, T> {
    return new Option(this, value);
  }

  /** May be left out. */
  optional(): Option<T | undefined, T | undefined> {
    return new Option(this, undefined);
  }
}

/** An option that may be left out: its type, and what it is then. */
export class Option<Given, Read> {
  declare readonly given: Given;
  declare readonly read: Read;
  readonly type: Type;
  readonly fallback: Read;

  constructor(type: Type, fallback: Read) {
    this.type = type;
    this.fallback = fallback;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: any type's option
type AnyField = Type<any> | Option<any, any>;
export type Fields = Readonly<Record<string, AnyField>>;
type GivenOf<F> = F extends Option<infer G, unknown> ? G : F extends Type<infer T> ? T : never;
type ReadOf<F> =
  F extends Option<unknown, infer R>
    ? R
    : F extends { readonly reads: infer R }
      ? R
      : F extends Type<infer T>
        ? T
        : never;
type Flat<T> = { readonly [K in keyof T]: T[K] } & {};
/** What may be undefined may be left out. */
type Loose<T> = Flat<
  { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
    readonly [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
  }
>;

/** The options as they are given: what has a default may be left out. `R`: the type of a record of options. */
export type Given<R extends { readonly fields: Fields }> = GivenFields<R["fields"]>;
type GivenFields<S> = Loose<{ readonly [K in keyof S]: GivenOf<S[K]> }>;
/** The options as they are read: with their defaults. */
export type Read<R extends { readonly fields: Fields }> = ReadFields<R["fields"]>;
type ReadFields<S> = Loose<{ readonly [K in keyof S]: ReadOf<S[K]> }>;

/** The type of an option, whether or not it may be left out. */
export const typeOf = (field: AnyField): Type => (field instanceof Option ? field.type : field);

/** The options of one thing. As a kind of argument it is a record with these keys and no others. */
export class OptionRecord<S extends Fields = Fields> implements Kind {
  /** What a config calls the thing. */
  readonly name: string;
  readonly fields: S;
  /** What errors call it. */
  readonly where: string;
  readonly #kind: Kind;
  /** How a function or constructor that takes nothing else is called. */
  readonly signature: Signature;

  /** `Failure`: what is thrown for a value out of range, in place of ConfigError. */
  constructor(name: string, fields: S, where: string = name, Failure?: Failing) {
    this.name = name;
    this.fields = fields;
    this.where = where;
    const kinds = Object.entries(fields).map(([key, field]): [string, Kind] => {
      const type = typeOf(field);
      const accepts = (value: unknown) => type.accepts(value);
      const explain = (path: string, value: unknown) => type.check(path, value, Failure);
      return [field instanceof Option ? `${key}?` : key, kind(type.expected, accepts, explain)];
    });
    this.#kind = recordKind(Object.fromEntries(kinds));
    this.signature = this.call();
  }

  get expected(): string {
    return this.#kind.expected;
  }

  /** Whether one of them must be given. */
  get needed(): boolean {
    return Object.values(this.fields).some((field) => !(field instanceof Option));
  }

  /** The signature of a function of these options alone, or of parameters and then these options, if there are any. */
  call(parameters: Readonly<Record<string, Kind>> = {}, hint?: string): Signature {
    const none = Object.keys(parameters).length > 0 && Object.keys(this.fields).length === 0;
    const last = this.needed ? "options" : "options?";
    return signature(this.where, { ...parameters, ...(!none && { [last]: this }) }, hint);
  }

  accepts(value: unknown): boolean {
    return this.#kind.accepts(value);
  }

  /** Throws ConfigError, with the key in its path, for the first thing that is wrong. */
  explain(where: string, value: unknown): string | undefined {
    const [first] = Object.keys(this.fields);
    if (typeof value === "number" && first !== undefined) return `options go by name: { ${first}: ${value} }`;
    return this.#kind.explain?.(where, value);
  }

  /** Checked options with their defaults; lists and records are copies. */
  fill(given: object = {}): ReadFields<S> {
    const read: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(this.fields)) {
      const value =
        (given as Readonly<Record<string, unknown>>)[key] ?? (field instanceof Option ? field.fallback : undefined);
      if (value !== undefined) read[key] = copied(typeOf(field).form, value);
    }
    return read as ReadFields<S>;
  }

  /** The options of a function or constructor that takes nothing else, with their defaults; `given`: all that it is called with. Throws ConfigError. */
  read(options: GivenFields<S> | undefined, given: ArrayLike<unknown>): ReadFields<S> {
    checkArguments(this.signature, given);
    return this.fill(options);
  }
}

function copied(form: Form, value: unknown): unknown {
  if (form.kind === "record") return form.options.fill(value as object);
  return Array.isArray(value) ? [...value] : value;
}

/** The record of a thing's options. `where`: what errors call it, where that is another name. */
export function options<const S extends Fields>(name: string, fields: S): OptionRecord<S>;
export function options<const S extends Fields>(name: string, where: string, fields: S): OptionRecord<S>;
// @__NO_SIDE_EFFECTS__
export function options(name: string, second: string | Fields, fields?: Fields): OptionRecord {
  return typeof second === "string" ? new OptionRecord(name, fields!, second) : new OptionRecord(name, second);
}

/** A number within bounds, in words: `a number ≥ 0`. */
// @__NO_SIDE_EFFECTS__
export function numberOf(expected: string, bounds: Bounds, problem = "a number out of range"): Type<number> {
  const { integer: whole, odd, least = -Infinity, above = -Infinity, below = Infinity, most = Infinity } = bounds;
  const inside = (value: number) =>
    value >= least &&
    value > above &&
    value < below &&
    value <= most &&
    (!whole || Number.isSafeInteger(value)) &&
    (!odd || value % 2 === 1);
  return new Type<number>(expected, numberKind, { kind: "number", ...bounds }, (value: number) =>
    inside(value) ? undefined : { problem, value, expected },
  );
}

export const finite: Type<number> = numberOf("a number", {});
export const nonNegative: Type<number> = numberOf("a number ≥ 0", { least: 0 });
export const positive: Type<number> = numberOf("a number > 0", { above: 0 });
/** A decay rate. */
export const fraction: Type<number> = numberOf("a number in [0, 1)", { least: 0, below: 1 });
export const probability: Type<number> = numberOf("a number in [0, 1]", { least: 0, most: 1 });
/** A share that is neither nothing nor all. */
export const share: Type<number> = numberOf("a number in (0, 1)", { above: 0, below: 1 });
/** A number of things: at least one. */
// @__NO_SIDE_EFFECTS__
export const countOf = (what: string, least = 1): Type<number> =>
  numberOf(`an integer ≥ ${least}`, { integer: true, least }, `not a number of ${what}`);
/** A number of things of which more than `most` is a slip, for the reason that is its problem. `got`, `expected`: what is said of such a value, where that isn't the number and the bound alone. */
// @__NO_SIDE_EFFECTS__
export function countUpTo(
  what: string,
  most: number,
  problem: string,
  { least = 1, got = String, expected = `at most ${most}` }: MoreOptions = {},
): Type<number> {
  const bounds = { integer: true, least, most };
  const range = `an integer in [${least}, ${most}]`;
  return new Type<number>(range, numberKind, { kind: "number", ...bounds }, (value: number) => {
    if (value > most) return { problem, got: got(value), expected, value };
    return countOf(what, least).fault(value);
  });
}
interface MoreOptions {
  readonly least?: number;
  readonly got?: (value: number) => string;
  readonly expected?: string;
}
/** As often as anyone waits for: more is a slip, and would be gone through before the run begins. `each`: what one of them takes. */
// @__NO_SIDE_EFFECTS__
export const repeats = (each: string, least = 1): Type<number> =>
  countUpTo("steps", 2 ** 16, "more than anyone waits for", { least, got: (value) => `${value}: each is ${each}` });
export const count: Type<number> = countOf("things");
export const steps: Type<number> = countOf("steps");
export const flag: Type<boolean> = /* @__PURE__ */ new Type("true or false", boolean, { kind: "flag" });
export const anyText: Type<string> = /* @__PURE__ */ new Type("text", string, { kind: "text", empty: true });

// @__NO_SIDE_EFFECTS__
const notEmpty = (kind?: "file" | "folder"): Type<string> => {
  const expected = "text that isn't empty";
  return new Type(expected, string, { kind: "text", empty: false, ...(kind && { path: kind }) }, (value: string) =>
    value === "" ? { problem: "it is empty", value, expected } : undefined,
  );
};
export const text: Type<string> = notEmpty();
/** Where a file is. */
export const filePath: Type<string> = notEmpty("file");
/** Where a folder is. */
export const folderPath: Type<string> = notEmpty("folder");

/** One of some words. */
// @__NO_SIDE_EFFECTS__
export const word = <const W extends string>(...words: readonly W[]): Type<W> =>
  new Type(`one of ${words.join(", ")}`, oneOf(words), { kind: "word", words });

/** The first fault of a list's items. */
function faultOf(types: (i: number) => Type, values: readonly unknown[]): Fault | undefined {
  for (const [i, value] of values.entries()) {
    const fault = types(i).fault(value);
    if (fault) return { ...fault, at: `[${i}]${fault.at ?? ""}` };
  }
  return undefined;
}

/** A list of a type's values, `least` of them or more. */
// @__NO_SIDE_EFFECTS__
export function list<T>(item: Type<T>, least = 0, expected = "a list"): Type<readonly T[]> {
  const plural = listOf(item.kind, `a list, of ${item.kind.expected} each`);
  return new Type(expected, plural, { kind: "list", item: item, least }, (value: readonly T[]) =>
    value.length < least ? { problem: "too few", value, expected } : faultOf(() => item, value),
  );
}

/** A list of as many numbers as there are types, each within its own. */
// @__NO_SIDE_EFFECTS__
export function tuple<const N extends readonly Type<number>[]>(
  expected: string,
  ...items: N
): Type<{ readonly [K in keyof N]: number }> {
  const names = "abcdefgh".slice(0, items.length).split("").join(", ");
  const accepts = (value: unknown) =>
    Array.isArray(value) && value.length === items.length && items.every(({ kind: each }, i) => each.accepts(value[i]));
  const right = kind(`${["no", "one", "two", "three"][items.length]} numbers [${names}]`, accepts);
  const fault = (value: readonly number[]) => faultOf((i) => items[i], value);
  return new Type<{ readonly [K in keyof N]: number }>(expected, right, { kind: "tuple", items }, fault);
}

/** A value of one of two types. */
// @__NO_SIDE_EFFECTS__
export function either<A, B>(a: Type<A>, b: Type<B>, expected: string): Type<A | B> {
  const form: Form = { kind: "either", types: [a, b] };
  return new Type<A | B>(expected, eitherKind(a.kind, b.kind), form, (value) => {
    const faults = [a, b].flatMap((type) => (type.kind.accepts(value) ? [type.fault(value)] : []));
    return faults.includes(undefined) ? undefined : { ...faults[0]!, expected };
  });
}

const textOrTexts = "text, or a list of texts";
/** One text, or a list of them. */
export const texts: Type<string | readonly string[]> = either(text, list(text, 1, textOrTexts), textOrTexts);

/** A record of options within options. */
// @__NO_SIDE_EFFECTS__
export const recordOf = <S extends Fields>(inner: OptionRecord<S>): Type<GivenFields<S>> =>
  new Type<GivenFields<S>>("a map of keys and values", inner, { kind: "record", options: inner as never });

/** An integer in [0, 2⁶⁴). */
export const seed: Type<number | bigint> = /* @__PURE__ */ new Type(
  "an integer in [0, 2^64), in decimal digits",
  kind("an integer in [0, 2⁶⁴)", (value) =>
    typeof value === "bigint" ? value >= 0n && value < 2n ** 64n : integer.accepts(value),
  ),
  { kind: "seed" },
);

/** What a program gives as a value of this kind, and a config as a choice from a family. */
// @__NO_SIDE_EFFECTS__
export const part = <T>(family: string, kind: Kind): Type<T> =>
  new Type(`${/^[aeiou]/.test(family) ? "an" : "a"} ${family}`, kind, { kind: "part", family });

/** What only a program can give. */
// @__NO_SIDE_EFFECTS__
export const code = <T>(kind: Kind): Type<T> => new Type(kind.expected, kind, { kind: "code" });
