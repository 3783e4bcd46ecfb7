// Powers, with any exponent.
import * as math from "../../kernels/math/index.ts";
import { Node } from "../graph/node.ts";
import { operand, takes } from "./arguments.ts";
import { square } from "./arithmetic.ts";
import { equal, greaterEqual, logicalAnd } from "./compare.ts";
import { defineBinary, floatOnly, type NodeLike, refuseDTypes } from "./define.ts";
import { log, mul, sub, where } from "./elementwise.ts";
import type { RecordBase } from "./record.ts";

const floats: RecordBase["dtype"] = (inputs, attributes, at) => {
  if (inputs.some((dtype) => dtype !== "float32"))
    refuseDTypes(at, inputs, "float32", 'cast first, as in x.cast("float32"); the square of integers is square(x)');
  return floatOnly(inputs, attributes, at);
};

const power = defineBinary("pow", floats, ([x, y]) => math.pow(x, y), {
  vjp: ({ inputs: [x, y], output, grad }) => {
    const none = equal(y, 0);
    const zero = logicalAnd(equal(x, 0), greaterEqual(y, 0));
    return [
      where(none, 0, mul(grad, mul(y, pow(x, sub(y, 1))))),
      where(zero, 0, mul(grad, mul(output, log(where(zero, 1, x))))),
    ];
  },
  samples: { range: [0.5, 4], beside: [2, -2, 3, -3, 16777217] },
});

/**
 * xʸ. x, y: float32 of shapes that broadcast, or a number. Special values are C's: 1 where y is 0 or x is 1, NaN for x < 0 unless y is an integer. Gradients
 * g·y·xʸ⁻¹, 0 where y is 0, and g·xʸ·ln x, 0 where x is 0 and y ≥ 0, as in PyTorch. With the number 2 it is `square`. Throws DTypeError for integers. Error
 * bound: kernels/math.
 * @torch torch.pow
 */
export function pow(x: NodeLike, y: NodeLike): Node {
  return y === 2 && x instanceof Node && x.dtype === "float32" ? square(x) : power(x, y);
}

takes({ pow }, { x: operand, y: operand });
