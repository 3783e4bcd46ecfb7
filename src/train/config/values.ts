// The values that configs are made of: zod types whose error text says what is expected.
import * as z from "zod";
import type { Bounds } from "../../core/options.ts";
import { type Duration, pattern } from "../../optim/duration.ts";

/** A record without other keys; the error for an unknown key lists the known ones. */
export function record<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? known : "a map of keys and values"),
  });
}

/** What a value's error says should be there. */
export const expected = (error: string) => ({ error });
/** A number within bounds. */
export function number(error: string, { integer, odd, least, above, below, most }: Bounds): z.ZodNumber {
  const said = expected(error);
  let type: z.ZodNumber = integer ? z.int(said) : z.number(said);
  if (least !== undefined) type = type.min(least, said);
  if (above !== undefined) type = type.gt(above, said);
  if (below !== undefined) type = type.lt(below, said);
  if (most !== undefined) type = type.max(most, said);
  return odd ? type.refine((value) => value % 2 === 1, said) : type;
}
export const count = number("an integer ≥ 1", { integer: true, least: 1 });
export const countUpTo = (most: number) => number(`an integer in [1, ${most}]`, { integer: true, least: 1, most });
export const limit = number("a number > 0", { above: 0 });
/** Of a whole. */
export const share = number("a number from 0 to 1", { least: 0, most: 1 });
/** Text of a form. */
export const matching = (error: string, pattern: RegExp) => z.string(expected(error)).regex(pattern, expected(error));
/** Text that isn't empty. `empty`: what is said of one that is. */
export const textOf = (error: string, empty = error) => z.string(expected(error)).min(1, expected(empty));
export const text = textOf("text", "text that isn't empty");
const durationText = "a number of steps ≥ 1, epochs as in 2ep, or a share of the run as in 0.1dur";
/** Epochs, or a share of a run. */
export const relative = matching(durationText, pattern) as unknown as z.ZodType<
  Exclude<Duration, number>,
  Exclude<Duration, number>
>;
/** Steps, by number or as a run of some length has them. */
export const duration = z.union([count, relative], expected(durationText));
const seedText = "an integer in [0, 2^64), in decimal digits";
const said = expected(seedText);
/** A seed of a stream. */
export const seed = z
  .union(
    [
      z
        .bigint(said)
        .min(0n, said)
        .lt(2n ** 64n, said),
      number(seedText, { integer: true, least: 0 }),
    ],
    said,
  )
  .meta({ id: "seed" });
export const flag = z.boolean(expected("true or false"));
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
