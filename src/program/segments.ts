// Functions of tensors whose backward pass is told otherwise than by their ops: computed again from its inputs, or given by hand.
import { makeSegment } from "../autograd/segments.ts";
import { callable, checkArguments, signature } from "../core/arguments.ts";
import { GradError, refuse, showValue } from "../core/errors.ts";
import { nextNodeId } from "../graph/node.ts";
import { withGradient } from "../ops/custom.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { TensorResult } from "./derivatives.ts";
import { resultsOf, type TensorFor } from "./gradients.ts";

const checkpointCall = signature("checkpoint", { f: callable });
const customCall = signature("customGradient", { f: callable, backward: callable });

/**
 * `f`, computed again in the backward pass from its inputs (Chen et al. 2016), so that what it computes on the way isn't kept until then, as torch.utils.checkpoint
 * and jax.checkpoint: memory for time. Its draws are drawn again from the same range. Value and gradients have the bits that they have without; the graph's hash is
 * another. What `f` closes over, weights among them, is among its inputs. Checkpoints nest.
 */
export function checkpoint<A extends readonly unknown[], R extends TensorResult>(
  f: (...args: A) => R,
): (...args: A) => R {
  checkArguments(checkpointCall, arguments);
  return (...args) => {
    const firstId = nextNodeId();
    const value = f(...args);
    const outputs = resultsOf("checkpoint", value).map(({ node }) => node);
    makeSegment(outputs, firstId);
    return value;
  };
}

/** What a gradient by hand is made from. */
export interface CustomGradientContext<A extends readonly Tensor[] = readonly Tensor[]> {
  /** The gradient of the function's result, of its shape. */
  readonly grad: Tensor;
  readonly inputs: TensorFor<A>;
  /** What the function gave. */
  readonly output: Tensor;
}

/**
 * `f` with a gradient of its own, as JAX's custom_vjp and torch.autograd.Function: `backward({ grad, inputs, output })` gives a tensor of each input's shape, or null
 * where none flows. It is made of ops, so it differentiates again; it is linear in `grad`, or jvp is wrong. No gradient flows to what `f` closes over. In the body of
 * a scan, what `backward` needs of the position comes by its inputs, random numbers too: it is traced apart from `f`. Throws GradError.
 */
export function customGradient<A extends readonly Tensor[]>(
  f: (...args: A) => Tensor,
  backward: (context: CustomGradientContext<A>) => readonly (Tensor | null)[],
): (...args: A) => Tensor {
  checkArguments(customCall, arguments);
  return (...args) => {
    const inputs = resultsOf("customGradient", args, "tensors as arguments");
    const [output] = resultsOf("customGradient", f(...args));
    const rule: Parameters<typeof withGradient>[2] = (grad, nodes, result) => {
      const parts: unknown = backward({
        grad: new Tensor(grad),
        inputs: nodes.map((node) => new Tensor(node)) as TensorFor<A>,
        output: new Tensor(result),
      });
      if (Array.isArray(parts) && parts.every((part) => part === null || part instanceof Tensor))
        return parts.map((part: Tensor | null) => part?.node ?? null);
      const problem = "backward gives no list of gradients";
      refuse(GradError, "customGradient", problem, showValue(parts), "a tensor or null for each input");
    };
    const given = inputs.map(({ node }) => node);
    return new Tensor(withGradient(output.node, given, rule));
  };
}
