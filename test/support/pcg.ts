// PCG32 by BigInt, straight from its definition (O'Neill 2014): slow, and no code of the project's.
const multiplier = 6364136223846793005n;
const mask = (1n << 64n) - 1n;

/** Draws of the run's stream for `seed` from draw `offset` on, with pcg-random's default increment and seeding. */
export function PcgRandom32(seed: number | bigint, offset = 0): () => number {
  const increment = 1442695040888963407n;
  let state = (increment + BigInt(seed)) & mask;
  const step = () => {
    state = (state * multiplier + increment) & mask;
  };
  step();
  for (let i = 0; i < offset; i++) step();
  return () => {
    const old = state;
    step();
    const xorshifted = Number((((old >> 18n) ^ old) >> 27n) & 0xffffffffn);
    const rotation = Number(old >> 59n);
    return ((xorshifted >>> rotation) | (xorshifted << (-rotation & 31))) >>> 0;
  };
}
