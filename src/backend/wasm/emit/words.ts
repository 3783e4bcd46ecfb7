// Words of the run's PCG32 stream in 64-bit integers: jump-ahead to any draw, then a strip at a time into scratch memory, from where a map reads
// them at once. Equal to src/rng word for word.
import type { Draws } from "../../../../kernels/kernel.ts";
import {
  block,
  branch,
  branchIf,
  type Code,
  call,
  type FunctionBuilder,
  type Local,
  loop,
  when,
} from "../assembler/assembler.ts";
import { i32, i64, select } from "../assembler/instructions.ts";
import { bindings } from "../runtime/bindings.ts";
import { type Context, drawOffset, headerWord, type KernelFunction } from "./context.ts";
import { type Cursor, type Limit, limitCode } from "./nest.ts";

export const multiplier = 0x5851f42d4c957f2dn;

/** (state, increment, draws) → the state `draws` draws later, by squaring the step x ↦ m·x + c. */
export function jumpFunction(context: Context): FunctionBuilder {
  return context.module.shared("jump", () => {
    const fn = context.module.function("jump", ["i64", "i64", "i64"], ["i64"]);
    const [state, add, left] = fn.parameters as Local<"i64">[];
    const [times, setTimes] = fn.hold(i64.const(multiplier));
    const round = loop((again) => [
      when(i32.wrapI64(i64.and(left.get, i64.const(1n))), [state.set(i64.add(i64.mul(state.get, times.get), add.get))]),
      add.set(i64.mul(add.get, i64.add(times.get, i64.const(1n)))),
      times.set(i64.mul(times.get, times.get)),
      branchIf(again, i64.ne(left.tee(i64.shrU(left.get, i64.const(1n))), i64.const(0n))),
    ]);
    fn.body(setTimes, round, state.get);
    return fn;
  });
}

/** XSH-RR: ((x ^ x≫18) ≫ 27) as 32 bits, rotated right by x's top 5 bits. */
export function outputOf(state: Local<"i64">): Code<"i32"> {
  const mixed = i64.xor(i64.shrU(state.get, i64.const(18n)), state.get);
  return i32.rotr(i32.wrapI64(i64.shrU(mixed, i64.const(27n))), i32.wrapI64(i64.shrU(state.get, i64.const(59n))));
}

/** Generators that take turns: their multiplications overlap. */
const ways = 4;

/** (address, count, state, increment) → the state after; `count` draws are at the address. */
function fillFunction(context: Context): FunctionBuilder {
  return context.module.shared("words", () => {
    const fn = context.module.function("words", ["i32", "i32", "i64", "i64"], ["i64"]);
    const [to, count] = fn.parameters as Local<"i32">[];
    const [, , first, increment] = fn.parameters as Local<"i64">[];
    const step = (from: Local<"i64">, times: bigint, add: Code<"i64">) =>
      i64.add(i64.mul(from.get, i64.const(times)), add);
    const states = [first];
    const begin: Code[] = [];
    for (let way = 1; way < ways; way++) {
      const [state, set] = fn.hold(step(states[way - 1], multiplier, increment.get));
      states.push(state);
      begin.push(set);
    }
    // `ways` steps in one: x ↦ mⁿ·x + c·(mⁿ⁻¹ + … + 1).
    let [power, sum] = [1n, 0n];
    for (let way = 0; way < ways; way++) [power, sum] = [power * multiplier, sum + power];
    const [add, setAdd] = fn.hold(i64.mul(increment.get, i64.const(BigInt.asUintN(64, sum))));
    const [left, setLeft] = fn.hold(count.get);
    fn.body(
      ...begin,
      setAdd,
      setLeft,
      block((done) => [
        branchIf(done, i32.eqz(count.get)),
        loop((again) => [
          // The block ends after every word, as the tile's after every term, or the engine would run out of registers.
          ...states.flatMap((state, way) => [
            i32.store(to.get, outputOf(state), 4 * way),
            state.set(step(state, BigInt.asUintN(64, power), add.get)),
            branchIf(done, i32.eq(left.get, i32.const(way + 1))),
          ]),
          to.set(i32.add(to.get, i32.const(4 * ways))),
          left.set(i32.sub(left.get, i32.const(ways))),
          branch(again),
        ]),
      ]),
      states
        .slice(1)
        .reduce<Code<"i64">>(
          (next, state, way) =>
            select(state.get, next, i32.eq(i32.and(count.get, i32.const(ways - 1)), i32.const(way + 1))),
          first.get,
        ),
    );
    return fn;
  });
}

/** A range of draws, of which a strip at a time lies in scratch memory `from` bytes after where it begins. */
export class WordStrip {
  /** Code to run before the first strip. */
  readonly before: readonly Code[];
  readonly #context: Context;
  readonly #target: KernelFunction;
  readonly #draws: Draws;
  readonly #from: number;
  readonly #state: Local<"i64">;
  /** The index in the range whose word the state gives next; −1 before the first. */
  readonly #next: Local<"i32">;
  readonly #at: Local<"i32">;

  constructor(context: Context, target: KernelFunction, draws: Draws, from: number) {
    const { fn } = target;
    this.#context = context;
    this.#target = target;
    this.#draws = draws;
    this.#from = from;
    this.#state = fn.local("i64");
    this.#next = fn.local("i32");
    this.#at = fn.local("i32");
    this.before = [this.#next.set(i32.const(-1))];
  }

  /** Fills the strip with elements [begin, end) of a row that begins at index `row` of the range. */
  fill(row: Local<"i32">, begin: Limit, end: Limit): Code[] {
    const increment = headerWord(this.#target, bindings.increment);
    const [index, setIndex] = this.#target.fn.hold(i32.add(row.get, limitCode(begin)));
    const [count, setCount] = this.#target.fn.hold(i32.sub(limitCode(end), limitCode(begin)));
    const first = i64.add(
      headerWord(this.#target, bindings.base),
      i64.add(drawOffset(this.#target, this.#draws), i64.extendI32U(index.get)),
    );
    const jump = call<"i64">(jumpFunction(this.#context), headerWord(this.#target, bindings.state), increment, first);
    const to = i32.add(this.#target.scratch.get, i32.const(this.#from));
    return [
      setIndex,
      setCount,
      when(i32.ne(index.get, this.#next.get), [this.#state.set(jump)]),
      this.#state.set(call<"i64">(fillFunction(this.#context), to, count.get, this.#state.get, increment)),
      this.#next.set(i32.add(index.get, count.get)),
      this.#at.set(i32.sub(to, i32.shl(limitCode(begin), i32.const(2)))),
    ];
  }

  /** Where element 0 of the row would be. */
  get cursor(): Cursor {
    return { at: this.#at, inside: true };
  }
}
