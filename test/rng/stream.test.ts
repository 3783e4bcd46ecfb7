import fc from "fast-check";
import { createPcg32, getOutput, nextState, stepState } from "pcg";
import PcgRandom from "pcg-random";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { seedFromText } from "../../src/cli/seed.ts";
import { StreamError } from "../../src/core/errors.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { dataOffset, regions, watchOffset } from "../../src/rng/regions.ts";
import { ambientStream, drawSeed, manualSeed, parseSeed, Stream, withStream } from "../../src/rng/stream.ts";

const seeds = [0n, 1n, 1234n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 63n + 5n, 2n ** 64n - 1n];

function words(seed: bigint, offset: number | bigint, count: number): Uint32Array {
  const out = new Uint32Array(count);
  fillWords(seed, offset, out);
  return out;
}

function thrown(body: () => unknown): StreamError {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(StreamError);
    return error as StreamError;
  }
  throw new TypeError("nothing was thrown");
}

// pcg-random's integer() ignores its argument: whoever calls it fails here.
beforeAll(() => {
  (PcgRandom.prototype as unknown as { integer: () => never }).integer = () => {
    throw new TypeError("pcg-random's integer() was called");
  };
});

describe("draws", () => {
  test.each([
    [0n, "e823a24e 7a7ecbd9 89fd6c06 ae646aa8", "03588f9d", "0a22b60e", "97169e6b"],
    [1n, "54352d7f 6ac20236 0768dd4c 75560a43", "f02bf8b2", "8f6cad64", "e2e43f9a"],
    [1234n, "9e2942a8 0c7e5fe2 47453f4b c1b3211e", "aa8a9fb0", "b15c1840", "6896c701"],
  ])("the published draws of seed %s", (seed, first, million, far, watch) => {
    const hex = (offset: number, count = 1) =>
      [...words(seed, offset, count)].map((word) => word.toString(16).padStart(8, "0")).join(" ");
    expect(hex(0, 4)).toBe(first);
    expect(hex(1e6)).toBe(million);
    expect(hex(2 ** 32)).toBe(far);
    expect(hex(2 ** 43)).toBe(watch);
  });

  test.each(seeds)("seed %s is new PcgRandom(low, high), word for word", (seed) => {
    const generator = new PcgRandom(Number(seed & 0xffffffffn), Number(seed >> 32n));
    expect(words(seed, 0, 5000)).toEqual(Uint32Array.from({ length: 5000 }, () => generator.next32()));
  });

  test.each(seeds)("seed %s as the npm package pcg draws it, near and far", (seed) => {
    // The package takes the increment as 2·stream + 1: this is pcg-random's default one.
    let state = createPcg32({}, seed, (0x14057b7ef767814fn - 1n) / 2n);
    const far = stepState(2 ** 40 + 12345, state);
    for (const word of words(seed, 0, 500)) {
      expect(word).toBe(getOutput(state));
      state = nextState(state);
    }
    expect(words(seed, 2 ** 40 + 12345, 1)[0]).toBe(getOutput(far));
  });

  test.each([1, 2, 7, 64])("a range filled in %i parts is the range", (parts) => {
    const size = 10_007;
    for (const offset of [0, 999, 2 ** 33 - 5, 2n ** 63n - 3n]) {
      const whole = words(1234n, offset, size);
      const out = new Uint32Array(size);
      for (let part = parts - 1; part >= 0; part--) {
        const [from, to] = [Math.floor((size * part) / parts), Math.floor((size * (part + 1)) / parts)];
        fillWords(1234n, typeof offset === "bigint" ? offset + BigInt(from) : offset + from, out.subarray(from, to));
      }
      expect(out).toEqual(whole);
    }
  });

  test("a draw depends on its index alone: to seek is to step", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 9n }),
        fc.nat(8),
        (seed, offset, i) => {
          expect(words(seed, offset, 9)[i]).toBe(words(seed, offset + BigInt(i), 1)[0]);
        },
      ),
    );
  });

  test("up to the last draw, and not beyond", () => {
    expect(words(7n, 2n ** 64n - 2n, 2)[1]).toBe(words(7n, 2n ** 64n - 1n, 1)[0]);
    expect(words(7n, 2n ** 64n, 0)).toHaveLength(0);
    expect(thrown(() => words(7n, 2n ** 64n - 1n, 2)).problem).toBe("not a range of draws");
    for (const offset of [-1, 0.5, Number.NaN, 2 ** 53, -1n])
      expect(thrown(() => words(7n, offset, 1)).where).toBe("fillWords");
    expect(thrown(() => words(-1n, 0, 1)).problem).toBe("not a seed");
  });
});

describe("seeds", () => {
  test("safe integers and 64-bit bigints, 0 like any other", () => {
    expect([0, -0, 1, 1234, Number.MAX_SAFE_INTEGER].map((seed) => parseSeed("seed", seed))).toEqual([
      0n,
      0n,
      1n,
      1234n,
      2n ** 53n - 1n,
    ]);
    for (const seed of seeds) expect(parseSeed("seed", seed)).toBe(seed);
  });

  test.each([
    [-1, "-1"],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    [Infinity, "Infinity"],
    [-1n, "-1n"],
    [2n ** 64n, "18446744073709551616n"],
    ["1e3", '"1e3"'],
    ["0x10", '"0x10"'],
    ["12", '"12"'],
    [true, "true"],
    [null, "null"],
    [undefined, "nothing"],
    [[1], "[1]"],
    [2 ** 64, "18446744073709552000"],
  ])("%s is no seed", (seed, got) => {
    const error = thrown(() => parseSeed("trainer.init.seed", seed));
    expect(error.message).toContain(`trainer.init.seed: not a seed: got ${got}, expected an integer in [0, 2^64)`);
    expect(error.hint).toBeDefined();
  });

  test("a number beyond 2⁵³ − 1 may not be the one that was written", () => {
    const error = thrown(() => parseSeed("seed", 2 ** 53));
    expect(error.problem).toBe("a number too large to hold every integer");
    expect(error.hint).toContain("9007199254740992n");
  });

  test("from text: decimal digits and nothing else", () => {
    expect(seedFromText("--seed", "0")).toBe(0n);
    expect(seedFromText("--seed", "18446744073709551615")).toBe(2n ** 64n - 1n);
    for (const text of [
      "",
      "-1",
      "+1",
      "01",
      "1.5",
      "1e3",
      "0x10",
      " 1",
      "1n",
      "18446744073709551616",
      "99999999999999999999999",
    ])
      expect(thrown(() => seedFromText("--seed", text)).where).toBe("--seed");
  });

  test("from the operating system: 64 bits, new each time", () => {
    const drawn = Array.from({ length: 20 }, drawSeed);
    expect(new Set(drawn).size).toBe(20);
    expect(drawn.some((seed) => seed >= 2n ** 60n)).toBe(true);
    for (const seed of drawn) expect(parseSeed("drawSeed", seed)).toBe(seed);
  });
});

describe("Stream", () => {
  test("hands out ranges one after the other and seeks", () => {
    const stream = new Stream(1234);
    expect(stream.seed).toBe(1234n);
    expect([stream.position, stream.reserve(10), stream.reserve(0), stream.reserve(5), stream.position]).toEqual([
      0, 0, 10, 10, 15,
    ]);
    stream.seek(3);
    expect(stream.reserve(1)).toBe(3);
    expect(new Stream(1n, 15).position).toBe(15);
  });

  test("refuses what is no count or position, and doesn't move", () => {
    const stream = new Stream(0, 7);
    for (const bad of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(thrown(() => stream.reserve(bad)).where).toBe("reserve");
      expect(thrown(() => stream.seek(bad)).where).toBe("seek");
      expect(thrown(() => new Stream(0, bad)).where).toBe("Stream");
    }
    expect(stream.position).toBe(7);
    expect(thrown(() => new Stream(-1)).problem).toBe("not a seed");
  });

  test("the regions: the program from 0, data from 2⁴¹, watching from 2⁴², to 2⁴³", () => {
    expect(regions.map(({ name, from, to }) => [name, from, to])).toEqual([
      ["program", 0, 2 ** 41],
      ["data", 2 ** 41, 2 ** 42],
      ["watching", 2 ** 42, 2 ** 43],
    ]);
    expect([dataOffset, watchOffset]).toEqual([2 ** 41, 2 ** 42]);
  });

  test.each(regions)("draws of the $name region stay in it; the error says which it is", ({ name, from, to }) => {
    const stream = new Stream(0, to - 10);
    const error = thrown(() => stream.reserve(10));
    expect(error.message).toContain(`the stream's ${name} region is used up: got 10 draws from position ${to - 10}`);
    expect(stream.position).toBe(to - 10);
    expect(stream.reserve(9)).toBe(to - 10);
    expect(stream.reserve(0)).toBe(to - 1);
    expect(new Stream(0, from).reserve(1000)).toBe(from);
    expect(thrown(() => new Stream(0, 2 ** 43).reserve(1)).message).toContain("watching region");
  });
});

describe("the ambient stream", () => {
  afterEach(() => vi.restoreAllMocks());

  test("without a seed one is drawn, and warned of once, where something is drawn from it", async () => {
    vi.resetModules();
    const fresh = await import("../../src/rng/stream.ts");
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const stream = fresh.ambientStream();
    expect(fresh.ambientStream()).toBe(stream);
    expect(stream.reserve(0)).toBe(0);
    expect(warn).toHaveBeenCalledTimes(0);
    expect([stream.reserve(3), stream.reserve(1)]).toEqual([0, 3]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toContain(`manualSeed(${stream.seed}n)`);
    fresh.manualSeed(5);
    expect(fresh.ambientStream().seed).toBe(5n);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test("manualSeed starts it anew at draw 0", () => {
    manualSeed(1).reserve(10);
    const stream = manualSeed(1);
    expect(ambientStream()).toBe(stream);
    expect(stream.position).toBe(0);
    expect(thrown(() => manualSeed(1.5)).where).toBe("manualSeed");
    expect(ambientStream()).toBe(stream);
  });

  test("withStream sets it for a synchronous body and restores the former", () => {
    const outer = manualSeed(1);
    const inner = new Stream(2);
    const value = withStream(inner, () => {
      ambientStream().reserve(3);
      withStream(new Stream(3), () => ambientStream().reserve(9));
      return ambientStream();
    });
    expect(value).toBe(inner);
    expect([inner.position, outer.position]).toEqual([3, 0]);
    expect(ambientStream()).toBe(outer);
    expect(() =>
      withStream(inner, () => {
        throw new RangeError("from the body");
      }),
    ).toThrow("from the body");
    expect(ambientStream()).toBe(outer);
    expect(thrown(() => withStream(inner, async () => 1)).problem).toBe("the body is asynchronous");
    expect(ambientStream()).toBe(outer);
  });
});
