// The values that configs are made of: zod types whose error text says what is expected, and the catalog of classes that a choice picks from.
import { z } from "zod";

/** A record without other keys; the error for an unknown key lists the known ones. */
export function record<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? known : "a map of keys and values"),
  });
}

/** What a value's error says should be there. */
export const expected = (error: string) => ({ error });
export const count = z.int(expected("an integer ≥ 1")).min(1, expected("an integer ≥ 1"));
export const countUpTo = (most: number) => {
  const range = expected(`an integer in [1, ${most}]`);
  return z.int(range).min(1, range).max(most, range);
};
const seedText = "an integer in [0, 2^64), in decimal digits";
/** A seed of a stream. */
export const seed = z
  .union(
    [
      z
        .bigint(expected(seedText))
        .min(0n, expected(seedText))
        .lt(2n ** 64n, expected(seedText)),
      z.int(expected(seedText)).min(0, expected(seedText)),
    ],
    expected(seedText),
  )
  .meta({ id: "seed" });
export const rate = z.number(expected("a number ≥ 0")).min(0, expected("a number ≥ 0"));
export const limit = z.number(expected("a number > 0")).gt(0, expected("a number > 0"));
export const flag = z.boolean(expected("true or false"));
export const text = z.string(expected("text")).min(1, expected("text that isn't empty"));
/** In [0, 1): a decay rate. */
export const decay = z
  .number(expected("a number in [0, 1)"))
  .min(0, expected("a number in [0, 1)"))
  .lt(1, expected("a number in [0, 1)"));
export const probability = z
  .number(expected("a number in [0, 1]"))
  .min(0, expected("a number in [0, 1]"))
  .max(1, expected("a number in [0, 1]"));
export const word = <const T extends readonly string[]>(words: T) =>
  z.enum(words, expected(`one of ${words.join(", ")}`));
export const list = <T extends z.ZodType>(item: T) => z.array(item, expected("a list"));
/** One text, or a list of them. */
export const texts = z.union(
  [text, list(text).min(1, expected("text, or a list of texts"))],
  expected("text, or a list of texts"),
);

/** A schema asked for anew at each use, where z.lazy keeps its first answer: what is registered later counts too. */
export function live<T extends z.ZodType>(get: () => T): z.ZodLazy<T> {
  const schema = z.lazy(get);
  Object.defineProperty(schema._zod, "innerType", { configurable: true, get });
  return schema;
}

/** A choice as configured: which class or name, and its options, checked by that entry's schema. */
export type Choice<K extends "class" | "name"> = { readonly [key in K]: string } & Readonly<Record<string, unknown>>;

interface Entry<T, C> {
  readonly schema: z.ZodObject;
  readonly make: (options: never, context: C) => T;
}

/**
 * What a key of a config may name: each entry has a name, the options it takes, and how it is made from them and what else there is. YAML
 * chooses by `Name: {…}` (`class`), or by `name: …` beside the options (`name`).
 */
export class Catalog<T, C = void, K extends "class" | "name" = "class" | "name"> {
  readonly #key: K;
  readonly #error: string;
  readonly #entries = new Map<string, Entry<T, C>>();
  #schema: z.ZodType<Choice<K>> | undefined;

  constructor(key: K, error: string) {
    this.#key = key;
    this.#error = error;
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  add<S extends z.ZodRawShape>(
    name: string,
    shape: S,
    make: (options: Omit<z.output<z.ZodObject<S>>, "class" | "name">, context: C) => T,
  ): this {
    const key = this.#key === "name" ? name.toLowerCase() : name;
    const schema = record({ [this.#key]: z.literal(key), ...shape });
    this.#schema = undefined;
    this.#entries.set(key, { schema: schema as unknown as z.ZodObject, make: make as Entry<T, C>["make"] });
    return this;
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
    this.#schema = undefined;
    this.#entries.set(key, { schema: schema as unknown as z.ZodObject, make: make as Entry<T, C>["make"] });
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
