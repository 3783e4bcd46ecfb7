// Sums over the last axes of rows that lie apart, each of whole vectors: read where they lie. The vectors that hold a block's 16 sums take turns: each of a row's vectors is
// added to the next of them, and after the row they change places, so that the first is always the one whose turn it is. A row in which a block ends goes vector by vector.
import { blockSize, type FoldKernel, laneCount } from "../../../../kernels/kernel.ts";
import type { Nest } from "../../../schedule/nest.ts";
import { type Code, type Local, when } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { joinLanes, readerOf } from "./block.ts";
import type { Context, KernelFunction } from "./context.ts";
import { type Cursor, countLoop, loops } from "./nest.ts";

/** Code that gives `use` the value of each block in order. */
export function turningFold(
  context: Context,
  { fn }: KernelFunction,
  { body, dtype }: FoldKernel,
  { nest, count }: { readonly nest: Nest; readonly count: number },
  here: readonly Cursor[],
  use: (value: Code) => Code,
): Code[] {
  const { lanes } = context;
  const last = nest.extents.length - 1;
  const vectors = nest.extents[last] / lanes.width;
  const perBlock = blockSize / lanes.width;
  const sums = Array.from({ length: laneCount / lanes.width }, () => fn.local(lanes.valueType(dtype)));
  const clear = () => sums.map((sum) => sum.set(lanes.constant(dtype, 0) as never));
  const words = fn.local("i32");
  const [left, setLeft] = fn.hold(i32.const(perBlock));
  const kept = sums.slice(1).map(() => fn.local(lanes.valueType(dtype)));
  /** The first comes last, so often. */
  const turn = (times: number): Code[] => {
    const all = [...sums, ...kept];
    const by = times % sums.length;
    const first = kept.slice(0, by).map((each, i) => each.set(sums[i].get as never));
    return by === 0 ? [] : [...first, ...sums.map((sum, i) => sum.set(all[i + by].get as never))];
  };
  const flush = (order: readonly Local[]): Code[] => {
    const [code, value] = joinLanes(context, fn, "sum", dtype, order);
    return [...code, use(value)];
  };
  const row = (there: readonly Cursor[]): Code[] => {
    const { before, wide } = readerOf(context, fn, nest, last, body, there);
    const add = (sum: Local, step: number) => sum.set(lanes.binary("add", dtype, sum.get, wide(words, step)) as never);
    const whole = [
      words.set(i32.const(0)),
      ...Array.from({ length: vectors }, (_, step) => add(sums[step % sums.length], step)),
      ...turn(vectors),
      left.set(i32.sub(left.get, i32.const(vectors))),
    ];
    const one = countLoop(fn, 0, vectors, 1, (at) => [
      words.set(i32.mul(at.get, i32.const(4 * lanes.width))),
      add(sums[0], 0),
      ...turn(1),
      left.set(i32.sub(left.get, i32.const(1))),
      when(i32.eqz(left.get), [...flush(sums), ...clear(), left.set(i32.const(perBlock))]),
    ]);
    return [...before, when(i32.gtS(left.get, i32.const(vectors)), whole, one)];
  };
  // Where the sums are once all rows are added.
  const turns = (count / lanes.width) % sums.length;
  const order = sums.map((_, i) => sums[(i + sums.length - turns) % sums.length]);
  const rest = count % blockSize > 0 ? flush(order) : [];
  return [...clear(), setLeft, ...loops(fn, nest, [nest.outer, last], here, row), ...rest];
}
