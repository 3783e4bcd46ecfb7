// The values that configs are made of: zod types whose error text says what is expected.
import * as z from "zod";
import { type Duration, pattern } from "../../core/duration.ts";

/** A record without other keys; the error for an unknown key lists the known ones. */
export function record<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? known : "a map of keys and values"),
  });
}

/** What a value's error says should be there. */
export const expected = (error: string) => ({ error });
const relativeSaid = expected("a number of steps ≥ 1, epochs as in 2ep, or a share of the run as in 0.1dur");
/** Epochs, or a share of a run. */
export const relative = z.string(relativeSaid).regex(pattern, relativeSaid) as unknown as z.ZodType<
  Exclude<Duration, number>,
  Exclude<Duration, number>
>;
export const count = z.int(expected("an integer ≥ 1")).min(1, expected("an integer ≥ 1"));
/** Steps, by number or as a run of some length has them. */
export const duration = z.union([count, relative], relativeSaid);
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
export const limit = z.number(expected("a number > 0")).gt(0, expected("a number > 0"));
/** Of a whole. */
export const share = z
  .number(expected("a number from 0 to 1"))
  .min(0, expected("a number from 0 to 1"))
  .max(1, expected("a number from 0 to 1"));
export const flag = z.boolean(expected("true or false"));
export const text = z.string(expected("text")).min(1, expected("text that isn't empty"));
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
