// Draws of the run's PCG32 stream in 64-bit integers: each part jumps ahead to its own first draw. Equal to src/rng word for word.
import type { RandomKernel } from "../../../kernels/kernel.ts";
import { branchIf, type Code, call, type FunctionBuilder, type Local, loop, when } from "./assembler.ts";
import {
  type Context,
  type Cut,
  cutShare,
  headerWord,
  type KernelFunction,
  share,
  table,
  valueAddress,
} from "./context.ts";
import { i32, i64 } from "./instructions.ts";
import { grain } from "./map.ts";
import { countLoop, limitCode } from "./nest.ts";

const multiplier = 0x5851f42d4c957f2dn;

/** (state, increment, draws) → the state so many draws on, by squaring the step x ↦ m·x + c. */
function jumpFunction(context: Context): FunctionBuilder {
  return context.shared("jump", () => {
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
function outputOf(state: Local<"i64">): Code<"i32"> {
  const mixed = i64.xor(i64.shrU(state.get, i64.const(18n)), state.get);
  return i32.rotr(i32.wrapI64(i64.shrU(mixed, i64.const(27n))), i32.wrapI64(i64.shrU(state.get, i64.const(59n))));
}

/** Prints a random kernel. */
export function printRandom(context: Context, kernel: RandomKernel, target: KernelFunction, cut?: Cut): void {
  const { fn } = target;
  const size = kernel.shape.reduce((product, extent) => product * extent, 1);
  const jump = jumpFunction(context);
  const increment = fn.local("i64");
  const state = fn.local("i64");
  const to = fn.local("i32");
  const single = kernel.sampler === "permutation";
  const [begin, end, limits] = single ? [0, size, []] : cut ? cutShare(target, size, cut) : share(target, size, grain);
  const perValue = kernel.sampler === "words" ? 1 : 2;
  const first = i64.add(
    i64.add(headerWord(target, table.base), i64.const(BigInt(kernel.offset))),
    i64.mul(i64.extendI32U(limitCode(begin)), i64.const(BigInt(perValue))),
  );
  const prelude = [
    ...limits,
    increment.set(headerWord(target, table.increment)),
    state.set(call<"i64">(jump, headerWord(target, table.state), increment.get, first)),
    to.set(valueAddress(target, kernel.output)),
  ];
  const advance = (local: Local<"i64">) => local.set(i64.add(i64.mul(local.get, i64.const(multiplier)), increment.get));
  const element = (i: Local<"i32">) => i32.add(to.get, i32.shl(i.get, i32.const(2)));
  /** ⌊(first·2³² + second)·n / 2⁶⁴⌋ of the next two draws, n in [0, 2³²]. */
  const scaled = (n: Code<"i64">): { code: Code[]; value: Code<"i64"> } => {
    const [high, setHigh] = fn.hold(i64.extendI32U(outputOf(state)));
    const [low, setLow] = fn.hold(i64.extendI32U(outputOf(state)));
    const [extent, setExtent] = fn.hold(n);
    const carry = i64.shrU(i64.mul(low.get, extent.get), i64.const(32n));
    return {
      code: [setHigh, advance(state), setLow, advance(state), setExtent],
      value: i64.shrU(i64.add(i64.mul(high.get, extent.get), carry), i64.const(32n)),
    };
  };
  switch (kernel.sampler) {
    case "words":
      fn.body(...prelude, ...fillWords(fn, state, increment, element, begin as Local<"i32">, end as Local<"i32">));
      return;
    case "randint": {
      const { low, high } = kernel as { low: number; high: number };
      fn.body(
        ...prelude,
        ...countLoop(fn, begin, end, 1, (i) => {
          const { code, value } = scaled(i64.const(BigInt(high - low)));
          return [...code, i32.store(element(i), i32.add(i32.const(low), i32.wrapI64(value)))];
        }),
      );
      return;
    }
    case "permutation": {
      // From the end: the element at `last` changes places with the one at ⌊u·(last + 1)/2⁶⁴⌋. In order, so one part does it all.
      const other = fn.local("i32");
      const value = fn.local("i32");
      const last = fn.local("i32");
      const body = [
        ...prelude,
        ...countLoop(fn, 0, size, 1, (i) => [i32.store(element(i), i.get)]),
        ...countLoop(fn, 0, size - 1, 1, (i) => {
          const { code, value: index } = scaled(i64.extendI32U(i32.add(last.get, i32.const(1))));
          return [
            last.set(i32.sub(i32.const(size - 1), i.get)),
            ...code,
            other.set(i32.add(to.get, i32.shl(i32.wrapI64(index), i32.const(2)))),
            value.set(i32.load(element(last))),
            i32.store(element(last), i32.load(other.get)),
            i32.store(other.get, value.get),
          ];
        }),
      ];
      fn.body(when(i32.eqz(target.part.get), body));
    }
  }
}

/** Words from two generators that take turns, each going two draws a step: their multiplications overlap. */
function fillWords(
  fn: FunctionBuilder,
  even: Local<"i64">,
  increment: Local<"i64">,
  element: (i: Local<"i32">) => Code<"i32">,
  begin: Local<"i32">,
  end: Local<"i32">,
): Code[] {
  const step = (local: Local<"i64">, times: bigint, add: Local<"i64">) =>
    i64.add(i64.mul(local.get, i64.const(times)), add.get);
  const twice = BigInt.asUintN(64, multiplier * multiplier);
  const [odd, setOdd] = fn.hold(step(even, multiplier, increment));
  const [double, setDouble] = fn.hold(i64.mul(increment.get, i64.const(multiplier + 1n)));
  const [pairs, setPairs] = fn.hold(i32.sub(end.get, i32.const(1)));
  const at = fn.local("i32");
  return [
    setOdd,
    setDouble,
    setPairs,
    at.set(begin.get),
    ...countLoop(fn, begin, pairs, 2, (i) => [
      i32.store(element(i), outputOf(even)),
      i32.store(element(i), outputOf(odd), 4),
      even.set(step(even, twice, double)),
      odd.set(step(odd, twice, double)),
      at.set(i32.add(i.get, i32.const(2))),
    ]),
    when(i32.ltS(at.get, end.get), [i32.store(element(at), outputOf(even))]),
  ];
}
