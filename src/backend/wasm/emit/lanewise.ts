// Integer operations that WebAssembly's vectors don't have, or that trap where the meaning doesn't: division, and shifts by as many places as the other
// operand says, a lane at a time.
import type { BinaryOp, ScalarType } from "../../../../kernels/expr.ts";
import { after, type Code, type FunctionBuilder } from "../assembler/assembler.ts";
import { i32, i32x4, select } from "../assembler/instructions.ts";
import type { Lanes } from "./lanes.ts";

/** Whether an operation has to be printed here. */
export const isLanewise = (op: BinaryOp, type: ScalarType) =>
  op === "shl" || op === "shr" || (op === "div" && type === "int32");

/** a op b for each lane of two integer operands, which come in this order. */
export function lanewise(fn: FunctionBuilder, lanes: Lanes, op: BinaryOp, type: ScalarType, a: Code, b: Code): Code {
  const one = (x: Code<"i32">, y: Code<"i32">): Code<"i32"> => {
    if (op === "shl") return i32.shl(x, y);
    if (op === "shr") return type === "uint32" ? i32.shrU(x, y) : i32.shrS(x, y);
    const [left, right] = [fn.local("i32"), fn.local("i32")];
    // By 0 and by −1, where division traps or may, the quotient is the product.
    const small = () => i32.leU(i32.add(right.get, i32.const(1)), i32.const(1));
    const set = [left.set(x), right.set(y)];
    const divisor = select(i32.const(1), right.get, small());
    const quotient = select(i32.mul(left.get, right.get), i32.divS(left.get, divisor), small());
    return after(set[0], after(set[1], quotient));
  };
  if (lanes.width === 1) return one(a as Code<"i32">, b as Code<"i32">);
  const [left, setLeft] = fn.hold(a as Code<"v128">);
  const [right, setRight] = fn.hold(b as Code<"v128">);
  const at = (lane: number) => one(i32x4.extractLane(left.get, lane), i32x4.extractLane(right.get, lane));
  const all = [1, 2, 3].reduce((sofar, lane) => i32x4.replaceLane(sofar, lane, at(lane)), i32x4.splat(at(0)));
  return after(setLeft, after(setRight, all));
}
