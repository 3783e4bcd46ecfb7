// Seeds as a command line has them.
import { StreamError, showValue } from "../core/errors.ts";
import { parseSeed } from "../rng/stream.ts";

/** A seed written as decimal digits, as in JSON or on a command line: `"1234"` → 1234n. `1e3`, `0x10`, `01`, `+1`, `1.0`: StreamError. */
export function seedFromText(where: string, text: string): bigint {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) {
    throw new StreamError({
      where,
      problem: "not a seed",
      got: showValue(text),
      expected: "decimal digits, an integer in [0, 2^64)",
      hint: "digits only, no sign, point, exponent or leading zero: 1234",
    });
  }
  return parseSeed(where, BigInt(text));
}
