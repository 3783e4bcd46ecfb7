// The place of a row's largest or smallest element with SIMD, in two passes: what it is, and where it is first. A NaN, if there is one, is it.
import { block, branch, branchIf, type Code, type FunctionBuilder, type Local, loop } from "../assembler/assembler.ts";
import { f32, f32x4, i32, i32x4, select, v128 } from "../assembler/instructions.ts";
import type { Row } from "./elements.ts";
import { scalarLanes, simdLanes } from "./lanes.ts";
import { countLoop } from "./nest.ts";

/** [code, the index] of the first extreme among `count` ≥ 4 elements. */
export function findExtreme(
  fn: FunctionBuilder,
  combine: "argmax" | "argmin",
  type: "float32" | "int32",
  row: Row,
  count: number,
): [Code[], Code<"i32">] {
  const isFloat = type === "float32";
  const better = combine === "argmax" ? "gt" : "lt";
  const whole = count - (count % 4);
  const words = fn.local("i32");
  const [best, value, unordered] = [fn.local("v128"), fn.local("v128"), fn.local("v128")];
  const one = (): Local<"f32"> => fn.local(isFloat ? "f32" : ("i32" as "f32"));
  const [extreme, element] = [one(), one()];
  const hasNaN = fn.local("i32");
  const bytes = (elements: number) => i32.const(4 * elements);
  const forward = (elements: number) => words.set(i32.add(words.get, bytes(elements)));
  // pmax(a, b) is a < b ? b : a, pmin alike.
  const choose = (): Code<"v128"> => {
    if (isFloat) return (combine === "argmax" ? f32x4.pmax : f32x4.pmin)(best.get, value.get);
    return v128.bitselect(value.get, best.get, simdLanes.compare(better, type, value.get, best.get) as Code<"v128">);
  };
  const joinOne = (code: Code): Code[] => [
    element.set(code as Code<"f32">),
    ...(isFloat ? [hasNaN.set(i32.or(hasNaN.get, f32.ne(element.get, element.get)))] : []),
    extreme.set(
      select(element.get, extreme.get, scalarLanes.compare(better, type, element.get, extreme.get) as Code<"i32">),
    ),
  ];
  const lane = (index: number): Code =>
    isFloat ? f32x4.extractLane(best.get, index) : i32x4.extractLane(best.get, index);
  const isIt = (): Code<"i32"> => {
    const same = scalarLanes.compare("eq", type, element.get, extreme.get) as Code<"i32">;
    return isFloat ? select(f32.ne(element.get, element.get), same, hasNaN.get) : same;
  };
  const areThey = (): Code<"v128"> => {
    if (!isFloat) return i32x4.eq(value.get, best.get);
    return v128.bitselect(f32x4.ne(value.get, value.get), f32x4.eq(value.get, best.get), unordered.get);
  };
  const read = () => value.set(row.wide(words, 0) as Code<"v128">);
  const code: Code[] = [
    words.set(i32.const(0)),
    best.set(row.wide(words, 0) as Code<"v128">),
    unordered.set(v128.const(0, 0, 0, 0)),
    ...countLoop(fn, 0, whole, 4, () => [
      read(),
      ...(isFloat ? [unordered.set(v128.or(unordered.get, f32x4.ne(value.get, value.get)))] : []),
      best.set(choose()),
      forward(4),
    ]),
    hasNaN.set(v128.anyTrue(unordered.get)),
    extreme.set(lane(0) as Code<"f32">),
    ...[1, 2, 3].flatMap((index) => joinOne(lane(index))),
    ...Array.from({ length: count - whole }, (_, step) => joinOne(row.one(words, step))).flat(),
    // Where: whole vectors until one has it, then one by one.
    words.set(i32.const(0)),
    best.set((isFloat ? f32x4.splat(extreme.get) : i32x4.splat(extreme.get as Code as Code<"i32">)) as Code<"v128">),
    unordered.set(i32x4.splat(i32.sub(i32.const(0), hasNaN.get))),
    block((found) => [
      loop((again) => [
        branchIf(found, i32.geS(words.get, bytes(whole))),
        read(),
        branchIf(found, v128.anyTrue(areThey())),
        forward(4),
        branch(again),
      ]),
    ]),
    block((found) => [
      loop((again) => [
        element.set(row.one(words, 0) as Code<"f32">),
        branchIf(found, isIt()),
        forward(1),
        branch(again),
      ]),
    ]),
  ];
  return [code, i32.shrU(words.get, i32.const(2))];
}
