// Where a seed's stream begins. No other file imports pcg-random.
import PcgRandom from "pcg-random";
import { parseSeed } from "./stream.ts";
import type { PcgState } from "./words.ts";

/** The seed's stream before draw 0: what backends jump ahead from by themselves. Throws StreamError for a bad seed. */
export function firstState(seed: bigint): PcgState {
  const checked = parseSeed("firstState", seed);
  return new PcgRandom(Number(checked & 0xffffffffn), Number(checked >> 32n)).getState();
}
