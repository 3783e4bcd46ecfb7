// Operations that lanes don't have as they are: made of a few that they have; and of integers those that WebAssembly's vectors lack, or that trap where the
// meaning doesn't, a lane at a time: division, and shifts by as many places as the other operand says.
import type { BinaryOp, ScalarType, UnaryOp } from "../../../../kernels/expr.ts";
import { after, type Code, type FunctionBuilder } from "../assembler/assembler.ts";
import { i32, i32x4, select } from "../assembler/instructions.ts";
import { rounded } from "./halves.ts";
import type { Lanes } from "./lanes.ts";

/** Adding it to an integral float32 n in [−126, 127] puts n + 127 in the sum's low bits. */
const pow2Shift = 12582912 + 127;

/** op x, x of type `from`. */
export function unary(fn: FunctionBuilder, lanes: Lanes, op: UnaryOp, from: ScalarType, x: Code): Code {
  const whole = (word: Code) => lanes.unary("toFloat32", "int32", word);
  const bits = (float: Code) => lanes.reinterpret("int32", float);
  const number = (each: number) => lanes.constant("int32", each);
  switch (op) {
    case "bfloat16":
    case "float16":
      return rounded(fn, lanes, op, x);
    case "pow2": {
      const sum = lanes.binary("add", "float32", x, lanes.constant("float32", pow2Shift));
      return lanes.reinterpret("float32", lanes.shift("shl", bits(sum), 23));
    }
    case "exponent":
      return whole(lanes.binary("sub", "int32", lanes.shift("shrU", bits(x), 23), number(127)));
    case "high16":
      return whole(lanes.shift("shrU", x, 16));
    case "low16":
      return whole(lanes.binary("and", "int32", x, number(65535)));
  }
  if (op !== "abs" || from !== "int32" || lanes.width > 1) return lanes.unary(op, from, x);
  const [local, set] = fn.hold(x as Code<"i32">);
  const { get } = local;
  return after(set, select(get, i32.sub(i32.const(0), get), i32.geS(get, i32.const(0))));
}

/** a op b, of operands which come in this order. */
export function binary(fn: FunctionBuilder, lanes: Lanes, op: BinaryOp, type: ScalarType, a: Code, b: Code): Code {
  if (op !== "shl" && op !== "shr" && (op !== "div" || type !== "int32")) return lanes.binary(op, type, a, b);
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
