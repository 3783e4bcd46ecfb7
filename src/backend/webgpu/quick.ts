// The device's own + and × where they are sure to be the IEEE operations: between normal numbers (or zeros) of which no result is subnormal or infinite. Else `doubt` is
// set, and what was computed is nothing: what depends on it is computed again in integers (interpreter.ts). Inlined exact operations would do
// without that, but an expression of 8 sums then takes SwiftShader half a second to compile, and one of 50 half a minute. Conditions are joined by & and |: each && or || is a
// branch, with which SwiftShader compiles an expression of 300 operations for 5 seconds instead of one.

const sources: Readonly<Record<string, string>> = {
  // Exponents from 25 to 253: a sum is 0, or neither below 2⁻¹²⁶ nor infinite. Where one operand alone is ±∞, as a mask leaves it, so is the sum.
  q_add: `
fn q_add(a: u32, b: u32) -> u32 {
  let x = a << 1u;
  let y = b << 1u;
  let isA = (x == 0xff000000u) & (y < 0xff000000u);
  let isB = (y == 0xff000000u) & (x < 0xff000000u);
  let isRare = ((x - 0x19000000u >= 0xe5000000u) & (x != 0u)) | ((y - 0x19000000u >= 0xe5000000u) & (y != 0u));
  doubt |= isRare & !(isA | isB);
  let sum = bitcast<u32>(bitcast<f32>(a) + bitcast<f32>(b)) | hidden_zero();
  let finite = select(sum, a & b & 0x80000000u, (sum << 1u) == 0u);
  return select(select(finite, a, isA), b, isB);
}`,
  // Exponents that add up to at most 102, or to 103 where one is a power of two: the product is below 2⁻¹⁵⁰ and rounds to 0, as exp's of what a mask made −∞ does. From 129 to 379: it is normal.
  q_mul: `
fn q_mul(a: u32, b: u32) -> u32 {
  let x = (a >> 23u) & 0xffu;
  let y = (b >> 23u) & 0xffu;
  let most = select(102u, 103u, min(a & 0x7fffffu, b & 0x7fffffu) == 0u);
  let isZero = (x + y <= most) | (min(a << 1u, b << 1u) == 0u);
  doubt |= (max(x, y) == 255u) | (!isZero & ((min(x, y) == 0u) | (x + y - 129u > 250u)));
  let product = bitcast<u32>(bitcast<f32>(a) * bitcast<f32>(b)) | hidden_zero();
  return select(product, (a ^ b) & 0x80000000u, isZero);
}`,
  q_sub: "fn q_sub(a: u32, b: u32) -> u32 { return q_add(a, b ^ 0x80000000u); }",
};

export const quickNames: readonly string[] = Object.keys(sources);

/** WGSL sources of the functions named, and of what they need; `doubt` is theirs to set. */
export function quick(names: readonly string[]): string {
  const all = names.includes("q_sub") ? new Set(["q_add", ...names]) : new Set(names);
  return [...all].map((name) => sources[name].trim()).join("\n");
}
