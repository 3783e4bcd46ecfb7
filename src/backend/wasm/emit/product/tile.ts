// The matrix product's inner tile: 4 rows × 8 or 16 columns of sums over up to 256 terms, ascending from +0, multiply, round, add, round. The right
// operand comes packed, the left one packed or as it lies. The block ends after every term, by a branch out: that keeps V8 from hoisting loads until registers
// run out.
import { tileRows, tileUnroll as unroll } from "../../../../schedule/tile.ts";
import { type FunctionBuilder, f32, f32x4, i32, type Local, v128 } from "../../assembler/assembler.ts";
import type { Context } from "../context.ts";

/**
 * (a, b, c, stride, depth): c[4][columns] = a·b, or += where `adds`; a is packed [depth][4], b [depth][columns], rows of c lie `stride` bytes
 * apart. depth ≥ 1. `isInPlace`: a isn't packed, and a last parameter says how many bytes its rows lie apart.
 */
export function tileFunction(context: Context, columns: number, adds: boolean, isInPlace: boolean): FunctionBuilder {
  const name = `tile ${columns} ${adds ? "adds" : "stores"}${isInPlace ? " in place" : ""}`;
  return context.module.shared(name, () => {
    const fn = context.module.function(
      name,
      Array.from({ length: isInPlace ? 6 : 5 }, () => "i32" as const),
    );
    const [a, b, c, stride, depth, apart] = fn.parameters as Local<"i32">[];
    const distance = isInPlace ? apart : 4;
    const termBytes = isInPlace ? 4 : 4 * tileRows;
    const left = [a, ...Array.from({ length: tileRows - 1 }, () => fn.local("i32"))];
    const vectors = () => Array.from({ length: columns / 4 }, () => fn.local("v128"));
    const sums = Array.from({ length: tileRows }, vectors);
    const right = vectors();
    const factor = fn.local("v128");
    const term = (step: number) => {
      right.forEach((vector, i) => vector.set(v128.load(b, 4 * columns * step + 16 * i)));
      sums.forEach((row, i) => {
        factor.set(v128.load32Splat(left[i], termBytes * step));
        row.forEach((sum, j) => sum.set(f32x4.add(sum, f32x4.mul(factor, right[j]))));
      });
    };
    left.slice(1).forEach((each, i) => each.set(i32.add(left[i], distance)));
    for (const sum of sums.flat()) sum.set(v128.const(0, 0, 0, 0));
    fn.block((done) =>
      fn.loop((again) => {
        // A different constant each time, or the engine would merge the blocks.
        for (let step = 0; step < unroll; step++) {
          term(step);
          fn.branchIf(done, i32.eq(depth, step + 1));
        }
        for (const each of left) each.set(i32.add(each, termBytes * unroll));
        b.set(i32.add(b, 4 * columns * unroll));
        depth.set(i32.sub(depth, unroll));
        fn.branch(again);
      }),
    );
    sums.forEach((row, i) => {
      if (adds) row.forEach((sum, j) => sum.set(f32x4.add(v128.load(c, 16 * j), sum)));
      fn.emit(...row.map((sum, j) => v128.store(c, sum, 16 * j)).reverse());
      if (i + 1 < tileRows) c.set(i32.add(c, stride));
    });
    return fn;
  });
}

/** (from, to, stride, rows, columns): the corner of a packed tile of `width` columns into rows `stride` bytes apart, stored or added. */
export function cornerFunction(context: Context, width: number, adds: boolean): FunctionBuilder {
  const name = `corner ${width} ${adds ? "adds" : "stores"}`;
  return context.module.shared(name, () => {
    const fn = context.module.function(name, ["i32", "i32", "i32", "i32", "i32"]);
    const [from, to, stride, rows, columns] = fn.parameters as Local<"i32">[];
    const j = fn.local("i32");
    const at = (base: Local<"i32">) => i32.add(base, i32.shl(j, 2));
    fn.loop((nextRow) => {
      j.set(0);
      fn.loop((nextColumn) => {
        const value = f32.load(at(from));
        fn.emit(f32.store(at(to), adds ? f32.add(f32.load(at(to)), value) : value));
        fn.branchIf(nextColumn, i32.ltS(j.tee(i32.add(j, 1)), columns));
      });
      from.set(i32.add(from, 4 * width));
      to.set(i32.add(to, stride));
      fn.branchIf(nextRow, rows.tee(i32.sub(rows, 1)));
    });
    return fn;
  });
}
