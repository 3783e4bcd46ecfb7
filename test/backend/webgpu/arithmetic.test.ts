// WGSL float arithmetic on bit patterns, on SwiftShader, against the engine's own: all pairs of edges, patterns of every exponent at random. Much more of each:
// npm run test:arithmetic.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arithmetic, arithmeticNames, hardwareOperations } from "../../../src/backend/webgpu/arithmetic.ts";
import { type Device, openDevice } from "../../../src/backend/webgpu/device.ts";
import { fillWords } from "../../../src/rng/draws.ts";
import { batch, differences, edgePatterns, type Tried, tried } from "../../support/arithmetic.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

const edges = edgePatterns();
const twoOperands = ["fadd", "fsub", "fmul", "fdiv", "flt", "fle", "feq", "fne", "fgt", "fge"];
const oneOperand = arithmeticNames.filter((name) => !twoOperands.includes(name));

/** Words at random: bit patterns of every exponent alike. */
function patterns(count: number, from: number): Uint32Array {
  const words = new Uint32Array(count);
  fillWords(7n, from, words);
  return words;
}

test("sources come callees first, each once, and with what they need", () => {
  for (const names of [...arithmeticNames.map((name) => [name]), arithmeticNames]) {
    const defined = new Set(["hidden_zero"]);
    for (const text of arithmetic(names).split(/^(?=fn )/m)) {
      const name = /^fn (\w+)/.exec(text)?.[1];
      if (name === undefined) continue;
      for (const [, called] of text.slice(3).matchAll(/\b(f\w+|hidden_zero)\(/g))
        if (called !== name) expect(defined, `${called} in ${name}`).toContain(called);
      expect(defined).not.toContain(name);
      defined.add(name);
    }
    for (const name of names) expect(defined).toContain(name);
  }
});

test("without the device's own operations there is no float in a source", () => {
  expect(arithmetic(arithmeticNames)).toContain("<f32>");
  expect(arithmetic(arithmeticNames, new Set(hardwareOperations))).not.toMatch(/f32>|hidden_zero/);
});

describe.skipIf(noWebgpu)("on SwiftShader", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice();
  });
  afterAll(() => device?.close());

  const agree = async (functions: Tried, name: string, operands: readonly Uint32Array[]) => {
    const { count, first } = differences(name, operands, await functions.run(name, operands));
    expect(count, first).toBe(0);
  };
  const pairs = () => {
    const all = new Uint32Array(edges.length ** 2);
    return [all.map((_, i) => edges[Math.floor(i / edges.length)]), all.map((_, i) => edges[i % edges.length])];
  };

  test.each(["the device's own + and ×", "integers alone"])("two operands: %s", async (how) => {
    const functions = tried(device, twoOperands, new Set(how === "integers alone" ? hardwareOperations : []));
    expect(edges.length).toBeGreaterThanOrEqual(200);
    const edgePairs = pairs();
    const near = patterns(2 ** 20, 2 ** 24);
    for (const name of twoOperands) {
      await agree(functions, name, edgePairs);
      await agree(functions, name, [patterns(2 ** 20, 0), patterns(2 ** 20, 2 ** 20)]);
      // Exponents near each other: what cancels, and rounds at the last place.
      await agree(functions, name, [near, near.map((bits, i) => bits ^ (near[(i + 1) % near.length] & 0x81ffffff))]);
    }
    functions.close();
  });

  test.each(oneOperand)("%s at the edges and at 2²² patterns", async (name) => {
    const functions = tried(device, [name]);
    await agree(functions, name, [edges]);
    const small = Float32Array.from({ length: 256 }, (_, i) => i - 128);
    await agree(functions, name, [new Uint32Array(small.buffer)]);
    await agree(functions, name, [patterns(batch, 0)]);
    functions.close();
  });

  test.each<[name: string, line: string, planted: string]>([
    ["fdiv", "| u32(rest != 0u)", ""],
    ["fsqrt", "rest != 0u)", "false)"],
    ["fadd", "f_shift(v: u32, n: u32) -> u32 {", "f_shift(v: u32, n: u32) -> u32 { if (n < 32u) { return v >> n; }"],
    ["fadd", "a & b & 0x80000000u, sum == 0u", "0u, sum == 0u"],
    ["fmul", "| u32((low & 0x1ffffu) != 0u)", ""],
    ["fmul", "& ~tie", ""],
    ["f_to_i32", "e >= 158u", "e >= 159u"],
    ["ffloor", "select(0u, fraction,", "select(0u, 0u,"],
  ])("a fault in %s is found: %s → %s", async (name, line, planted) => {
    const functions = tried(device, [name], undefined, (source) => {
      expect(source).toContain(line);
      return source.replaceAll(line, planted);
    });
    const operands = pairs();
    expect(differences(name, operands, await functions.run(name, operands)).count).toBeGreaterThan(0);
    functions.close();
  });
});
