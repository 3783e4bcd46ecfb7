// Dropout: the one layer that draws while training.
import { number, signature } from "../core/arguments.ts";
import { checkProbability } from "../ops/random.ts";
import { dropout as apply } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checked, factoryOf, Layer } from "./layer.ts";

const call = signature("nn.dropout", { p: number });

/** In training, zeroes each element with probability p and scales the rest by 1/(1 − p); in evaluation, nothing. One draw an element. */
export class Dropout extends Layer {
  readonly p: number;

  constructor(p: number) {
    super(checked(call, arguments));
    checkProbability(this.where, p);
    this.p = p;
  }

  protected override apply(inputs: Tensor): Tensor {
    return this.training && this.p > 0 ? apply(inputs, this.p) : inputs;
  }

  protected override describe(): string {
    return `(${this.p})`;
  }
}

/**
 * A dropout layer. p: probability of zeroing, in [0, 1]. Throws ShapeError.
 * @torch torch.nn.Dropout
 * @example nn.dropout(0.5).forward(zeros([2, 3]))
 * @golden none: it draws its own numbers
 */
export const dropout = factoryOf(Dropout);
