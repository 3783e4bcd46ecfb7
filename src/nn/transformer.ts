// Encoder and decoder layers of a transformer, with norms before or after each part, and stacks of them.
import { listOf, signature } from "../core/arguments.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import { count, flag, type Given, probability, type Read, word } from "../core/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { relu } from "./activation.ts";
import { type Attended, type Masks, type MultiHeadAttention, multiHeadAttention } from "./attention.ts";
import { affineParameters, checkStack, module } from "./check.ts";
import { type Sequential, sequential } from "./containers.ts";
import { type Dropout, dropout as dropoutLayer } from "./dropout.ts";
import { checked, extent, factoryOf, Layer, layerOptions } from "./layer.ts";
import { linear } from "./linear.ts";
import type { Batch, Module, Reads } from "./module.ts";
import { gelu } from "./nonlinearities.ts";
import { type LayerNorm, layerNorm } from "./norm.ts";

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

const parameters = { width: extent, heads: extent };
const encoderLayer = record("transformerEncoderLayer");
const decoderLayer = record("transformerDecoderLayer");
const encoderLayerCall = encoderLayer.call(parameters);
const decoderLayerCall = decoderLayer.call(parameters);
const stackCall = signature("nn.TransformerStack", { layers: listOf(module, "a list of modules"), "norm?": module });

/** What layers of encoders and decoders have in common: parts, each added to its inputs and normalised, before or after. */
abstract class TransformerLayer<Beside extends object> extends Layer<Tensor, Beside> {
  readonly attention: MultiHeadAttention;
  readonly memoryAttention?: MultiHeadAttention;
  readonly mlp: Sequential<Tensor>;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3?: LayerNorm;
  readonly dropout: Dropout;
  readonly normFirst: boolean;

  constructor(where: string, [width, heads]: readonly [number, number], options: Options, hasMemory: boolean) {
    super(where);
    const { hidden = 4 * width, activation, causal, dropout, normFirst } = options;
    this.attention = multiHeadAttention(width, heads, { causal, dropout });
    if (hasMemory) this.memoryAttention = multiHeadAttention(width, heads, { dropout });
    const between = [activations[activation](), dropoutLayer(dropout)] as const;
    this.mlp = sequential(linear(width, hidden), ...between, linear(hidden, width));
    this.norm1 = layerNorm(width);
    this.norm2 = layerNorm(width);
    if (hasMemory) this.norm3 = layerNorm(width);
    this.dropout = dropoutLayer(dropout);
    this.normFirst = normFirst;
  }

  /** x + part(norm(x)), or norm(x + part(x)); dropout on what a part adds. */
  protected added(x: Tensor, norm: LayerNorm, part: Module<Tensor, Attended>, batch?: Attended): Tensor {
    const from = (inputs: Tensor) => this.dropout.forward(part.forward(inputs, batch));
    return this.normFirst ? x.add(from(norm.forward(x))) : norm.forward(x.add(from(x)));
  }
}

/** Self-attention, then a perceptron. inputs: [batch, time, width] → the same; of the batch `mask` and `keyMask`, as `multiHeadAttention` has them. */
export class TransformerEncoderLayer extends TransformerLayer<Masks> {
  constructor(width: number, heads: number, options: TransformerOptions = {}) {
    super(checked(encoderLayerCall, arguments), [width, heads], encoderLayer.fill(options), false);
  }

  protected override apply(inputs: Tensor, { mask, keyMask }: Masks = {}): Tensor {
    const middle = this.added(inputs, this.norm1, this.attention, { mask, keyMask });
    return this.added(middle, this.norm2, this.mlp);
  }
}

/**
 * A layer of a transformer's encoder: `torch.nn.TransformerEncoderLayer`, batch first, of dropout 0 and 4 · width hidden numbers unless told otherwise.
 * @torch torch.nn.TransformerEncoderLayer
 * @example nn.transformerEncoderLayer(8, 2).forward(zeros([2, 5, 8]))
 */
export const transformerEncoderLayer = /* @__PURE__ */ factoryOf(TransformerEncoderLayer);

/** What a decoder is given beside its inputs. */
export type Remembered = Reads<"memory" | "mask" | "keyMask" | "memoryMask" | "memoryKeyMask">;

/** Causal self-attention, attention over a memory, then a perceptron. inputs: [batch, time, width] → the same; of the batch `memory`: [batch, keys, width], `mask` and `keyMask` of the inputs, `memoryMask` and `memoryKeyMask` of the memory. */
export class TransformerDecoderLayer extends TransformerLayer<Remembered> {
  declare readonly memoryAttention: MultiHeadAttention;
  declare readonly norm3: LayerNorm;

  constructor(width: number, heads: number, options: TransformerOptions = {}) {
    const where = checked(decoderLayerCall, arguments);
    super(where, [width, heads], { causal: true, ...decoderLayer.fill(options) }, true);
  }

  protected override apply(inputs: Tensor, batch: Remembered = {}): Tensor {
    const { memory, mask, keyMask, memoryMask, memoryKeyMask } = batch;
    if (!memory) {
      const got = Object.keys(batch).join(", ") || "the inputs alone";
      const expected = "forward(inputs, { memory })";
      const hint = "without a memory it is nn.transformerEncoderLayer(width, heads, { causal: true })";
      refuse(ConfigError, `${this.where}.forward`, "there is no memory to attend to", got, expected, hint);
    }
    const other = { memory, mask: memoryMask, keyMask: memoryKeyMask };
    const first = this.added(inputs, this.norm1, this.attention, { mask, keyMask });
    const second = this.added(first, this.norm2, this.memoryAttention, other);
    return this.added(second, this.norm3, this.mlp);
  }
}

/**
 * A layer of a transformer's decoder: `torch.nn.TransformerDecoderLayer`, batch first, causal, of dropout 0 and 4 · width hidden numbers unless told otherwise.
 * @torch torch.nn.TransformerDecoderLayer
 * @example nn.transformerDecoderLayer(8, 2).forward(zeros([2, 5, 8]), { memory: zeros([2, 7, 8]) })
 */
export const transformerDecoderLayer = /* @__PURE__ */ factoryOf(TransformerDecoderLayer);

/** Layers one after another, all given the same batch, and a last norm where they normalise first. */
export class TransformerStack<
  Beside extends object = Batch,
  L extends Module<Tensor, Beside> = Module<Tensor, Beside>,
> extends Layer<Tensor, Beside> {
  readonly layers: readonly L[];
  readonly norm?: LayerNorm;

  constructor(layers: readonly L[], norm?: LayerNorm) {
    super(checked(stackCall, arguments));
    this.layers = layers;
    if (norm) this.norm = norm;
  }

  protected override apply(inputs: Tensor, batch?: Beside): Tensor {
    const outputs = this.layers.reduce((x, layer) => layer.forward(x, batch), inputs);
    return this.norm ? this.norm.forward(outputs) : outputs;
  }
}

/** What makes stacks of layers, each of `parts` attentions and a perceptron. */
/* @__NO_SIDE_EFFECTS__ */
function stackOf<Beside extends object, L extends Module<Tensor, Beside>>(
  name: string,
  parts: number,
  layer: (width: number, heads: number, options?: TransformerOptions) => L,
) {
  const own = record(name);
  const call = own.call({ layers: extent, ...parameters });
  return (...given: [layers: number, width: number, heads: number, options?: TransformerOptions]) => {
    const where = checked(call, given);
    const [layers, width, heads, options] = given;
    const { hidden = 4 * width, normFirst } = own.fill(options);
    const norms = 2 * width * (parts + 1);
    const perceptron = affineParameters(width, hidden) + affineParameters(hidden, width);
    checkStack(where, layers, layers * (parts * 4 * affineParameters(width, width) + perceptron + norms));
    const all = Array.from({ length: layers }, () => layer(width, heads, options));
    return new TransformerStack<Beside, L>(all, normFirst ? layerNorm(width) : undefined);
  };
}

/**
 * So many encoder layers: `torch.nn.TransformerEncoder`. inputs: [batch, time, width] → the same; of the batch `mask` and `keyMask`.
 * @torch torch.nn.TransformerEncoder
 * @example nn.transformerEncoder(2, 8, 2).forward(zeros([2, 5, 8]))
 * @golden attention, of its layers
 */
export const transformerEncoder = stackOf<Masks, TransformerEncoderLayer>(
  "transformerEncoder",
  1,
  transformerEncoderLayer,
);

/**
 * So many decoder layers: `torch.nn.TransformerDecoder`. inputs: [batch, time, width] → the same; of the batch `memory`, `mask`, `keyMask`, `memoryMask` and `memoryKeyMask`.
 * @torch torch.nn.TransformerDecoder
 * @example nn.transformerDecoder(2, 8, 2).forward(zeros([2, 5, 8]), { memory: zeros([2, 7, 8]) })
 * @golden attention, of its layers
 */
export const transformerDecoder = stackOf<Remembered, TransformerDecoderLayer>(
  "transformerDecoder",
  2,
  transformerDecoderLayer,
);
