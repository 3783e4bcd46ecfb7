// Samplers that take several draws per element: each part jumps ahead to its own first draw. Equal to src/rng bit for bit.
import type { RandomKernel } from "../../../../kernels/sampler.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { SamplerLoops } from "../../../schedule/loops.ts";
import { type Code, call, type Local, when } from "../assembler/assembler.ts";
import { i32, i64 } from "../assembler/instructions.ts";
import { bindings } from "../runtime/bindings.ts";
import { type Context, drawOffset, headerWord, type KernelFunction, share, valueAddress } from "./context.ts";
import { countLoop, limitCode } from "./nest.ts";
import { jumpFunction, multiplier, outputOf } from "./words.ts";

/** Prints a random kernel. */
export function printRandom(
  context: Context,
  kernel: RandomKernel,
  { parallel }: SamplerLoops,
  target: KernelFunction,
): void {
  const { fn } = target;
  const size = sizeOf(kernel.shape);
  const jump = jumpFunction(context);
  const increment = fn.local("i64");
  const state = fn.local("i64");
  const to = fn.local("i32");
  const [begin, end, limits] = parallel ? share(target, parallel) : [0, size, []];
  const first = i64.add(
    i64.add(headerWord(target, bindings.base), drawOffset(target, { firstDraw: kernel.offset })),
    i64.mul(i64.extendI32U(limitCode(begin)), i64.const(2n)),
  );
  const prelude = [
    ...limits,
    increment.set(headerWord(target, bindings.increment)),
    state.set(call<"i64">(jump, headerWord(target, bindings.state), increment.get, first)),
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
