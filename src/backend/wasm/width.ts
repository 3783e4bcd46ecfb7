// How many elements neighbouring vectors compute together: 8 where V8 can be had to run two of them as one operation of 256 bits, which a timing
// shows, and only where that gives the same bits. Found once for the process, whose flag it is.
import { optimizeAtOnce, runWide, wideRefused } from "#engine";
import { BackendError, refuse } from "../../core/errors.ts";
import { f32, f32x4, i32, type Local, ModuleBuilder, v128 } from "./assembler/assembler.ts";
import { wasmBackend } from "./backend.ts";
import { probe } from "./probe.ts";
import { selfTest } from "./selftest.ts";

/** Elements that neighbouring vectors compute together: 8 where the engine can run two of them as one, with `auto`. */
export type VectorWidth = 4 | 8 | "auto";

/** What an engine can do, and why not more. */
export interface WidthFound {
  readonly width: 4 | 8;
  readonly reason: string;
}

/** Vectors must gain this much from running two at a time: less is noise. */
const worthwhile = 1.25;

let known: Promise<WidthFound> | undefined;

/** Looks once. */
export function findWidth(): Promise<WidthFound> {
  known ??= look();
  return known;
}

/** The width that a wish comes to. Throws BackendError where 8 was asked for and can't be had. */
export async function widthFor(wish: VectorWidth): Promise<4 | 8> {
  if (wish === 4) return 4;
  const { width, reason } = await findWidth();
  if (wish === "auto" || width === 8) return width;
  const hint = 'vectorWidth "auto" takes them where they can be: 4 gives the same bits';
  refuse(BackendError, "wasm", "vectors of 8 were asked for and can't be used here", reason, undefined, hint);
}

async function look(): Promise<WidthFound> {
  const { simd, reason } = probe();
  const refused = simd ? wideRefused() : reason;
  if (refused !== undefined) return { width: 4, reason: refused };
  runWide(true);
  const found = await findGainAndFaults();
  if (found.width === 4) runWide(false);
  return found;
}

async function findGainAndFaults(): Promise<WidthFound> {
  const gain = timeGained();
  if (gain < worthwhile) return judge(gain, []);
  const backends = await Promise.all([wasmBackend({ simd: true, vectorWidth: 8 }), wasmBackend({ simd: false })]);
  const wrong = await selfTest(...backends);
  for (const backend of backends) await backend.dispose();
  return judge(gain, wrong);
}

/** The width for an engine on which two vectors at a time take 1/`gain` of the time, and in which some operations give other bits so. */
export function judge(gain: number, [wrong, ...more]: readonly string[]): WidthFound {
  const measured = `two vectors at a time are ${gain.toFixed(2)} times as fast`;
  if (gain < worthwhile) return { width: 4, reason: `the engine doesn't join vectors on this processor: ${measured}` };
  if (wrong === undefined) return { width: 8, reason: measured };
  const others = more.length > 0 ? `, and ${more.length} more` : "";
  return { width: 4, reason: `joined vectors give other bits than single elements do: ${wrong}${others}` };
}

const chain = 12;
const points = 4096;
const rounds = 30;

/** A chain of multiplications and additions over two vectors at once: `distance` bytes apart, which V8 joins where they are neighbours. */
function chainOver(distance: number): () => void {
  const module = new ModuleBuilder();
  const fn = module.function("run", ["i32"], [], { exported: true });
  const [at] = fn.parameters as Local<"i32">[];
  const factor = fn.let(f32x4.splat(f32.const(0.5)));
  const values = [fn.local("v128"), fn.local("v128")];
  fn.loop((again) => {
    values.forEach((value, i) => value.set(v128.load(at, distance * i)));
    for (let link = 0; link < chain; link++)
      for (const value of values) value.set(f32x4.add(f32x4.mul(value, factor), factor));
    fn.emit(...values.map((value, i) => v128.store(at, value, distance * i)));
    fn.branchIf(again, i32.ltS(at.tee(i32.add(at, 32)), 4 * points));
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { environment: { memory } });
  const run = instance.exports.run as (at: number) => void;
  return () => run(0);
}

/** How many times as fast neighbours are as vectors that are none: at the best of some rounds each. */
function timeGained(): number {
  optimizeAtOnce(true);
  const [near, far] = [chainOver(16), chainOver(4 * points)];
  for (const run of [near, far, near, far]) run();
  optimizeAtOnce(false);
  const time = (run: () => void) => {
    const start = performance.now();
    run();
    return performance.now() - start;
  };
  const best = { near: Number.POSITIVE_INFINITY, far: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    best.near = Math.min(best.near, time(near));
    best.far = Math.min(best.far, time(far));
  }
  return best.far / best.near;
}
