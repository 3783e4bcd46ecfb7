// The certificate of the backend webgpu on SwiftShader: faults planted in its shaders are found by name. Few primitives are tried in each, since a shader takes
// SwiftShader half a second to compile; all of them in the first test.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Audit } from "../../../src/backend/audit.ts";
import { certified } from "../../../src/backend/certificate.ts";
import { loadBackend } from "../../../src/backend/load.ts";
import { primitives } from "../../../src/backend/primitives.ts";
import { subjectOf, tryKernel } from "../../../src/backend/trial.ts";
import { webgpuOver } from "../../../src/backend/webgpu/backend.ts";
import { openDevice } from "../../../src/backend/webgpu/device.ts";
import { type Backend, isReliable } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import { ReproError } from "../../../src/core/errors.ts";
import { add, mul } from "../../../src/ops/elementwise.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { webgpuAlone } from "../../support/backends.ts";
import { expectSameBits, roughData, runPlan, traceGraph } from "../../support/graphs.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

let wasm: Backend;
beforeAll(async () => {
  wasm = await loadBackend("wasm");
});
afterAll(() => wasm?.dispose());

/** What a fused multiply-add gives beside a product that was rounded (Dekker 1971); SwiftShader's own fma is not fused. */
const fused = `
fn held(x: f32, zero: u32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | zero); }
fn fused(a: f32, b: f32, s: f32, zero: u32) -> f32 {
  let p = held(a * b, zero);
  let x = held(a * 4097.0, zero); let a1 = held(x - held(x - a, zero), zero); let a0 = held(a - a1, zero);
  let y = held(b * 4097.0, zero); let b1 = held(y - held(y - b, zero), zero); let b0 = held(b - b1, zero);
  let high = held(held(a1 * b1, zero) - p, zero);
  let lost = held(held(high + held(a1 * b0, zero), zero) + held(a0 * b1, zero) + held(a0 * b0, zero), zero);
  return held(held(s + p, zero) + lost, zero);
}
`;

interface Plant {
  readonly pattern: RegExp;
  readonly by: string;
  /** Primitives that find it, and one that doesn't concern it. */
  readonly finds: readonly string[];
  readonly passes: string;
  readonly with?: string;
}

const plants: Readonly<Record<string, Plant>> = {
  "contracts in a product": {
    pattern:
      /bitcast<f32>\(bitcast<u32>\((s\d_\d) \+ bitcast<f32>\(bitcast<u32>\((a\d) \* (b\d)\) \| zero\)\) \| zero\)/g,
    by: "fused($2, $3, $1, zero)",
    with: fused,
    finds: ["sum of products"],
    passes: "mul",
  },
  "sums a product's terms in another order": {
    pattern: /for \(var t = 0u; t < stop; t\+\+\) \{/g,
    by: "for (var u = 0u; u < stop; u++) { let t = stop - 1u - u;",
    finds: ["sum of products"],
    passes: "add",
  },
  "flushes subnormals": {
    pattern: /doubt \|= [^;]*;/g,
    by: "",
    finds: ["add", "mul", "mul, then add"],
    passes: "lt",
  },
  "rounds quotients loosely": { pattern: /\| u32\(rest != 0u\)/g, by: "", finds: ["div", "div by 3"], passes: "sqrt" },
  "rounds roots loosely": { pattern: /root & 1u, rest != 0u/g, by: "0u, false", finds: ["sqrt"], passes: "div" },
};

/** A device whose compiler changes sources, from when it is `armed`. */
async function planted(edit: (code: string) => string) {
  const device = await openDevice();
  const { gpu } = device;
  const make = gpu.createShaderModule.bind(gpu);
  Object.assign(gpu, {
    createShaderModule: (given: GPUShaderModuleDescriptor) => make({ ...given, code: edit(given.code) }),
  });
  return { device, backend: webgpuOver(device) };
}

describe.skipIf(noWebgpu)("on SwiftShader", () => {
  test.each(Object.entries(plants))(
    "a device that %s is found",
    async (_, { pattern, by, finds, passes, ...plant }) => {
      let edits = 0;
      const { device, backend } = await planted((code) => {
        if (code.search(pattern) < 0) return code;
        edits++;
        return (plant.with ?? "") + code.replace(pattern, by);
      });
      const subjects = primitives().filter(({ name }) => finds.includes(name) || name === passes);
      expect(subjects.length).toBe(finds.length + 1);
      for (const subject of subjects) {
        const { name, fault } = await tryKernel(subject, backend, wasm);
        if (name === passes) expect(fault).toBeUndefined();
        else expect(fault, name).toMatch(/^element \d+: [0-9a-f]{8}, expected [0-9a-f]{8} \(/);
      }
      expect(edits).toBeGreaterThan(0);
      device.close();
    },
  );

  test("of a large kernel part of what is in doubt is computed again: the rest is left and told, and a device that leaves more, or computes that part wrong, is found", async () => {
    const shape = [256, 512];
    const given = { x: { dtype: "float32", shape }, y: { dtype: "float32", shape } } as const;
    const product = lower(traceGraph(given, ({ x, y }) => ({ outputs: { z: mul(x, y) } })));
    const large = subjectOf(product.kernels[0], product);
    const edits: readonly (readonly [pattern: RegExp, by: string, fault: RegExp | undefined])[] = [
      [/^/, "", undefined],
      // What the interpreter writes; and the kernel's own shader, which keeps to every 64th workgroup.
      [/heap\[to\] = x;/, "heap[to] = x ^ 1u;", /^element \d+: [0-9a-f]{8}, expected [0-9a-f]{8} \(small\)$/],
      [/heap\[to\] = x;/, "", /\(small\)$/],
      [/ else \{ heap/, " else if (flat % 4096u < 64u) { heap", /^element 64: .*\(samples\)$/],
    ];
    for (const [pattern, by, fault] of edits) {
      const { device, backend } = await planted((code) => code.replace(pattern, by));
      const trial = await tryKernel(large, backend, wasm);
      if (fault) expect(trial.fault).toMatch(fault);
      else expect(trial.fault).toBeUndefined();
      device.close();
    }
    const backend = await webgpuAlone();
    const told: number[] = [];
    const [x, y, z] = [0, 1, 2].map(() => backend.allocate("float32", 256 * 512));
    // Subnormals: every product is in doubt.
    backend.write(x, new Float32Array(256 * 512).fill(2 ** -140));
    backend.write(y, new Float32Array(256 * 512).fill(1));
    const executable = await backend.load(product);
    const run = { inputs: [x, y], outputs: [z], seed: 0n, base: 0 };
    await executable.run({ ...run, repairs: { most: 5000, left: (outputs) => told.push(outputs) } });
    const written = (await backend.read(z)).filter((each) => each === 2 ** -140).length;
    expect(told).toEqual([256 * 512 - written]);
    expect(written).toBe(1000);
    await executable.run(run);
    expect((await backend.read(z)).every((each) => each === 2 ** -140)).toBe(true);
    executable.dispose();
    await backend.dispose();
  });

  const plan = lower(
    traceGraph({ a: { dtype: "float32", shape: [40, 300] }, b: { dtype: "float32", shape: [300, 8] } }, ({ a, b }) => ({
      outputs: { y: sum(add(mul(matmul(a, b), 3), 1), { axis: 0 }) },
    })),
  );
  const inputs = [roughData([40, 300], 1).data, roughData([300, 8], 2).data];

  test("certified whole: every primitive passes, a plan runs on the device, audited, and a fault that begins in a module during the run stops it", async () => {
    const state = { isArmed: false };
    // The same sources, compiled anew: another plan of the same kernels.
    const { backend, device } = await planted((code) =>
      state.isArmed ? code.replace("for (var t = 0u; t < stop; t++)", "for (var t = 1u; t < stop; t++)") : code,
    );
    const whole = await certified(backend, wasm, device.name, 1);
    expect(isReliable(whole)).toBe(true);
    expect(whole.certificate!.primitives.filter(({ fault }) => fault !== undefined)).toEqual([]);
    const [expected] = await runPlan(wasm, plan, inputs);
    expectSameBits((await runPlan(whole, plan, inputs))[0], expected, "y");
    const executable = await whole.load(plan);
    expect(executable.sources.map(({ where }) => where)).toEqual(plan.kernels.map(() => "webgpu"));
    executable.dispose();
    expect(whole.certificate!.kernels.map(({ name }) => name)).toContain("matmul [40, 8] over [300]");
    expect(whole.certificate!.audit.tiles).toBe(plan.kernels.length);
    state.isArmed = true;
    const { gpu } = device;
    // A driver that compiles again, as after a crash: what was certified is another program now.
    const other = webgpuOver({ ...device, gpu, check: () => device.check(), close: () => device.close() });
    const audited = new Audit("webgpu", 1).over(await other.load(plan));
    const bound = plan.inputs.map(({ dtype, shape }, i) => {
      const buffer = other.allocate(dtype, shape[0] * shape[1]);
      other.write(buffer, inputs[i]);
      return buffer;
    });
    const run = async () => audited.run({ inputs: bound, outputs: [other.allocate("float32", 8)], seed: 0n, base: 0 });
    await expect(run()).rejects.toThrow(ReproError);
    await expect(run()).rejects.toThrow(
      /webgpu: kernel 0, matmul \[40, 8\] over \[300\]: element 0: .*got [0-9a-f]{8}, expected [0-9a-f]{8}/s,
    );
    device.close();
  });
});
