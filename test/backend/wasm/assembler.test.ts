// The assembler against WebAssembly itself and an independent disassembler (wabt): every instruction is the one its name says, and modules
// that it puts together are valid and compute.

import { describe, expect, test } from "vitest";
import {
  atomics,
  type Code,
  call,
  type FunctionBuilder,
  f32,
  f32x4,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64,
  type Local,
  ModuleBuilder,
  memory,
  select,
  shuffle32,
  v128,
} from "../../../src/backend/wasm/assembler/assembler.ts";
import { signed, unsigned } from "../../../src/backend/wasm/assembler/bytes.ts";
import { disassemble } from "../../support/wabt.ts";

const vocabulary = { i32, i64, f32, v128, memory, i8x16, i16x8, i32x4, f32x4, atomics };

/** A module of one function `f`. */
function moduleOf(
  parameters: readonly Local["type"][],
  results: readonly Local["type"][],
  body: (fn: FunctionBuilder, ...parameters: Local<"i32">[]) => void,
  sharedMaximum?: number,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ sharedMaximum });
  const fn = module.function("f", parameters, results, { exported: true });
  body(fn, ...(fn.parameters as Local<"i32">[]));
  return module.encode();
}

function run(bytes: Uint8Array<ArrayBuffer>, ...values: number[]): { result: unknown; memory: WebAssembly.Memory } {
  const store = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { environment: { memory: store } });
  return { result: (instance.exports.f as (...values: number[]) => unknown)(...values), memory: store };
}

describe("numbers", () => {
  test.each([
    [0, [0]],
    [127, [127]],
    [128, [0x80, 1]],
    [624485, [0xe5, 0x8e, 0x26]],
    [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])("unsigned LEB128 of %d", (value, bytes) => expect(unsigned(value)).toEqual(bytes));

  test.each([
    [0, [0]],
    [63, [63]],
    [64, [0xc0, 0]],
    [-1, [0x7f]],
    [-64, [0x40]],
    [-65, [0xbf, 0x7f]],
    [-123456, [0xc0, 0xbb, 0x78]],
  ])("signed LEB128 of %d", (value, bytes) => expect(signed(value)).toEqual(bytes));

  test("constants keep their value and their bits, and none is cut to 32", () => {
    for (const value of [0, 1, -1, 63, 64, -65, 2 ** 31 - 1, -(2 ** 31)])
      expect(run(moduleOf([], ["i32"], (fn) => fn.emit(i32.const(value)))).result).toBe(value);
    expect(run(moduleOf([], ["i32"], (fn) => fn.emit(i32.const(2 ** 32 - 1)))).result).toBe(-1);
    for (const value of [0.5, 2 ** 32, -(2 ** 31) - 1, 2 ** 57, Number.NaN])
      expect(() => i32.add(value, 1)).toThrow(/^wasm: a number in a program that isn't one of 32 bits: got /);
    for (const value of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x5851f42d4c957f2dn])
      expect(run(moduleOf([], ["i64"], (fn) => fn.emit(value))).result).toBe(value);
    for (const value of [0, -0, 2 ** -149, Math.fround(0.1), -Infinity, 3.4028234663852886e38])
      expect(run(moduleOf([], ["f32"], (fn) => fn.emit(f32.const(value)))).result).toBe(value);
  });
});

/** `convertI32x4S` of `f32x4` in the text format: f32x4.convert_i32x4_s. */
function textName(space: string, name: string): string {
  const snake = name
    .replace(/^load32Splat$/, "load32_splat")
    .replace(/([A-Z])/g, "_$1")
    .toLowerCase();
  const odd: Record<string, string> = {
    "v128.and_not": "v128.andnot",
    "atomics.load": "i32.atomic.load",
    "atomics.store": "i32.atomic.store",
    "atomics.add": "i32.atomic.rmw.add",
    "atomics.load64": "i64.atomic.load",
    "atomics.exchange64": "i64.atomic.rmw.cmpxchg",
    "atomics.notify": "memory.atomic.notify",
    "atomics.wait": "memory.atomic.wait32",
  };
  return odd[`${space}.${snake}`] ?? `${space}.${snake}`;
}

test("every instruction is disassembled under its own name", async () => {
  const operand: Record<string, Code | number | bigint> = {
    i32: 64,
    i64: 1n,
    f32: f32.const(1),
    v128: v128.const(1, 2, 3, 4),
  };
  // What each takes, where a type can't be seen from its name: found by trying all of up to three operands until the module is valid.
  const candidates = ["i32", "i64", "f32", "v128"];
  const tuples = [1, 2, 3].flatMap((count) =>
    Array.from({ length: candidates.length ** count }, (_, i) =>
      Array.from({ length: count }, (_, j) => candidates[Math.floor(i / candidates.length ** j) % candidates.length]),
    ),
  );
  const spaces = Object.keys(vocabulary) as (keyof typeof vocabulary)[];
  const checked: string[] = [];
  const codes: { name: string; bytes: Uint8Array<ArrayBuffer> }[] = [];
  for (const space of spaces) {
    for (const [name, make] of Object.entries(vocabulary[space])) {
      const build = make as (...operands: unknown[]) => Code;
      const attempts: unknown[][] = tuples.map((types) => types.map((type) => operand[type]));
      const isRelaxed = name.startsWith("relaxed");
      if (isRelaxed) attempts.unshift([operand.v128, operand.v128, operand.v128]);
      if (name === "const") attempts.unshift(space === "v128" ? [1, 2, 3, 4] : [1]);
      if (/^(shl|shr[SU])$/.test(name) && space.includes("x")) attempts.unshift([operand.v128, 3]);
      if (name === "extractLane") attempts.unshift([operand.v128, 1]);
      if (name === "replaceLane") attempts.unshift([operand.v128, 1, operand[space === "f32x4" ? "f32" : "i32"]]);
      if (/Lane$/.test(name) && space === "v128") attempts.unshift([operand.i32, operand.v128, 2, 8]);
      let valid: Uint8Array<ArrayBuffer> | undefined;
      for (const values of attempts) {
        let bytes: Uint8Array<ArrayBuffer>;
        try {
          const code = build(...values);
          const body = (fn: FunctionBuilder) => (code.type === "none" ? fn.emit(code) : fn.drop(code as Code<"i32">));
          bytes = moduleOf([], [], body, 16);
        } catch {
          continue;
        }
        // Node 20 has nothing that is relaxed.
        if (!isRelaxed && !WebAssembly.validate(bytes)) continue;
        valid = bytes;
        break;
      }
      expect(valid, `${space}.${name} is valid with some operands`).toBeDefined();
      codes.push({ name: textName(space, name), bytes: valid! });
      checked.push(`${space}.${name}`);
    }
  }
  for (const { name, bytes } of codes) {
    const text = await disassemble(bytes);
    const lines = text.split("\n").map((line) => line.trim().split(" ")[0]);
    // The instruction itself comes last, before the result is dropped.
    const own = lines
      .filter((line) => /^[a-z0-9]+\.[a-z0-9_.]+\)*$/.test(line))
      .map((line) => line.replace(/\)*$/, ""));
    expect(own[own.length - 1]).toBe(name);
  }
  expect(checked.length).toBeGreaterThan(120);
});

describe("structure", () => {
  test("nested blocks and loops branch to what they name", () => {
    // The sum of the odd numbers below n, with a continue and a break.
    const bytes = moduleOf(["i32", "i32", "i32"], ["i32"], (fn, n, i, sum) => {
      fn.block((done) =>
        fn.loop((again) => {
          fn.block((next) => {
            fn.branchIf(done, i32.geS(i, n));
            fn.branchIf(next, i32.eqz(i32.and(i, 1)));
            sum.set(i32.add(sum, i));
          });
          i.set(i32.add(i, 1));
          fn.branch(again);
        }),
      );
      fn.emit(sum);
    });
    expect(run(bytes, 10, 0, 0).result).toBe(25);
    expect(run(bytes, 0, 0, 0).result).toBe(0);
  });

  test("if and else, calls, selects", () => {
    const module = new ModuleBuilder();
    const square = module.function("square", ["i32"], ["i32"]);
    const [x] = square.parameters as Local<"i32">[];
    square.emit(i32.mul(x, x));
    const f = module.function("f", ["i32"], ["i32"], { exported: true });
    const [y] = f.parameters as Local<"i32">[];
    const out = f.local("i32");
    f.when(
      i32.ltS(y, 0),
      () => out.set(-1),
      () => out.set(call<"i32">(square, y)),
    );
    f.emit(select(out, 99, i32.ne(y, 5)));
    expect([-3, 4, 5].map((value) => run(module.encode(), value).result)).toEqual([-1, 16, 99]);
  });

  test("locals of all types, memory and lanes", async () => {
    const module = new ModuleBuilder();
    const f = module.function("f", ["i32"], ["f32"], { exported: true });
    const [at] = f.parameters as Local<"i32">[];
    const vector = f.let(f32x4.splat(f32.const(1.5)));
    const long = f.let(7n);
    const other = f.let(shuffle32(vector, v128.const(0, 1, 2, 3), [0, 1, 6, 7]));
    f.emit(
      v128.store(at, other, 16),
      i64.store(at, long, 8),
      memory.fill(at, 0xff, 4),
      memory.copy(i32.add(at, 32), at, 12),
      f32.load(at, 16),
    );
    const bytes = module.encode();
    const { result, memory: store } = run(bytes, 256);
    expect(result).toBe(1.5);
    const words = new DataView(store.buffer);
    expect([0, 4, 8, 12, 16, 20, 24, 28, 32, 40].map((offset) => words.getUint32(256 + offset, true))).toEqual([
      0xffffffff, 0, 7, 0, 0x3fc00000, 0x3fc00000, 2, 3, 0xffffffff, 7,
    ]);
    const text = await disassemble(bytes);
    expect(text).toContain("i8x16.shuffle 0 1 2 3 4 5 6 7 24 25 26 27 28 29 30 31");
    expect(text).toContain('(import "environment" "memory" (memory (;0;) 0))');
  });

  test("what is written later stands at its place; a value's statements are run where the value is", () => {
    // ((x + 1) · 10 + (x + 1)) · 2, of which x + 1 is written last, before all else.
    const bytes = moduleOf(["i32"], ["i32"], (fn, x) => {
      const first = fn.place();
      const tenfold = fn.value(() => {
        x.set(i32.mul(x, 10));
        return x;
      });
      const sum = i32.add(i32.sub(x, 0), tenfold);
      fn.emit(i32.mul(sum, 2));
      fn.at(first, () => x.set(i32.add(x, 1)));
    });
    expect([0, 4].map((x) => run(bytes, x).result)).toEqual([22, 110]);
  });

  test("shared memory has its maximum", async () => {
    const text = await disassemble(moduleOf([], [], () => {}, 65536));
    expect(text).toContain("(memory (;0;) 0 65536 shared)");
  });

  test("what is wrong is not valid", () => {
    expect(WebAssembly.validate(moduleOf([], ["f32"], (fn) => fn.emit(1)))).toBe(false);
  });
});
