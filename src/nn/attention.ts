// Self-attention with several heads; queries, keys and values come from one product.
import { refuse, ShapeError } from "../core/errors.ts";
import { flag, type Given, probability } from "../core/options.ts";
import { scaledDotProductAttention } from "../tensor/families/attention.ts";
import { reshape, slice, swapAxes } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkHeads, extent, layerOptions } from "./check.ts";
import { checked, factoryOf, Layer } from "./layer.ts";
import { type Linear, linear } from "./linear.ts";
import { joinedMask, type Masks } from "./masks.ts";

const record = (name: string) =>
  layerOptions(name, {
    /** Each position sees itself and those before it alone. */
    causal: flag.default(false),
    /** Probability of zeroing an attention weight in training, in [0, 1]. */
    dropout: probability.default(0),
  });
export type SelfAttentionOptions = Given<ReturnType<typeof record>>;

const own = record("selfAttention");
const extents = { width: extent, heads: extent };
const call = own.call(extents);
/** How a transformer's block may be made. */
export const blockCall = record("transformerBlock").call(extents);

/** Multi-head self-attention (Vaswani et al. 2017). x: [batch, time, width] → the same; of the batch `mask` and `keyMask`, as `multiHeadAttention` has them. `qkv` gives queries, keys and values, `out` joins the heads. */
export class SelfAttention extends Layer<Tensor, Masks> {
  readonly qkv: Linear;
  readonly out: Linear;
  readonly heads: number;
  readonly causal: boolean;
  readonly dropout: number;

  constructor(width: number, heads: number, options: SelfAttentionOptions = {}) {
    super(checked(call, arguments));
    const { causal, dropout } = own.fill(options);
    checkHeads(this.where, width, heads);
    this.qkv = linear(width, 3 * width);
    this.out = linear(width, width);
    this.heads = heads;
    this.causal = causal;
    this.dropout = dropout;
  }

  protected override apply(inputs: Tensor, masks: Masks = {}): Tensor {
    const { heads, causal, dropout, training } = this;
    const width = this.out.weight.shape[0];
    if (inputs.rank !== 3 || inputs.shape[2] !== width)
      refuse(ShapeError, this.where, "not a sequence of vectors", inputs, `[batch, time, ${width}]`);
    const [batch, time] = inputs.shape;
    const joined = reshape(this.qkv.forward(inputs), [batch, time, 3, heads, width / heads]);
    const [q, k, v] = [0, 1, 2].map((part) => swapAxes(slice(joined, [null, null, part]), 1, 2));
    const mask = joinedMask(this.where, masks, batch, time);
    const attended = scaledDotProductAttention(q, k, v, { causal, mask, dropout: training ? dropout : 0 });
    return this.out.forward(reshape(swapAxes(attended, 1, 2), [batch, time, width]));
  }

  protected override describe(): string {
    return `(${this.heads} heads${this.causal ? ", causal" : ""}${this.dropout > 0 ? `, dropout ${this.dropout}` : ""})`;
  }
}

/**
 * Self-attention with `heads` heads over vectors of `width` elements. Throws ShapeError unless heads divides width.
 * @torch torch.nn.MultiheadAttention of one input
 * @example nn.selfAttention(8, 2).forward(zeros([2, 5, 8]))
 * @golden gpt, as a part of it
 */
export const selfAttention = factoryOf(SelfAttention);
