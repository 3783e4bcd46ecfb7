// 16-bit floats: tensors stay float32 and take the values of a narrower format, so that the bits are pinned on every backend; a plan may keep such
// values in 16 bits.
import { type NarrowFormat, narrowFormats } from "../core/dtype.ts";
import { DTypeError, refuse } from "../core/errors.ts";
import type { Node } from "../graph/node.ts";
import { string, takes, tensor } from "./arguments.ts";
import { castFormat } from "./autocast.ts";
import { defineUnary, floatOnly, makeNode } from "./define.ts";

defineUnary("roundTo", floatOnly, ([x], { e }, { format }) => e.roundTo(x, format as NarrowFormat), {
  vjp: ({ grad, attributes: { format } }) => [makeNode("roundTo", [grad], grad.shape, { format })],
  samples: { beside: [65519.99, 65520, 2 ** -25, 3 * 2 ** -134, 3.3961e38, 1.0039062, -1e-45] },
});

/**
 * Each element rounded to the nearest `bfloat16` or `float16`, ties to even, subnormals kept, still float32; the gradient passes straight through, and
 * is rounded likewise. x: [...] float32 → [...] float32. Throws DTypeError for another dtype or format.
 * @torch none: x.to(torch.bfloat16).float()
 */
export function roundTo(x: Node, format: NarrowFormat): Node {
  if (!narrowFormats.includes(format))
    refuse(DTypeError, "roundTo", "no such format", format, narrowFormats.join(" or "));
  return makeNode("roundTo", [x], x.shape, { format });
}

takes({ roundTo }, { x: tensor, format: string });

/** The tensor as a product takes or gives it: rounded under `autocast`. */
export function narrow(x: Node): Node {
  const format = castFormat();
  return format ? roundTo(x, format) : x;
}
