import fc from "fast-check";
import PcgRandom from "pcg-random";
import { describe, expect, test } from "vitest";
import { fill, jump, type PcgState } from "../../src/rng/words.ts";

const mask = 2n ** 64n - 1n;
const wide = (low: number, high: number) => (BigInt(high) << 32n) | BigInt(low);
const halves = (x: bigint): [number, number] => [Number(x & 0xffffffffn), Number(x >> 32n)];

/** The reference generator's own test seeding: state 42, sequence 54. */
const reference: PcgState = new PcgRandom(42, 0, 54, 0).getState();

/** `count` outputs from draw `offset` on, in hexadecimal. */
function outputs(state: PcgState, offset: number | bigint, count: number): string {
  const out = new Uint32Array(count);
  fill(jump(state, offset), out);
  return [...out].map((word) => word.toString(16).padStart(8, "0")).join(" ");
}

/** The state `count` draws on, by the closed form in BigInt: mⁿ·x + c·(mⁿ − 1)/(m − 1), the sum by doubling. */
function jumpBig([low, high, addLow, addHigh]: PcgState, count: bigint): bigint {
  let [power, sum] = [1n, 0n];
  let [times, add] = [6364136223846793005n, wide(addLow, addHigh)];
  for (let n = count; n > 0n; n >>= 1n) {
    if (n & 1n) [power, sum] = [(power * times) & mask, (sum * times + add) & mask];
    [times, add] = [(times * times) & mask, (add * (times + 1n)) & mask];
  }
  return (power * wide(low, high) + sum) & mask;
}

describe("words", () => {
  test("the outputs of the PCG32 reference, state 42, sequence 54", () => {
    expect(outputs(reference, 0, 6)).toBe("a15c02b7 7b47f409 ba1d3330 83d2f293 bfa4784b cbed606e");
  });

  test.each([
    [6n, "bfc6a3ad"],
    [1000n, "efebeab3"],
    [2n ** 20n, "717ce79f"],
    [2n ** 32n, "ee687386"],
    [10n ** 12n, "4e760141"],
    [2n ** 63n, "82b7a15c"],
  ])("draw %s of the reference", (index, word) => {
    expect(outputs(reference, index, 1)).toBe(word);
    if (index < 2n ** 53n) expect(outputs(reference, Number(index), 1)).toBe(word);
  });

  test("exclusive or and sum of the reference's first 1000 words", () => {
    const out = new Uint32Array(1000);
    fill(reference, out);
    expect(out.reduce((all, word) => all ^ word, 0) >>> 0).toBe(0xeccce15b);
    expect(out.reduce((all, word) => all + word, 0)).toBe(2170611965151);
  });

  test.each([
    [0, "47c28b93 b98f6a27"],
    [1, "9b6bdda9 0c31fc48"],
    [1337, "a401937b 5dba27d2"],
  ])("sequence 54, raw seed %i", (seed, words) => {
    expect(outputs(new PcgRandom(seed, 0, 54, 0).getState(), 0, 2)).toBe(words);
  });

  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const state = fc.tuple(word, word, word, word);

  test("any state steps as pcg-random steps it, and the state after a fill goes on", () => {
    fc.assert(
      fc.property(state, fc.integer({ min: 0, max: 40 }), ([low, high, addLow, addHigh], count) => {
        const start: PcgState = [low, high, (addLow | 1) >>> 0, addHigh];
        const generator = new PcgRandom(0, 0);
        generator.setState([...start]);
        const out = new Uint32Array(count);
        const after = fill(start, out);
        for (const word of out) expect(word).toBe(generator.next32());
        expect(after).toEqual(generator.getState());
      }),
    );
  });

  test("jumps equal the closed form in BigInt, and add up modulo the period", () => {
    fc.assert(
      fc.property(state, fc.bigInt({ min: 0n, max: mask }), fc.bigInt({ min: 0n, max: mask }), ([a, b, c, d], m, n) => {
        const start: PcgState = [a, b, (c | 1) >>> 0, d];
        expect(jump(start, m).slice(0, 2)).toEqual(halves(jumpBig(start, m)));
        expect(jump(jump(start, m), n)).toEqual(jump(start, (m + n) & mask));
      }),
    );
  });

  test("numbers and bigints jump alike", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (count) => {
        expect(jump(reference, count)).toEqual(jump(reference, BigInt(count)));
      }),
    );
  });
});
