// The place of a row's largest or smallest element with SIMD, in two passes: what it is, and where it is first. NaN propagates.
import type { ScalarType } from "../../../../kernels/expr.ts";
import { block, branch, branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler/assembler.ts";
import { f32x4, i32, i32x4, v128 } from "../assembler/instructions.ts";
import { foldBlock, type RowReader } from "./block.ts";
import type { Context } from "./context.ts";
import type { Lanes } from "./lanes.ts";

/** [code, the index] of the first extreme among `count` elements. */
export function findExtreme(
  context: Context,
  fn: FunctionBuilder,
  combine: "argmax" | "argmin",
  type: ScalarType,
  reader: RowReader,
  count: number,
): [Code[], Code<"i32">] {
  const { lanes, single } = context;
  const words = fn.local("i32");
  // In which order they join is all one here: equal ones are equal.
  const [find, found] = foldBlock(context, fn, combine === "argmax" ? "max" : "min", type, reader, words, count);
  const [extreme, setExtreme] = fn.hold(found as Code<"f32">);
  const splat = (type === "float32" ? f32x4 : i32x4).splat as (x: Code) => Code<"v128">;
  const [everywhere, setEverywhere] = fn.hold(splat(extreme.get));
  const isIt = (each: Lanes, code: Code, sought: Local): Code => {
    const value = fn.local(each.valueType(type));
    const same = each.compare("eq", type, value.tee(code as never), sought.get);
    if (type !== "float32") return same;
    const isOdd = (x: Local) => each.compare("ne", type, x.get, x.get);
    return each.binary("or", "bool", same, each.binary("and", "bool", isOdd(value), isOdd(sought)));
  };
  const start = words.set(i32.const(0));
  const search = (size: number, isThere: () => Code<"i32">, end?: number) =>
    block((there) => [
      loop((again) => [
        ...(end === undefined ? [] : [branchIf(there, i32.geS(words.get, i32.const(4 * end)))]),
        branchIf(there, isThere()),
        words.set(i32.add(words.get, i32.const(4 * size))),
        branch(again),
      ]),
    ]);
  const areThey = () => v128.anyTrue(isIt(lanes, reader.wide(words, 0), everywhere) as Code<"v128">);
  const all = [
    ...[start, ...find, setExtreme, setEverywhere, start],
    search(lanes.width, areThey, count - (count % lanes.width)),
    search(1, () => isIt(single, reader.one(words, 0), extreme) as Code<"i32">),
  ];
  return [all, i32.shrU(words.get, i32.const(2))];
}
