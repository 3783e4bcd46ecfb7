// What every kernel's printer shares: the module being built, and the function being filled. Every kernel is a function (bindings, values,
// scratch, part, parts): it reads where its values begin from a list of its own, so that kernels that differ in nothing else are one function;
// and it does its part of the work, whatever the number of parts.

import type { Draws, Repeat } from "../../../../kernels/kernel.ts";
import type { Kernel } from "../../../../kernels/kinds.ts";
import type { Nest } from "../../../schedule/nest.ts";
import type { Parallel } from "../../../schedule/parallel.ts";
import type { Locals } from "../../../schedule/places.ts";
import type { Division } from "../../../schedule/rows.ts";
import { type DrawWord, type Listed, nameOf } from "../../../schedule/signature.ts";
import { type Code, type FunctionBuilder, i32, i64, type Local, type ModuleBuilder } from "../assembler/assembler.ts";
import type { Lanes } from "./lanes.ts";
import { type Cursor, least, type Part, start } from "./nest.ts";

/** By how much an address is further on at a loop's positions: `bytes` · ((position + `shift`) mod `slots`). */
export interface Motion {
  readonly repeat: Repeat;
  readonly bytes: number;
  readonly shift: number;
  readonly slots?: number;
}

/** What a list holds: an address of which a run is told, so many bytes into a value; a number; or half of where draws begin. */
export type Entry =
  | { readonly value: number; readonly offset: number; readonly motions: readonly Motion[] }
  | { readonly constant: number }
  | DrawWord;

export interface Context {
  readonly module: ModuleBuilder;
  readonly lanes: Lanes;
  /** The lanes for what is left over when `lanes.width` elements at a time are done. */
  readonly single: Lanes;
  /** Of a part's own memory, bytes in which groups keep local values, and behind them packed operands; scratch memory follows. */
  readonly localBytes: number;
  readonly panelBytes: number;
}

/** What lies before scratch memory in a part's own. */
export const bytesBefore = ({ localBytes, panelBytes }: Context): number => localBytes + panelBytes;

/** What a function is made for: a kernel, its number, and what its list has a word for. */
export interface Told<K extends Kernel = Kernel> {
  readonly kernel: K;
  readonly number: number;
  readonly listed: readonly Listed[];
  /** Those of its values that are local to its group, which is divided in this way. */
  readonly locals: Locals;
  readonly division: Division | undefined;
}

/** A kernel's function: what its printer fills. */
export interface KernelFunction<K extends Kernel = Kernel> extends Context, Told<K> {
  readonly fn: FunctionBuilder;
  readonly bindings: Local<"i32">;
  /** Where its list is; each one's place in it, by name. */
  readonly list: Local<"i32">;
  readonly slots: ReadonlyMap<number | string, number>;
  /** Where scratch memory begins. */
  readonly scratch: Local<"i32">;
  readonly part: Local<"i32">;
  readonly parts: Local<"i32">;
}

/** A function for a kernel. */
export function kernelFunction(context: Context, name: string, told: Told): KernelFunction {
  const fn = context.module.function(name, ["i32", "i32", "i32", "i32", "i32"]);
  const [bindings, list, scratch, part, parts] = fn.parameters as Local<"i32">[];
  const slots = new Map(told.listed.map((listed, slot) => [nameOf(listed), slot]));
  return { ...context, ...told, fn, bindings, list, slots, scratch, part, parts };
}

/** A range's first draw, counted from the base. */
export function drawOffset(kernel: KernelFunction, draws: Draws): Code<"i64"> {
  const half = (which: DrawWord["half"]) => i64.extendI32U(listWord(kernel, { draws, half: which }));
  return i64.or(half("low"), i64.shl(half("high"), 32n));
}

const listWord = (kernel: KernelFunction, listed: Listed): Code<"i32"> =>
  i32.load(kernel.list, 4 * kernel.slots.get(nameOf(listed))!);

/** Where a value begins. */
export function valueAddress(kernel: KernelFunction, value: number): Code<"i32"> {
  const { division, locals, scratch } = kernel;
  const local = locals.places.get(value);
  const word = listWord(kernel, value);
  if (!local || !division) return word;
  // The block's rows lie there: where row 0 would be.
  const first = i32.mul(
    borderUnit(kernel, division.rows, division.grain, kernel.part),
    division.grain * local.rowBytes,
  );
  return i32.sub(i32.add(i32.sub(scratch, bytesBefore(kernel)), word), first);
}

/** The first unit of `grain` points that part `at` has. */
function borderUnit({ parts }: KernelFunction, extent: number, grain: number, at: Code<"i32">): Code<"i32"> {
  const units = BigInt(Math.ceil(extent / grain));
  // In 64 bits: there may be many parts of many units.
  return i32.wrapI64(i64.divU(i64.mul(units, i64.extendI32U(at)), i64.extendI32U(parts)));
}

/** Code that begins at the nest's first point, for the part's share of an axis; where none is shared the first part does it all. */
export function overNest(
  target: KernelFunction,
  { nest, parallel }: { readonly nest: Nest; readonly parallel: Parallel | undefined },
  body: (cursors: readonly Cursor[], part?: Part) => void,
): void {
  const { fn, part } = target;
  const cursors = start(fn, nest, (value) => valueAddress(target, value));
  if (parallel) body(cursors, share(target, parallel));
  else fn.when(i32.eqz(part), () => body(cursors));
}

/** The part's share of an axis, in multiples of the grain. */
export function share(kernel: KernelFunction, { axis, extent, grain }: Parallel): Part {
  const { fn, part } = kernel;
  const border = (at: Code<"i32">) => fn.let(i32.mul(borderUnit(kernel, extent, grain, at), grain));
  const [begin, end] = [border(part), border(i32.add(part, 1))];
  if (extent % grain !== 0) end.set(least(end, extent));
  return { axis, begin, end };
}
