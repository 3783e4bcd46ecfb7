// What WebAssembly can do on this engine, found by trying: SIMD may be missing, and on some processors flushes subnormals, which would be
// other bits. The scalar path is always right.
import { f32x4, i32x4, type Local, ModuleBuilder, v128 } from "./assembler/assembler.ts";

/** Whether SIMD can be used, and why not where it can't. */
export interface Probe {
  readonly simd: boolean;
  readonly reason: string;
}

/** Of this processor. */
const isBigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** Whether the engine has the relaxed choice of lanes: Node from 22 on. */
export function hasRelaxedChoice(): boolean {
  const module = new ModuleBuilder();
  const choose = module.function("choose", ["v128"], ["v128"]);
  const [x] = choose.parameters as Local<"v128">[];
  choose.emit(i32x4.relaxedLaneselect(x, x, x));
  return WebAssembly.validate(module.encode());
}

/** Tries it, on a processor of either order of bytes. */
export function probe(bigEndian = isBigEndian): Probe {
  // Node 20 on an emulated s390x: once TurboFan compiles it, SIMD gives other bits or ends the process, and no short probe shows it.
  if (bigEndian) return { simd: false, reason: "SIMD isn't trusted on big-endian processors" };
  const module = new ModuleBuilder();
  const memory = new WebAssembly.Memory({ initial: 1 });
  const add = module.function("add", ["i32"], ["i32"], { exported: true });
  const word = v128.load(add.parameters[0] as Local<"i32">);
  add.emit(i32x4.extractLane(f32x4.add(word, word), 0));
  const bytes = module.encode();
  if (!WebAssembly.validate(bytes)) return { simd: false, reason: "this engine has no WebAssembly SIMD" };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { environment: { memory } });
  // The smallest subnormal, doubled.
  new DataView(memory.buffer).setInt32(0, 1, true);
  const sum = (instance.exports.add as (address: number) => number)(0);
  return sum === 2
    ? { simd: true, reason: "SIMD keeps subnormals" }
    : { simd: false, reason: "SIMD flushes subnormals on this processor" };
}
