// Folds over the last axes: a row of each output, read in place or gathered in scratch first, in blocks that join in ascending order.
import { input } from "../../../../kernels/expr.ts";
import { blockSize, type FoldKernel, neutral } from "../../../../kernels/kernel.ts";
import { type ContiguousFold, waitingSize } from "../../../schedule/folds.ts";
import type { Nest } from "../../../schedule/nest.ts";
import { type Code, type FunctionBuilder, type Local, when } from "../assembler/assembler.ts";
import { i32 } from "../assembler/instructions.ts";
import { ArgAccumulator, combined } from "./accumulate.ts";
import { type Context, type KernelFunction, share, valueAddress } from "./context.ts";
import type { Row } from "./elements.ts";
import { findExtreme } from "./extreme.ts";
import { foldBlock, rowOf } from "./foldblock.ts";
import { mapLoops } from "./map.ts";
import { type Cursor, countLoop, loops, start } from "./nest.ts";
import { Pieces } from "./pieces.ts";

/** Prints a fold over the last axes. */
export function printContiguousFold(
  context: Context,
  kernel: FoldKernel,
  fold: ContiguousFold,
  target: KernelFunction,
): void {
  const { fn } = target;
  const { nest, count, parallel, gather, isInPieces, isTwoPass } = fold;
  const { cursors, code } = start(fn, nest, (value) => valueAddress(target, value));
  const [begin, end, limits] = share(target, parallel);
  const { scratch } = target;
  const pieces = gather && isInPieces ? new Pieces(context, fn, gather, scratch) : undefined;
  const [to, setTo] = fn.hold(valueAddress(target, kernel.output));
  fn.body(
    ...code,
    ...limits,
    setTo,
    ...loops(
      fn,
      nest,
      [0, nest.outer],
      cursors,
      (here, counters) => {
        const address = i32.add(to.get, outputOffset(nest, counters));
        if (pieces) return reducePieces(context, fn, kernel, pieces, waitingRow(), here, count, address);
        const row = gather ? waitingRow() : rowOf(context, fn, nest, nest.outer, kernel.body, here);
        const fill = gather ? mapLoops(context, fn, gather, nest.outer, [...here, { at: scratch, inside: true }]) : [];
        return [...fill, ...row.before, ...reduceRow(context, fn, kernel, row, count, address, isTwoPass)];
      },
      { axis: parallel.axis, begin, end },
    ),
  );

  /** What is in scratch memory, as a row. */
  function waitingRow(): Row {
    const { type } = kernel.body;
    const flat: Nest = {
      extents: [Math.min(count, waitingSize)],
      outer: 0,
      inputs: [
        { type, source: 0, strides: [1], bounds: [null], offset: 0, never: false, scale: type === "bool" ? 1 : 4 },
      ],
    };
    return rowOf(context, fn, flat, 0, input(0, type), [{ at: scratch, inside: true }]);
  }
}

function outputOffset(nest: Nest, counters: readonly Local<"i32">[]): Code<"i32"> {
  let index: Code<"i32"> | undefined;
  for (let axis = 0; axis < nest.outer; axis++) {
    const here = counters[axis].get;
    index = index ? i32.add(i32.mul(index, i32.const(nest.extents[axis])), here) : here;
  }
  return i32.shl(index ?? i32.const(0), i32.const(2));
}

/** The row's result, stored at `address`. */
function reduceRow(
  context: Context,
  fn: FunctionBuilder,
  kernel: FoldKernel,
  row: Row,
  count: number,
  address: Code<"i32">,
  isTwoPass: boolean,
): Code[] {
  const { dtype, body } = kernel;
  const { combine } = kernel.fold;
  if (combine === "argmax" || combine === "argmin") {
    if (isTwoPass) {
      const [code, index] = findExtreme(fn, combine, body.type as "float32" | "int32", row, count);
      return [...code, i32.store(address, index)];
    }
    const winner = new ArgAccumulator(fn, context.single, combine, body.type);
    const words = fn.local("i32");
    return [
      ...winner.start(),
      ...countLoop(fn, 0, count, 1, (i) => [
        words.set(i32.shl(i.get, i32.const(2))),
        ...winner.join(row.one(words, 0), i),
      ]),
      context.single.store("int32", address, winner.index, 0),
    ];
  }
  const blocks = Math.floor(count / blockSize);
  const rest = count % blockSize;
  const words = fn.local("i32");
  const total = fn.local(context.single.valueType(dtype));
  const single = context.single;
  const joinBlock = (size: number): Code[] => {
    const [codes, value] = foldBlock(context, fn, combine, dtype, row, words, size);
    return [...codes, total.set(combined(fn, single, combine, dtype, total, value) as never)];
  };
  const code: Code[] = [words.set(i32.const(0)), total.set(single.constant(dtype, neutral(combine, dtype)) as never)];
  if (blocks > 0) code.push(...countLoop(fn, 0, blocks, 1, () => joinBlock(blockSize)));
  if (rest > 0) code.push(...joinBlock(rest));
  return [...code, single.store(dtype, address, total.get, 0)];
}

/** The result of a row that comes in pieces, stored at `address`: `row` is what waits of it. */
function reducePieces(
  context: Context,
  fn: FunctionBuilder,
  { fold: { combine }, dtype, body }: FoldKernel,
  pieces: Pieces,
  row: Row,
  cursors: readonly Cursor[],
  count: number,
  address: Code<"i32">,
): Code[] {
  const { single } = context;
  const { waiting } = pieces;
  const words = fn.local("i32");
  if (combine === "argmax" || combine === "argmin") {
    const winner = new ArgAccumulator(fn, single, combine, body.type);
    const index = fn.local("i32");
    const take = () => [
      ...countLoop(fn, 0, waiting, 1, (i) => [
        words.set(i32.shl(i.get, i32.const(2))),
        ...winner.join(row.one(words, 0), index),
        index.set(i32.add(index.get, i32.const(1))),
      ]),
      waiting.set(i32.const(0)),
    ];
    const first = [...row.before, ...winner.start(), index.set(i32.const(0))];
    return [...first, ...pieces.print(cursors, take), single.store("int32", address, winner.index, 0)];
  }
  const total = fn.local(single.valueType(dtype));
  const joinBlock = (size: number): Code[] => {
    const [codes, value] = foldBlock(context, fn, combine, dtype, row, words, size);
    const join = total.set(combined(fn, single, combine, dtype, total, value) as never);
    return [words.set(i32.const(0)), ...codes, join];
  };
  const take = () => [
    when(i32.geS(waiting.get, i32.const(blockSize)), [...joinBlock(blockSize), ...pieces.drop(blockSize)]),
  ];
  return [
    ...row.before,
    total.set(single.constant(dtype, neutral(combine, dtype)) as never),
    ...pieces.print(cursors, take),
    ...(count % blockSize > 0 ? joinBlock(count % blockSize) : []),
    single.store(dtype, address, total.get, 0),
  ];
}
