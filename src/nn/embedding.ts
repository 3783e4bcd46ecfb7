// Rows of a table by number.
import { options as optionsOf, signature } from "../core/arguments.ts";
import { Parameter } from "../program/variable.ts";
import { normal, take } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Init, initial, initKind } from "./init.ts";
import { checked, extent, factoryOf, Layer } from "./layer.ts";

export interface EmbeddingOptions {
  /** How the weight begins: a name, as xavier_uniform, or a function of its shape. N(0, 1) unless given. */
  readonly init?: Init;
}

const call = signature("nn.embedding", {
  count: extent,
  width: extent,
  "options?": optionsOf<EmbeddingOptions>({ "init?": initKind }),
});

/** weight: [count, width] from N(0, 1), as PyTorch's, unless `init` gives it. inputs: [...] int32 in [0, count) → [..., width]. A number out of range is a ShapeError when run. */
export class Embedding extends Layer {
  readonly weight: Parameter;

  constructor(count: number, width: number, options: EmbeddingOptions = {}) {
    super(checked(call, arguments));
    const { init } = options;
    this.weight = new Parameter(init ? initial(this.where, init, [count, width]) : normal([count, width]));
  }

  protected override apply(inputs: Tensor): Tensor {
    return take(this.weight, inputs);
  }

  protected override describe(): string {
    return `(${this.weight.shape.join(" × ")})`;
  }
}

/**
 * A table of `count` vectors of `width` elements.
 * @torch torch.nn.Embedding
 * @example nn.embedding(9, 4).forward(zeros([2, 5], "int32"))
 */
export const embedding = factoryOf(Embedding);
