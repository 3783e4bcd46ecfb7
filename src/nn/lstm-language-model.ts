// A recurrent language model over token numbers: an embedding, LSTM layers, and a head.
import { refuse, ShapeError } from "../core/errors.ts";
import { count, type Given, probability } from "../core/options.ts";
import { maker } from "../core/things.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Dropout, dropout as dropoutLayer } from "./dropout.ts";
import { type Embedding, embedding } from "./embedding.ts";
import { checked, Layer, layerOptions } from "./layer.ts";
import { type Linear, linear } from "./linear.ts";
import { type Lstm, lstm } from "./recurrent.ts";

const record = layerOptions("lstm_language_model", {
  /** How many tokens there are. */
  vocabulary: count,
  /** Numbers of each token's vector, and of each layer's state. */
  width: count,
  /** LSTM layers. */
  layers: count,
  /** Probability on the embeddings and on each layer's outputs. */
  dropout: probability.default(0),
});
export type LstmLanguageModelOptions = Given<typeof record>;

/** Token embeddings, LSTM layers from a state of zeros, and a head of its own. inputs: [batch, time] int32 → [batch, time, vocabulary]. */
export class LstmLanguageModel extends Layer {
  override readonly vocabulary: number;
  readonly token: Embedding;
  readonly dropout: Dropout;
  readonly recurrent: Lstm;
  readonly head: Linear;

  constructor(options: LstmLanguageModelOptions) {
    super(checked(record.signature, arguments));
    const { vocabulary, width, layers, dropout } = record.fill(options);
    this.vocabulary = vocabulary;
    this.token = embedding(vocabulary, width);
    this.dropout = dropoutLayer(dropout);
    this.recurrent = lstm(width, width, { layers, dropout });
    this.head = linear(width, vocabulary);
  }

  protected override apply(inputs: Tensor): Tensor {
    if (inputs.rank !== 2) refuse(ShapeError, this.where, "not a batch of sequences", inputs, "[batch, time]");
    const embedded = this.dropout.forward(this.token.forward(inputs));
    return this.head.forward(this.dropout.forward(this.recurrent.forward(embedded)));
  }
}

/**
 * A language model of LSTM layers. Throws ShapeError for sizes that don't fit.
 * @torch none: torch.nn.Sequential of an embedding, an LSTM and a linear layer
 * @example nn.lstmLanguageModel({ vocabulary: 9, width: 8, layers: 1 }).forward(zeros([2, 5], "int32"))
 * @golden recurrent, of its layers
 */
export const lstmLanguageModel = maker(record, LstmLanguageModel);
