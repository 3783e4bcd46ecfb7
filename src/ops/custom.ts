// An output whose gradient is given by hand. It is a view of what its function computed; the function's inputs stand beside that, where their
// gradients go. What the rule makes is in the gradient's graph, and so in its hash.
import { GradError, refuse } from "../core/errors.ts";
import { sameShape, typeText } from "../core/shape.ts";
import { Node, type OwnGradient } from "../graph/node.ts";
import { defineMovement, sameOnBatch } from "./define.ts";

defineMovement({
  name: "customGradient",
  batch: sameOnBatch,
  vjp: ({ inputs: [, ...inputs], output, grad }) => {
    const parts = output.ownGradient!(grad, inputs, output);
    if (parts.length !== inputs.length) {
      const problem = "not a gradient for each input";
      refuse(GradError, "customGradient", problem, parts.length, String(inputs.length), "null where none flows");
    }
    parts.forEach((part, i) => {
      const { shape } = inputs[i];
      if (!part || (part.dtype === "float32" && sameShape(part.shape, shape))) return;
      const problem = `the gradient of input ${i} isn't of its shape`;
      refuse(GradError, "customGradient", problem, typeText(part), typeText({ dtype: "float32", shape }));
    });
    return [null, ...parts];
  },
});

/** `output`, computed from `inputs`, with a gradient rule of its own: no gradient goes through what computed it. */
export function withGradient(output: Node, inputs: readonly Node[], ownGradient: OwnGradient): Node {
  const { dtype, shape } = output;
  return new Node({ op: "customGradient", dtype, shape, inputs: [output, ...inputs], ownGradient });
}
