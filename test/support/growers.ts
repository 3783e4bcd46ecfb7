// What random programs grow by: every public op by its name, and what only gradients and samplers make otherwise. Elementwise ops come from
// their records. An op that refuses what it is given throws, and nothing grows.
import type { DType } from "../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { Node } from "../../src/graph/node.ts";
import { assemble } from "../../src/ops/assemble.ts";
import type { AttentionOptions } from "../../src/ops/attention.ts";
import { withGradient } from "../../src/ops/custom.ts";
import { allRecords, broadcastOperands, broadcastTo, makeNode } from "../../src/ops/define.ts";
import type { Index } from "../../src/ops/indexing.ts";
import { prefixArgmin, recurrence } from "../../src/ops/prefix.ts";
import type { ElementwiseRecord } from "../../src/ops/record.ts";
import { acceptedDTypes } from "../conformance/cases/case.ts";
import { attributeSets } from "../conformance/cases/elementwise.ts";
import { bodies } from "./bodies.ts";
import { functions as f } from "./functions.ts";
import {
  any,
  axesOf,
  definite,
  extents,
  float,
  floats,
  type Grow,
  indices,
  matrix,
  of,
  one,
  type Pool,
  partly,
  sized,
  smallShape,
  square,
  withAxis,
} from "./pool.ts";

const { mul, reshape, transpose, slice } = f;

// Records.
const elementwise = allRecords().filter((record): record is ElementwiseRecord => record.kind === "elementwise");
const choicesOf = new Map(
  elementwise.map((record) => [
    record,
    attributeSets(record).flatMap((attributes) =>
      acceptedDTypes(record, record.inputs, attributes).map((dtypes) => ({ attributes, dtypes })),
    ),
  ]),
);

function applied(record: ElementwiseRecord): Grow {
  return (pool) => {
    const { attributes, dtypes } = one(pool, choicesOf.get(record)!);
    const operands = dtypes.map((dtype) => of(pool, dtype));
    // What doesn't broadcast is made to fit.
    const given = pool.pick(2) ? operands : operands.map((x) => sized(x, operands[0].shape));
    const wide = broadcastOperands(record.name, given);
    return makeNode(record.name, wide, wide[0].shape, attributes);
  };
}

const named = (names: readonly string[]): Record<string, Grow> =>
  Object.fromEntries(elementwise.filter(({ name }) => names.includes(name)).map((r) => [r.name, applied(r)]));

const numbers = [0.5, -2, 0, 3] as const;
const withNumber =
  (op: (a: Node, b: number) => Node): Grow =>
  (pool) =>
    op(float(pool), one(pool, numbers));
const unary =
  (op: (x: Node) => Node): Grow =>
  (pool) =>
    op(float(pool));
const reduction =
  (op: (x: Node, over: { axis: readonly number[]; keepDims: boolean }, pool: Pool) => Node, onlyFloats = false): Grow =>
  (pool) => {
    const x = onlyFloats ? float(pool) : any(pool);
    return op(x, { axis: axesOf(pool, x), keepDims: pool.pick(2) === 1 }, pool);
  };
const alongAxis =
  (op: (x: Node, axis: number, pool: Pool) => Node | Node[], onlyFloats = false): Grow =>
  (pool) =>
    op(...withAxis(pool, onlyFloats ? float(pool) : any(pool)), pool);
const moving =
  (op: (x: Node, pool: Pool) => Node): Grow =>
  (pool) =>
    op(any(pool), pool);
const sampler =
  (op: (shape: Shape, pool: Pool) => Node): Grow =>
  (pool) =>
    op(smallShape(pool), pool);

/** Images: [batch, channels, ...extents]. */
function images(pool: Pool, rank: number, channels = 1 + pool.pick(2)): Node {
  return floats(pool, [1 + pool.pick(2), channels, ...extents(pool, rank, 2)]);
}
const windows = ({ pick }: Pool) => ({ stride: 1 + pick(3), padding: pick(3), dilation: 1 + pick(2) });
const perRank = (make: (rank: 1 | 2 | 3) => Record<string, Grow>) => Object.assign({}, make(1), make(2), make(3));
const bias = (pool: Pool, channels: number) => (pool.pick(2) ? floats(pool, [channels]) : undefined);

const lengths = [1, 2, 3, 4, 5, 6, 7, 9, 12, 16, 30];
const equations: readonly [string, ...Shape[]][] = [
  ["ij,jk->ki", [3, 4], [4, 2]],
  ["bhqd,bhkd->bhqk", [1, 2, 3, 2], [1, 2, 4, 2]],
  ["ii->i", [3, 3]],
  ["...i,i", [2, 1, 3], [3]],
  ["i,j->ji", [3], [5]],
  ["ij,jk,kl->il", [2, 3], [3, 1], [1, 4]],
];

/** What grows, by families of one weight each. */
const table = {
  arithmetic: {
    ...named(["neg", "abs", "sqrt", "exp", "tanh", "relu", "sigmoid", "floor", "log", "square"]),
    ...named(["add", "sub", "mul", "div", "maximum", "minimum", "where", "less", "equal", "cast"]),
    "add of a number": withNumber(f.add),
    "mul by a number": withNumber(f.mul),
    "div by a number": withNumber(f.div),
    "maximum with a number": withNumber(f.maximum),
  },
  elementwise: Object.fromEntries(elementwise.map((record) => [record.name, applied(record)])),
  composites: {
    celu: unary(f.celu),
    clamp: (pool) => f.clamp(float(pool), -1, one(pool, [2, sized(float(pool), [])])),
    elu: unary(f.elu),
    gelu: unary(f.gelu),
    hardSigmoid: unary(f.hardSigmoid),
    hardSwish: unary(f.hardSwish),
    hardtanh: unary(f.hardtanh),
    leakyRelu: unary(f.leakyRelu),
    lerp: (pool) => f.lerp(float(pool), float(pool), one(pool, numbers)),
    logSigmoid: unary(f.logSigmoid),
    mish: unary(f.mish),
    nanToNum: unary(f.nanToNum),
    relu6: unary(f.relu6),
    remainder: (pool) => f.remainder(of(pool, one(pool, ["float32", "int32"])), 3),
    selu: unary(f.selu),
    dropout: (pool) => f.dropout(float(pool), one(pool, [0.4, 0, 1])),
    softmax: alongAxis(f.softmax, true),
    logSoftmax: alongAxis(f.logSoftmax, true),
    customGradient: (pool) => {
      const x = float(pool);
      return withGradient(mul(x, x), [x], (grad, [a]) => [mul(grad, f.sin(a))]);
    },
  },
  reductions: {
    all: reduction((x, over) => f.all(x, over)),
    any: reduction((x, over) => f.any(x, over)),
    argmax: reduction(f.argmax),
    argmin: reduction(f.argmin),
    firstMax: reduction(f.firstMax),
    logSumExp: reduction(f.logSumExp, true),
    max: reduction(f.max),
    mean: reduction(f.mean, true),
    min: reduction(f.min),
    norm: reduction((x, over, pool) => f.norm(x, { ...over, p: one(pool, [2, 1, 0, Infinity, 3]) }), true),
    prod: reduction(f.prod),
    std: reduction((x, over, { pick }) => f.std(x, { ...over, correction: pick(2) }), true),
    sum: reduction(f.sum),
    variance: reduction(f.variance, true),
    median: reduction(f.median, true),
    quantile: reduction((x, over, pool) => {
      const interpolation = one(pool, ["linear", "lower", "nearest", "midpoint"] as const);
      return f.quantile(x, one(pool, [0.5, [0.3, 1], [0]]), { ...over, interpolation });
    }, true),
  },
  lines: {
    argsort: alongAxis((x, axis, pool) => partly(pool, f.argsort(x, { axis, descending: pool.pick(2) === 0 }), axis)),
    cummax: alongAxis((x, axis) => Object.values(f.cummax(x, axis))),
    cummin: alongAxis((x, axis) => Object.values(f.cummin(x, axis))),
    "cumargmin alone": alongAxis((x, axis) => prefixArgmin(axis, x)),
    cumprod: alongAxis(f.cumprod),
    cumsum: alongAxis(f.cumsum),
    logCumSumExp: alongAxis(f.logCumSumExp, true),
    recurrence: (pool) => {
      const [x, axis] = withAxis(pool, float(pool));
      return recurrence(axis, floats(pool, x.shape), x);
    },
    searchSorted: (pool) => {
      const [sorted, x] = [f.sort(sized(float(pool), [7])), float(pool)];
      return f.searchSorted(sorted, x, { right: pool.pick(2) === 1 });
    },
    sort: alongAxis((x, axis, pool) => partly(pool, f.sort(x, { axis, descending: pool.pick(3) === 2 }), axis)),
    topK: (pool) => {
      const [x, axis] = withAxis(pool);
      const k = 1 + pool.pick(Math.max(1, x.shape[axis]));
      return Object.values(f.topK(x, k, { axis, largest: pool.pick(2) === 1 })).map((each) => partly(pool, each, axis));
    },
  },
  movement: {
    reshape: moving((x, pool) => {
      const divisors = [1, 2, 3, 4, 5, 6, 12].filter((d) => sizeOf(x.shape) % d === 0);
      return reshape(x, [one(pool, divisors), -1]);
    }),
    "reshape to six axes": moving((x, pool) => {
      const left = [1, 2, 3].filter((d) => sizeOf(x.shape) % d === 0);
      return reshape(x, [1, one(pool, left), 1, -1, 1, 1]);
    }),
    transpose: moving((x, { pick }) => {
      const order = x.shape.map((_, axis) => axis);
      for (let i = order.length - 1; i > 0; i--) {
        const j = pick(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return transpose(x, order);
    }),
    slice: moving((x, { pick }) =>
      slice(
        x,
        x.shape.map((extent) => {
          const [from, to] = [pick(extent + 1), pick(extent + 1)];
          return pick(3) === 0 ? null : from <= to ? ([from, to, 1 + pick(2)] as const) : ([from, to, -1] as const);
        }),
      ),
    ),
    broadcastTo: moving((x, { pick }) =>
      broadcastTo(x, [1 + pick(3), ...x.shape.map((extent) => (extent === 1 ? 1 + pick(3) : extent))]),
    ),
    flip: moving((x, pool) => f.flip(x, axesOf(pool, x))),
    swapAxes: moving((x) => f.swapAxes(x)),
    chunk: alongAxis((x, axis) => f.chunk(x, 2, axis)),
    expandDims: moving((x, pool) => f.expandDims(x, pool.pick(x.shape.length + 1))),
    flatten: moving((x) => f.flatten(x)),
    moveAxis: alongAxis((x, axis) => f.moveAxis(x, axis, -1)),
    split: alongAxis((x, axis, { pick }) => {
      const first = pick(x.shape[axis] + 1);
      return f.split(x, [first, x.shape[axis] - first], axis);
    }),
    squeeze: moving((x) => f.squeeze(x)),
    unstack: alongAxis((x, axis) => f.unstack(x, axis).slice(0, 3)),
    diagonal: moving((x, { pick }) => f.diagonal(x, { offset: pick(3) - 1 })),
    unfold: (pool) => {
      const [x, axis] = withAxis(pool);
      return f.unfold(x, axis, 1 + pool.pick(Math.max(1, x.shape[axis])), 1 + pool.pick(2), 1 + pool.pick(2));
    },
    rot90: moving((x, { pick }) => f.rot90(x, pick(4))),
  },
  assembled: {
    pad: moving((x, pool) =>
      f.pad(
        x,
        x.shape.map(() => [pool.pick(3), pool.pick(4)]),
        one(pool, [0, 1, "reflect", "replicate", "circular"]),
      ),
    ),
    concat: (pool) => {
      const [x, axis] = withAxis(pool);
      const other = () => {
        const shape = x.shape.map((extent, i) => (i === axis ? pool.pick(4) : extent));
        return sized(of(pool, x.dtype), shape);
      };
      return f.concat(
        one(pool, [
          [x, other(), x],
          [other(), x],
          [other(), other(), other(), x],
        ]),
        axis,
      );
    },
    stack: (pool) => {
      const x = any(pool);
      return f.stack([x, sized(of(pool, x.dtype), x.shape)], pool.pick(x.shape.length + 1));
    },
    repeatInterleave: alongAxis((x, axis, { pick }) =>
      f.repeatInterleave(x, pick(2) ? 2 : Array.from({ length: x.shape[axis] }, () => pick(3)), axis),
    ),
    roll: moving((x, pool) => {
      const axes = axesOf(pool, x);
      return f.roll(
        x,
        axes.map(() => pool.pick(7) - 3),
        axes,
      );
    }),
    tile: moving((x, { pick }) => f.tile(x, [1 + pick(2), ...x.shape.map(() => 1 + pick(2))])),
    diag: moving((x, { pick }) => f.diag(x.shape.length > 1 ? x : sized(x, [4]), pick(3) - 1)),
    trace: (pool) => f.trace(float(pool)),
    tril: moving((x, { pick }) => f.tril(x, pick(3) - 1)),
    triu: moving((x, { pick }) => f.triu(x, pick(3) - 1)),
    assemble: (pool) => {
      const shape = extents(pool, 2, 3);
      const pieces = Array.from({ length: 1 + pool.pick(3) }, () =>
        floats(
          pool,
          shape.map((extent) => 1 + pool.pick(extent)),
        ),
      );
      const places = pieces.map((piece) => ({
        starts: piece.shape.map((extent, axis) => pool.pick(shape[axis] - extent + 1)),
        steps: [1, 1],
      }));
      return assemble(pieces, places, shape);
    },
  },
  indexed: {
    gather: (pool) => {
      const [x, axis] = withAxis(pool);
      const shape = x.shape.map((extent, i) => (i === axis ? 1 + pool.pick(6) : extent));
      return f.gather(x, indices(pool, shape, x.shape[axis]), axis);
    },
    take: (pool) => {
      const [x] = withAxis(pool);
      return f.take(x, indices(pool, extents(pool, pool.pick(3)), x.shape[0]));
    },
    takeAlongAxis: (pool) => {
      const [x, axis] = withAxis(pool);
      const shape = x.shape.map((_, i) => (i === axis ? 3 : 1));
      return f.takeAlongAxis(x, indices(pool, shape, x.shape[axis]), axis);
    },
    at: moving((x, pool) => f.at(x, "::-2", indices(pool, [3], x.shape[1] ?? 1), "...")),
    "at of all kinds": moving((x, pool) => {
      const each = x.shape.map((extent) =>
        one<() => Index>(pool, [
          () => pool.pick(extent || 1),
          () => `${pool.pick(3)}:`,
          () => `:-${1 + pool.pick(2)}:2`,
          () => "::-1",
          () => indices(pool, one(pool, [[3], [2, 1], []]), extent),
        ])(),
      );
      each.splice(pool.pick(each.length + 1), pool.pick(2), null);
      each.splice(pool.pick(each.length + 1), pool.pick(3), "...");
      return f.at(x, ...each);
    }),
    "at a point": moving((x) => f.at(x, 0, null, "...")),
    ...Object.fromEntries(
      (["scatter", "scatterMax", "scatterMin"] as const).map((name): [string, Grow] => [
        name,
        (pool) => {
          const [x, axis] = withAxis(pool, of(pool, one(pool, ["float32", "int32"])));
          const shape = x.shape.map((extent, i) => (i === axis ? 1 + pool.pick(6) : extent));
          return f[name](x, indices(pool, shape, x.shape[axis]), sized(of(pool, x.dtype), shape), axis);
        },
      ]),
    ),
    scatterAdd: (pool) => {
      const [x, axis] = withAxis(pool, of(pool, one(pool, ["float32", "int32"])));
      const size = 1 + pool.pick(5);
      return f.scatterAdd(indices(pool, x.shape, size), x, axis, size);
    },
    bincount: (pool) => {
      const x = float(pool);
      return f.bincount(indices(pool, x.shape, 5), 5, pool.pick(2) ? x : undefined);
    },
    histogram: (pool) =>
      f.histogram(float(pool), one(pool, [{ bins: 4, range: [-2, 3] }, { bins: [-1, 0, 0.5, 4] }])).counts,
    "histogram of what there is": (pool) => f.histogram(float(pool), { bins: 3 }).edges,
    oneHot: (pool) => f.oneHot(sized(of(pool, "int32"), smallShape(pool)), 3),
  },
  random: {
    bernoulli: sampler((shape, pool) => f.bernoulli(shape, one(pool, [0.3, 0, 1]))),
    beta: sampler((shape) => f.beta(shape, 0.7, 2)),
    categorical: (pool) => f.categorical(floats(pool, extents(pool, 2)), 2),
    cauchy: sampler((shape) => f.cauchy(shape)),
    choice: (pool) => f.choice(withAxis(pool)[0], 3),
    "choice without replacement": ({ pick }) =>
      f.choice(5, 1 + pick(4), { replace: false, weights: [1, 2, 0.5, 1, 3] }),
    dirichlet: sampler((shape, pool) => f.dirichlet(shape, f.add(f.square(floats(pool, [3])), 0.5))),
    exponential: sampler((shape) => f.exponential(shape)),
    gamma: sampler((shape, pool) => f.gamma(shape, f.add(f.square(floats(pool, [])), 0.5))),
    gumbel: sampler((shape) => f.gumbel(shape)),
    laplace: sampler((shape) => f.laplace(shape)),
    logNormal: sampler((shape) => f.logNormal(shape)),
    normal: moving((x) => f.normal(x.shape)),
    permutation: ({ pick }) => f.permutation(pick(9)),
    poisson: sampler((shape) => f.poisson(shape, 1.5)),
    randint: moving((x, pool) =>
      f.randint(
        x.shape,
        ...one<[number, number]>(pool, [
          [-3, 4],
          [0, 1],
          [-(2 ** 31), 2 ** 31 - 1],
        ]),
      ),
    ),
    randomWords: moving((x) => makeNode("randomWords", [], x.shape)),
    shuffle: alongAxis(f.shuffle),
    truncatedNormal: sampler((shape) => f.truncatedNormal(shape)),
    uniform: moving((x, pool) =>
      f.uniform(
        x.shape,
        ...one<[number, number]>(pool, [
          [0, 1],
          [-2, 3],
        ]),
      ),
    ),
  },
  creation: {
    arange: ({ pick }) => f.arange(pick(9), 9),
    coordinate: (pool) => {
      const [{ shape }, axis] = withAxis(pool);
      return f.coordinate(shape, axis);
    },
    eye: ({ pick }) => f.eye(1 + pick(4), { columns: 3 }),
    full: (pool) => f.full(smallShape(pool), one(pool, numbers)),
    fullLike: moving((x) => f.fullLike(x, 1)),
    zerosLike: moving((x) => f.zerosLike(x)),
    onesLike: moving((x) => f.onesLike(x)),
    linspace: ({ pick }) => f.linspace(-1, 2, pick(6)),
    logspace: ({ pick }) => f.logspace(-1, 1, 1 + pick(4)),
    meshgrid: (pool) => f.meshgrid([floats(pool, [3]), floats(pool, [2])], { indexing: "xy" })[pool.pick(2)],
  },
  products: {
    matmul: (pool) => {
      const [a, b] = [float(pool), float(pool)];
      return pool.pick(2) ? f.matmul(a, b) : f.matmul(a, f.swapAxes(a));
    },
    "matmul of what fits": (pool) => {
      const [rows, inner, columns] = [1, 1, 1].map((least) => least + pool.pick(9));
      return f.matmul(matrix(pool, [rows, inner]), floats(pool, [inner, columns]));
    },
    "matmul of batches": (pool) => {
      const [rows, inner, columns] = extents(pool, 3);
      const [left, right] = one(pool, [
        [[2, 1], [3]],
        [[2], [2]],
        [
          [1, 2],
          [3, 1],
        ],
        [[], [2]],
      ] as const);
      return f.matmul(floats(pool, [...left, rows, inner]), floats(pool, [...right, inner, columns]));
    },
    linear: (pool) => {
      const [rows, inner, columns] = extents(pool, 3);
      return f.linear(matrix(pool, [rows, inner]), floats(pool, [columns, inner]), bias(pool, columns));
    },
    einsum: (pool) => {
      const [equation, ...shapes] = one(pool, equations);
      return f.einsum(equation, ...shapes.map((shape) => floats(pool, shape)));
    },
    "einsum of any letters": (pool) => {
      const [letters, sizes] = ["abcd", extents(pool, 4)];
      const term = (length: number) => Array.from({ length }, () => pool.pick(4));
      const terms = Array.from({ length: 1 + pool.pick(3) }, () => term(pool.pick(4)));
      const result = [0, 1, 2, 3].filter((at) => terms.flat().includes(at) && pool.pick(2));
      const text = (list: readonly number[]) => list.map((at) => letters[at]).join("");
      const dtype = one<DType>(pool, ["float32", "float32", "int32"]);
      const operands = terms.map((list) =>
        sized(
          of(pool, dtype),
          list.map((at) => sizes[at]),
        ),
      );
      return f.einsum(`${terms.map(text)}->${text(pool.pick(2) ? result : result.reverse())}`, ...operands);
    },
    tensordot: (pool) =>
      pool.pick(2)
        ? f.tensordot(floats(pool, [2, 3, 2]), floats(pool, [3, 2, 4]))
        : f.tensordot(floats(pool, [2, 3, 4]), floats(pool, [4, 5, 2]), [
            [0, 2],
            [2, 0],
          ]),
    outer: (pool) => f.outer(floats(pool, [5]), floats(pool, [3])),
    dot: (pool) => f.dot(floats(pool, [9]), floats(pool, [9])),
    inner: (pool) => f.inner(floats(pool, [2, 3]), floats(pool, [4, 3])),
    kron: (pool) => f.kron(floats(pool, [2, 3]), floats(pool, [3, 1])),
    cross: (pool) => f.cross(floats(pool, [2, 3]), floats(pool, [2, 3])),
    cdist: (pool) => f.cdist(floats(pool, [3, 2]), floats(pool, [4, 2])),
    scaledDotProductAttention: (pool) => {
      const [queries, depth] = extents(pool, 2);
      const lead = pool.pick(2) ? [2] : [];
      const mask = pool.pick(3) === 2 ? sized(of(pool, "bool"), [queries, queries]) : undefined;
      const options: AttentionOptions = { causal: pool.pick(2) === 1, dropout: one(pool, [0, 0.3]), mask };
      const part = () => floats(pool, [...lead, queries, depth]);
      return f.scaledDotProductAttention(part(), part(), part(), options);
    },
    fft: (pool) => f.fft(floats(pool, [2, one(pool, lengths), 2])),
    ifft: (pool) => f.ifft(floats(pool, [one(pool, lengths), 2])),
    rfft: (pool) => f.rfft(floats(pool, [2, one(pool, lengths)])),
    irfft: (pool) => f.irfft(floats(pool, [2 + pool.pick(8), 2])),
  },
  images: {
    ...perRank((rank) => ({
      [`conv${rank}d`]: (pool) => {
        const [groups, channels, out] = [1, 1, 1].map((least) => least + pool.pick(2));
        const x = images(pool, rank, groups * channels);
        const w = floats(pool, [groups * out, channels, ...x.shape.slice(2).map(() => 1 + pool.pick(3))]);
        const padding = pool.pick(4) === 3 ? ({ padding: "same", stride: 1 } as const) : {};
        return f[`conv${rank}d`](x, w, bias(pool, groups * out), { ...windows(pool), groups, ...padding });
      },
      [`convTranspose${rank}d`]: (pool) => {
        const [groups, channels, out] = [1, 1, 1].map((least) => least + pool.pick(2));
        const x = images(pool, rank, groups * channels);
        const w = floats(pool, [groups * channels, out, ...x.shape.slice(2).map(() => 1 + pool.pick(2))]);
        const outputPadding = pool.pick(2);
        return f[`convTranspose${rank}d`](x, w, bias(pool, groups * out), { ...windows(pool), groups, outputPadding });
      },
      [`maxPool${rank}d`]: (pool) => f[`maxPool${rank}d`](images(pool, rank), 1 + pool.pick(3), windows(pool)),
      [`avgPool${rank}d`]: (pool) =>
        f[`avgPool${rank}d`](images(pool, rank), 2 + pool.pick(2), {
          stride: 1 + pool.pick(2),
          padding: 1,
          countPadding: !pool.pick(2),
        }),
      [`adaptiveAvgPool${rank}d`]: (pool) => f[`adaptiveAvgPool${rank}d`](images(pool, rank), 1 + pool.pick(3)),
      [`adaptiveMaxPool${rank}d`]: (pool) => f[`adaptiveMaxPool${rank}d`](images(pool, rank), 1 + pool.pick(3)),
    })),
    globalAvgPool: (pool) => f.globalAvgPool(images(pool, 2)),
    globalMaxPool: (pool) => f.globalMaxPool(images(pool, 2)),
    im2col: (pool) => f.im2col(images(pool, 2), 2, windows(pool)),
    col2im: (pool) => f.col2im(floats(pool, [1, 4, 6]), [3, 4], 2),
    interpolate: (pool) => {
      const rank = 1 + pool.pick(3);
      const mode = pool.pick(2) ? (["linear", "bilinear", "trilinear"] as const)[rank - 1] : "nearest";
      const to = pool.pick(2) ? { size: extents(pool, rank) } : { scaleFactor: one(pool, [2, 0.6, 1.5]) };
      return f.interpolate(images(pool, rank), { ...to, mode, alignCorners: mode !== "nearest" && pool.pick(2) === 1 });
    },
    gridSample: (pool) => {
      const x = images(pool, 2);
      return f.gridSample(x, floats(pool, [x.shape[0], 3, 2, 2]));
    },
    affineGrid: (pool) => f.affineGrid(floats(pool, [1, 2, 3]), extents(pool, 2)),
    pixelShuffle: (pool) => f.pixelShuffle(floats(pool, [4, 2, 3]), 2),
    pixelUnshuffle: (pool) => f.pixelUnshuffle(floats(pool, [1, 4, 2]), 2),
    batchNorm: (pool) => {
      const part = () => floats(pool, [2]);
      return f.batchNorm(images(pool, 1, 2), part(), f.square(part()), part(), part());
    },
    batchNormTraining: (pool) => Object.values(f.batchNormTraining(images(pool, 2, 2), bias(pool, 2), bias(pool, 2))),
    groupNorm: (pool) => f.groupNorm(images(pool, 1, 4), 2, bias(pool, 4), bias(pool, 4)),
    instanceNorm: (pool) => f.instanceNorm(images(pool, 2, 2), bias(pool, 2)),
    layerNorm: (pool) => f.layerNorm(matrix(pool, [3, 4]), floats(pool, [4]), bias(pool, 4)),
    rmsNorm: (pool) => f.rmsNorm(matrix(pool, [3, 4]), floats(pool, [4])),
  },
  linalg: {
    cholesky: (pool) => f.cholesky(definite(pool)),
    det: (pool) => f.det(square(pool)),
    eigh: (pool) => Object.values(f.eigh(square(pool))),
    inverse: (pool) => f.inverse(square(pool)),
    lstsq: (pool) => f.lstsq(floats(pool, [4, 2]), floats(pool, [4])),
    lu: (pool) => Object.values(f.lu(square(pool))),
    matrixPower: (pool) => f.matrixPower(square(pool), pool.pick(5) - 1),
    matrixRank: (pool) => f.matrixRank(matrix(pool)),
    pinverse: (pool) => f.pinverse(matrix(pool)),
    qr: (pool) => Object.values(f.qr(matrix(pool))),
    slogdet: (pool) => Object.values(f.slogdet(square(pool))),
    solve: (pool) => f.solve(floats(pool, [3, 3]), floats(pool, [3, 2])),
    svd: (pool) => Object.values(f.svd(matrix(pool))),
    triangularSolve: (pool) => f.triangularSolve(definite(pool), floats(pool, [3, 2]), { upper: pool.pick(2) === 1 }),
  },
  ...bodies(grow),
} satisfies Record<string, Record<string, Grow>>;

/** How often each family comes. */
const weights: Readonly<Record<keyof typeof table, number>> = {
  arithmetic: 6,
  elementwise: 4,
  movement: 5,
  reductions: 3,
  assembled: 2,
  indexed: 2,
  lines: 2,
  random: 2,
  products: 2,
  images: 2,
  composites: 1,
  creation: 1,
  linalg: 1,
  loops: 1,
  transformed: 1,
};

const weighed = Object.entries(weights).map(([name, weight]): [Grow[], number, string] => [
  Object.values<Grow>(table[name as keyof typeof table]),
  weight,
  name,
]);
const all = weighed.flatMap(([family, weight]) => Array<Grow[]>(weight).fill(family));
/** Loops within loops within loops say nothing new, and cost. */
const innermost = weighed.flatMap(([family, weight, name]) =>
  ["loops", "transformed", "linalg"].includes(name) ? [] : Array<Grow[]>(weight).fill(family),
);

/** Each by its name, for tests of what is there. */
export const growers: Readonly<Record<string, Grow>> = Object.assign({}, ...Object.values(table));

/** A few growths, by families too: what programs favour. */
export const favourites = (pool: Pool): Grow[] =>
  Array.from({ length: 2 + pool.pick(6) }, () => one(pool, one(pool, all)));

/** Gradients that are none of their values. */
const otherwise = new Set([
  growers.stopGradient,
  growers.customGradient,
  growers.gamma,
  growers.dirichlet,
  growers.round,
]);

/** More values from those there are: three times of four by one of those that the program favours, where it does. */
export function grow(pool: Pool): readonly Node[] {
  const { favoured = [], depth } = pool;
  const family =
    favoured.length > 0 && depth < 2 && pool.pick(4) > 0 ? favoured : one(pool, depth < 2 ? all : innermost);
  const chosen = one(pool, family);
  if (pool.derivable && otherwise.has(chosen)) return [];
  const grown = chosen(pool);
  return grown instanceof Node ? [grown] : grown;
}
