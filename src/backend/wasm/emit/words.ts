// Words of the run's PCG32 stream in 64-bit integers: jump-ahead to any draw, then a strip at a time into scratch memory, from where a map reads
// them at once. Equal to src/rng word for word.
import type { Draws } from "../../../../kernels/kernel.ts";
import { type Code, call, type FunctionBuilder, i32, i64, type Local, select } from "../assembler/assembler.ts";
import { bindings } from "../runtime/bindings.ts";
import { type Context, drawOffset, type KernelFunction } from "./context.ts";
import type { Cursor, Limit } from "./nest.ts";

export const multiplier = 0x5851f42d4c957f2dn;

/** (state, increment, draws) → the state `draws` draws later, by squaring the step x ↦ m·x + c. */
function jumpFunction(context: Context): FunctionBuilder {
  return context.module.shared("jump", () => {
    const fn = context.module.function("jump", ["i64", "i64", "i64"], ["i64"]);
    const [state, add, left] = fn.parameters as Local<"i64">[];
    const times = fn.let(multiplier);
    fn.loop((again) => {
      fn.when(i32.wrapI64(i64.and(left, 1n)), () => state.set(i64.add(i64.mul(state, times), add)));
      add.set(i64.mul(add, i64.add(times, 1n)));
      times.set(i64.mul(times, times));
      fn.branchIf(again, i64.ne(left.tee(i64.shrU(left, 1n)), 0n));
    });
    fn.emit(state);
    return fn;
  });
}

/** The stream's increment. */
export const incrementOf = ({ bindings: at }: KernelFunction): Code<"i64"> => i64.load(at, bindings.increment);

/** The stream's state at a draw of a range, counted from its first. */
export function stateAt(target: KernelFunction, draws: Draws, number: Code<"i64">): Code<"i64"> {
  const [base, state] = [bindings.base, bindings.state].map((offset) => i64.load(target.bindings, offset));
  const first = i64.add(base, i64.add(drawOffset(target, draws), number));
  return call(jumpFunction(target), state, incrementOf(target), first);
}

/** XSH-RR: ((x ^ x≫18) ≫ 27) as 32 bits, rotated right by x's top 5 bits. */
export function outputOf(state: Local<"i64">): Code<"i32"> {
  const mixed = i64.xor(i64.shrU(state, 18n), state);
  return i32.rotr(i32.wrapI64(i64.shrU(mixed, 27n)), i32.wrapI64(i64.shrU(state, 59n)));
}

/** Generators that take turns: their multiplications overlap. */
const ways = 4;

/** (address, count, state, increment) → the state after; `count` draws are at the address. */
function fillFunction(context: Context): FunctionBuilder {
  return context.module.shared("words", () => {
    const fn = context.module.function("words", ["i32", "i32", "i64", "i64"], ["i64"]);
    const [to, count] = fn.parameters as Local<"i32">[];
    const [, , first, increment] = fn.parameters as Local<"i64">[];
    const step = (from: Local<"i64">, times: bigint, add: Code<"i64">) => i64.add(i64.mul(from, times), add);
    const states = [first];
    for (let way = 1; way < ways; way++) states.push(fn.let(step(states[way - 1], multiplier, increment)));
    // `ways` steps in one: x ↦ mⁿ·x + c·(mⁿ⁻¹ + … + 1).
    let [power, sum] = [1n, 0n];
    for (let way = 0; way < ways; way++) [power, sum] = [power * multiplier, sum + power];
    const add = fn.let(i64.mul(increment, sum));
    const left = fn.let(count);
    fn.block((done) => {
      fn.branchIf(done, i32.eqz(count));
      fn.loop((again) => {
        // The block ends after every word, as the tile's after every term, or the engine would run out of registers.
        states.forEach((state, way) => {
          fn.emit(i32.store(to, outputOf(state), 4 * way));
          state.set(step(state, power, add));
          fn.branchIf(done, i32.eq(left, way + 1));
        });
        to.set(i32.add(to, 4 * ways));
        left.set(i32.sub(left, ways));
        fn.branch(again);
      });
    });
    const isNext = (way: number) => i32.eq(i32.and(count, ways - 1), way);
    fn.emit(
      states.reduce<Code<"i64">>((next, state, way) => (way === 0 ? state : select(state, next, isNext(way))), first),
    );
    return fn;
  });
}

/** What draws a range of the stream, of which a strip at a time lies in scratch memory `from` bytes after where it begins. */
export function wordStrip(target: KernelFunction, draws: Draws, from: number) {
  const { fn, scratch } = target;
  const state = fn.local("i64");
  /** The index in the range whose word the state gives next; −1 before the first. */
  const next = fn.let(-1);
  const at = fn.local("i32");
  /** Fills the strip with elements [begin, end) of a row that begins at index `row` of the range. */
  const fill = (row: Local<"i32">, begin: Limit, end: Limit) => {
    const index = fn.let(i32.add(row, begin));
    const count = fn.let(i32.sub(end, begin));
    const to = i32.add(scratch, from);
    fn.when(i32.ne(index, next), () => state.set(stateAt(target, draws, i64.extendI32U(index))));
    state.set(call<"i64">(fillFunction(target), to, count, state, incrementOf(target)));
    next.set(i32.add(index, count));
    at.set(i32.sub(to, i32.shl(begin, 2)));
  };
  /** Where element 0 of the row would be. */
  const cursor: Cursor = { at, inside: true };
  return { cursor, fill };
}
