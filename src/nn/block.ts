// One layer of a transformer, normalising before each part, as GPT-2 does.
import type { Tensor } from "../tensor/tensor.ts";
import { blockCall, type SelfAttention, type SelfAttentionOptions, selfAttention } from "./attention.ts";
import { type Dropout, dropout as dropoutLayer } from "./dropout.ts";
import { checked, factoryOf, Layer } from "./layer.ts";
import { type LayerNorm, layerNorm } from "./layernorm.ts";
import { linear } from "./linear.ts";
import type { Masks } from "./masks.ts";
import { gelu } from "./nonlinearities.ts";
import { type Sequential, sequential } from "./sequential.ts";

/** x + attention(norm1(x)), then x + mlp(norm2(x)), dropout on both addends; the MLP is four times as wide, with GELU. x: [batch, time, width] → the same; of the batch `mask` and `keyMask`. */
export class TransformerBlock extends Layer<Tensor, Masks> {
  readonly norm1: LayerNorm;
  readonly attention: SelfAttention;
  readonly norm2: LayerNorm;
  readonly mlp: Sequential<Tensor>;
  readonly dropout: Dropout;

  constructor(width: number, heads: number, options: SelfAttentionOptions = {}) {
    super(checked(blockCall, arguments));
    const { causal, dropout = 0 } = options;
    this.norm1 = layerNorm(width);
    this.attention = selfAttention(width, heads, { causal, dropout });
    this.norm2 = layerNorm(width);
    this.mlp = sequential(linear(width, 4 * width), gelu(), linear(4 * width, width));
    this.dropout = dropoutLayer(dropout);
  }

  protected override apply(inputs: Tensor, masks?: Masks): Tensor {
    const x = inputs.add(this.dropout.forward(this.attention.forward(this.norm1.forward(inputs), masks)));
    return x.add(this.dropout.forward(this.mlp.forward(this.norm2.forward(x))));
  }
}

/**
 * A transformer's layer with self-attention of `heads` heads; `dropout` is the probability on attention weights and on both addends.
 * @torch torch.nn.TransformerEncoderLayer, norm_first
 * @example nn.transformerBlock(8, 2).forward(zeros([2, 5, 8]))
 * @golden gpt, as a part of it
 */
export const transformerBlock = factoryOf(TransformerBlock);
