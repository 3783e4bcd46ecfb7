// A decoder-only transformer over token numbers (Radford et al. 2019), small enough to read: its layers normalise before each part.
import { refuse, ShapeError } from "../core/errors.ts";
import { count, flag, type Given, probability } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { checkpoint } from "../program/segments.ts";
import { slice } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Masks, type SelfAttention, selfAttention } from "./attention.ts";
import { checkHeads, checkStack } from "./check.ts";
import { type Sequential, sequential } from "./containers.ts";
import { type Dropout, dropout as dropoutLayer } from "./dropout.ts";
import { type Embedding, embedding } from "./embedding.ts";
import { checked, extent, factoryOf, Layer, layerOptions } from "./layer.ts";
import { type Linear, linear } from "./linear.ts";
import { gelu } from "./nonlinearities.ts";
import { type LayerNorm, layerNorm } from "./norm.ts";

const blockRecord = layerOptions("transformerBlock", {
  /** Each position sees itself and those before it alone. */
  causal: flag.default(false),
  /** Probability on attention weights and on both addends. */
  dropout: probability.default(0),
});
export type TransformerBlockOptions = Given<typeof blockRecord>;
const blockCall = /* @__PURE__ */ blockRecord.call({ width: extent, heads: extent });

/** x + attention(norm1(x)), then x + mlp(norm2(x)), dropout on both addends; the MLP is four times as wide, with GELU. x: [batch, time, width] → the same; of the batch `mask` and `keyMask`. */
export class TransformerBlock extends Layer<Tensor, Masks> {
  readonly norm1: LayerNorm;
  readonly attention: SelfAttention;
  readonly norm2: LayerNorm;
  readonly mlp: Sequential<Tensor>;
  readonly dropout: Dropout;

  constructor(width: number, heads: number, options: TransformerBlockOptions = {}) {
    super(checked(blockCall, arguments));
    const { causal, dropout } = blockRecord.fill(options);
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
export const transformerBlock = /* @__PURE__ */ factoryOf(TransformerBlock);

const record = layerOptions("gpt", {
  /** How many tokens there are. */
  vocabulary: count,
  /** The longest sequence it takes. */
  context: count,
  /** Numbers of each token's vector. */
  width: count,
  /** Attention heads; a divisor of width. */
  heads: count,
  /** Transformer blocks. */
  layers: count,
  /** Probability on the embeddings, the attention weights and both addends of each block. */
  dropout: probability.default(0),
  /** Blocks are computed again in the backward pass, so that what they compute on the way isn't kept until then: less memory for more time, the same bits. */
  recompute: flag.default(false),
});
export type GptOptions = Given<typeof record>;

/** Token plus position embeddings, causal blocks, a last norm, and a head of its own. inputs: [batch, time ≤ context] int32 → [batch, time, vocabulary]. */
export class Gpt extends Layer {
  override readonly vocabulary: number;
  readonly token: Embedding;
  readonly position: Embedding;
  readonly dropout: Dropout;
  readonly blocks: readonly TransformerBlock[];
  readonly norm: LayerNorm;
  readonly head: Linear;
  readonly recompute: boolean;

  constructor(options: GptOptions) {
    super(checked(record.signature, arguments));
    const { vocabulary, context, width, heads, layers, dropout, recompute } = record.fill(options);
    checkHeads(`${this.where}.heads`, width, heads);
    const perLayer = 12 * width * width + 13 * width;
    checkStack(this.where, layers, layers * perLayer + (2 * vocabulary + context + 2) * width + vocabulary);
    this.vocabulary = vocabulary;
    this.token = embedding(vocabulary, width);
    this.position = embedding(context, width);
    this.dropout = dropoutLayer(dropout);
    this.blocks = Array.from({ length: layers }, () => transformerBlock(width, heads, { causal: true, dropout }));
    this.norm = layerNorm(width);
    this.head = linear(width, vocabulary);
    this.recompute = recompute;
  }

  protected override apply(inputs: Tensor): Tensor {
    const [context] = this.position.weight.shape;
    if (inputs.rank !== 2 || inputs.shape[1] > context) {
      const problem = "not a batch of sequences that fit the context";
      refuse(ShapeError, this.where, problem, inputs, `[batch, time], time ≤ ${context}`);
    }
    const positions = slice(this.position.weight, [[0, inputs.shape[1]]]);
    const embedded = this.dropout.forward(this.token.forward(inputs).add(positions));
    const through = (x: Tensor, block: TransformerBlock) => {
      const forward = (inputs: Tensor) => block.forward(inputs);
      return (this.recompute ? checkpoint(forward) : forward)(x);
    };
    return this.head.forward(this.norm.forward(this.blocks.reduce(through, embedded)));
  }
}

/**
 * A decoder-only transformer. Throws ShapeError for sizes that don't fit.
 * @torch none: transformers.GPT2LMHeadModel
 * @example nn.gpt({ vocabulary: 9, context: 8, width: 8, heads: 2, layers: 1 }).forward(zeros([2, 5], "int32"))
 */
export const gpt = maker(record, Gpt);
