// PCG32 (XSH-RR, 64-bit state) in bulk, in two 32-bit limbs: any range of draws from its offset alone. Equal to pcg-random's `next32`
// word for word, in any number of parts; knows nothing of seeds. M. E. O'Neill, "PCG" (2014); jumps: F. B. Brown (1994).

/** State low, state high, increment low, increment high, uint32 each: what pcg-random's `getState()` gives. */
export type PcgState = readonly [stateLow: number, stateHigh: number, incrementLow: number, incrementHigh: number];

const multiplierLow = 0x4c957f2d;
const multiplierHigh = 0x5851f42d;

/** The high 32 bits of a·b, for uint32 a and b. Each product has at most 48 bits: exact in float64. */
function multiplyHigh(a: number, b: number): number {
  const low = a * (b & 0xffff);
  return Math.floor((a * (b >>> 16) + Math.floor(low / 0x10000)) / 0x10000);
}

/** The state `count` draws on: the n-fold step x ↦ m·x + c by squaring, in at most 64 rounds. `count` is an integer in [0, 2⁶⁴). */
export function jump(state: PcgState, count: number | bigint): PcgState {
  let [low, high, addLow, addHigh] = state;
  let [timesLow, timesHigh] = [multiplierLow, multiplierHigh];
  let bitsLow = typeof count === "bigint" ? Number(count & 0xffffffffn) : count >>> 0;
  let bitsHigh = typeof count === "bigint" ? Number(count >> 32n) : Math.floor(count / 2 ** 32);
  /** m·(low, high) + c, modulo 2⁶⁴, with m = times, c = add. */
  const step = (xLow: number, xHigh: number): [number, number] => {
    const productLow = Math.imul(xLow, timesLow) >>> 0;
    const productHigh = multiplyHigh(xLow, timesLow) + Math.imul(xLow, timesHigh) + Math.imul(xHigh, timesLow);
    const sum = productLow + addLow;
    return [sum >>> 0, (productHigh + addHigh + (sum > 0xffffffff ? 1 : 0)) >>> 0];
  };
  while (bitsLow !== 0 || bitsHigh !== 0) {
    if (bitsLow & 1) [low, high] = step(low, high);
    const [nextAddLow, nextAddHigh] = step(addLow, addHigh);
    const squareHigh = multiplyHigh(timesLow, timesLow) + 2 * Math.imul(timesLow, timesHigh);
    timesLow = Math.imul(timesLow, timesLow) >>> 0;
    timesHigh = squareHigh >>> 0;
    [addLow, addHigh] = [nextAddLow, nextAddHigh];
    bitsLow = ((bitsLow >>> 1) | (bitsHigh << 31)) >>> 0;
    bitsHigh >>>= 1;
  }
  return [low, high, state[2], state[3]];
}

/**
 * Writes the outputs of `state` and of the states after it to `out`: uint32 [out.length]. Returns the state after the last.
 * All in int32 arithmetic, which engines keep in registers.
 */
export function fill(state: PcgState, out: Uint32Array): PcgState {
  const incrementLow = state[2] | 0;
  const incrementHigh = state[3] | 0;
  let low = state[0] | 0;
  let high = state[1] | 0;
  for (let i = 0; i < out.length; i++) {
    // XSH-RR: ((x ^ x>>18) >> 27) as 32 bits, rotated right by x's top 5 bits.
    const mixedLow = low ^ ((low >>> 18) | (high << 14));
    const mixedHigh = high ^ (high >>> 18);
    const word = (mixedLow >>> 27) | (mixedHigh << 5);
    const turn = high >>> 27;
    out[i] = (word >>> turn) | (word << (32 - turn));
    // x ← m·x + c. No sum below reaches 2³²: a product of 16-bit halves leaves room for one more half.
    const a = low & 0xffff;
    const b = low >>> 16;
    const middle = Math.imul(a, multiplierLow >>> 16) + (Math.imul(a, multiplierLow & 0xffff) >>> 16);
    const other = Math.imul(b, multiplierLow & 0xffff) + (middle & 0xffff);
    const carried = Math.imul(b, multiplierLow >>> 16) + (middle >>> 16) + (other >>> 16);
    const nextLow = (Math.imul(low, multiplierLow) + incrementLow) | 0;
    const carry = nextLow >>> 0 < incrementLow >>> 0 ? 1 : 0;
    high = (carried + Math.imul(low, multiplierHigh) + Math.imul(high, multiplierLow) + incrementHigh + carry) | 0;
    low = nextLow;
  }
  return [low >>> 0, high >>> 0, state[2], state[3]];
}
