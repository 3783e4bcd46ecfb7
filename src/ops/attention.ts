// Attention, with its scores in rows: masks, softmax and both products of a row stay together, so the schedule never has all scores in memory.
import { DTypeError, refuse, ShapeError } from "../core/errors.ts";
import { broadcastShapes, formatShape, sameShape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { boolean, number, options, takes, tensor } from "./arguments.ts";
import { greater, lessEqual } from "./compare.ts";
import { dropout, softmax } from "./composite.ts";
import { coordinate } from "./creation.ts";
import { broadcastTo } from "./define.ts";
import { add, div, exp, mul, stopGradient, sub, where } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { reshape, swapAxes } from "./movement.ts";
import { checkProbability } from "./random.ts";
import { max, sum } from "./reduce.ts";

export interface AttentionOptions {
  /** Query i sees keys 0 … i alone. */
  readonly causal?: boolean;
  /** Probability of zeroing a weight, in [0, 1]. */
  readonly dropout?: number;
  /** Broadcasts to [..., queries, keys]: bool, true where a query sees a key; or float32, added to the scores. */
  readonly mask?: Node;
  /** What scores are multiplied by; 1 ÷ √depth unless given. */
  readonly scale?: number;
}

const place = "scaledDotProductAttention";

/** Throws ShapeError, DTypeError for operands that are no queries, keys and values of each other. */
function checkOperands(q: Node, k: Node, v: Node, { causal, mask }: AttentionOptions): void {
  if (q.shape.length < 2 || k.shape.length < 2)
    refuse(ShapeError, place, "no rows of queries or keys", [q, k], "[..., queries, depth] and [..., keys, depth]");
  const [queries, keys] = [q, k].map(({ shape }) => shape[shape.length - 2]);
  if (v.shape.length < 2 || v.shape[v.shape.length - 2] !== keys)
    refuse(ShapeError, place, "no value for each key", [k, v], `[..., ${keys}, width]`);
  if (causal && queries !== keys) {
    const problem = "causal attention of other lengths";
    refuse(ShapeError, place, problem, `${queries} queries and ${keys} keys`, "as many queries as keys");
  }
  if (mask && mask.dtype !== "bool" && mask.dtype !== "float32") {
    const expected = "bool, true where a key is seen, or float32, added to the scores";
    const hint = 'compare or cast it: mask.notEqual(0), mask.cast("bool")';
    refuse(DTypeError, `${place}.mask`, "a mask of another dtype", mask.dtype, expected, hint);
  }
}

/** q·kᵀ: fewer heads of keys than of queries are shared by neighbouring ones. */
const grouped = (a: Node, b: Node): Node => {
  const [heads, shared] = [a, b].map(({ shape }) => (shape.length < 3 ? 1 : shape[shape.length - 3]));
  if (heads === shared || shared <= 1 || heads % shared !== 0) return matmul(a, b);
  const split = reshape(a, [...a.shape.slice(0, -3), shared, heads / shared, ...a.shape.slice(-2)]);
  const product = matmul(split, reshape(b, [...b.shape.slice(0, -2), 1, ...b.shape.slice(-2)]));
  return reshape(product, [...product.shape.slice(0, -4), heads, ...product.shape.slice(-2)]);
};

/** Softmax over the last axis, 0 for every element of a row of −∞ alone, where `softmax` gives NaN. */
function maskedSoftmax(scores: Node): Node {
  const most = stopGradient(max(scores, { axis: -1, keepDims: true }));
  const shifted = exp(sub(scores, where(greater(most, -Infinity), most, 0)));
  const total = sum(shifted, { axis: -1, keepDims: true });
  return div(shifted, where(greater(total, 0), total, 1));
}

function masked(scores: Node, mask: Node): Node {
  if (!sameShape(broadcastShapes(`${place}.mask`, scores.shape, mask.shape), scores.shape)) {
    const problem = "the mask has more than the scores";
    refuse(ShapeError, `${place}.mask`, problem, mask, `a shape that broadcasts to ${formatShape(scores.shape)}`);
  }
  return mask.dtype === "bool" ? where(broadcastTo(mask, scores.shape), scores, -Infinity) : add(scores, mask);
}

/**
 * softmax(q·kᵀ·scale + mask)·v (Vaswani et al. 2017), dropout on the weights. q: [..., queries, depth], k: [..., keys, depth], v: [..., keys, width] →
 * [..., queries, width]. Keys and values may have fewer heads, the third axis from the last: each serves as many neighbouring heads of queries. A query
 * for which a mask leaves no key gets zeros, and gradients of zero. `causal`: query i sees keys 0 … i alone, and there are as many of both. One draw a
 * weight where dropout > 0.
 * @torch torch.nn.functional.scaled_dot_product_attention
 */
export function scaledDotProductAttention(q: Node, k: Node, v: Node, options: AttentionOptions = {}): Node {
  checkOperands(q, k, v, options);
  const [queries, depth] = q.shape.slice(-2);
  const keys = k.shape[k.shape.length - 2];
  const { causal = false, dropout: p = 0, mask, scale = 1 / Math.sqrt(depth) } = options;
  checkProbability(place, p);
  const scores = mul(grouped(q, swapAxes(k)), scale);
  const seen = causal && lessEqual(coordinate([queries, keys], 1), coordinate([queries, keys], 0));
  const visible = seen ? where(seen, scores, -Infinity) : scores;
  const weights = mask ? maskedSoftmax(masked(visible, mask)) : softmax(visible);
  return grouped(p > 0 ? dropout(weights, p) : weights, v);
}

const how = options<AttentionOptions>({ "causal?": boolean, "dropout?": number, "mask?": tensor, "scale?": number });
takes({ scaledDotProductAttention }, { q: tensor, k: tensor, v: tensor, "options?": how });
