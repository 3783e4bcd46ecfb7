// What this core can do at most, by loops of WebAssembly SIMD that do nothing else: ceilings for matmul and for what streams through memory.
import {
  type Code,
  call,
  f32x4,
  i32,
  type Local,
  ModuleBuilder,
  v128,
} from "../../src/backend/wasm/assembler/assembler.ts";
import type { Context } from "../../src/backend/wasm/emit/context.ts";
import { scalarLanes, simdLanes } from "../../src/backend/wasm/emit/lanes.ts";
import { tileFunction } from "../../src/backend/wasm/emit/product/tile.ts";
import { tileRows } from "../../src/schedule/tile.ts";
import { bitsOf } from "../bits.ts";
import type { Case, Runner } from "../harness.ts";

/** Bytes at the memory's start for results. */
const head = 64;

function floats(value: number): Code<"v128"> {
  const word = new Int32Array(Float32Array.of(value).buffer)[0];
  return v128.const(word, word, word, word);
}

/** A runner of a module's `run(count)`; the bits are those of the `size` floats at `address`. */
function moduleRunner(module: ModuleBuilder, bytes: number, count: number, address: number, size: number): Runner {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  new Float32Array(memory.buffer).fill(0.5);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { environment: { memory } });
  const run = instance.exports.run as (count: number) => void;
  return { run: () => run(count), bits: () => bitsOf(new Float32Array(memory.buffer, address, size)) };
}

const chains = 14;
const registerUnroll = 2;
const registerRepeats = 50_000;

/** Fourteen chains x ← x·½ + ½, a multiplication and an addition each: with the ½ as many as V8 has registers for. */
async function registers(): Promise<Runner> {
  const module = new ModuleBuilder();
  const fn = module.function("run", ["i32"], [], { exported: true });
  const count = fn.parameters[0] as Local<"i32">;
  const sums = Array.from({ length: chains }, () => fn.local("v128"));
  const half = fn.local("v128");
  half.set(floats(0.5));
  sums.forEach((sum, i) => sum.set(floats(i)));
  fn.loop((again) => {
    for (let round = 0; round < registerUnroll; round++)
      for (const sum of sums) sum.set(f32x4.add(f32x4.mul(sum, half), half));
    fn.branchIf(again, count.tee(i32.sub(count, 1)));
  });
  fn.emit(
    v128.store(
      0,
      sums.reduce<Code<"v128">>((sum, next, i) => (i === 0 ? next : f32x4.add(sum, next)), half),
    ),
  );
  return moduleRunner(module, 65536, registerRepeats, 0, 4);
}

const tileDepth = 256;
const tileRepeats = 200;

/** The matrix product's inner tile over packed panels that stay in the first cache. */
async function tile(tileColumns: number): Promise<Runner> {
  const module = new ModuleBuilder();
  const context: Context = {
    module,
    lanes: simdLanes,
    single: scalarLanes,
    localBytes: 0,
    panelBytes: 0,
  };
  const multiply = tileFunction(context, tileColumns, false, false);
  const fn = module.function("run", ["i32"], [], { exported: true });
  const count = fn.parameters[0] as Local<"i32">;
  const result = head;
  const a = result + 4 * tileRows * tileColumns;
  const b = a + 4 * tileRows * tileDepth;
  fn.loop((again) => {
    fn.emit(call(multiply, a, b, result, 4 * tileColumns, tileDepth));
    fn.branchIf(again, count.tee(i32.sub(count, 1)));
  });
  return moduleRunner(module, b + 4 * tileColumns * tileDepth, tileRepeats, result, tileRows * tileColumns);
}

const copyCount = 4 * 1024 * 1024;
const copyUnroll = 4;

/** 16 MiB from one place to another, 64 bytes a turn. */
async function copy(): Promise<Runner> {
  const module = new ModuleBuilder();
  const fn = module.function("run", ["i32"], [], { exported: true });
  const count = fn.parameters[0] as Local<"i32">;
  const target = head + 4 * copyCount;
  const [from, to] = [fn.let(head), fn.let(target)];
  fn.loop((again) => {
    for (let i = 0; i < copyUnroll; i++) fn.emit(v128.store(to, v128.load(from, 16 * i), 16 * i));
    from.set(i32.add(from, 16 * copyUnroll));
    to.set(i32.add(to, 16 * copyUnroll));
    fn.branchIf(again, count.tee(i32.sub(count, 4 * copyUnroll)));
  });
  return moduleRunner(module, target + 4 * copyCount, copyCount, target, copyCount);
}

/** Multiply and add in registers: 4 lanes, two operations, fourteen chains. */
export const registerProbe: Case = {
  name: "probe-registers",
  about: "multiply and add in registers, nothing else: the ceiling of a core",
  unit: "GFLOP/s",
  work: registerRepeats * registerUnroll * chains * 4 * 2,
  rounds: 25,
  calls: 20,
  warmup: 100,
  place: "host",
  prepare: registers,
};

const tileProbe = (name: string, tileColumns: number): Case => ({
  name,
  about: `matmul's 4×${tileColumns} tile over packed panels in the first cache`,
  unit: "GFLOP/s",
  work: tileRepeats * 2 * tileRows * tileColumns * tileDepth,
  rounds: 25,
  calls: 20,
  warmup: 200,
  place: "host",
  ceiling: { subject: registerProbe, work: tileRepeats * 2 * tileRows * tileColumns * tileDepth, perThread: true },
  prepare: () => tile(tileColumns),
});

/** The inner tiles of matmul from cache: of vectors of 4, and of 8. */
export const tileProbes = [tileProbe("probe-tile", 8), tileProbe("probe-tile-wide", 16)] as const;

/** A plain copy loop; bytes read plus bytes written. */
export const copyProbe: Case = {
  name: "copy-4m",
  about: "a plain copy loop over 4 M floats, read plus written",
  unit: "GB/s",
  work: 2 * 4 * copyCount,
  rounds: 25,
  calls: 8,
  warmup: 30,
  place: "host",
  prepare: copy,
};

export const cases: readonly Case[] = [registerProbe, ...tileProbes, copyProbe];
