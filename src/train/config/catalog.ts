// What keys of a config may name: the things of a folder's index, and what a program registers. Each has a record of its options (core/options); here those become zod
// types, whose error text says what is expected.
import { z } from "zod";
import { type Fields, type Form, Option, type OptionRecord, options, type Type } from "../../core/options.ts";
import type { Thing } from "../../core/things.ts";
import { expected, list, live, record, seed } from "./values.ts";

/** A choice as configured: which class or name, and its options, checked by that entry's schema. */
export type Choice<K extends "class" | "name"> = { readonly [key in K]: string } & Readonly<Record<string, unknown>>;

const bounded = (error: string, form: Form & { readonly kind: "number" }): z.ZodNumber => {
  const said = expected(error);
  let type: z.ZodNumber = form.integer ? z.int(said) : z.number(said);
  if (form.least !== undefined) type = type.min(form.least, said);
  if (form.above !== undefined) type = type.gt(form.above, said);
  if (form.below !== undefined) type = type.lt(form.below, said);
  if (form.most !== undefined) type = type.max(form.most, said);
  return form.odd ? type.refine((value) => value % 2 === 1, said) : type;
};

/** A type of option as zod's. */
function zodOf({ form, expected: error }: Type): z.ZodType {
  const said = expected(error);
  switch (form.kind) {
    case "number":
      return bounded(error, form);
    case "flag":
      return z.boolean(said);
    case "seed":
      return seed;
    case "text":
      return form.empty ? z.string(said) : z.string(expected("text")).min(1, said);
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

const typeOf = (field: Fields[string]): Type => (field instanceof Option ? field.type : (field as Type));

/** Zod types of a record's options; what only a program can give isn't among them. */
export function shapeOf({ fields }: OptionRecord): z.ZodRawShape {
  const shape: Record<string, z.ZodType> = {};
  for (const [key, field] of Object.entries(fields)) {
    const type = typeOf(field);
    if (type.form.kind === "code") continue;
    const plain = zodOf(type);
    const filled = field instanceof Option && field.fallback !== undefined ? plain.default(field.fallback) : plain;
    shape[key] = field instanceof Option && field.fallback === undefined ? plain.optional() : filled;
  }
  return shape;
}

/** Options with what they choose from families made. */
function withParts({ fields }: OptionRecord, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const form = key in fields && value !== undefined ? typeOf(fields[key]).form : undefined;
      if (form?.kind === "part") return [key, families.get(form.family)!.make(value as never, undefined)];
      if (form?.kind !== "list" || form.item.form.kind !== "part") return [key, value];
      const family = families.get(form.item.form.family)!;
      return [key, (value as readonly never[]).map((choice) => family.make(choice, undefined))];
    }),
  );
}

const families = new Map<string, Catalog<unknown, unknown>>();

interface Entry<T, C> {
  readonly schema: z.ZodObject;
  readonly make: (options: never, context: C) => T;
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

  /** Adds an entry by zod types of its options. */
  add<S extends z.ZodRawShape>(
    name: string,
    shape: S,
    make: (options: Omit<z.output<z.ZodObject<S>>, "class" | "name">, context: C) => T,
  ): this {
    const key = this.#key === "name" ? name.toLowerCase() : name;
    return this.#put(key, record({ [this.#key]: z.literal(key), ...shape }), make as never);
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
      this.add(name, shapeOf(record), (given, context) => {
        const build = thing.fromConfig ? (whole: never) => thing.fromConfig!(whole, given as never) : thing;
        return make(build as never, withParts(record, given) as never, context);
      });
    }
    return this;
  }

  #put(key: string, schema: unknown, make: Entry<T, C>["make"]): this {
    this.#schema = undefined;
    this.#entries.set(key, { schema: schema as z.ZodObject, make });
    return this;
  }

  /** As `add`, for options that only whoever registers knows: unchecked without a shape. */
  register(name: string, shape: z.ZodRawShape | undefined, make: (options: unknown, context: C) => T): void {
    if (shape) {
      this.add(name, shape, make as never);
      return;
    }
    const key = this.#key === "name" ? name.toLowerCase() : name;
    const schema = z
      .looseObject({ [this.#key]: z.literal(key) })
      .refine((value) => !Object.keys(value).some((option) => option.startsWith("!")), expected("keys in snake_case"));
    this.#put(key, schema, make as never);
  }

  /** Each entry with its options: whether one must be given, and what it is otherwise. */
  describe(): { name: string; options: { key: string; required: boolean; fallback?: unknown }[] }[] {
    return [...this.#entries].map(([name, { schema }]) => {
      const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
      const own = Object.entries(properties).filter(([key]) => key !== this.#key);
      const options = own.map(([key, value]) => ({
        key,
        required: required.includes(key),
        ...(typeof value === "object" && value.default !== undefined && { fallback: value.default }),
      }));
      return { name, options };
    });
  }

  /** Any one of the entries as they are now. */
  get schema(): z.ZodType<Choice<K>> {
    if (!this.#schema) {
      const [first, ...rest] = [...this.#entries.values()].map((entry) => entry.schema);
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
