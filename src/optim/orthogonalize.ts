// A matrix made orthogonal, of a number of iterations that a caller gives.
import { checkArguments, number, signature } from "../core/arguments.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { tensor } from "../tensor/arguments.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { newtonSchulz } from "./newton-schulz.ts";

const orthogonalCall = signature("optim.orthogonalize", { x: tensor, iterations: number });

/** Each is five nodes, and a handful are enough. */
const mostIterations = 100;

/** The nearest half-orthogonal matrix, roughly: so many Newton–Schulz iterations. x: [rows, columns]. Throws ShapeError. */
export function orthogonalize(x: Tensor, iterations: number): Tensor {
  checkArguments(orthogonalCall, arguments);
  if (x.rank !== 2 || !Number.isSafeInteger(iterations) || iterations < 0 || iterations >= mostIterations) {
    throw new ShapeError({
      where: "optim.orthogonalize",
      problem: "not a matrix and a number of iterations",
      got: `${formatShape(x.shape)}, ${iterations}`,
      expected: `[rows, columns], an integer in [0, ${mostIterations})`,
    });
  }
  return newtonSchulz(x, iterations);
}
