// A tensor of pieces: joins, and the gradients of slices. What it costs is the whole once, and each piece once.
import type { Place } from "../../kernels/assemble.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { defineOp, makeNode, sameDType } from "./define.ts";

const anyDType = sameDType("float32", "int32", "uint32", "bool");

const leading = (first: number, places: unknown) => (places as number[][]).map((place) => [first, ...place]);

defineOp({
  name: "assemble",
  kind: "special",
  of: "assemble",
  version: 1,
  kernel: ({ attributes }, inputs) => {
    const { starts, steps } = attributes as { starts: number[][]; steps: number[][] };
    const filled = [...inputs.keys()].filter((i) => sizeOf(inputs[i].view.shape) > 0);
    return {
      inputs: filled.map((i) => inputs[i]),
      places: filled.map((i) => ({ starts: starts[i], steps: steps[i] })),
    };
  },
  batch: ({ starts, steps }) => ({ starts: leading(0, starts), steps: leading(1, steps) }),
  dtype: anyDType,
  vjp: ({ inputs, grad, attributes }) => {
    const { starts, steps } = attributes as { starts: number[][]; steps: number[][] };
    return inputs.map(({ shape }, i) =>
      makeNode("slice", [grad], shape, { starts: starts[i], steps: steps[i], shape: [...shape] }),
    );
  },
});

/** The pieces where they land, each point the sum of those that land there, in their order and from the first; 0 where none does. All within the shape. */
export function assemble(pieces: readonly Node[], places: readonly Place[], shape: Shape): Node {
  return makeNode("assemble", pieces, shape, {
    starts: places.map(({ starts }) => starts),
    steps: places.map(({ steps }) => steps),
  });
}
