// Whose each gradient is that an optimizer is given.
import { ShapeError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { gradientOf } from "../program/gradients.ts";
import type { Parameter } from "../program/variable.ts";
import type { Tensor } from "../tensor/tensor.ts";

function refuse(problem: string, got: string, expected: string): never {
  throw new ShapeError({
    where: "update",
    problem,
    got,
    expected,
    hint: "optimizer.minimize(loss), or optimizer.update(gradients(loss, optimizer.parameters))",
  });
}

/** An optimizer's gradients by its parameters: those that know what they are of, in any order, or of `order`'s. Throws ShapeError unless each parameter has one, of its shape. */
export function gradientsByParameter(
  optimizer: { readonly parameters: readonly Parameter[]; readonly parameterNames: readonly string[] },
  gradients: readonly Tensor[],
  order: readonly Parameter[],
): ReadonlyMap<Parameter, Tensor> {
  const { parameters, parameterNames } = optimizer;
  const names = new Map(parameters.map((parameter, i) => [parameter, parameterNames[i]]));
  const nameOf = (of: Tensor | undefined) =>
    names.get(of as Parameter) ?? (of as Parameter | undefined)?.label ?? "a tensor that isn't the optimizer's";
  const count = parameters.length;
  if (gradients.length !== count || order.length !== count)
    refuse("a gradient for each parameter", String(gradients.length), String(count));
  const known = gradients.map(gradientOf);
  const inOrder = !known.every((of) => of !== undefined);
  const assigned = new Map<Parameter, Tensor>();
  for (const [i, gradient] of gradients.entries()) {
    const of = inOrder ? order[i] : (known[i] as Parameter);
    if (inOrder && known[i] && known[i] !== of)
      refuse(`gradient ${i} is another parameter's`, nameOf(known[i]), nameOf(of));
    if (!names.has(of)) refuse(`gradient ${i} is of nothing that is optimised`, nameOf(of), "a parameter's");
    if (assigned.has(of)) refuse("two gradients of one parameter", nameOf(of), "one for each");
    if (!sameShape(gradient.shape, of.shape))
      refuse(`the gradient of ${nameOf(of)} is of another shape`, `[${gradient.shape}]`, `[${of.shape}]`);
    assigned.set(of, gradient);
  }
  return assigned;
}
