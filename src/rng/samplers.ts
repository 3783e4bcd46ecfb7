// Integer samplers over the stream's words: a fixed number of draws a value, no rejection, integer arithmetic only (float64 products and
// quotients that are exact). What becomes a float is an expression over one word, in kernels/random.
import { refuse, ShapeError } from "../core/errors.ts";
import { fillWords } from "./draws.ts";

/** Words are drawn this many at a time, so that a large sample needs no second array of its size. */
const blockWords = 8192;

/** Calls `use` with each block of draws [offset, offset + count) of the seed's stream, ascending: the words and the index of the first. */
function eachBlock(
  seed: bigint,
  offset: number | bigint,
  count: number,
  use: (words: Uint32Array, first: number) => void,
): void {
  const buffer = new Uint32Array(Math.min(count, blockWords));
  for (let first = 0; first < count; first += blockWords) {
    const words = buffer.subarray(0, Math.min(blockWords, count - first));
    fillWords(seed, typeof offset === "bigint" ? offset + BigInt(first) : offset + first, words);
    use(words, first);
  }
}

/** ⌊(first·2³² + second)·n / 2⁶⁴⌋ for uint32 words and an integer n in [0, 2³²]: in [0, n). Every step is exact in float64. */
function scale(first: number, second: number, n: number): number {
  const nLow = n % 0x10000;
  const nHigh = Math.floor(n / 0x10000);
  // second·n / 2³², then (first·n + that) / 2³²; no term reaches 2⁴⁹.
  const carry = Math.floor((second * nHigh + Math.floor((second * nLow) / 0x10000)) / 0x10000);
  return Math.floor((first * nHigh + Math.floor((first * nLow + carry) / 0x10000)) / 0x10000);
}

/**
 * Fills `out`, int32 [n], with integers uniform on [low, high): low + ⌊u·(high − low)/2⁶⁴⌋, u = first draw·2³² + second; bias at most
 * (high − low)/2⁶⁴. 2n draws. Throws ShapeError unless −2³¹ ≤ low < high ≤ 2³¹, integers.
 */
export function randint(seed: bigint, offset: number | bigint, low: number, high: number, out: Int32Array): void {
  if (!(Number.isInteger(low) && Number.isInteger(high) && low >= -(2 ** 31) && low < high && high <= 2 ** 31))
    refuse(ShapeError, "randint", "not a range of int32", `[${low}, ${high})`, "integers, low < high");
  const extent = high - low;
  eachBlock(seed, offset, 2 * out.length, (words, first) => {
    for (let i = 0; i < words.length; i += 2) {
      out[(first + i) / 2] = low + scale(words[i], words[i + 1], extent);
    }
  });
}

/**
 * 0 … count − 1 in random order, int32 [count]: Fisher–Yates from the end, the element at i (descending to 1) swapped with the one at
 * ⌊u·(i + 1)/2⁶⁴⌋, u of two draws. 2·max(0, count − 1) draws. Throws ShapeError unless count is an integer in [0, 2³¹].
 */
export function permutation(seed: bigint, offset: number | bigint, count: number): Int32Array {
  if (!(Number.isInteger(count) && count >= 0 && count <= 2 ** 31))
    refuse(ShapeError, "permutation", "not a number of elements", count, "an integer in [0, 2^31]");
  const order = new Int32Array(count);
  for (let i = 1; i < count; i++) order[i] = i;
  eachBlock(seed, offset, 2 * Math.max(0, count - 1), (words, first) => {
    for (let i = 0; i < words.length; i += 2) {
      const last = count - 1 - (first + i) / 2;
      const other = scale(words[i], words[i + 1], last + 1);
      const value = order[last];
      order[last] = order[other];
      order[other] = value;
    }
  });
  return order;
}
