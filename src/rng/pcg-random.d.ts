// Types for pcg-random 2.0.1, which ships none: only what the stream uses. `integer` is left out on purpose: it ignores its argument.
declare module "pcg-random" {
  class PcgRandom {
    /** 64-bit seed and, doubled plus one, 64-bit increment, in 32-bit halves; without the last two the package's default increment. */
    constructor(seedLow: number, seedHigh: number, incrementLow?: number, incrementHigh?: number);
    /** The next 32-bit output, in [0, 2³²). */
    next32(): number;
    /** State low, state high, increment low, increment high: uint32 each. */
    getState(): [number, number, number, number];
    setState(state: readonly [number, number, number, number]): void;
  }
  export = PcgRandom;
}
