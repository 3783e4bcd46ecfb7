// Attention with several heads: over the inputs themselves, queries, keys and values coming from one product, or over them or a memory, from three. What it is
// given beside the inputs comes as a batch does, so that a dataset's own masks reach every layer of a model.
import { DTypeError, refuse, ShapeError } from "../core/errors.ts";
import { count, flag, type Given, probability, type Read } from "../core/options.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { scaledDotProductAttention } from "../tensor/families/attention.ts";
import { logicalAnd, reshape, where as select, slice, swapAxes } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkHeads } from "./check.ts";
import { checked, extent, factoryOf, Layer, layerOptions } from "./layer.ts";
import { type Linear, linear } from "./linear.ts";
import type { Reads } from "./module.ts";
import { type RotaryPositions, rotaryPositions } from "./positions.ts";

/** What a batch says of the keys that queries see. */
export type Masks = Reads<"mask" | "keyMask">;

/** The mask over [batch, heads, queries, keys] that a mask of scores and one of keys come to. Throws ShapeError, DTypeError. */
function joinedMask(where: string, { mask, keyMask }: Masks, batch: number, keys: number): Tensor | undefined {
  const wide = mask?.rank === 3 ? reshape(mask, [mask.shape[0], 1, ...mask.shape.slice(1)]) : mask;
  if (!keyMask) return wide;
  const place = `${where}.keyMask`;
  if (!sameShape(keyMask.shape, [batch, keys]))
    refuse(ShapeError, place, "not one for each key", keyMask, formatShape([batch, keys]));
  if (keyMask.dtype !== "bool")
    refuse(DTypeError, place, "a mask of another dtype", keyMask.dtype, "bool, true where there is a key");
  const seen = reshape(keyMask, [batch, 1, 1, keys]);
  if (!wide) return seen;
  return wide.dtype === "bool" ? logicalAnd(seen, wide) : select(seen, wide, -Infinity);
}

const attentionFields = {
  /** Each position sees itself and those before it alone. */
  causal: flag.default(false),
  /** Probability of zeroing an attention weight in training. */
  dropout: probability.default(0),
} as const;
const parameters = { width: extent, heads: extent };

const selfRecord = layerOptions("selfAttention", attentionFields);
export type SelfAttentionOptions = Given<typeof selfRecord>;
const selfCall = /* @__PURE__ */ selfRecord.call(parameters);

/** What layers of attention have in common: their heads, and what these do with queries, keys and values. */
abstract class Attention<Beside extends object> extends Layer<Tensor, Beside> {
  /** Joins the heads. */
  abstract readonly out: Linear;
  readonly heads: number;
  readonly causal: boolean;
  readonly dropout: number;

  constructor(where: string, heads: number, { causal, dropout }: Read<typeof selfRecord>) {
    super(where);
    this.heads = heads;
    this.causal = causal;
    this.dropout = dropout;
  }

  /** Queries, keys and values, [batch, heads, time, width ÷ heads] each, → [batch, time, width]. */
  protected attend([q, k, v]: readonly Tensor[], masks: Masks): Tensor {
    const mask = joinedMask(this.where, masks, k.shape[0], k.shape[2]);
    const dropout = this.training ? this.dropout : 0;
    const attended = swapAxes(scaledDotProductAttention(q, k, v, { causal: this.causal, mask, dropout }), 1, 2);
    const [batch, time, heads, width] = attended.shape;
    return this.out.forward(reshape(attended, [batch, time, heads * width]));
  }

  /** `shared`: what is said of heads of keys. */
  protected override describe(shared = ""): string {
    const dropout = this.dropout > 0 ? `, dropout ${this.dropout}` : "";
    return `(${this.heads} heads${shared}${this.causal ? ", causal" : ""}${dropout})`;
  }
}

/** Multi-head self-attention (Vaswani et al. 2017). x: [batch, time, width] → the same; of the batch `mask` and `keyMask`, as `multiHeadAttention` has them. `qkv` gives queries, keys and values, `out` joins the heads. */
export class SelfAttention extends Attention<Masks> {
  readonly qkv: Linear;
  readonly out: Linear;

  constructor(width: number, heads: number, options: SelfAttentionOptions = {}) {
    const where = checked(selfCall, arguments);
    checkHeads(where, width, heads);
    super(where, heads, selfRecord.fill(options));
    this.qkv = linear(width, 3 * width);
    this.out = linear(width, width);
  }

  protected override apply(inputs: Tensor, masks: Masks = {}): Tensor {
    const { heads } = this;
    const width = this.out.weight.shape[0];
    if (inputs.rank !== 3 || inputs.shape[2] !== width)
      refuse(ShapeError, this.where, "not a sequence of vectors", inputs, `[batch, time, ${width}]`);
    const joined = reshape(this.qkv.forward(inputs), [...inputs.shape.slice(0, 2), 3, heads, width / heads]);
    const parts = [0, 1, 2].map((part) => swapAxes(slice(joined, [null, null, part]), 1, 2));
    return this.attend(parts, masks);
  }
}

/**
 * Self-attention with `heads` heads over vectors of `width` elements. Throws ShapeError unless heads divides width.
 * @torch torch.nn.MultiheadAttention of one input
 * @example nn.selfAttention(8, 2).forward(zeros([2, 5, 8]))
 * @golden gpt, as a part of it
 */
export const selfAttention = /* @__PURE__ */ factoryOf(SelfAttention);

const multiRecord = layerOptions("multiHeadAttention", {
  ...attentionFields,
  /** Whether the four products add a bias. */
  bias: flag.default(true),
  /** Heads of keys and values, a divisor of `heads`: each serves several heads of queries. As many as those unless given. */
  keyHeads: count.optional(),
  /** The width of the memory's vectors; that of the inputs unless given. */
  memoryWidth: count.optional(),
  /** Turns queries and keys by their positions, in sequences of up to so many vectors. */
  rotary: count.optional(),
});
export type MultiHeadAttentionOptions = Given<typeof multiRecord>;
const multiCall = /* @__PURE__ */ multiRecord.call(parameters);

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
export class MultiHeadAttention extends Attention<Attended> {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Linear;
  readonly rotary?: RotaryPositions;
  readonly keyHeads: number;

  constructor(width: number, heads: number, options: MultiHeadAttentionOptions = {}) {
    const where = checked(multiCall, arguments);
    const read = multiRecord.fill(options);
    const { bias, keyHeads = heads, memoryWidth = width, rotary } = read;
    super(where, heads, read);
    checkShared(where, "width and heads", width, heads);
    checkShared(where, "heads and keyHeads", heads, keyHeads);
    const shared = (width / heads) * keyHeads;
    this.query = linear(width, width, { bias });
    this.key = linear(memoryWidth, shared, { bias });
    this.value = linear(memoryWidth, shared, { bias });
    this.out = linear(width, width, { bias });
    if (rotary !== undefined) this.rotary = rotaryPositions(rotary, width / heads);
    this.keyHeads = keyHeads;
  }

  protected override apply(inputs: Tensor, batch: Attended = {}): Tensor {
    const { heads, keyHeads, rotary } = this;
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
    return this.attend([q, k, split(this.value.forward(memory), keyHeads)], batch);
  }

  protected override describe(): string {
    return super.describe(this.keyHeads === this.heads ? "" : `, ${this.keyHeads} of keys`);
  }
}

/**
 * Attention with `heads` heads over vectors of `width` elements: `torch.nn.MultiheadAttention`, batch first. Masks say what is seen, as in `scaled_dot_product_attention`, where that layer's say what isn't. Throws ShapeError for sizes that don't fit.
 * @torch torch.nn.MultiheadAttention
 * @example nn.multiHeadAttention(8, 2).forward(zeros([2, 5, 8]))
 */
export const multiHeadAttention = /* @__PURE__ */ factoryOf(MultiHeadAttention);
