// Attention: masks of each kind and shape, shared heads of keys, rows that see nothing; values and gradients.
import { gradients } from "../../../src/autograd/grad.ts";
import type { Node } from "../../../src/graph/node.ts";
import { type AttentionOptions, scaledDotProductAttention } from "../../../src/ops/attention.ts";
import { greater } from "../../../src/ops/compare.ts";
import { mul } from "../../../src/ops/elementwise.ts";
import { concat, reshape } from "../../../src/ops/movement.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { type Computation, floats } from "./case.ts";

interface Sizes {
  readonly q: readonly number[];
  readonly k?: readonly number[];
  readonly v?: readonly number[];
  readonly mask?: readonly number[];
}

/** The result and the gradients of the sum of its squares, as one vector. `mask`: added, or compared with 0 where `boolean`. */
function attention(name: string, { q, k = q, v = k, mask }: Sizes, options: AttentionOptions = {}, boolean = false) {
  return {
    name: `scaledDotProductAttention ${name}`,
    inputs: [floats(q, 16), floats(k, 17), floats(v, 18), ...(mask ? [floats(mask, 19)] : [])],
    build: (a: Node, b: Node, c: Node, m?: Node) => {
      const out = scaledDotProductAttention(a, b, c, { ...options, mask: m && boolean ? greater(m, 1) : m });
      const found = gradients(sum(mul(out, out)), [a, b, c]);
      return concat([out, ...found].map((x) => reshape(x, [-1])));
    },
  };
}

export function attentionCases(): Computation[] {
  const q = [2, 3, 5, 4];
  const long = [2, 2, 33, 8];
  return [
    attention("", { q, v: [2, 3, 5, 6] }),
    attention("causal", { q }, { causal: true }),
    attention("causal, with dropout", { q: [2, 5, 4] }, { causal: true, dropout: 0.2 }),
    attention("of one query and one key", { q: [1, 1] }),
    attention("of a batch of none", { q: [0, 3, 2] }),
    attention("with a mask that hides whole rows", { q, k: [2, 3, 7, 4], mask: [5, 7] }, {}, true),
    attention("with a mask for each key, causal", { q: long, mask: [2, 1, 1, 33] }, { causal: true }, true),
    attention("with an added mask for each head", { q: long, mask: [2, 33, 33] }, { scale: 0.5, dropout: 0.3 }),
    attention("with fewer heads of keys", { q: [2, 6, 17, 3], k: [2, 2, 5, 3] }),
    attention("with one head of keys, and a mask", { q: [4, 17, 3], k: [1, 3, 3], mask: [4, 17, 3] }, {}, true),
  ];
}
