// A long row that no single stride walks, piece by piece: its elements go into scratch memory in order, where a block waits for the piece that
// completes it. So scratch memory is two blocks', however long the row is.
import { blockSize, elementBytes } from "../../../../kernels/kernel.ts";
import type { RowLoops } from "../../../schedule/vectorise.ts";
import type { Code, FunctionBuilder, Local } from "../assembler/assembler.ts";
import { i32, memory } from "../assembler/instructions.ts";
import type { Context } from "./context.ts";
import { mapRows } from "./map.ts";
import { type Cursor, inStrips, limitCode, loops } from "./nest.ts";

export class Waiting {
  /** How many elements wait. */
  readonly size: Local<"i32">;
  readonly #context: Context;
  readonly #fn: FunctionBuilder;
  readonly #gather: RowLoops;
  readonly #scratch: Local<"i32">;
  readonly #bytes: number;

  constructor(context: Context, fn: FunctionBuilder, gather: RowLoops, scratch: Local<"i32">) {
    this.#context = context;
    this.#fn = fn;
    this.#gather = gather;
    this.#bytes = elementBytes({ dtype: gather.body.type });
    this.#scratch = scratch;
    this.size = fn.local("i32");
  }

  /** The loops over the row; after each piece, of a block's size at most, `take` does something with what waits and says so by `drop`. */
  print(cursors: readonly Cursor[], take: () => readonly Code[]): Code[] {
    const { nest, axis } = this.#gather;
    const fn = this.#fn;
    const { size } = this;
    const row = (here: readonly Cursor[]) =>
      inStrips(fn, { begin: 0, end: nest.extents[axis] }, blockSize, (begin, end) => {
        const place = i32.mul(i32.sub(size.get, limitCode(begin)), i32.const(this.#bytes));
        const [at, setAt] = fn.hold(i32.add(this.#scratch.get, place));
        const whole = [...here, { at, inside: true }];
        const part = begin === 0 ? undefined : { axis, begin, end };
        return [
          setAt,
          ...mapRows(this.#context, fn, this.#gather, axis, whole, undefined, part),
          size.set(i32.add(size.get, i32.sub(limitCode(end), limitCode(begin)))),
          ...take(),
        ];
      });
    return [size.set(i32.const(0)), ...loops(fn, nest, [nest.outer, axis], cursors, row)];
  }

  /** The first `count` that wait are done with. */
  drop(count: number): Code[] {
    const bytes = i32.const(this.#bytes);
    const from = i32.add(this.#scratch.get, i32.const(this.#bytes * count));
    return [
      this.size.set(i32.sub(this.size.get, i32.const(count))),
      memory.copy(this.#scratch.get, from, i32.mul(this.size.get, bytes)),
    ];
  }
}
