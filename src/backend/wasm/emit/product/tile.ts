// The matrix product's inner tile: 4 rows × 8 or 16 columns of sums over up to 256 terms, ascending from +0, multiply, round, add, round. The right
// operand comes packed, the left one packed or as it lies. The block ends after every term, by a branch out: that keeps V8 from hoisting loads until registers
// run out.
import { tileRows, tileUnroll as unroll } from "../../../../schedule/tile.ts";
import {
  block,
  branch,
  branchIf,
  type Code,
  type FunctionBuilder,
  type Local,
  loop,
} from "../../assembler/assembler.ts";
import { f32, f32x4, i32, v128 } from "../../assembler/instructions.ts";
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
    const distance = isInPlace ? apart.get : i32.const(4);
    const termBytes = isInPlace ? 4 : 4 * tileRows;
    const left = [a, ...Array.from({ length: tileRows - 1 }, () => fn.local("i32"))];
    const vectors = () => Array.from({ length: columns / 4 }, () => fn.local("v128"));
    const sums = Array.from({ length: tileRows }, vectors);
    const right = vectors();
    const factor = fn.local("v128");
    const term = (step: number): Code[] => [
      ...right.map((vector, i) => vector.set(v128.load(b.get, 4 * columns * step + 16 * i))),
      ...sums.flatMap((row, i) => [
        factor.set(v128.load32Splat(left[i].get, termBytes * step)),
        ...row.map((sum, j) => sum.set(f32x4.add(sum.get, f32x4.mul(factor.get, right[j].get)))),
      ]),
    ];
    const terms = block((done) => [
      loop((again) => [
        // A different constant each time, or the engine would merge the blocks.
        ...Array.from({ length: unroll }, (_, step) => [
          ...term(step),
          branchIf(done, i32.eq(depth.get, i32.const(step + 1))),
        ]).flat(),
        ...left.map((each) => each.set(i32.add(each.get, i32.const(termBytes * unroll)))),
        b.set(i32.add(b.get, i32.const(4 * columns * unroll))),
        depth.set(i32.sub(depth.get, i32.const(unroll))),
        branch(again),
      ]),
    ]);
    const add = (sum: Local<"v128">, i: number) => sum.set(f32x4.add(v128.load(c.get, 16 * i), sum.get));
    fn.body(
      ...left.slice(1).map((each, i) => each.set(i32.add(left[i].get, distance))),
      ...sums.flat().map((sum) => sum.set(v128.const(0, 0, 0, 0))),
      terms,
      ...sums.flatMap((row, i) => [
        ...(adds ? row.map(add) : []),
        ...row.map((sum, j) => v128.store(c.get, sum.get, 16 * j)).reverse(),
        ...(i + 1 < tileRows ? [c.set(i32.add(c.get, stride.get))] : []),
      ]),
    );
    return fn;
  });
}

/** (from, to, stride, rows, columns): the corner of a packed tile of `width` columns into rows `stride` bytes apart, stored or added. */
export function cornerFunction(context: Context, width: number, adds: boolean): FunctionBuilder {
  return context.module.shared(`corner ${width} ${adds}`, () => {
    const fn = context.module.function(`corner ${width} ${adds ? "adds" : "stores"}`, [
      "i32",
      "i32",
      "i32",
      "i32",
      "i32",
    ]);
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
        from.set(i32.add(from.get, i32.const(4 * width))),
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
