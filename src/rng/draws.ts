// The draws of a seed's stream, from the seed and an offset alone: what backends fill ranges with.
import { refuse, StreamError, showValue } from "../core/errors.ts";
import { firstState } from "./state.ts";
import { fill, jump } from "./words.ts";

/**
 * Writes draws `offset`, `offset` + 1, … of the seed's stream to `out`: uint32 [out.length]. A pure function of its arguments; ranges may
 * be filled in any order, in parts, and again. Throws StreamError for a bad seed or offset, or a range that ends beyond draw 2⁶⁴.
 */
export function fillWords(seed: bigint, offset: number | bigint, out: Uint32Array): void {
  const valid = typeof offset === "bigint" || Number.isSafeInteger(offset);
  if (!valid || offset < 0 || BigInt(offset) + BigInt(out.length) > 2n ** 64n) {
    const expected = "an integer offset ≥ 0, as bigint above 2^53 − 1, and an end of at most 2^64";
    const got = `${out.length} draws from ${showValue(offset)}`;
    refuse(StreamError, "fillWords", "not a range of draws", got, expected);
  }
  fill(jump(firstState(seed), offset), out);
}
