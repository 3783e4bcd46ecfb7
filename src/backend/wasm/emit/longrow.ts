// One long row to one number, in two functions: threads fold its blocks into the first one's scratch, and that one joins them in order.
import { blockSize, type FoldKernel, type Join, neutral } from "../../../../kernels/kernel.ts";
import type { BlockFold, JoinFold } from "../../../schedule/folds.ts";
import { type Code, type Local, when } from "../assembler/assembler.ts";
import { i32, select } from "../assembler/instructions.ts";
import { bindings } from "../runtime/bindings.ts";
import { combined } from "./accumulate.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import { foldBlock, rowOf } from "./foldblock.ts";
import { countLoop, limitCode, start } from "./nest.ts";

/** Where the blocks' values wait: in the first part's scratch memory. */
const partials = ({ bindings: at }: KernelFunction, context: Context) =>
  i32.add(i32.load(at.get, bindings.scratch), i32.const(context.bytesBefore));

/** Prints a long row's first stage: each block's value. */
export function printBlocks(
  context: Context,
  kernel: FoldKernel,
  { nest, count, blocks, parallel }: BlockFold,
  target: KernelFunction,
): void {
  const { fn } = target;
  const { dtype, body } = kernel;
  const { combine } = kernel.fold;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const [to, setTo] = fn.hold(partials(target, context));
  const row = rowOf(context, fn, nest, 1, body, cursors);
  const words = fn.local("i32");
  const blockAt = (at: Local<"i32">, size: number): Code[] => {
    const [codes, value] = foldBlock(context, fn, combine as Join, dtype, row, words, size);
    const [held, hold] = fn.hold(value as Code<"f32">);
    const address = i32.add(to.get, i32.shl(at.get, i32.const(2)));
    const from = words.set(i32.mul(at.get, i32.const(4 * blockSize)));
    return [from, ...codes, hold, context.single.store(dtype, address, held.get, 0)];
  };
  const whole = Math.floor(count / blockSize);
  const [stop, setStop] = fn.hold(select(limitCode(end), i32.const(whole), i32.ltS(limitCode(end), i32.const(whole))));
  fn.body(
    ...code,
    ...limits,
    setTo,
    ...row.before,
    setStop,
    ...countLoop(fn, begin, stop, 1, (at) => blockAt(at, blockSize)),
    ...(whole < blocks ? countLoop(fn, stop, end, 1, (at) => blockAt(at, count % blockSize)) : []),
  );
}

/** Prints a long row's second stage: the blocks' values, joined in order by the first part. */
export function printJoin(context: Context, kernel: FoldKernel, { blocks }: JoinFold, target: KernelFunction): void {
  const { fn } = target;
  const { dtype } = kernel;
  const { combine } = kernel.fold;
  const { single } = context;
  const [from, setFrom] = fn.hold(partials(target, context));
  const total = fn.local(single.valueType(dtype));
  const join = (at: Local<"i32">) => {
    const value = single.load(dtype, i32.add(from.get, i32.shl(at.get, i32.const(2))), 0);
    return [total.set(combined(fn, single, combine as Join, dtype, total, value) as never)];
  };
  fn.body(
    when(i32.eqz(target.part.get), [
      setFrom,
      total.set(single.constant(dtype, neutral(combine, dtype)) as never),
      ...countLoop(fn, 0, blocks, 1, join),
      single.store(dtype, valueAddress(target, kernel.output), total.get, 0),
    ]),
  );
}
