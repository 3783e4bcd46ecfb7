// Operations that lanes don't have as they are: made of a few that they have; and of integers those that WebAssembly's vectors lack, or that trap where the
// meaning doesn't, a lane at a time: division, and shifts by as many places as the other operand says.
import type { BinaryOp, ScalarType, UnaryOp } from "../../../../kernels/expr.ts";
import { type Code, type FunctionBuilder, i32, i32x4, select, type Value } from "../assembler/assembler.ts";
import { halves } from "./kept.ts";
import type { Lanes } from "./lanes.ts";

/** Adding it to an integral float32 n in [−126, 127] puts n + 127 in the sum's low bits. */
const pow2Shift = 12582912 + 127;

/** op x, x of type `from`. */
export function unary(fn: FunctionBuilder, lanes: Lanes, op: UnaryOp, from: ScalarType, x: Value): Value {
  const whole = (word: Value) => lanes.unary("toFloat32", "int32", word);
  const bits = (float: Value) => lanes.reinterpret("int32", float);
  const number = (each: number) => lanes.constant("int32", each);
  switch (op) {
    case "bfloat16":
    case "float16":
      return halves.module.rounded(fn, lanes, op, x);
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
    case "toUint32":
      return x;
  }
  if (op !== "abs" || from !== "int32" || lanes.width > 1) return lanes.unary(op, from, x);
  return fn.value(() => {
    const word = fn.let(x as Code<"i32">);
    return select(word, i32.sub(0, word), i32.geS(word, 0));
  });
}

/** a op b, of operands which come in this order. */
export function binary(fn: FunctionBuilder, lanes: Lanes, op: BinaryOp, type: ScalarType, a: Value, b: Value): Value {
  if (op !== "shl" && op !== "shr" && (op !== "div" || type === "float32")) return lanes.binary(op, type, a, b);
  const one = (x: Code<"i32">, y: Code<"i32">): Code<"i32"> => {
    if (op === "shl") return i32.shl(x, y);
    const isWord = type === "uint32";
    if (op === "shr") return isWord ? i32.shrU(x, y) : i32.shrS(x, y);
    return fn.value(() => {
      const [left, right] = [fn.let(x), fn.let(y)];
      // By 0, 1 of uint32 and −1 of int32, where division traps or may, the quotient is the product.
      const isSmall = i32.leU(isWord ? right : i32.add(right, 1), 1);
      const divisor = select(1, right, isSmall);
      return select(i32.mul(left, right), (isWord ? i32.divU : i32.divS)(left, divisor), isSmall);
    });
  };
  if (lanes.width === 1) return one(a as Code<"i32">, b as Code<"i32">);
  return fn.value(() => {
    const [left, right] = [fn.let(a as Code<"v128">), fn.let(b as Code<"v128">)];
    const at = (lane: number) => one(i32x4.extractLane(left, lane), i32x4.extractLane(right, lane));
    return [1, 2, 3].reduce((sofar, lane) => i32x4.replaceLane(sofar, lane, at(lane)), i32x4.splat(at(0)));
  });
}
