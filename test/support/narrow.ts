// What rounding to a 16-bit float format means, by integers: what kernels/math is held to.
const view = new DataView(new ArrayBuffer(4));

function bitsOf(x: number): number {
  view.setFloat32(0, x);
  return view.getUint32(0);
}

/** bfloat16 keeps the upper half of the bits: half a unit is added, less one where the kept part is even, and the rest cut off. */
export function bfloat16(x: number): number {
  if (Number.isNaN(x)) return x;
  const bits = bitsOf(x);
  view.setUint32(0, ((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000) >>> 0);
  return view.getFloat32(0);
}

/** float16 counts in units of 2^(e − 10), and of 2⁻²⁴ for the smallest; float64 holds the counts exactly. */
export function float16(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const exponent = Math.max(-14, ((bitsOf(x) >>> 23) & 255) - 127);
  const unit = 2 ** (exponent - 10);
  const count = Math.abs(x) / unit;
  const whole = Math.floor(count);
  const rest = count - whole;
  const even = rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
  const magnitude = even * unit > 65504 ? Number.POSITIVE_INFINITY : even * unit;
  return x < 0 ? -magnitude : magnitude;
}

export const narrowing = { bfloat16, float16 };
