// Folds over the last axes: a row of each output, read in place or gathered in scratch first, in blocks that join in ascending order. One long row to
// one number is two functions: threads fold its blocks into the first one's scratch, and that one joins them.
import { input } from "../../../../kernels/expr.ts";
import { blockSize, elementBytes, type FoldKernel, type Join, neutral } from "../../../../kernels/kernel.ts";
import {
  type BlockFold,
  type ContiguousFold,
  gatheredBytes,
  type JoinFold,
  waitingSize,
} from "../../../schedule/folds.ts";
import { inScratch } from "../../../schedule/nest.ts";
import type { RowLoops } from "../../../schedule/vectorise.ts";
import { type Code, type Local, when } from "../assembler/assembler.ts";
import { i32, memory } from "../assembler/instructions.ts";
import { bindings } from "../runtime/bindings.ts";
import { combined } from "./accumulate.ts";
import { foldBlock, type Place, type RowReader, readerOf } from "./block.ts";
import { bytesBefore, type Context, type KernelFunction, nestCode, valueAddress } from "./context.ts";
import { mapRows } from "./map.ts";
import { type Cursor, countLoop, inStrips, least, limitCode, loops } from "./nest.ts";
import { turningFold } from "./turning.ts";

/** Prints a fold over the last axes, of kernel `number`. */
export function printFold(
  context: Context,
  number: number,
  kernel: FoldKernel,
  fold: ContiguousFold,
  target: KernelFunction,
): void {
  const { fn } = target;
  const { nest } = fold;
  const printer = new FoldPrinter(context, kernel, target, fold.park);
  const row = (here: readonly Cursor[]) => printer.row(number, fold, here);
  fn.body(...nestCode(target, fold, (cursors, part) => loops(fn, nest, [0, nest.outer], cursors, row, part)));
}

/** Prints a long row's first function: each block's value. */
export function printBlocks(context: Context, kernel: FoldKernel, fold: BlockFold, target: KernelFunction): void {
  const { fn } = target;
  const { nest, count, blocks } = fold;
  const [to, setTo] = fn.hold(partials(context, target));
  const printer = new FoldPrinter(context, kernel, target, fold.park);
  const block = (reader: RowReader, at: Local<"i32">, size: number): Code[] => {
    const value = fn.local(context.single.valueType(kernel.dtype));
    const address = i32.add(to.get, i32.shl(at.get, i32.const(2)));
    const from = i32.mul(at.get, i32.const(4 * blockSize));
    const found = printer.block(reader, from, size, (each) => value.set(each as never));
    return [...found, context.single.store(kernel.dtype, address, value.get, 0)];
  };
  const whole = Math.floor(count / blockSize);
  const all = nestCode(target, fold, (cursors, part) => {
    const { begin, end } = part!;
    const reader = readerOf(context, fn, nest, 1, kernel.body, cursors);
    const [stop, setStop] = fn.hold(least(limitCode(end), i32.const(whole)));
    const full = countLoop(fn, begin, stop, 1, (at) => block(reader, at, blockSize));
    const last = whole < blocks ? countLoop(fn, stop, end, 1, (at) => block(reader, at, count % blockSize)) : [];
    return [...reader.before, setStop, ...full, ...last];
  });
  fn.body(setTo, ...all);
}

/** Prints a long row's second function: the blocks' values, joined in order by the first part. */
export function printJoin(context: Context, kernel: FoldKernel, { blocks }: JoinFold, target: KernelFunction): void {
  const { fn } = target;
  const [from, setFrom] = fn.hold(partials(context, target));
  const printer = new FoldPrinter(context, kernel, target);
  const value = (at: Local<"i32">) =>
    context.single.load(kernel.dtype, i32.add(from.get, i32.shl(at.get, i32.const(2))), 0);
  const join = countLoop(fn, 0, blocks, 1, (at) => [printer.join(value(at))]);
  const total = printer.total(join, valueAddress(target, kernel.output));
  fn.body(when(i32.eqz(target.part.get), [setFrom, ...total]));
}

/** Where the blocks' values wait: in the first part's scratch memory. */
const partials = (context: Context, { bindings: at }: KernelFunction) =>
  i32.add(i32.load(at.get, bindings.scratch), i32.const(bytesBefore(context)));

class FoldPrinter {
  readonly #context: Context;
  readonly #kernel: FoldKernel;
  readonly #target: KernelFunction;
  readonly #words: Local<"i32">;
  readonly #total: Local;
  readonly #park: Place | undefined;

  constructor(context: Context, kernel: FoldKernel, target: KernelFunction, park?: number) {
    this.#context = context;
    this.#kernel = kernel;
    this.#target = target;
    this.#words = target.fn.local("i32");
    this.#total = target.fn.local(context.single.valueType(kernel.dtype));
    this.#park = park === undefined ? undefined : { at: target.scratch, offset: park };
  }

  /** A row's result, stored where its output is. */
  row(number: number, { nest, count, gather, takesTurns }: ContiguousFold, here: readonly Cursor[]): Code[] {
    const to = here[here.length - 1].at.get;
    if (takesTurns) {
      const use = (value: Code) => this.join(value);
      return this.total(turningFold(this.#context, this.#target, this.#kernel, { nest, count }, here, use), to);
    }
    if (gather) return this.#gathered(number, gather, here.slice(0, -1), count, to);
    const { fn } = this.#target;
    const reader = readerOf(this.#context, fn, nest, nest.outer, this.#kernel.body, here);
    const block = (size: number) => (at: Local<"i32">) =>
      this.block(reader, i32.mul(at.get, i32.const(4 * blockSize)), size, (value) => this.join(value));
    const blocks = Math.floor(count / blockSize);
    const all = countLoop(fn, 0, blocks, 1, block(blockSize));
    const rest = count % blockSize > 0 ? countLoop(fn, blocks, blocks + 1, 1, block(count % blockSize)) : [];
    return [...reader.before, ...this.total([...all, ...rest], to)];
  }

  /** A row's elements go into scratch memory in order, where a block waits for the piece that completes it: two blocks are enough, however long the row is. */
  #gathered(number: number, gather: RowLoops, inputs: readonly Cursor[], count: number, to: Code<"i32">): Code[] {
    const { fn, scratch } = this.#target;
    const { nest, axis, body } = gather;
    const { type } = body;
    const bytes = i32.const(elementBytes({ dtype: type }));
    const owner = { target: this.#target, number, taken: gatheredBytes(body) };
    const waiting = { extents: [waitingSize], outer: 0, inputs: [inScratch(type, [1])] };
    const reader = readerOf(this.#context, fn, waiting, 0, input(0, type), [{ at: scratch, inside: true }]);
    const [size, setSize] = fn.hold(i32.const(0));
    const block = (each: number) => this.block(reader, i32.const(0), each, (value) => this.join(value));
    const full = when(i32.geS(size.get, i32.const(blockSize)), [
      ...block(blockSize),
      size.set(i32.sub(size.get, i32.const(blockSize))),
      memory.copy(scratch.get, i32.add(scratch.get, i32.mul(bytes, i32.const(blockSize))), i32.mul(size.get, bytes)),
    ]);
    const walk = (here: readonly Cursor[]) =>
      inStrips(fn, { begin: 0, end: nest.extents[axis] }, blockSize, (begin, end) => {
        const [at, setAt] = fn.hold(i32.add(scratch.get, i32.mul(i32.sub(size.get, limitCode(begin)), bytes)));
        const part = begin === 0 ? undefined : { axis, begin, end };
        return [
          setAt,
          ...mapRows(this.#context, fn, gather, axis, [...here, { at, inside: true }], owner, part),
          size.set(i32.add(size.get, i32.sub(limitCode(end), limitCode(begin)))),
          ...(count < blockSize ? [] : [full]),
        ];
      });
    const all = loops(fn, nest, [nest.outer, axis], inputs, walk);
    const rest = count % blockSize > 0 ? block(count % blockSize) : [];
    return [...reader.before, ...this.total([setSize, ...all, ...rest], to)];
  }

  /** A block's value, from `from` on, a word an element. */
  block(reader: RowReader, from: Code<"i32">, size: number, use: (value: Code) => Code): Code[] {
    const { dtype, fold } = this.#kernel;
    const { fn } = this.#target;
    const [code, value] = foldBlock(
      this.#context,
      fn,
      fold.combine as Join,
      dtype,
      reader,
      this.#words,
      size,
      this.#park,
    );
    return [this.#words.set(from), ...code, use(value)];
  }

  /** What the code joins, stored. */
  total(code: readonly Code[], to: Code<"i32">): Code[] {
    const { dtype, fold } = this.#kernel;
    const { single } = this.#context;
    const first = this.#total.set(single.constant(dtype, neutral(fold.combine, dtype)) as never);
    return [first, ...code, single.store(dtype, to, this.#total.get, 0)];
  }

  join(value: Code): Code {
    const { dtype, fold } = this.#kernel;
    const { single } = this.#context;
    const total = this.#total;
    return total.set(combined(this.#target.fn, single, fold.combine as Join, dtype, total, value) as never);
  }
}
