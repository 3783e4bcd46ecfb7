// `nn.init`: initial weights as functions of a shape, drawn from the ambient stream, and the gain of an activation.
import { checkArguments, options as optionsOf, real, shape as shapeKind, signature } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import { less, normal, uniform, where } from "../tensor/families/basic.ts";
import { argsort } from "../tensor/families/sorting.ts";
import type { Tensor } from "../tensor/tensor.ts";

export {
  gain,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  orthogonal,
  xavierNormal,
  xavierUniform,
} from "./init.ts";

export interface SparseOptions {
  /** The standard deviation of what isn't 0; 0.01 unless given. */
  readonly deviation?: number;
}

const call = signature("nn.init.sparse", {
  shape: shapeKind,
  sparsity: real,
  "options?": optionsOf<SparseOptions>({ "deviation?": real }),
});

/** Normal, with ⌈sparsity · outputs⌉ zeros in each column, in places drawn for each (Martens 2010; PyTorch's sparse_). → [outputs, inputs] float32, two draws each. Throws ShapeError. */
export function sparse(shape: Shape, sparsity: number, options: SparseOptions = {}): Tensor {
  checkArguments(call, arguments);
  const { deviation = 0.01 } = options;
  if (shape.length !== 2 || !(sparsity >= 0 && sparsity <= 1)) {
    const got = `${formatShape(shape)} and ${sparsity}`;
    refuse(ShapeError, call.where, "not a matrix and a share", got, "[outputs, inputs] and a number in [0, 1]");
  }
  const values = normal(shape, 0, deviation);
  const rank = argsort(argsort(uniform(shape), { axis: 0 }), { axis: 0 });
  return where(less(rank, Math.ceil(sparsity * shape[0])), 0, values);
}
