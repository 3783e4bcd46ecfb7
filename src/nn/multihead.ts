// Attention with several heads over the inputs themselves or over a memory, with masks. What it is given beside the inputs comes as a batch does, so
// that a dataset's own masks reach every layer of a model.
import { refuse, ShapeError } from "../core/errors.ts";
import { count, flag, type Given, probability } from "../core/options.ts";
import { scaledDotProductAttention } from "../tensor/families/attention.ts";
import { reshape, swapAxes } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { extent, layerOptions } from "./check.ts";
import { checked, factoryOf, Layer } from "./layer.ts";
import { type Linear, linear } from "./linear.ts";
import { joinedMask } from "./masks.ts";
import type { Reads } from "./module.ts";
import { type RotaryPositions, rotaryPositions } from "./positions.ts";

const record = layerOptions("multiHeadAttention", {
  /** Each position sees itself and those before it alone. */
  causal: flag.default(false),
  /** Probability of zeroing an attention weight in training. */
  dropout: probability.default(0),
  /** Whether the four products add a bias. */
  bias: flag.default(true),
  /** Heads of keys and values, a divisor of `heads`: each serves several heads of queries. As many as those unless given. */
  keyHeads: count.optional(),
  /** The width of the memory's vectors; that of the inputs unless given. */
  memoryWidth: count.optional(),
  /** Turns queries and keys by their positions, in sequences of up to so many vectors. */
  rotary: count.optional(),
});
export type MultiHeadAttentionOptions = Given<typeof record>;
const call = record.call({ width: extent, heads: extent });

/** Throws ShapeError unless it is a multiple. */
function checkShared(where: string, what: string, all: number, parts: number): void {
  if (all % parts !== 0)
    refuse(ShapeError, where, `${what} must divide evenly`, `${all} and ${parts}`, "a multiple and its divisor");
}

/** What is attended to, and which of it is seen. */
export type Attended = Reads<"memory" | "mask" | "keyMask">;

/**
 * Multi-head attention (Vaswani et al. 2017). inputs: [batch, time, width] → the same; of the batch beside them `memory`: [batch, keys, memoryWidth], whose
 * vectors are attended to in place of the inputs' own; `mask`: [queries, keys], [batch, queries, keys] or [batch, heads, queries, keys], bool (true where a
 * key is seen) or float32 (added to the scores); `keyMask`: [batch, keys] bool, true where there is a key, not padding. A query that sees no key gets the
 * output's bias alone. `query`, `key`, `value` and `out` are linear layers.
 */
export class MultiHeadAttention extends Layer<Tensor, Attended> {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Linear;
  readonly rotary?: RotaryPositions;
  readonly heads: number;
  readonly keyHeads: number;
  readonly causal: boolean;
  readonly dropout: number;

  constructor(width: number, heads: number, options: MultiHeadAttentionOptions = {}) {
    super(checked(call, arguments));
    const { causal, dropout, bias, keyHeads = heads, memoryWidth = width, rotary } = record.fill(options);
    const { where } = this;
    checkShared(where, "width and heads", width, heads);
    checkShared(where, "heads and keyHeads", heads, keyHeads);
    const shared = (width / heads) * keyHeads;
    this.query = linear(width, width, { bias });
    this.key = linear(memoryWidth, shared, { bias });
    this.value = linear(memoryWidth, shared, { bias });
    this.out = linear(width, width, { bias });
    if (rotary !== undefined) this.rotary = rotaryPositions(rotary, width / heads);
    this.heads = heads;
    this.keyHeads = keyHeads;
    this.causal = causal;
    this.dropout = dropout;
  }

  protected override apply(inputs: Tensor, batch: Attended = {}): Tensor {
    const { heads, keyHeads, causal, training, rotary } = this;
    const { memory = inputs } = batch;
    const [width, memoryWidth] = [this.query, this.key].map(({ weight }) => weight.shape[1]);
    for (const [what, x, last] of [["inputs", inputs, width] as const, ["memory", memory, memoryWidth] as const]) {
      if (x.rank === 3 && x.shape[2] === last && x.shape[0] === inputs.shape[0]) continue;
      const expected = `[${what === "memory" ? inputs.shape[0] : "batch"}, time, ${last}]`;
      refuse(ShapeError, this.where, `${what}: not sequences of vectors`, x, expected);
    }
    const split = (x: Tensor, parts: number) =>
      swapAxes(reshape(x, [x.shape[0], x.shape[1], parts, width / heads]), 1, 2);
    const turned = (x: Tensor) => (rotary ? rotary.forward(x) : x);
    const q = turned(split(this.query.forward(inputs), heads));
    const k = turned(split(this.key.forward(memory), keyHeads));
    const v = split(this.value.forward(memory), keyHeads);
    const mask = joinedMask(this.where, batch, memory.shape[0], memory.shape[1]);
    const attended = scaledDotProductAttention(q, k, v, { causal, mask, dropout: training ? this.dropout : 0 });
    return this.out.forward(reshape(swapAxes(attended, 1, 2), inputs.shape));
  }

  protected override describe(): string {
    const shared = this.keyHeads === this.heads ? "" : `, ${this.keyHeads} of keys`;
    const dropout = this.dropout > 0 ? `, dropout ${this.dropout}` : "";
    return `(${this.heads} heads${shared}${this.causal ? ", causal" : ""}${dropout})`;
  }
}

/**
 * Attention with `heads` heads over vectors of `width` elements: `torch.nn.MultiheadAttention`, batch first. Masks say what is seen, as in `scaled_dot_product_attention`, where that layer's say what isn't. Throws ShapeError for sizes that don't fit.
 * @torch torch.nn.MultiheadAttention
 * @example nn.multiHeadAttention(8, 2).forward(zeros([2, 5, 8]))
 */
export const multiHeadAttention = factoryOf(MultiHeadAttention);
