// The matrix product's inner tile: 4 rows × 8 columns of sums over up to 256 terms, ascending from +0, multiply, round, add, round. Both
// operands come packed. The block ends after every term, by a branch out: that keeps V8 from hoisting loads until registers run out.
import { tileColumns, tileRows, tileUnroll as unroll } from "../../../schedule/tile.ts";
import { block, branch, branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler.ts";
import type { Context } from "../context.ts";
import { f32, f32x4, i32, v128 } from "../instructions.ts";

/**
 * (a, b, c, stride, depth): c[4][8] = a·b, or += where `adds`; a is packed [depth][4], b [depth][8], rows of c lie `stride` bytes apart.
 * depth ≥ 1.
 */
export function tileFunction(context: Context, adds: boolean): FunctionBuilder {
  return context.shared(`tile ${adds}`, () => {
    const fn = context.module.function(`tile ${adds ? "adds" : "stores"}`, ["i32", "i32", "i32", "i32", "i32"]);
    const [a, b, c, stride, depth] = fn.parameters as Local<"i32">[];
    const sums = Array.from({ length: 2 * tileRows }, () => fn.local("v128"));
    const [left, right, factor] = [fn.local("v128"), fn.local("v128"), fn.local("v128")];
    const term = (step: number): Code[] => [
      left.set(v128.load(b.get, 32 * step)),
      right.set(v128.load(b.get, 32 * step + 16)),
      ...Array.from({ length: tileRows }, (_, row) => [
        factor.set(v128.load32Splat(a.get, 4 * row)),
        sums[2 * row].set(f32x4.add(sums[2 * row].get, f32x4.mul(factor.get, left.get))),
        sums[2 * row + 1].set(f32x4.add(sums[2 * row + 1].get, f32x4.mul(factor.get, right.get))),
      ]).flat(),
      a.set(i32.add(a.get, i32.const(16))),
    ];
    const terms = block((done) => [
      loop((again) => [
        // A different constant each time, or the engine would merge the blocks.
        ...Array.from({ length: unroll }, (_, step) => [
          ...term(step),
          branchIf(done, i32.eq(depth.get, i32.const(step + 1))),
        ]).flat(),
        b.set(i32.add(b.get, i32.const(32 * unroll))),
        depth.set(i32.sub(depth.get, i32.const(unroll))),
        branch(again),
      ]),
    ]);
    const write = (sum: Local<"v128">, offset: number) =>
      v128.store(c.get, adds ? f32x4.add(v128.load(c.get, offset), sum.get) : sum.get, offset);
    fn.body(
      ...sums.map((sum) => sum.set(v128.const(0, 0, 0, 0))),
      terms,
      ...Array.from({ length: tileRows }, (_, row) => [
        write(sums[2 * row], 0),
        write(sums[2 * row + 1], 16),
        ...(row + 1 < tileRows ? [c.set(i32.add(c.get, stride.get))] : []),
      ]).flat(),
    );
    return fn;
  });
}

/** (from, to, stride, rows, columns): the corner of a packed 4×8 tile into rows `stride` bytes apart, stored or added. */
export function cornerFunction(context: Context, adds: boolean): FunctionBuilder {
  return context.shared(`corner ${adds}`, () => {
    const fn = context.module.function(`corner ${adds ? "adds" : "stores"}`, ["i32", "i32", "i32", "i32", "i32"]);
    const [from, to, stride, rows, columns] = fn.parameters as Local<"i32">[];
    const j = fn.local("i32");
    const at = (base: Local<"i32">) => i32.add(base.get, i32.shl(j.get, i32.const(2)));
    fn.body(
      loop((nextRow) => [
        j.set(i32.const(0)),
        loop((nextColumn) => [
          moveFloat(at(to), at(from), adds),
          branchIf(nextColumn, i32.ltS(j.tee(i32.add(j.get, i32.const(1))), columns.get)),
        ]),
        from.set(i32.add(from.get, i32.const(4 * tileColumns))),
        to.set(i32.add(to.get, stride.get)),
        branchIf(nextRow, rows.tee(i32.sub(rows.get, i32.const(1)))),
      ]),
    );
    return fn;
  });
}

function moveFloat(to: Code<"i32">, from: Code<"i32">, adds: boolean): Code<"none"> {
  return f32.store(to, adds ? f32.add(f32.load(to), f32.load(from)) : f32.load(from));
}
