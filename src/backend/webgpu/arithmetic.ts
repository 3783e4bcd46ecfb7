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
  let lost = v & ((1u << (n & 31u)) - 1u);
  return select((v >> (n & 31u)) | u32(lost != 0u), u32(v != 0u), n >= 32u);
}`),
  f_pack: source(
    `
// The float32 nearest to sig · 2^(e - 157), ties to even, with this sign bit; 2³⁰ ≤ sig < 2³¹.
fn f_pack(sign: u32, e: i32, sig: u32) -> u32 {
  let s = f_shift(sig, u32(max(1 - e, 0)));
  let tie = u32((s & 0x7fu) == 0x40u);
  // Bit 23 is the leading one of a normal number and adds 1 to the exponent; so does a carry.
  let bits = (u32(max(e, 1) - 1) << 23u) + (((s + 0x40u) >> 7u) & ~tie);
  return sign | select(bits, 0x7f800000u, e >= 255);
}`,
    "f_shift",
  ),
  f_unpack: source(`
// e and sig of a finite magnitude; sig is 0 for 0.
fn f_unpack(magnitude: u32) -> vec2<u32> {
  let n = countLeadingZeros(magnitude);
  let normal = vec2<u32>(magnitude >> 23u, ((magnitude & 0x007fffffu) | 0x00800000u) << 7u);
  let small = vec2<u32>(9u - n, magnitude << ((n - 1u) & 31u));
  return select(normal, small, magnitude < 0x00800000u);
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
  let most = max(ma, mb);
  let large = select(b, a, ma >= mb);
  let x = f_unpack(most);
  let y = f_unpack(min(ma, mb));
  let small = f_shift(y.y, x.x - y.x);
  let sum = select(x.y + small, x.y - small, ((a ^ b) >> 31u) == 1u);
  let n = countLeadingZeros(sum);
  let sig = select(sum << ((n - 1u) & 31u), f_shift(sum, 1u), n == 0u);
  let packed = f_pack(large & 0x80000000u, bitcast<i32>(x.x + 1u - n), sig);
  let finite = select(packed, a & b & 0x80000000u, sum == 0u);
  let isNan = (most > 0x7f800000u) | ((ma == mb) & (a != b));
  return select(finite, select(large, 0x7fc00000u, isNan), most >= 0x7f800000u);
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
  let most = max(ma, mb);
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
  let finite = select(f_pack(sign, bitcast<i32>(x.x + y.x - 126u - n), sig << (n & 31u)), sign, least == 0u);
  let special = select(sign | 0x7f800000u, 0x7fc00000u, (most > 0x7f800000u) | (least == 0u));
  return select(finite, special, most >= 0x7f800000u);
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
  var sum = bitcast<u32>(bitcast<f32>(a) + bitcast<f32>(b)) | hidden_zero();
  sum = select(sum, 0u, (sum << 1u) == 0u);
  if (max(((a >> 23u) & 0xffu) - 25u, ((b >> 23u) & 0xffu) - 25u) > 228u) { sum = f_add_integers(a, b); }
  return sum;
}`,
    "f_add_integers",
  ),
  // Exponents of operands from 1 to 254 whose sum is 129 to 379: the product's is 2 to 253.
  mul: source(
    `
fn fmul(a: u32, b: u32) -> u32 {
  let x = (a >> 23u) & 0xffu;
  let y = (b >> 23u) & 0xffu;
  var product = bitcast<u32>(bitcast<f32>(a) * bitcast<f32>(b)) | hidden_zero();
  if (max(max(x - 1u, y - 1u), x + y - 129u) > 250u) { product = f_mul_integers(a, b); }
  return product;
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
    `fn ${name}(a: u32, b: u32) -> bool { return ${unordered ? "!f_ordered(a, b) |" : "f_ordered(a, b) &"} (f_key(a) ${condition} f_key(b)); }`,
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
  let x = f_unpack(ma);
  let y = f_unpack(mb);
  let d = max(y.y >> 7u, 1u);
  let small = u32(x.y < y.y);
  var rest = ((x.y >> 7u) << small) - d;
  var quotient = 1u;
${[1, 2, 3]
  .map((turn) =>
    `
  rest = rest << 8u;
  let digit${turn} = rest / d;
  rest = rest - digit${turn} * d;
  quotient = (quotient << 8u) | digit${turn};`.slice(1),
  )
  .join("\n")}
  let packed = f_pack(sign, bitcast<i32>(x.x - y.x + 127u - small), (quotient << 6u) | u32(rest != 0u));
  let isNan = (max(ma, mb) > 0x7f800000u) | ((ma == mb) & ((ma == 0u) | (ma == 0x7f800000u)));
  let finite = select(packed, sign, (ma == 0u) | (mb == 0x7f800000u));
  let number = select(finite, sign | 0x7f800000u, (mb == 0u) | (ma == 0x7f800000u));
  return select(number, 0x7fc00000u, isNan);
}`,
    "f_unpack",
    "f_pack",
  ),
  // A bit at a time, as in fdlibm's e_sqrtf.c (Sun Microsystems 1993).
  fsqrt: source(
    `
fn fsqrt(a: u32) -> u32 {
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
  let number = (rounded >> 1u) + 0x3f000000u + (bitcast<u32>(e >> 1u) << 23u);
  let special = select(0x7fc00000u, a, ((a << 1u) == 0u) | (a == 0x7f800000u));
  return select(number, special, (a << 1u == 0u) | (a >= 0x7f800000u));
}`,
    "f_unpack",
  ),
  ffloor: source(
    `
fn ffloor(x: u32) -> u32 {
  let e = (x >> 23u) & 0xffu;
  let isNegative = (x >> 31u) == 1u;
  let fraction = (1u << ((150u - e) & 31u)) - 1u;
  let far = (x + select(0u, fraction, isNegative)) & ~fraction;
  let near = select(select(0u, 0xbf800000u, isNegative), x, (x << 1u) == 0u);
  return select(select(far, near, e < 127u), f_quiet(x), e >= 150u);
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
  let magnitude = select(bitcast<u32>(i), 0u - bitcast<u32>(i), i < 0);
  let n = countLeadingZeros(magnitude);
  let sig = select(magnitude << ((n - 1u) & 31u), f_shift(magnitude, 1u), n == 0u);
  return select(f_pack(bitcast<u32>(i) & 0x80000000u, 158 - i32(n), sig), 0u, i == 0);
}`,
    "f_shift",
    "f_pack",
  ),
  // Truncated, saturated, NaN → 0.
  f_to_i32: source(`
fn f_to_i32(x: u32) -> i32 {
  let e = (x >> 23u) & 0xffu;
  let isNegative = (x >> 31u) == 1u;
  let significand = (x & 0x007fffffu) | 0x00800000u;
  let magnitude = bitcast<i32>(select(significand << ((e - 150u) & 31u), significand >> ((150u - e) & 31u), e < 150u));
  let whole = select(magnitude, -magnitude, isNegative);
  let number = select(whole, select(0x7fffffff, -0x7fffffff - 1, isNegative), e >= 158u);
  return select(number, 0, (e < 127u) | ((x & 0x7fffffffu) > 0x7f800000u));
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
  let rounded = (x + 0x7fffu + ((x >> 16u) & 1u)) & 0xffff0000u;
  return select(rounded, 0x7fc00000u, (x & 0x7fffffffu) > 0x7f800000u);
}`),
  ffloat16: source(
    `
fn ffloat16(x: u32) -> u32 {
  let sign = x & 0x80000000u;
  let m = x & 0x7fffffffu;
  let normal = (m + 0xfffu + ((m >> 13u) & 1u)) & 0xffffe000u;
  // Below 2⁻¹⁴ the last place is 2⁻²⁴; what is below 2⁻²⁵ is 0.
  let n = (126u - (m >> 23u)) & 31u;
  let significand = (m & 0x007fffffu) | 0x00800000u;
  let units = (significand + (1u << ((n - 1u) & 31u)) - 1u + ((significand >> n) & 1u)) >> n;
  let small = select(f_from_i32(bitcast<i32>(units)) - (24u << 23u), 0u, (units == 0u) | (m < 0x33000000u));
  // From 65520 on it is ∞.
  let large = select(0x7f800000u, 0x7fc00000u, m > 0x7f800000u);
  let size = select(select(normal, small, m < 0x38800000u), large, m >= 0x477ff000u);
  return select(sign | size, size, m > 0x7f800000u);
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
