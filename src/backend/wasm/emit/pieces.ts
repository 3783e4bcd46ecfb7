// A long row that no single stride walks, piece by piece: its elements go into scratch memory in order, where a block waits for the piece that
// completes it. So scratch memory is two blocks', however long the row is.
import { blockSize, elementBytes } from "../../../../kernels/kernel.ts";
import type { RowLoops } from "../../../schedule/vectorise.ts";
import type { Code, FunctionBuilder, Local } from "../assembler/assembler.ts";
import { i32, memory, select } from "../assembler/instructions.ts";
import type { Context } from "./context.ts";
import { mapLoops } from "./map.ts";
import { type Cursor, countLoop, type Limit, limitCode, loops } from "./nest.ts";

export class Pieces {
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #gather: RowLoops;
  readonly #scratch: Local<"i32">;
  readonly #bytes: number;
  readonly #to: Local<"i32">;
  /** How many elements wait. */
  readonly waiting: Local<"i32">;

  constructor(context: Context, fn: FunctionBuilder, gather: RowLoops, scratch: Local<"i32">) {
    this.#context = context;
    this.#fn = fn;
    this.#gather = gather;
    this.#bytes = elementBytes({ dtype: gather.body.type });
    this.#scratch = scratch;
    this.#to = fn.local("i32");
    this.waiting = fn.local("i32");
  }

  /** The loops over the row; after each piece, of a block's size at most, `take` does something with what waits and says so by `drop`. */
  print(cursors: readonly Cursor[], take: () => readonly Code[]): Code[] {
    const { nest } = this.#gather;
    const { extents, outer } = nest;
    const axis = extents.length - 1;
    const fn = this.#fn;
    const { waiting } = this;
    const piece = (here: readonly Cursor[], begin: Limit, end: Limit): Code[] => {
      const place = i32.mul(i32.sub(waiting.get, limitCode(begin)), i32.const(this.#bytes));
      const isWhole = begin === 0 && end === extents[axis];
      return [
        this.#to.set(i32.add(this.#scratch.get, place)),
        ...mapLoops(
          this.#context,
          fn,
          this.#gather,
          axis,
          [...here, { at: this.#to, inside: true }],
          isWhole ? undefined : { axis, begin, end },
        ),
        waiting.set(i32.add(waiting.get, i32.sub(limitCode(end), limitCode(begin)))),
        ...take(),
      ];
    };
    return [
      waiting.set(i32.const(0)),
      ...loops(fn, nest, [outer, axis], cursors, (here) => {
        const { [axis]: extent } = extents;
        if (extent <= blockSize) return piece(here, 0, extent);
        return countLoop(fn, 0, extent, blockSize, (begin) => {
          const [next, setNext] = fn.hold(i32.add(begin.get, i32.const(blockSize)));
          const clip = next.set(select(next.get, i32.const(extent), i32.ltS(next.get, i32.const(extent))));
          return [setNext, clip, ...piece(here, begin, next)];
        });
      }),
    ];
  }

  /** The first `count` that wait are done with. */
  drop(count: number): Code[] {
    const bytes = i32.const(this.#bytes * count);
    return [
      this.waiting.set(i32.sub(this.waiting.get, i32.const(count))),
      memory.copy(
        this.#scratch.get,
        i32.add(this.#scratch.get, bytes),
        i32.mul(this.waiting.get, i32.const(this.#bytes)),
      ),
    ];
  }
}
