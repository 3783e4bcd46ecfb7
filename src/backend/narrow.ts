// Rounding to the 16-bit float formats, to nearest, ties to even, on the host: by integers and in float64, which holds it exactly.

const view = new DataView(new ArrayBuffer(4));

function bitsOf(x: number): number {
  view.setFloat32(0, x);
  return view.getUint32(0);
}

/** bfloat16 keeps the upper half of a float32's bits: half a unit is added, less one where the kept part is even, and the rest cut off. NaN stays. */
function bfloat16(x: number): number {
  if (x !== x) return x;
  const bits = bitsOf(x);
  view.setUint32(0, ((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000) >>> 0);
  return view.getFloat32(0);
}

/** float16 counts in units of 2^(e − 10), of 2⁻²⁴ for the smallest; from 65520 on it is ∞. Adding 2⁵² units and taking them away rounds a float64 to whole ones. */
function float16(x: number): number {
  const size = Math.abs(x);
  if (!(size < 65520)) return size < Infinity ? Math.sign(x) * Infinity : x;
  const exponent = Math.max(-14, ((bitsOf(size) >>> 23) & 255) - 127);
  view.setUint32(0, (exponent - 10 + 127) << 23);
  const large = view.getFloat32(0) * 2 ** 52;
  const rounded = size + large - large;
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}

/** The format's number nearest to a float32. */
export const narrowed = { bfloat16, float16 };
