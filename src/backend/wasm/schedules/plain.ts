// The matrix product without SIMD: four columns side by side in scalars, straight from the operands. For engines whose SIMD can't be used.
import { chunkSize } from "../../../../kernels/kernel.ts";
import type { ProductLoops } from "../../../schedule/product.ts";
import { block, branchIf, type Code, type FunctionBuilder, type Local, loop, when } from "../assembler.ts";
import type { Context } from "../context.ts";
import { Elements } from "../halves.ts";
import { f32, i32 } from "../instructions.ts";
import { countLoop, limitCode } from "../nest.ts";
import type { ProductCode, Share } from "./blocks.ts";

/** Prints rows × columns of sums, each over k ascending in chunks of 256. */
export function printPlainMatmul(
  context: Context,
  fn: FunctionBuilder,
  product: ProductLoops,
  part: Share,
): ProductCode {
  const { columns, depth, a: aLies, b: bLies } = product;
  const [left, right] = [aLies, bLies].map(
    ({ storage }) => new Elements(fn, context.single, { type: "float32", storage }),
  );
  const cell = (group: number, a: Local<"i32">, b: Local<"i32">, c: Code<"i32">, j: Local<"i32">): Code[] => {
    const chunk = Array.from({ length: group }, () => fn.local("f32"));
    const total = Array.from({ length: group }, () => fn.local("f32"));
    const factor = fn.local("f32");
    const [p, setP] = fn.hold(a.get);
    const [q, setQ] = fn.hold(i32.add(b.get, i32.mul(j.get, i32.const(bLies.across))));
    const inColumn = (at: number) => {
      const offset = at * bLies.across;
      const value = offset >= 0 ? right.load(q.get, offset) : right.load(i32.add(q.get, i32.const(offset)));
      return value as Code<"f32">;
    };
    const [rest, setRest] = fn.hold(i32.const(chunkSize));
    const zero = (locals: Local<"f32">[]) => locals.map((local) => local.set(f32.const(0)));
    const flush = total.map((local, at) => local.set(f32.add(local.get, chunk[at].get)));
    const out = fn.local("i32");
    return [
      setP,
      setQ,
      setRest,
      ...zero(total),
      ...zero(chunk),
      ...countLoop(fn, 0, depth, 1, () => [
        factor.set(left.load(p.get) as Code<"f32">),
        ...chunk.map((local, at) => local.set(f32.add(local.get, f32.mul(factor.get, inColumn(at))))),
        p.set(i32.add(p.get, i32.const(aLies.depth))),
        q.set(i32.add(q.get, i32.const(bLies.depth))),
        when(i32.eqz(rest.tee(i32.sub(rest.get, i32.const(1)))), [
          ...flush,
          ...zero(chunk),
          rest.set(i32.const(chunkSize)),
        ]),
      ]),
      ...(depth % chunkSize === 0 ? [] : flush),
      out.set(i32.add(c, i32.shl(j.get, i32.const(2)))),
      ...total.map((local, at) => f32.store(out.get, local.get, 4 * at)),
    ];
  };
  return {
    prelude: [],
    body: ([a, b, c]) =>
      countLoop(fn, part.rows[0], part.rows[1], 1, (row) => {
        const [line, setLine] = fn.hold(i32.add(a.at.get, i32.mul(row.get, i32.const(aLies.across))));
        const [out, setOut] = fn.hold(i32.add(c.at.get, i32.mul(row.get, i32.const(4 * columns))));
        const j = fn.local("i32");
        const run = (group: number) =>
          block((done) => [
            loop((again) => [
              branchIf(done, i32.gtS(i32.add(j.get, i32.const(group)), limitCode(part.columns[1]))),
              ...cell(group, line, b.at, out.get, j),
              j.set(i32.add(j.get, i32.const(group))),
              branchIf(again, i32.const(1)),
            ]),
          ]);
        return [setLine, setOut, j.set(limitCode(part.columns[0])), run(4), run(1)];
      }),
  };
}
