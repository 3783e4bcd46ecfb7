// IEEE 754 binary32 arithmetic in WGSL, on bit patterns held as u32. WGSL lets a device round + − × either way, contract, reassociate, flush
// subnormals, assume that there is no ∞ or NaN, and be off in ÷ and √, but pins u32 and i32 arithmetic. So + − × use the device's own operation only
// where operands and result are normal numbers, and its result goes through an integer `or` with a zero that no compiler knows, so that nothing can be fused or reordered
// across it; everything else is computed in integers. That the device's + and × round to nearest even is the one thing that remains to be tried on it.

/** The device's own operations that the fast paths use; each can be done without. */
export const hardwareOperations = ["add", "mul"] as const;
export type HardwareOperation = (typeof hardwareOperations)[number];

interface Source {
  readonly needs: readonly string[];
  readonly text: string;
}

const source = (text: string, ...needs: string[]): Source => ({ text: text.trim(), needs });

/** The bits of a value v = ±sig · 2^(e − 157) are kept as sign, e and sig, whose leading bit is bit 30: 7 bits below the last place round it. */
const packing: Readonly<Record<string, Source>> = {
  f_shift: source(`
// v · 2⁻ⁿ; the last bit is set if a bit was lost.
fn f_shift(v: u32, n: u32) -> u32 {
  if (n >= 32u) { return u32(v != 0u); }
  return (v >> n) | u32((v & ((1u << n) - 1u)) != 0u);
}`),
  f_pack: source(
    `
// The float32 nearest to sig · 2^(e - 157), ties to even, with this sign bit; 2³⁰ ≤ sig < 2³¹.
fn f_pack(sign: u32, e: i32, sig: u32) -> u32 {
  if (e >= 255) { return sign | 0x7f800000u; }
  var s = sig;
  if (e < 1) { s = f_shift(sig, u32(1 - e)); }
  let tie = u32((s & 0x7fu) == 0x40u);
  // Bit 23 is the leading one of a normal number and adds 1 to the exponent; so does a carry.
  return sign | ((u32(max(e, 1) - 1) << 23u) + (((s + 0x40u) >> 7u) & ~tie));
}`,
    "f_shift",
  ),
  f_unpack: source(`
// e and sig of a finite magnitude above 0.
fn f_unpack(magnitude: u32) -> vec2<u32> {
  if (magnitude < 0x00800000u) {
    let n = countLeadingZeros(magnitude);
    return vec2<u32>(bitcast<u32>(9 - i32(n)), magnitude << (n - 1u));
  }
  return vec2<u32>(magnitude >> 23u, ((magnitude & 0x007fffffu) | 0x00800000u) << 7u);
}`),
  f_quiet: source(`
// The bits, every NaN as one.
fn f_quiet(x: u32) -> u32 {
  return select(x, 0x7fc00000u, (x & 0x7fffffffu) > 0x7f800000u);
}`),
  f_key: source(`
// An integer that orders as the number does; both zeros are 0.
fn f_key(x: u32) -> i32 {
  let magnitude = i32(x & 0x7fffffffu);
  return select(magnitude, -magnitude, (x >> 31u) == 1u);
}`),
  f_ordered: source(`
fn f_ordered(a: u32, b: u32) -> bool {
  return max(a & 0x7fffffffu, b & 0x7fffffffu) <= 0x7f800000u;
}`),
};

const integerPaths: Readonly<Record<string, Source>> = {
  f_add_integers: source(
    `
fn f_add_integers(a: u32, b: u32) -> u32 {
  let ma = a & 0x7fffffffu;
  let mb = b & 0x7fffffffu;
  if (max(ma, mb) >= 0x7f800000u) {
    if (ma > 0x7f800000u || mb > 0x7f800000u || (ma == mb && a != b)) { return 0x7fc00000u; }
    return select(b, a, ma == 0x7f800000u);
  }
  if (mb == 0u) { return select(a, a & b, ma == 0u); }
  if (ma == 0u) { return b; }
  let large = select(b, a, ma >= mb);
  let x = f_unpack(max(ma, mb));
  let y = f_unpack(min(ma, mb));
  var e = bitcast<i32>(x.x);
  let small = f_shift(y.y, u32(e - bitcast<i32>(y.x)));
  let sign = large & 0x80000000u;
  if (((a ^ b) >> 31u) == 0u) {
    let sum = x.y + small;
    if (sum >= 0x80000000u) { return f_pack(sign, e + 1, f_shift(sum, 1u)); }
    return f_pack(sign, e, sum);
  }
  let difference = x.y - small;
  if (difference == 0u) { return 0u; }
  let n = countLeadingZeros(difference) - 1u;
  return f_pack(sign, e - i32(n), difference << n);
}`,
    "f_unpack",
    "f_shift",
    "f_pack",
  ),
  f_mul_integers: source(
    `
fn f_mul_integers(a: u32, b: u32) -> u32 {
  let sign = (a ^ b) & 0x80000000u;
  let ma = a & 0x7fffffffu;
  let mb = b & 0x7fffffffu;
  let least = min(ma, mb);
  if (max(ma, mb) >= 0x7f800000u) {
    if (max(ma, mb) > 0x7f800000u || least == 0u) { return 0x7fc00000u; }
    return sign | 0x7f800000u;
  }
  if (least == 0u) { return sign; }
  let x = f_unpack(ma);
  let y = f_unpack(mb);
  // 24 by 24 bits: limbs of 12, then 24 high and 24 low bits.
  let x1 = x.y >> 19u;
  let x0 = (x.y >> 7u) & 0xfffu;
  let y1 = y.y >> 19u;
  let y0 = (y.y >> 7u) & 0xfffu;
  let middle = x1 * y0 + x0 * y1;
  let low = x0 * y0 + ((middle & 0xfffu) << 12u);
  let high = x1 * y1 + (middle >> 12u) + (low >> 24u);
  let sig = (high << 7u) | ((low >> 17u) & 0x7fu) | u32((low & 0x1ffffu) != 0u);
  let n = countLeadingZeros(sig) - 1u;
  return f_pack(sign, bitcast<i32>(x.x) + bitcast<i32>(y.x) - 126 - i32(n), sig << n);
}`,
    "f_unpack",
    "f_pack",
  ),
};

/** The device's own + and ×, where every number that can occur is normal. */
const fastPaths: Readonly<Record<HardwareOperation, Source>> = {
  // Exponents of operands from 25 to 253: no sum but 0 is below 2⁻¹²⁵ or above the largest number. The rest are rare, but for zeros.
  add: source(
    `
fn fadd(a: u32, b: u32) -> u32 {
  if (max(((a >> 23u) & 0xffu) - 25u, ((b >> 23u) & 0xffu) - 25u) > 228u) { return f_add_integers(a, b); }
  let sum = bitcast<u32>(bitcast<f32>(a) + bitcast<f32>(b)) | hidden_zero();
  return select(sum, 0u, (sum << 1u) == 0u);
}`,
    "f_add_integers",
  ),
  // Exponents of operands from 1 to 254 whose sum is 129 to 379: the product's is 2 to 253.
  mul: source(
    `
fn fmul(a: u32, b: u32) -> u32 {
  let x = (a >> 23u) & 0xffu;
  let y = (b >> 23u) & 0xffu;
  if (max(x - 1u, y - 1u) > 253u || x + y - 129u > 250u) { return f_mul_integers(a, b); }
  return bitcast<u32>(bitcast<f32>(a) * bitcast<f32>(b)) | hidden_zero();
}`,
    "f_mul_integers",
  ),
};

const slowPaths: Readonly<Record<HardwareOperation, Source>> = {
  add: source("fn fadd(a: u32, b: u32) -> u32 { return f_add_integers(a, b); }", "f_add_integers"),
  mul: source("fn fmul(a: u32, b: u32) -> u32 { return f_mul_integers(a, b); }", "f_mul_integers"),
};

const comparison = (name: string, condition: string, unordered = false) =>
  source(
    `fn ${name}(a: u32, b: u32) -> bool { return ${unordered ? "!f_ordered(a, b) ||" : "f_ordered(a, b) &&"} f_key(a) ${condition} f_key(b); }`,
    "f_ordered",
    "f_key",
  );

const operations: Readonly<Record<string, Source>> = {
  fsub: source("fn fsub(a: u32, b: u32) -> u32 { return fadd(a, b ^ 0x80000000u); }", "fadd"),
  // 25 bits of the quotient of two significands, 8 at a time, and whether something remains.
  fdiv: source(
    `
fn fdiv(a: u32, b: u32) -> u32 {
  let sign = (a ^ b) & 0x80000000u;
  let ma = a & 0x7fffffffu;
  let mb = b & 0x7fffffffu;
  if (max(ma, mb) >= 0x7f800000u) {
    if (max(ma, mb) > 0x7f800000u || ma == mb) { return 0x7fc00000u; }
    return select(sign, sign | 0x7f800000u, ma == 0x7f800000u);
  }
  if (mb == 0u) { return select(sign | 0x7f800000u, 0x7fc00000u, ma == 0u); }
  if (ma == 0u) { return sign; }
  let x = f_unpack(ma);
  let y = f_unpack(mb);
  let d = y.y >> 7u;
  let small = u32(x.y < y.y);
  var rest = ((x.y >> 7u) << small) - d;
  var quotient = 1u;
  for (var i = 0u; i < 3u; i++) {
    rest = rest << 8u;
    let digit = rest / d;
    rest = rest - digit * d;
    quotient = (quotient << 8u) | digit;
  }
  return f_pack(sign, bitcast<i32>(x.x) - bitcast<i32>(y.x) + 127 - i32(small), (quotient << 6u) | u32(rest != 0u));
}`,
    "f_unpack",
    "f_pack",
  ),
  // A bit at a time, as in fdlibm's e_sqrtf.c (Sun Microsystems 1993).
  fsqrt: source(
    `
fn fsqrt(a: u32) -> u32 {
  if ((a & 0x7fffffffu) == 0u) { return a; }
  if (a > 0x7f800000u) { return 0x7fc00000u; }
  if (a == 0x7f800000u) { return a; }
  let x = f_unpack(a);
  let e = bitcast<i32>(x.x) - 127;
  var rest = (x.y >> 6u) << (u32(e) & 1u);
  var root = 0u;
  var twice = 0u;
  for (var bit = 0x01000000u; bit != 0u; bit = bit >> 1u) {
    let trial = twice + bit;
    let fits = trial <= rest;
    twice = select(twice, trial + bit, fits);
    rest = select(rest, rest - trial, fits) << 1u;
    root = select(root, root + bit, fits);
  }
  let rounded = root + select(0u, root & 1u, rest != 0u);
  return (rounded >> 1u) + 0x3f000000u + (bitcast<u32>(e >> 1u) << 23u);
}`,
    "f_unpack",
  ),
  ffloor: source(
    `
fn ffloor(x: u32) -> u32 {
  let e = (x >> 23u) & 0xffu;
  if (e >= 150u) { return f_quiet(x); }
  if (e < 127u) { return select(select(0u, 0xbf800000u, (x >> 31u) == 1u), x, (x << 1u) == 0u); }
  let fraction = (1u << (150u - e)) - 1u;
  return (x + select(0u, fraction, (x >> 31u) == 1u)) & ~fraction;
}`,
    "f_quiet",
  ),
  flt: comparison("flt", "<"),
  fle: comparison("fle", "<="),
  feq: comparison("feq", "=="),
  fne: comparison("fne", "!=", true),
  fgt: comparison("fgt", ">"),
  fge: comparison("fge", ">="),
  f_from_i32: source(
    `
fn f_from_i32(i: i32) -> u32 {
  if (i == 0) { return 0u; }
  let magnitude = select(bitcast<u32>(i), 0u - bitcast<u32>(i), i < 0);
  let n = countLeadingZeros(magnitude);
  let sig = select(magnitude << (max(n, 1u) - 1u), f_shift(magnitude, 1u), n == 0u);
  return f_pack(bitcast<u32>(i) & 0x80000000u, 158 - i32(n), sig);
}`,
    "f_shift",
    "f_pack",
  ),
  // Truncated, saturated, NaN → 0.
  f_to_i32: source(`
fn f_to_i32(x: u32) -> i32 {
  let e = (x >> 23u) & 0xffu;
  let negative = (x >> 31u) == 1u;
  if (e < 127u || (x & 0x7fffffffu) > 0x7f800000u) { return 0; }
  if (e >= 158u) { return select(0x7fffffff, -0x7fffffff - 1, negative); }
  let significand = (x & 0x007fffffu) | 0x00800000u;
  let magnitude = bitcast<i32>(select(significand << ((e - 150u) & 31u), significand >> ((150u - e) & 31u), e < 150u));
  return select(magnitude, -magnitude, negative);
}`),
  // 2ⁿ of an integral n from −126 to 127.
  fpow2: source("fn fpow2(n: u32) -> u32 { return bitcast<u32>(f_to_i32(n) + 127) << 23u; }", "f_to_i32"),
  // ⌊log₂ x⌋ of a normal x > 0.
  fexponent: source(
    "fn fexponent(x: u32) -> u32 { return f_from_i32(bitcast<i32>((x >> 23u) & 0xffu) - 127); }",
    "f_from_i32",
  ),
  fbfloat16: source(`
fn fbfloat16(x: u32) -> u32 {
  if ((x & 0x7fffffffu) > 0x7f800000u) { return 0x7fc00000u; }
  return (x + 0x7fffu + ((x >> 16u) & 1u)) & 0xffff0000u;
}`),
  ffloat16: source(
    `
fn ffloat16(x: u32) -> u32 {
  let sign = x & 0x80000000u;
  let m = x & 0x7fffffffu;
  if (m > 0x7f800000u) { return 0x7fc00000u; }
  // From 65520 on; below 2⁻²⁵; below 2⁻¹⁴, where the last place is 2⁻²⁴.
  if (m >= 0x477ff000u) { return sign | 0x7f800000u; }
  if (m < 0x33000000u) { return sign; }
  if (m < 0x38800000u) {
    let n = 126u - (m >> 23u);
    let significand = (m & 0x007fffffu) | 0x00800000u;
    let units = (significand + (1u << (n - 1u)) - 1u + ((significand >> n) & 1u)) >> n;
    return select(sign | (f_from_i32(bitcast<i32>(units)) - (24u << 23u)), sign, units == 0u);
  }
  return sign | ((m + 0xfffu + ((m >> 13u) & 1u)) & 0xffffe000u);
}`,
    "f_from_i32",
  ),
};

/** The names that `arithmetic` takes. */
export const arithmeticNames: readonly string[] = ["fadd", "fmul", ...Object.keys(operations)];

/**
 * WGSL sources of the functions named, and of what they need, each once, callees first. A module with `fadd`, `fsub` or `fmul` defines
 * `hidden_zero() -> u32`: 0, from a uniform. `without`: the device's operations that aren't used, integers being computed with instead.
 * - (u32, u32) -> u32: `fadd`, `fsub`, `fmul`, `fdiv`; (u32) -> u32: `fsqrt`, `ffloor`, `fpow2`, `fexponent`, `fbfloat16`, `ffloat16`, as kernels/expr has them; a NaN result is 0x7fc00000
 * - (u32, u32) -> bool: `flt`, `fle`, `feq`, `fne`, `fgt`, `fge`
 * - `f_from_i32`: (i32) -> u32, rounded to nearest even; `f_to_i32`: (u32) -> i32, truncated and saturated, NaN → 0
 */
export function arithmetic(names: Iterable<string>, without: ReadonlySet<HardwareOperation> = new Set()): string {
  const path = (operation: HardwareOperation) => (without.has(operation) ? slowPaths : fastPaths)[operation];
  const all = { ...packing, ...integerPaths, ...operations, fadd: path("add"), fmul: path("mul") };
  const written = new Set<string>();
  const texts: string[] = [];
  const write = (name: string) => {
    if (written.has(name)) return;
    written.add(name);
    const { needs, text } = all[name as keyof typeof all];
    for (const need of needs) write(need);
    texts.push(text);
  };
  for (const name of names) write(name);
  return texts.join("\n");
}
