// The stream's words on the device: PCG32 in u32 limbs. Draw i of a range is had by jumping i ahead of the state before the range's first: the LCG's
// 2ᵏ-fold steps for the bits of i (F. B. Brown 1994). Its numbers are those of rng/words.
import { firstState } from "../../rng/state.ts";
import { jump } from "../../rng/words.ts";

/** x ↦ m·x + c, 2ᵏ-fold, for each bit of a uint32: what it makes of 0 is c, and of 1 m + c. */
function steps(): string[] {
  const [, , ...increment] = firstState(0n);
  return Array.from({ length: 32 }, (_, k) => {
    const [addLow, addHigh] = jump([0, 0, ...increment], (1 << k) >>> 0);
    const [low, high] = jump([1, 0, ...increment], (1 << k) >>> 0);
    const times = (BigInt(high) << 32n) + BigInt(low) - (BigInt(addHigh) << 32n) - BigInt(addLow);
    const [timesLow, timesHigh] = [times & 0xffffffffn, (times >> 32n) & 0xffffffffn];
    return `vec4<u32>(${timesLow}u, ${timesHigh}u, ${addLow}u, ${addHigh}u)`;
  });
}

const sources: Readonly<Record<string, readonly [text: () => string, ...needs: string[]]>> = {
  multiply_high: [
    () => `
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let one = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (one & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (one >> 16u) + (other >> 16u);
}`,
  ],
  stepped: [
    () => `
// m·x + c modulo 2⁶⁴, low limbs first: m and c are step.xy and step.zw.
fn stepped(x: vec2<u32>, step: vec4<u32>) -> vec2<u32> {
  let low = x.x * step.x;
  let sum = low + step.z;
  return vec2<u32>(sum, multiply_high(x.x, step.x) + x.x * step.y + x.y * step.x + step.w + select(0u, 1u, sum < low));
}`,
    "multiply_high",
  ],
  jumped: [
    () => `
const steps = array<vec4<u32>, 32>(${steps().join(", ")});
fn jumped(before: vec2<u32>, count: u32) -> vec2<u32> {
  var x = before;
  var rest = count;
  for (var k = 0u; rest != 0u; k++) {
    if ((rest & 1u) == 1u) { x = stepped(x, steps[k]); }
    rest = rest >> 1u;
  }
  return x;
}`,
    "stepped",
  ],
  next_state: [() => `fn next_state(x: vec2<u32>) -> vec2<u32> { return stepped(x, ${steps()[0]}); }`, "stepped"],
  output_of: [
    () => `
// XSH-RR: ((x ^ x>>18) >> 27) as 32 bits, rotated right by x's top 5 bits.
fn output_of(x: vec2<u32>) -> u32 {
  let low = x.x ^ ((x.x >> 18u) | (x.y << 14u));
  let high = x.y ^ (x.y >> 18u);
  let word = (low >> 27u) | (high << 5u);
  let turn = x.y >> 27u;
  return (word >> turn) | (word << ((32u - turn) & 31u));
}`,
  ],
  word_at: [
    () => "fn word_at(before: vec2<u32>, index: u32) -> u32 { return output_of(jumped(before, index)); }",
    "jumped",
    "output_of",
  ],
  scaled: [
    () => `
// ⌊(first·2³² + second)·n / 2⁶⁴⌋; an n of 0 is 2³².
fn scaled(first: u32, second: u32, n: u32) -> u32 {
  if (n == 0u) { return first; }
  let low = first * n;
  let carry = multiply_high(second, n);
  return multiply_high(first, n) + select(0u, 1u, low + carry < low);
}`,
    "multiply_high",
  ],
};

export const streamNames: readonly string[] = Object.keys(sources);

/** WGSL sources of the functions named, and of what they need, each once, callees first. */
export function stream(names: Iterable<string>): string {
  const written = new Map<string, string>();
  const write = (name: string): void => {
    if (written.has(name)) return;
    const [text, ...needs] = sources[name];
    needs.forEach(write);
    written.set(name, text().trim());
  };
  for (const name of names) write(name);
  return [...written.values()].join("\n");
}
