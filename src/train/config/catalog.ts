// What keys of a config may name: the things of a folder's index, and what a program registers. Each has a record of its options (core/options); here those become zod
// types, whose error text says what is expected.
import * as z from "zod";
import { ownValue } from "../../core/keys.ts";
import { type Fields, Option, OptionRecord, options, type Type, typeOf } from "../../core/options.ts";
import type { Thing } from "../../core/things.ts";
import documentation from "./documentation.json" with { type: "json" };
import { expected, list, live, matching, number, record, seed, textOf } from "./values.ts";

/** A choice as configured: which class or name, and its options, checked by that entry's schema. */
export type Choice<K extends "class" | "name"> = { readonly [key in K]: string } & Readonly<Record<string, unknown>>;

/** A type of option as zod's. */
function zodOf({ form, expected: error }: Type): z.ZodType {
  const said = expected(error);
  switch (form.kind) {
    case "number":
      return number(error, form);
    case "flag":
      return z.boolean(said);
    case "seed":
      return seed;
    case "text":
      if (form.pattern) return matching(error, form.pattern);
      return form.empty ? z.string(said) : textOf("text", error);
    case "word":
      return z.enum(form.words as readonly [string], said);
    case "list": {
      const items = list(zodOf(form.item));
      return form.least > 0 ? items.min(form.least, said) : items;
    }
    case "tuple":
      return z.tuple(form.items.map(zodOf) as [z.ZodType], said);
    case "either": {
      const said = form.types.filter((type) => type.form.kind !== "code").map(zodOf);
      return said.length === 1 ? said[0] : z.union(said, expected(error));
    }
    case "record":
      return record(shapeOf(form.options));
    case "part":
      return live(() => families.get(form.family)!.schema);
    case "code":
      throw new Error(`no config can say ${error}`);
  }
}

/** Zod types of a record's options; what only a program can give isn't among them. */
export function shapeOf({ name, fields }: OptionRecord): z.ZodRawShape {
  const shape: Record<string, z.ZodType> = {};
  for (const [key, field] of Object.entries(fields)) {
    const type = typeOf(field);
    if (type.form.kind === "code") continue;
    const plain = zodOf(type);
    const filled = field instanceof Option && field.fallback !== undefined ? plain.default(field.fallback) : plain;
    const whole = field instanceof Option && field.fallback === undefined ? plain.optional() : filled;
    const text = documentOf(name, key);
    // A description is the schema's own where it says what a part may be.
    shape[key] = text === undefined || type.form.kind === "part" ? whole : whole.describe(text);
  }
  return shape;
}

/** Options with what they choose from families made, in the context of the whole. */
function withParts(
  { fields }: OptionRecord,
  given: Readonly<Record<string, unknown>>,
  context: unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const form = key in fields && value !== undefined ? typeOf(fields[key]).form : undefined;
      if (form?.kind === "part") return [key, families.get(form.family)!.make(value as never, context)];
      if (form?.kind !== "list" || form.item.form.kind !== "part") return [key, value];
      const family = families.get(form.item.form.family)!;
      return [key, (value as readonly never[]).map((choice) => family.make(choice, context))];
    }),
  );
}

/** All catalogs by what each is of, for what an option of one chooses from another. */
const families = new Map<string, Catalog<unknown, unknown>>();

/** What an option of the library's is said to mean; under the key "", a thing itself. `npm run docs` writes it from the sources' JSDoc. */
const documentOf = (name: string, key: string): string | undefined => {
  const own: Readonly<Record<string, string>> | undefined = ownValue(documentation.own, name);
  return own && (ownValue(own, key) ?? ownValue<string>(documentation.common, key));
};

/** A type in words, with what lists and maps hold. */
function words({ expected, form }: Type): string {
  if (form.kind === "record") return `a map of ${Object.keys(form.options.fields).join(", ")}`;
  return form.kind === "list" ? `a list: ${words(form.item)}` : expected;
}

/** What a config may say of a record's options. */
const inWords = ({ name, fields }: OptionRecord): EntryOption[] =>
  Object.entries(fields).flatMap(([key, field]): EntryOption[] => {
    const type = typeOf(field);
    if (type.form.kind === "code") return [];
    const fallback = field instanceof Option ? field.fallback : undefined;
    const text = documentOf(name, key);
    return [
      {
        key,
        type: words(type),
        required: !(field instanceof Option),
        ...(fallback !== undefined && { fallback }),
        ...(text !== undefined && { text }),
      },
    ];
  });

/** An option of an entry. */
export interface EntryOption {
  readonly key: string;
  /** In words, where it is known. */
  readonly type: string;
  readonly required: boolean;
  readonly fallback?: unknown;
  /** What it means. */
  readonly text?: string;
}

interface Entry<T, C> {
  readonly make: (options: never, context: C) => T;
  /** Its options; of what a program registers zod types, or nothing. */
  readonly options?: OptionRecord | z.ZodRawShape;
}

/** Makes a thing of a config's options: what `addThings` is told to do with them besides. */
type Build = (options: never) => unknown;

/**
 * What a key of a config may name: each entry has a name, the options it takes, and how it is made from them and what else there is. YAML
 * chooses by `Name: {…}` (`class`), or by `name: …` beside the options (`name`).
 */
export class Catalog<T, C = void, K extends "class" | "name" = "class" | "name"> {
  readonly #key: K;
  readonly #error: string;
  readonly #entries = new Map<string, Entry<T, C>>();
  #schema: z.ZodType<Choice<K>> | undefined;

  /** `family`: what it is a catalog of, as `register` calls it. */
  constructor(family: string, key: K, error: string) {
    this.#key = key;
    this.#error = error;
    families.set(family, this as never);
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** The record of an entry that has one. */
  recordOf(name: string): OptionRecord | undefined {
    const { options } = this.#entries.get(name) ?? {};
    return options instanceof OptionRecord ? options : undefined;
  }

  /**
   * Adds things by the names in their records; not those of which something must be given that only a program can. `make`: how one of them is made, where more than its
   * options makes it; `more`: options that each takes in a config alone.
   */
  addThings(
    things: readonly Thing[],
    make: (build: never, options: never, context: C) => T = (build: Build, options: never) => build(options) as T,
    more: Fields = {},
  ): this {
    for (const thing of things) {
      const { name, fields } = thing.options;
      if (Object.values(fields).some((field) => !(field instanceof Option) && field.form.kind === "code")) continue;
      const record = options(name, { ...fields, ...more });
      this.register(name, record, (given, context) => {
        const build = thing.fromConfig ? (whole: never) => thing.fromConfig!(whole, given as never) : thing;
        return make(build as never, withParts(record, given as never, context) as never, context);
      });
    }
    return this;
  }

  /** Adds an entry by a record of its options, or by zod types of them; without either they are unchecked. */
  register(name: string, options: Entry<T, C>["options"], make: (options: unknown, context: C) => T): void {
    this.#schema = undefined;
    this.#entries.set(this.#key === "name" ? name.toLowerCase() : name, { make, options });
  }

  /** What is checked of an entry. */
  #entrySchema([key, { options }]: readonly [string, Entry<T, C>]): z.ZodObject {
    const known = { [this.#key]: z.literal(key) };
    const shape = options instanceof OptionRecord ? shapeOf(options) : options;
    if (shape) return record({ ...known, ...shape });
    const isPlain = (value: object) => !Object.keys(value).some((option) => option.startsWith("!"));
    return z.looseObject(known).refine(isPlain, expected("keys in snake_case"));
  }

  /** Each entry with its options, and what they mean. */
  describe(): { name: string; text?: string; options: EntryOption[] }[] {
    return [...this.#entries].map(([name, { options = {} }]) => {
      if (options instanceof OptionRecord)
        return { name, text: documentOf(options.name, ""), options: inWords(options) };
      const shape = Object.entries(options as Readonly<Record<string, z.ZodType>>);
      const keys = shape.map(([key, type]): EntryOption => {
        const { success, data } = type.safeParse(undefined);
        return { key, type: type.description ?? "", required: !success, ...(data !== undefined && { fallback: data }) };
      });
      return { name, options: keys };
    });
  }

  /** Any one of the entries as they are now: made when it is first asked for, since most programs read no config. */
  get schema(): z.ZodType<Choice<K>> {
    if (!this.#schema) {
      const [first, ...rest] = [...this.#entries].map((entry) => this.#entrySchema(entry));
      const union = z.discriminatedUnion(this.#key, [first, ...rest], expected(this.#error));
      this.#schema = union as unknown as z.ZodType<Choice<K>>;
    }
    return this.#schema;
  }

  /** Makes what a checked choice names. */
  make(choice: Choice<K>, context: C): T {
    const { [this.#key]: name, ...options } = choice;
    return this.#entries.get(name as string)!.make(options as never, context);
  }
}
