// The run's one source of randomness: a PCG32 stream, exactly as the npm package pcg-random gives it, and its position, which is its
// only state. The stream hands out ranges of draws; what fills them (draws.ts) needs only the seed and the offset.
import { anything, checkArguments, signature } from "../core/arguments.ts";
import { refuse, StreamError, showValue } from "../core/errors.ts";
import { runWithin } from "../core/promise.ts";
import { regionOf } from "./regions.ts";

/** Only their numbers: what a seed or a position may be, the functions say themselves. */
const calls = {
  Stream: signature("Stream", { "seed?": anything, "position?": anything }),
  reserve: signature("reserve", { "count?": anything }),
  seek: signature("seek", { "position?": anything }),
  manualSeed: signature("manualSeed", { "seed?": anything }),
};

/**
 * A seed and a position in its draws. The stream of a seed is `new PcgRandom(low 32 bits, high 32 bits)` with that package's default
 * increment; draw 0 is its first `next32()`.
 *
 * Choose seeds that differ in their low bits (0, 1, 2 …): seeds that differ only in high bits, by 2⁴⁸ or 2⁵⁶ say, give visibly
 * correlated streams (r ≈ 0.03 to 0.07).
 */
export class Stream {
  /** In [0, 2⁶⁴). */
  readonly seed: bigint;
  #position: number;

  /** Starts at `position` draws from the seed's first. Throws StreamError for a bad seed or position. */
  constructor(seed: bigint | number, position = 0) {
    checkArguments(calls.Stream, arguments);
    this.seed = parseSeed("Stream", seed);
    this.#position = checkPosition("Stream", position);
  }

  /** How many draws have been handed out: the offset of the next one. */
  get position(): number {
    return this.#position;
  }

  /**
   * Hands out the next `count` draws: returns the offset of the first and moves on. The position stays below the end of the region that it is
   * in. Throws StreamError where a range would leave it, and then doesn't move.
   */
  reserve(count: number): number {
    checkArguments(calls.reserve, arguments);
    if (!Number.isSafeInteger(count) || count < 0)
      refuse(StreamError, "reserve", "not a number of draws", showValue(count), "an integer ≥ 0");
    const offset = this.#position;
    const { name, from, to } = regionOf(offset);
    if (offset + count >= to) {
      const [got, hint] = [`${count} draws from position ${offset}`, "start a run with another seed"];
      const expected = `an end below ${to}: the region is [${from}, ${to})`;
      const problem = `the stream's ${name} region is used up`;
      refuse(StreamError, "reserve", problem, got, expected, name === "program" ? hint : undefined);
    }
    this.#position = offset + count;
    return offset;
  }

  /** Goes to a saved position. Throws StreamError unless it is an integer in [0, 2⁵³ − 1]. */
  seek(position: number): void {
    checkArguments(calls.seek, arguments);
    this.#position = checkPosition("seek", position);
  }
}

function checkPosition(where: string, position: number): number {
  if (!Number.isSafeInteger(position) || position < 0)
    refuse(StreamError, where, "not a position in a stream", showValue(position), "an integer in [0, 2^53 − 1]");
  return position;
}

/** A seed, checked: a safe integer ≥ 0 or a bigint in [0, 2⁶⁴), as bigint. Anything else, text too, is a StreamError naming `where`. */
export function parseSeed(where: string, seed: unknown): bigint {
  if (typeof seed === "number" && Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
  if (typeof seed === "bigint" && seed >= 0n && seed < 2n ** 64n) return seed;
  const tooWide = typeof seed === "number" && Number.isInteger(seed) && seed > 0 && seed < 2 ** 64;
  const problem = tooWide ? "a number too large to hold every integer" : "not a seed";
  const got = seed === undefined ? "nothing" : showValue(seed);
  const hint = tooWide
    ? `above 2^53 − 1 write a bigint: ${BigInt(seed)}n`
    : "a number or a bigint, without quotes: 1234 or 1234n";
  refuse(StreamError, where, problem, got, "an integer in [0, 2^64)", hint);
}

/** A fresh seed from the operating system, for a run that was given none. The one number here that no seed decides: log it and save it. */
export function drawSeed(): bigint {
  return globalThis.crypto.getRandomValues(new BigUint64Array(1))[0];
}

let ambient: Stream | undefined;

/** Starts the ambient stream, which random ops outside a trace and a Trainer draw from, at the seed's first draw. Returns it. */
export function manualSeed(seed: number | bigint): Stream {
  checkArguments(calls.manualSeed, arguments);
  ambient = new Stream(parseSeed("manualSeed", seed));
  return ambient;
}

/** The ambient stream, if one was started. */
export function startedStream(): Stream | undefined {
  return ambient;
}

/** The stream that random ops draw from now. Where none was started, one is, with a seed from the operating system, which is warned of at its first draw. */
export function ambientStream(): Stream {
  if (!ambient) {
    const drawn = new Stream(drawSeed());
    const { reserve } = drawn;
    drawn.reserve = (count) => {
      if (count > 0) {
        drawn.reserve = reserve;
        console.warn(`seedgrad: no seed was given, so one was drawn. To repeat this run: manualSeed(${drawn.seed}n)`);
      }
      return reserve.call(drawn, count);
    };
    ambient = drawn;
  }
  return ambient;
}

/** Calls `body` with `stream` as the ambient one and then restores the former, so that two fits don't mix. `body` must be synchronous: a promise is a StreamError, unless it is a tensor's or a compiled call's own. */
export function withStream<T>(stream: Stream, body: () => T): T {
  const before = ambient;
  ambient = stream;
  try {
    return runWithin(body, asyncBody);
  } finally {
    ambient = before;
  }
}

const asyncBody = () =>
  new StreamError({
    where: "withStream",
    problem: "the body is asynchronous",
    got: "a promise",
    expected: "a value",
    hint: "the stream is ambient only until the body returns: make random tensors before the first await",
  });
