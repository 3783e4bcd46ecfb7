// The draws of a seed's stream, from the seed and an offset alone: what backends fill ranges with. No other file imports pcg-random.
import PcgRandom from "pcg-random";
import { StreamError, showValue } from "../core/errors.ts";
import { parseSeed } from "./stream.ts";
import { fill, jump, type PcgState } from "./words.ts";

/** The seed's stream before draw 0: what backends jump ahead from by themselves. Throws StreamError for a bad seed. */
export function firstState(seed: bigint): PcgState {
  const checked = parseSeed("firstState", seed);
  return new PcgRandom(Number(checked & 0xffffffffn), Number(checked >> 32n)).getState();
}

/**
 * Writes draws `offset`, `offset` + 1, … of the seed's stream to `out`: uint32 [out.length]. A pure function of its arguments; ranges may
 * be filled in any order, in parts, and again. Throws StreamError for a bad seed or offset, or a range that ends beyond draw 2⁶⁴.
 */
export function fillWords(seed: bigint, offset: number | bigint, out: Uint32Array): void {
  const valid = typeof offset === "bigint" || Number.isSafeInteger(offset);
  if (!valid || offset < 0 || BigInt(offset) + BigInt(out.length) > 2n ** 64n) {
    throw new StreamError({
      where: "fillWords",
      problem: "not a range of draws",
      got: `${out.length} draws from ${showValue(offset)}`,
      expected: "an integer offset ≥ 0, as bigint above 2^53 − 1, and an end of at most 2^64",
    });
  }
  fill(jump(firstState(seed), offset), out);
}
