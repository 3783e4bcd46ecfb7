// A device is tried before it is relied on: each fault is found by name, what it concerns runs on class A, and nothing else does.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { Certifier, certified } from "../../src/backend/certificate.ts";
import { loadBackend } from "../../src/backend/load.ts";
import { type Backend, isReliable } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import { sha256Hex } from "../../src/core/canonical.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { floorDivide } from "../../src/ops/arithmetic.ts";
import { equal } from "../../src/ops/compare.ts";
import { add, div, mul } from "../../src/ops/elementwise.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { sum } from "../../src/ops/reduce.ts";
import { device, faults, inBody } from "../support/faulty.ts";
import { expectSameBits, roughData, runPlan, traceGraph } from "../support/graphs.ts";

let wasm: Backend;
beforeAll(async () => {
  wasm = await loadBackend("wasm");
});
afterAll(() => wasm?.dispose());

const isOf = (expr: e.Expr, op: string): expr is Extract<e.Expr, { readonly a: e.Expr }> =>
  "a" in expr && expr.op === op && expr.a.type === "uint32";

const namesOf = (trials: readonly { readonly name: string; readonly fault?: string }[]) =>
  trials.filter(({ fault }) => fault !== undefined).map(({ name }) => name);

test("a device without a fault passes, and so do the backends of class A", async () => {
  for (const each of [device(), await loadBackend("gpujs:cpu"), await loadBackend("gpujs:webasm")]) {
    const { certificate } = await Certifier.open(each, wasm, "a device");
    expect(namesOf(certificate.primitives)).toEqual([]);
    expect(certificate).toMatchObject({ device: "a device", numericsId, kernels: [] });
    expect(certificate.primitives.length).toBeGreaterThan(40);
    await each.dispose();
  }
});

test("the class A results that a device is held against are the same everywhere", async () => {
  const { certificate } = await Certifier.open(device(), wasm, "");
  const all = certificate.primitives.map(({ name, sha256 }) => `${name} ${sha256}`).join("\n");
  expect(sha256Hex(new TextEncoder().encode(all)).slice(0, 16)).toBe("a62cc20bdcef06b8");
});

test.each<[fault: string, found: readonly string[], passing: readonly string[]]>([
  ["contracts", ["mul, then add"], ["add", "mul", "add, then add"]],
  ["flushes", ["add", "sub", "mul", "div"], ["neg", "lt", "max of rows"]],
  ["reassociates", ["add, then add", "sum of rows", "sum of columns"], ["add", "mul, then add", "max of rows"]],
  ["divides loosely", ["div", "div by 3"], ["mul", "sqrt", "sum of rows"]],
])("a device that %s is found", async (fault, found, passing) => {
  const { certificate } = await Certifier.open(device(faults[fault]), wasm, "");
  const names = namesOf(certificate.primitives);
  for (const name of found) expect(names).toContain(name);
  for (const name of passing) {
    expect(names).not.toContain(name);
    expect(certificate.primitives.map((trial) => trial.name)).toContain(name);
  }
  for (const { fault } of certificate.primitives)
    if (fault !== undefined) expect(fault).toMatch(/^element \d+: [0-9a-f]{8}, expected [0-9a-f]{8} \(/);
});

test.each<[string, (kernel: Kernel) => Kernel, string]>([
  // What WGSL says of x ÷ 0.
  [
    "divides words by 0 as x",
    inBody((expr) => (isOf(expr, "div") ? e.select(e.eq(expr.b, 0), expr.a, expr) : expr)),
    "quotient",
  ],
  ["finds no words equal", inBody((expr) => (isOf(expr, "eq") ? e.ne(expr.a, expr.a) : expr)), "same"],
])("a device that %s is found, and by that alone", async (_, fault, name) => {
  const port = { dtype: "uint32", shape: [40] } as const;
  const plan = lower(
    traceGraph({ a: port, b: port }, ({ a, b }) => ({ outputs: { quotient: floorDivide(a, b), same: equal(a, b) } })),
  );
  const backend = await certified(device(fault), wasm, "a device");
  const executable = await backend.load(plan);
  const found = executable.sources.map(({ fault }) => fault !== undefined);
  expect(found).toEqual(plan.outputs.map((port) => port.name === name));
  executable.dispose();
});

describe("a plan", () => {
  const plan = lower(
    traceGraph({ a: { dtype: "float32", shape: [9, 300] }, b: { dtype: "float32", shape: [300, 4] } }, ({ a, b }) => ({
      outputs: { y: sum(add(mul(matmul(a, b), 3), div(matmul(a, b), 7)), { axis: 0 }) },
    })),
  );
  const inputs = [roughData([9, 300], 1).data, roughData([300, 4], 2).data];

  test.each(Object.keys(faults))("has class A's bits on a device that %s, which says what ran where", async (fault) => {
    const backend = await certified(device(faults[fault]), wasm, "a device");
    expect(backend.class).toBe("B");
    expect(isReliable(backend)).toBe(true);
    const [expected] = await runPlan(wasm, plan, inputs);
    const [got] = await runPlan(backend, plan, inputs);
    expectSameBits(got, expected, fault);
    const executable = await backend.load(plan);
    expect(executable.sources.map(({ where }) => where)).toEqual(plan.kernels.map(() => "wasm"));
    expect(executable.sources.some(({ fault }) => fault !== undefined)).toBe(true);
    executable.dispose();
  });

  test("runs on a device without a fault, each kernel tried once", async () => {
    const backend = await certified(device(), wasm, "a device");
    const [expected] = await runPlan(wasm, plan, inputs);
    const [got] = await runPlan(backend, plan, inputs);
    expectSameBits(got, expected, "y");
    const executable = await backend.load(plan);
    expect(executable.sources.map(({ where }) => where)).toEqual(plan.kernels.map(() => "interpreter"));
    executable.dispose();
    const { kernels } = backend.certificate!;
    expect(kernels.length).toBeGreaterThan(1);
    expect(kernels.length).toBeLessThanOrEqual(plan.kernels.length);
    expect(namesOf(kernels)).toEqual([]);
  });

  test("a fault in one kernel's module alone is found by the kernel's name", async () => {
    const one = device((kernel) =>
      kernel.kind === "loop" && kernel.fold?.reduced[0] === 300 ? faults.reassociates(kernel) : kernel,
    );
    const backend = await certified(one, wasm, "a device");
    expect(namesOf(backend.certificate!.primitives)).toEqual([]);
    const [expected] = await runPlan(wasm, plan, inputs);
    const [got] = await runPlan(backend, plan, inputs);
    expectSameBits(got, expected, "y");
    expect(namesOf(backend.certificate!.kernels)).toEqual(["matmul [9, 4] over [300]"]);
  });
});
