// Angles beyond the range in which a multiple of π/2 is taken away in parts (Payne & Hanek 1983, in float32 alone): |x| is taken apart into digits to base 4096, and each digit's
// multiple of 2/π, of which multiples of 4 don't count, is known in words of 11 bits, so that the sums are exact.
import { abs, add, type Expr, floor, mul, sub } from "../expr.ts";
import { hex } from "./constants.ts";
import { nearest } from "./exp.ts";
import { sumOf, twelveBits, twoParts } from "./parts.ts";

/** ⌊2/π · 2²⁴⁰⌋. */
const twoOverPi = 0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbn;
const precision = 240;
const lowestDigit = -10;
const digits = 12;
const wordBits = 11;
const exactWords = 5;

/** 2ⁿ, exact. */
const powerOfTwo = (n: number) => (n < 0 ? 1 / Number(1n << BigInt(-n)) : Number(1n << BigInt(n)));

/** 2ᵖ · 2/π without multiples of 4, in [−2, 2): words of 11 bits with a sign, the first a multiple of 2⁻⁹, and what they leave. */
function wordsOf(power: number): number[] {
  const one = 1n << BigInt(precision);
  const shifted = power >= 0 ? twoOverPi << BigInt(power) : twoOverPi >> BigInt(-power);
  let rest = BigInt.asIntN(precision + 2, shifted);
  const words: number[] = [];
  let place = 9;
  for (let i = 0; i < exactWords; i++, place += wordBits) {
    const unit = one >> BigInt(place);
    const word = (rest + (unit >> 1n)) >> BigInt(precision - place);
    words.push(Number(word) * powerOfTwo(-place));
    rest -= word * unit;
  }
  return [...words, Number(rest >> 120n) * powerOfTwo(-120)];
}

/** n and r + low with |x| = n·π/2 + r + low, |r| ≤ 0.8, for 2¹³ ≤ |x| < ∞. */
export function reduceLarge(x: Expr): { n: Expr; r: Expr; low: Expr } {
  let left = abs(x);
  const sums: (Expr | undefined)[] = [];
  for (let digit = digits - 1; digit >= 0; digit--) {
    const power = lowestDigit + 12 * digit;
    const scaled = mul(left, powerOfTwo(-power));
    const q = digit === 0 ? scaled : floor(scaled);
    if (digit > 0) left = sub(left, mul(q, powerOfTwo(power)));
    wordsOf(power).forEach((word, i) => {
      const product = mul(q, word);
      sums[i] = sums[i] ? add(sums[i]!, product) : product;
    });
  }
  const [s0, s1, s2, s3, s4, rest] = sums as Expr[];
  const n0 = nearest(s0);
  const turned = add(s1, sub(s0, n0));
  const n1 = nearest(turned);
  const [a, b] = sumOf(sub(turned, n1), s2);
  const [c, d] = sumOf(a, s3);
  const [e, f] = sumOf(c, s4);
  const [high, low] = sumOf(e, add(add(add(b, d), f), rest));
  const first = twelveBits(high);
  const second = add(sub(high, first), low);
  const [r, more] = twoParts(
    mul(first, hex("0x1.922p+0")),
    add(mul(second, hex("0x1.922p+0")), mul(high, hex("-0x1.2aeef4p-18"))),
  );
  return { n: add(n0, n1), r, low: more };
}
