// Logarithms to other bases: the natural one of the mantissa times a constant in two parts, its own first part of few bits, so that the largest product is exact.
import { add, type Expr, mul, sub } from "../expr.ts";
import { hex } from "./constants.ts";
import { logParts, logSpecial, logTail } from "./log.ts";
import { twelveBits } from "./parts.ts";

/** A number in two parts: its first has at most 12 bits. */
interface Parts {
  readonly high: number;
  readonly low: number;
}

/** log x = e·step + ln(1 + f)·factor. */
function logBy(x: Expr, factor: Parts, step?: Parts): Expr {
  const { e, f } = logParts(x);
  const { h, rest } = logTail(f);
  const g = sub(f, h);
  const high = twelveBits(g);
  const low = add(sub(sub(f, high), h), rest);
  const small = add(mul(low, factor.high), mul(add(high, low), factor.low));
  const tail = add(mul(high, factor.high), step ? add(small, mul(e, step.low)) : small);
  return logSpecial(x, add(step ? mul(e, step.high) : e, tail));
}

/** log₂ x. At most 0.88 ULP; exact for powers of two. */
export const log2 = (x: Expr): Expr => logBy(x, { high: hex("0x1.714p+0"), low: hex("0x1.47652cp-12") });

/** log₁₀ x. At most 0.9 ULP. */
export const log10 = (x: Expr): Expr =>
  logBy(
    x,
    { high: hex("0x1.bccp-2"), low: hex("-0x1.09d5b2p-15") },
    { high: hex("0x1.344p-2"), low: hex("0x1.3509f8p-18") },
  );
