// Float arithmetic in WGSL tried on a device: one call of a function of src/backend/webgpu/arithmetic an element, and what each has to give.
import { arithmetic } from "../../src/backend/webgpu/arithmetic.ts";
import { type Device, mapForReading, usage } from "../../src/backend/webgpu/device.ts";
import { narrowing } from "./narrow.ts";

/** Elements of one dispatch. */
export const batch = 2 ** 22;

/** Computes the bits of `names`' results for the bits of operands, up to `batch` at a time. */
export interface Tried {
  run(name: string, operands: readonly Uint32Array[]): Promise<Uint32Array>;
  close(): void;
}

/** The functions on the device; `without` and `edit` (of the sources) as a test wants them. */
export function tried(
  device: Device,
  names: readonly string[],
  without?: Parameters<typeof arithmetic>[1],
  edit = (source: string) => source,
): Tried {
  const { gpu } = device;
  const buffer = (flags: number, size = batch * 4) => gpu.createBuffer({ size, usage: flags });
  const inputs = [0, 1].map(() => buffer(usage.storage | usage.copyTarget));
  const output = buffer(usage.storage | usage.copySource);
  const uniform = buffer(usage.uniform | usage.copyTarget, 16);
  const readable = buffer(usage.mapRead | usage.copyTarget);
  const pipelines = new Map(
    names.map((name) => {
      const types = typeOf(name);
      const operands = types.from.map((type, i) => (type === "i32" ? `bitcast<i32>(a${i}[i])` : `a${i}[i]`));
      const call = `${name}(${operands.join(", ")})`;
      const module = gpu.createShaderModule({
        code: edit(`
@group(0) @binding(0) var<storage, read> a0: array<u32>;
@group(0) @binding(1) var<storage, read> a1: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;
@group(0) @binding(3) var<uniform> zero: vec4<u32>;
fn hidden_zero() -> u32 { return zero.x; }
${arithmetic([name], without)}
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  result[i] = ${types.to === "u32" ? call : types.to === "i32" ? `bitcast<u32>(${call})` : `u32(${call})`} | (a1[i] & zero.x);
}`),
      });
      return [name, gpu.createComputePipeline({ layout: "auto", compute: { module } })] as const;
    }),
  );
  const pad = new Uint32Array(1);
  return {
    async run(name, operands) {
      const { length } = operands[0];
      const pipeline = pipelines.get(name)!;
      operands.forEach((data, i) => {
        gpu.queue.writeBuffer(inputs[i], 0, data as Uint32Array<ArrayBuffer>);
      });
      gpu.queue.writeBuffer(uniform, 0, pad);
      const bindings = [...inputs, output, uniform].map((buffer, binding) => ({ binding, resource: { buffer } }));
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: bindings }));
      pass.dispatchWorkgroups(Math.ceil(length / 256));
      pass.end();
      encoder.copyBufferToBuffer(output, 0, readable, 0, length * 4);
      gpu.queue.submit([encoder.finish()]);
      await readable.mapAsync(mapForReading, 0, length * 4);
      const result = new Uint32Array(readable.getMappedRange(0, length * 4).slice(0));
      readable.unmap();
      device.check();
      return result;
    },
    close() {
      for (const each of [...inputs, output, uniform, readable]) each.destroy();
    },
  };
}

interface Signature {
  readonly from: readonly ("u32" | "i32")[];
  readonly to: "u32" | "i32" | "bool";
}

function typeOf(name: string): Signature {
  if (Object.hasOwn(compared, name)) return { from: ["u32", "u32"], to: "bool" };
  if (Object.hasOwn(binary, name)) return { from: ["u32", "u32"], to: "u32" };
  return { from: [name === "f_from_i32" ? "i32" : "u32"], to: name === "f_to_i32" ? "i32" : "u32" };
}

/** How many operands a function takes. */
export const operandsOf = (name: string): number => typeOf(name).from.length;

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

type Loop = (out: Float32Array, a: Float32Array, b: Float32Array) => void;

/** Storing rounds once, to nearest even. */
const binary: Record<string, Loop> = {
  fadd(out, a, b) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i];
  },
  fsub(out, a, b) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] - b[i];
  },
  fmul(out, a, b) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] * b[i];
  },
  fdiv(out, a, b) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] / b[i];
  },
};
const compared: Record<string, (a: number, b: number) => boolean> = {
  flt: (a, b) => a < b,
  fle: (a, b) => a <= b,
  feq: (a, b) => a === b,
  fne: (a, b) => a !== b,
  fgt: (a, b) => a > b,
  fge: (a, b) => a >= b,
};
const unary: Record<string, (x: number) => number> = {
  fsqrt: Math.sqrt,
  ffloor: Math.floor,
  fbfloat16: narrowing.bfloat16,
  ffloat16: narrowing.float16,
  fpow2(n) {
    word[0] = (n + 127) << 23;
    return float[0];
  },
  fexponent(x) {
    float[0] = x;
    return (word[0] >>> 23) - 127;
  },
};
/** Where a function's result is specified, if not everywhere. */
const domains: Record<string, (x: number) => boolean> = {
  fpow2: (n) => Number.isInteger(n) && n >= -126 && n <= 127,
  fexponent: (x) => x >= 2 ** -126 && x < Number.POSITIVE_INFINITY,
};

/** The bits that `name` has to give, every NaN as 0x7fc00000. */
export function expectedOf(name: string, [first, second]: readonly Uint32Array[]): Uint32Array {
  const out = new Uint32Array(first.length);
  const [a, b] = [first, second ?? first].map((bits) => new Float32Array(bits.buffer, bits.byteOffset, bits.length));
  if (name === "f_to_i32") {
    for (let i = 0; i < out.length; i++) {
      const x = a[i];
      out[i] = x >= 2 ** 31 ? 0x7fffffff : x < -(2 ** 31) ? 0x80000000 : Math.trunc(x);
    }
    return out;
  }
  if (Object.hasOwn(compared, name)) {
    const holds = compared[name];
    for (let i = 0; i < out.length; i++) out[i] = holds(a[i], b[i]) ? 1 : 0;
    return out;
  }
  const floats = new Float32Array(out.buffer);
  if (name === "f_from_i32") {
    for (let i = 0; i < out.length; i++) floats[i] = first[i] | 0;
  } else if (Object.hasOwn(binary, name)) binary[name](floats, a, b);
  else {
    const compute = unary[name];
    for (let i = 0; i < out.length; i++) floats[i] = compute(a[i]);
  }
  for (let i = 0; i < out.length; i++) if (floats[i] !== floats[i]) out[i] = 0x7fc00000;
  return out;
}

/** The first operands for which the device's bits are others than expected, as text, and how many there are. */
export function differences(
  name: string,
  operands: readonly Uint32Array[],
  got: Uint32Array,
): { readonly count: number; readonly first?: string } {
  const expected = expectedOf(name, operands);
  const inDomain = Object.hasOwn(domains, name) ? domains[name] : () => true;
  let count = 0;
  let first: string | undefined;
  for (let i = 0; i < got.length; i++) {
    if (got[i] === expected[i]) continue;
    word[0] = operands[0][i];
    if (!inDomain(float[0]) || count++ > 0) continue;
    const hex = (bits: number) => bits.toString(16).padStart(8, "0");
    first = `${name}(${operands.map((each) => hex(each[i])).join(", ")}): ${hex(got[i])}, expected ${hex(expected[i])}`;
  }
  return { count, first };
}

/** Patterns at which something changes: each exponent's ends for those that matter, halves of a place, the largest, infinities, NaNs; of both signs. */
export function edgePatterns(): Uint32Array {
  const fractions = [0, 1, 2, 0x3fffff, 0x400000, 0x400001, 0x7ffffe, 0x7fffff];
  const exponents = [
    ...[0, 1, 2, 23, 24, 25, 26, 63, 64, 102, 103, 112, 113, 125, 126, 127, 128, 129, 142, 143, 149, 150, 151],
    ...[157, 158, 159, 190, 191, 228, 229, 230, 252, 253, 254, 255],
  ];
  const few = fractions.filter((_, i) => i % 2 === 0);
  const positive = exponents.flatMap((exponent) =>
    (exponent < 3 || exponent > 251 || (exponent > 125 && exponent < 129) ? fractions : few).map(
      (fraction) => exponent * 2 ** 23 + fraction,
    ),
  );
  return Uint32Array.from([...positive, ...positive.map((bits) => bits + 2 ** 31)]);
}
