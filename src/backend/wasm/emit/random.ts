// Samplers that take several draws per element: each part jumps ahead to its own first draw. Equal to src/rng bit for bit.
import type { RandomKernel } from "../../../../kernels/sampler.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { SamplerLoops } from "../../../schedule/loops.ts";
import { type Code, i32, i64, type Local, type Operand } from "../assembler/assembler.ts";
import { type KernelFunction, share, valueAddress } from "./context.ts";
import { countLoop } from "./nest.ts";
import { incrementOf, multiplier, outputOf, stateAt } from "./words.ts";

/** Prints a random kernel. */
export function printRandom(target: KernelFunction<RandomKernel>, { parallel }: SamplerLoops): void {
  const { fn, kernel } = target;
  const size = sizeOf(kernel.shape);
  const { begin, end } = parallel ? share(target, parallel) : { begin: 0, end: size };
  const increment = fn.let(incrementOf(target));
  const first = i64.mul(i64.extendI32U(begin), 2n);
  const state = fn.let(stateAt(target, { firstDraw: kernel.offset }, first));
  const to = fn.let(valueAddress(target, kernel.output));
  const element = (i: Local<"i32">) => i32.add(to, i32.shl(i, 2));
  const draw = () => {
    const word = fn.let(i64.extendI32U(outputOf(state)));
    state.set(i64.add(i64.mul(state, multiplier), increment));
    return word;
  };
  /** ⌊(first·2³² + second)·n / 2⁶⁴⌋ of the next two draws, n in [0, 2³²]. */
  const scaled = (n: Operand<"i64">): Code<"i32"> => {
    const [high, low] = [draw(), draw()];
    const extent = fn.let(n);
    const carry = i64.shrU(i64.mul(low, extent), 32n);
    return i32.wrapI64(i64.shrU(i64.add(i64.mul(high, extent), carry), 32n));
  };
  switch (kernel.sampler) {
    case "randint": {
      const { low, high } = kernel as { low: number; high: number };
      countLoop(fn, begin, end, 1, (i) => {
        const above = scaled(BigInt(high - low));
        fn.emit(i32.store(element(i), i32.add(low, above)));
      });
      return;
    }
    case "permutation":
      // From the end: the element at `last` changes places with the one at ⌊u·(last + 1)/2⁶⁴⌋. In order, so one part does it all.
      fn.when(i32.eqz(target.part), () => {
        countLoop(fn, 0, size, 1, (i) => fn.emit(i32.store(element(i), i)));
        countLoop(fn, 0, size - 1, 1, (i) => {
          const last = fn.let(i32.sub(size - 1, i));
          const index = scaled(i64.extendI32U(i32.add(last, 1)));
          const other = fn.let(i32.add(to, i32.shl(index, 2)));
          const value = fn.let(i32.load(element(last)));
          fn.emit(i32.store(element(last), i32.load(other)), i32.store(other, value));
        });
      });
  }
}
