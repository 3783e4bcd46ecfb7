// Encoder and decoder layers of a transformer, with norms before or after each part, and stacks of them.
import { checkArguments, listOf, number, signature } from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { count, flag, type Given, probability, type Read, word } from "../core/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { relu } from "./activation.ts";
import { gelu } from "./activations.ts";
import { affineParameters, checkForward, checkStack, layerOptions, module } from "./check.ts";
import { type Dropout, dropout as dropoutLayer } from "./dropout.ts";
import { type LayerNorm, layerNorm } from "./layernorm.ts";
import { linear } from "./linear.ts";
import { type Batch, factoryOf, Module } from "./module.ts";
import { type MultiHeadAttention, multiHeadAttention } from "./multihead.ts";
import { type Sequential, sequential } from "./sequential.ts";

const activations = { relu, gelu };
const record = (name: string) =>
  layerOptions(name, {
    /** The width between the two products of a layer's last part; 4 · width unless given. */
    hidden: count.optional(),
    /** Probability on attention weights, between the two products, and on what each part adds. */
    dropout: probability.default(0),
    /** Between the two products. */
    activation: word("relu", "gelu").default("relu"),
    /** Norms before each part, and one after the last layer of a stack; else after each part. */
    normFirst: flag.default(false),
    /** Each position sees itself and those before it alone. A decoder's does unless told otherwise. */
    causal: flag.optional(),
  });
export type TransformerOptions = Given<ReturnType<typeof record>>;
type Options = Read<ReturnType<typeof record>>;

const layerParameters = { width: number, heads: number };
const stackParameters = { layers: number, ...layerParameters };
const [encoderLayer, decoderLayer, encoder, decoder] = [
  "transformerEncoderLayer",
  "transformerDecoderLayer",
  "transformerEncoder",
  "transformerDecoder",
].map(record);
const stackCall = signature("nn.TransformerStack", { layers: listOf(module, "a list of modules"), "norm?": module });
const encoderLayerCall = encoderLayer.call(layerParameters);
const decoderLayerCall = decoderLayer.call(layerParameters);
const encoderCall = encoder.call(stackParameters);
const decoderCall = decoder.call(stackParameters);

/** Two products with an activation and dropout between. */
function perceptron(width: number, { hidden = 4 * width, activation, dropout }: Options): Sequential<Tensor> {
  return sequential(linear(width, hidden), activations[activation](), dropoutLayer(dropout), linear(hidden, width));
}

/** x + part(norm(x)), or norm(x + part(x)). */
function added(x: Tensor, norm: LayerNorm, normFirst: boolean, part: (x: Tensor) => Tensor): Tensor {
  return normFirst ? x.add(part(norm.forward(x))) : norm.forward(x.add(part(x)));
}

/** Self-attention, then a perceptron. inputs: [batch, time, width] → the same; of the batch `mask` and `keyMask`, as `multiHeadAttention` has them. */
export class TransformerEncoderLayer extends Module<Tensor> {
  readonly attention: MultiHeadAttention;
  readonly mlp: Sequential<Tensor>;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Dropout;
  readonly normFirst: boolean;

  constructor(width: number, heads: number, options: TransformerOptions = {}) {
    checkArguments(encoderLayerCall, arguments);
    super();
    const read = encoderLayer.fill(options);
    const { causal, dropout, normFirst } = read;
    this.attention = multiHeadAttention(width, heads, { causal, dropout });
    this.mlp = perceptron(width, read);
    this.norm1 = layerNorm(width);
    this.norm2 = layerNorm(width);
    this.dropout = dropoutLayer(dropout);
    this.normFirst = normFirst;
  }

  override forward(inputs: Tensor, batch: Batch = {}): Tensor {
    checkForward("nn.transformerEncoderLayer", arguments);
    const { normFirst, dropout } = this;
    const { mask, keyMask } = batch;
    const attend = (x: Tensor) => dropout.forward(this.attention.forward(x, given({ mask, keyMask })));
    const middle = added(inputs, this.norm1, normFirst, attend);
    return added(middle, this.norm2, normFirst, (x) => dropout.forward(this.mlp.forward(x)));
  }
}

/** A batch of what is there. */
const given = (batch: Readonly<Record<string, Tensor | undefined>>): Batch =>
  Object.fromEntries(Object.entries(batch).filter((entry): entry is [string, Tensor] => entry[1] !== undefined));

/**
 * A layer of a transformer's encoder: `torch.nn.TransformerEncoderLayer`, batch first, of dropout 0 and 4 · width hidden numbers unless told otherwise.
 * @torch torch.nn.TransformerEncoderLayer
 * @example nn.transformerEncoderLayer(8, 2).forward(zeros([2, 5, 8]))
 */
export const transformerEncoderLayer = /* @__PURE__ */ factoryOf(TransformerEncoderLayer);

/** Causal self-attention, attention over a memory, then a perceptron. inputs: [batch, time, width] → the same; of the batch `memory`: [batch, keys, width], `mask` and `keyMask` of the inputs, `memoryMask` and `memoryKeyMask` of the memory. */
export class TransformerDecoderLayer extends Module<Tensor> {
  readonly attention: MultiHeadAttention;
  readonly memoryAttention: MultiHeadAttention;
  readonly mlp: Sequential<Tensor>;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout: Dropout;
  readonly normFirst: boolean;

  constructor(width: number, heads: number, options: TransformerOptions = {}) {
    checkArguments(decoderLayerCall, arguments);
    super();
    const read = decoderLayer.fill(options);
    const { causal = true, dropout, normFirst } = read;
    this.attention = multiHeadAttention(width, heads, { causal, dropout });
    this.memoryAttention = multiHeadAttention(width, heads, { dropout });
    this.mlp = perceptron(width, read);
    this.norm1 = layerNorm(width);
    this.norm2 = layerNorm(width);
    this.norm3 = layerNorm(width);
    this.dropout = dropoutLayer(dropout);
    this.normFirst = normFirst;
  }

  override forward(inputs: Tensor, batch: Batch = {}): Tensor {
    checkForward("nn.transformerDecoderLayer", arguments);
    const { normFirst, dropout } = this;
    const { memory, mask, keyMask, memoryMask, memoryKeyMask } = batch;
    if (!memory) {
      throw new ConfigError({
        where: "nn.transformerDecoderLayer.forward",
        problem: "there is no memory to attend to",
        got: Object.keys(batch).join(", ") || "the inputs alone",
        expected: "forward(inputs, { memory })",
        hint: "without a memory it is nn.transformerEncoderLayer(width, heads, { causal: true })",
      });
    }
    const own = given({ mask, keyMask });
    const other = given({ memory, mask: memoryMask, keyMask: memoryKeyMask });
    const first = added(inputs, this.norm1, normFirst, (x) => dropout.forward(this.attention.forward(x, own)));
    const second = added(first, this.norm2, normFirst, (x) => dropout.forward(this.memoryAttention.forward(x, other)));
    return added(second, this.norm3, normFirst, (x) => dropout.forward(this.mlp.forward(x)));
  }
}

/**
 * A layer of a transformer's decoder: `torch.nn.TransformerDecoderLayer`, batch first, causal, of dropout 0 and 4 · width hidden numbers unless told otherwise.
 * @torch torch.nn.TransformerDecoderLayer
 * @example nn.transformerDecoderLayer(8, 2).forward(zeros([2, 5, 8]), { memory: zeros([2, 7, 8]) })
 */
export const transformerDecoderLayer = /* @__PURE__ */ factoryOf(TransformerDecoderLayer);

/** Layers one after another, all given the same batch, and a last norm where they normalise first. */
export class TransformerStack<Layer extends Module<Tensor> = Module<Tensor>> extends Module<Tensor> {
  readonly layers: readonly Layer[];
  readonly norm?: LayerNorm;

  constructor(layers: readonly Layer[], norm?: LayerNorm) {
    checkArguments(stackCall, arguments);
    super();
    this.layers = layers;
    if (norm) this.norm = norm;
  }

  override forward(inputs: Tensor, batch: Batch = {}): Tensor {
    checkForward("nn.TransformerStack", arguments);
    const outputs = this.layers.reduce((x, layer) => layer.forward(x, batch), inputs);
    return this.norm ? this.norm.forward(outputs) : outputs;
  }
}

/** A stack of so many layers, each of `parts` attentions and a perceptron. */
function stack<Layer extends Module<Tensor>>(
  { where, parts, layers, width }: { where: string; parts: number; layers: number; width: number },
  { hidden = 4 * width, normFirst }: Options,
  make: () => Layer,
): TransformerStack<Layer> {
  const norms = 2 * width * (parts + 1);
  const perceptrons = affineParameters(width, hidden) + affineParameters(hidden, width);
  checkStack(where, layers, layers * (parts * 4 * affineParameters(width, width) + perceptrons + norms));
  const all = Array.from({ length: layers }, make);
  return new TransformerStack(all, normFirst ? layerNorm(width) : undefined);
}

/**
 * So many encoder layers: `torch.nn.TransformerEncoder`. inputs: [batch, time, width] → the same; of the batch `mask` and `keyMask`.
 * @torch torch.nn.TransformerEncoder
 * @example nn.transformerEncoder(2, 8, 2).forward(zeros([2, 5, 8]))
 * @golden attention, of its layers
 */
export function transformerEncoder(
  layers: number,
  width: number,
  heads: number,
  options: TransformerOptions = {},
): TransformerStack<TransformerEncoderLayer> {
  checkArguments(encoderCall, arguments);
  const size = { where: "transformerEncoder", parts: 1, layers, width };
  return stack(size, encoder.fill(options), () => transformerEncoderLayer(width, heads, options));
}

/**
 * So many decoder layers: `torch.nn.TransformerDecoder`. inputs: [batch, time, width] → the same; of the batch `memory`, `mask`, `keyMask`, `memoryMask` and `memoryKeyMask`.
 * @torch torch.nn.TransformerDecoder
 * @example nn.transformerDecoder(2, 8, 2).forward(zeros([2, 5, 8]), { memory: zeros([2, 7, 8]) })
 * @golden attention, of its layers
 */
export function transformerDecoder(
  layers: number,
  width: number,
  heads: number,
  options: TransformerOptions = {},
): TransformerStack<TransformerDecoderLayer> {
  checkArguments(decoderCall, arguments);
  const size = { where: "transformerDecoder", parts: 2, layers, width };
  return stack(size, decoder.fill(options), () => transformerDecoderLayer(width, heads, options));
}
