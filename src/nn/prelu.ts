// A rectifier whose slope below 0 is learned.
import { options as optionsOf, real, signature } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { Parameter } from "../program/variable.ts";
import { prelu as apply } from "../tensor/families/activations.ts";
import { full, reshape } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checked, extent, factoryOf, Layer } from "./layer.ts";

export interface PReluOptions {
  /** The slopes at first; 0.25 unless given. */
  readonly init?: number;
}

const call = signature("nn.prelu", { "count?": extent, "options?": optionsOf<PReluOptions>({ "init?": real }) });

/**
 * x where x > 0, else weight·x (He et al. 2015), weight: [count]: one slope for all, or one for each channel of axis 1. inputs: [...] float32, or
 * [batch, count, ...] → the same. Throws ShapeError for another number of channels.
 */
export class PRelu extends Layer {
  readonly weight: Parameter;

  constructor(count = 1, options: PReluOptions = {}) {
    super(checked(call, arguments));
    this.weight = new Parameter(full([count], options.init ?? 0.25));
  }

  protected override apply(inputs: Tensor): Tensor {
    const [count] = this.weight.shape;
    if (count > 1 && inputs.shape[1] !== count)
      refuse(ShapeError, this.where, "not one slope for each channel", inputs, `[batch, ${count}, ...]`);
    const behind = Array.from({ length: Math.max(0, inputs.rank - 2) }, () => 1);
    return apply(inputs, count === 1 ? this.weight : reshape(this.weight, [count, ...behind]));
  }

  protected override describe(): string {
    return `(${this.weight.shape[0]})`;
  }
}

/**
 * A rectifier of `count` learned slopes: 1 for all elements, or one for each channel of axis 1.
 * @torch torch.nn.PReLU
 * @example nn.prelu(3).forward(zeros([2, 3]))
 */
export const prelu = factoryOf(PRelu);
